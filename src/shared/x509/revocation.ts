/** Whether CRLs revoke a certificate (RFC 5280 section 6.3), with what the operator loaded: nothing is fetched. */
import type { KeyObject } from 'node:crypto';
import { type Certificate, certificateText } from './certificate.ts';
import { ALL_REASONS, type DistributionPoint, namesOfPoint } from './distribution-point.ts';
import { KeyUsageBit } from './extensions.ts';
import type { GeneralName } from './general-name.ts';
import { type PathContext, signatureId } from './path-context.ts';
import { REMOVE_FROM_CRL, type Revocation, type RevocationList, revocationKey } from './revocation-list.ts';
import { algorithmRefusal, algorithmWarning } from './strength.ts';
import { timeText } from './time.ts';

/** The certificate above the one in question in its path, with the key to use, and the CA at the path's end. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly key: KeyObject;
  readonly anchor: Certificate;
}

/** Why the CRLs refuse the certificate; undefined where they do not. Pushes on `warnings` what was taken though it is weak. */
export const revocationRefusal = (
  context: PathContext,
  certificate: Certificate,
  issuer: Issuer,
  warnings: string[],
): string | undefined => {
  const { settings } = context.store;
  const lists = listsFor(context, certificate);
  const troubles: string[] = [];
  let covered = 0;
  for (const list of lists.filter(({ baseNumber }) => baseNumber === undefined)) {
    // The newest comes first: what it told need not be told by an older one.
    const reasons = reasonsTold(list, certificate) & ~covered;
    if (reasons === 0) continue;
    const trouble = unusable(context, list, issuer, warnings);
    if (trouble !== undefined) {
      troubles.push(`the CRL of ${list.issuer.said} ${trouble}`);
      continue;
    }
    const revocation = revocationOf(context, certificate, issuer, list, lists);
    if (revocation !== undefined) return revokedText(revocation, list);
    covered |= reasons;
  }
  if (covered === ALL_REASONS) return undefined;
  if (troubles.length > 0) return troubles[0];
  if (!settings.requireRevocationList) return undefined;
  return covered === 0
    ? `no CRL of ${certificate.issuer.said} that tells of it is loaded`
    : `the CRLs of ${certificate.issuer.said} that are loaded do not tell of all reasons`;
};

const revokedText = ({ at, reason }: Revocation, { issuer }: RevocationList): string =>
  `revoked on ${timeText(at)}${reason === undefined ? '' : ` (${reason})`} by the CRL of ${issuer.said}`;

/** The CRLs of its issuer, and those of others that its distribution points name. */
const listsFor = (context: PathContext, certificate: Certificate): readonly RevocationList[] => {
  const issuers = new Set([
    certificate.issuer.key,
    ...certificate.extensions.distributionPoints.flatMap(crlIssuerKeys),
  ]);
  return [...issuers].flatMap((key) => context.store.listsByIssuer.get(key) ?? []);
};

const crlIssuerKeys = ({ crlIssuer }: DistributionPoint): readonly string[] =>
  crlIssuer.flatMap((name) => (name.kind === 'directory' ? [name.name.key] : []));

/** The reasons for which this list would tell of the certificate, over its distribution points and the one that its issuer's name implies. */
const reasonsTold = (list: RevocationList, certificate: Certificate): number =>
  [...certificate.extensions.distributionPoints, undefined].reduce(
    (reasons, point) => reasons | (isTold(list, point, certificate) ? commonReasons(list, point) : 0),
    0,
  );

const commonReasons = (list: RevocationList, point: DistributionPoint | undefined): number =>
  (list.scope?.reasons ?? ALL_REASONS) & (point?.reasons ?? ALL_REASONS) & ALL_REASONS;

/** RFC 5280 section 6.3.3 (b). */
const isTold = (list: RevocationList, point: DistributionPoint | undefined, certificate: Certificate): boolean => {
  const { scope } = list;
  if (point !== undefined && point.crlIssuer.length > 0) {
    if (scope?.isIndirect !== true || !crlIssuerKeys(point).includes(list.issuer.key)) return false;
  } else if (list.issuer.key !== certificate.issuer.key) return false;
  if (scope === undefined) return true;
  const isAuthority = certificate.extensions.basicConstraints?.isAuthority === true;
  if (scope.onlyAttributes || (scope.onlyUsers && isAuthority) || (scope.onlyAuthorities && !isAuthority)) return false;
  if (scope.name === undefined) return true;
  const told = namesOfPoint(scope.name, [list.issuer.der]);
  return wantedNames(point, certificate).some((name) => told.some((other) => sameName(name, other)));
};

const wantedNames = (point: DistributionPoint | undefined, certificate: Certificate): readonly GeneralName[] => {
  if (point === undefined) return [{ kind: 'directory', name: certificate.issuer }];
  if (point.name === undefined) return point.crlIssuer;
  const issuers = point.crlIssuer.flatMap((name) => (name.kind === 'directory' ? [name.name.der] : []));
  return namesOfPoint(point.name, issuers.length > 0 ? issuers : [certificate.issuer.der]);
};

const sameName = (a: GeneralName, b: GeneralName): boolean => {
  if (a.kind === 'directory' && b.kind === 'directory') return a.name.key === b.name.key;
  return a.kind !== 'directory' && a.kind === b.kind && 'text' in a && 'text' in b && a.text === b.text;
};

/** Why a list must not be used, as it follows `the CRL of X`; undefined where it may. */
const unusable = (
  context: PathContext,
  list: RevocationList,
  issuer: Issuer,
  warnings: string[],
): string | undefined => {
  const { at, store } = context;
  const [unknown] = list.unknownCritical;
  if (unknown !== undefined) return `has the critical extension ${unknown}, which is not understood`;
  const weakness = algorithmRefusal(list.algorithm, store.settings);
  if (weakness !== undefined) return weakness;
  if (list.thisUpdate > at) return `is valid from ${timeText(list.thisUpdate)} only`;
  if (list.nextUpdate !== undefined && list.nextUpdate < at) {
    const stale = `has expired: a new one was due on ${timeText(list.nextUpdate)}`;
    if (!store.settings.acceptStaleLists) return `${stale}; load a new one (Accept-expired-CRL would go on with it)`;
    warnings.push(`the CRL of ${list.issuer.said} ${stale}`);
  }
  const warning = algorithmWarning(list.algorithm);
  if (warning !== undefined) warnings.push(`the CRL of ${list.issuer.said} ${warning}`);
  return signerTrouble(context, list, issuer);
};

/** A CRL is signed by the certificate's issuer, or by another certificate of that name (or of the CRL's, if it is indirect) that the same CA vouches for. */
const signerTrouble = (context: PathContext, list: RevocationList, issuer: Issuer): string | undefined => {
  const candidates = [issuer.certificate, ...context.candidates(list.issuer.key)];
  const signers = candidates.filter((signer) => {
    const key = signer === issuer.certificate ? issuer.key : signer.publicKey;
    if (signer.subject.key !== list.issuer.key || key === undefined || !maySignLists(signer)) return false;
    if (!context.isSignedBy(list, signer, key)) return false;
    // CRLs are the operator's: strangers cannot fill the memory with them.
    if (key === signer.publicKey) context.store.goodSignatures.set(signatureId(signer, list), true);
    return true;
  });
  const troubles = signers.map((signer) => standingTrouble(context, signer, issuer));
  if (troubles.includes(undefined)) return undefined;
  return troubles[0] ?? 'was not signed by a certificate of that name that may sign CRLs';
};

/** Why a certificate whose key signed a CRL does not count. The issuer's own key is beyond doubt, the path below rests on it. */
const standingTrouble = (context: PathContext, signer: Certificate, issuer: Issuer): string | undefined => {
  if (Buffer.compare(signer.spki, issuer.certificate.spki) === 0) return undefined;
  const path = context.crlSignerPath(signer);
  // A CRL that tells of its own signer is asked while that one's path is under way.
  if (path === 'underway') return undefined;
  if (path.kind === 'refused') return `is signed with a certificate that is refused: ${path.reason}`;
  if (path.chain.at(-1)?.fingerprint === issuer.anchor.fingerprint) return undefined;
  return `is signed below another CA than ${certificateText(issuer.anchor)}`;
};

const maySignLists = ({ extensions: { keyUsage } }: Certificate): boolean =>
  keyUsage === undefined || (keyUsage & KeyUsageBit.cRLSign) !== 0;

/** What the list says of the certificate, or the newest delta CRL that adds to it (section 5.2.4). */
const revocationOf = (
  context: PathContext,
  certificate: Certificate,
  issuer: Issuer,
  list: RevocationList,
  lists: readonly RevocationList[],
): Revocation | undefined => {
  const key = revocationKey(certificate.issuer, certificate.serialNumber);
  const delta = lists.find((other) => addsTo(other, list) && unusable(context, other, issuer, []) === undefined);
  const newer = delta?.revocations.get(key);
  if (newer?.reason === REMOVE_FROM_CRL) return undefined;
  return newer ?? list.revocations.get(key);
};

const addsTo = (delta: RevocationList, list: RevocationList): boolean => {
  if (delta.baseNumber === undefined || delta.number === undefined || list.number === undefined) return false;
  if (delta.issuer.key !== list.issuer.key || delta.authorityKeyId !== list.authorityKeyId) return false;
  if (Buffer.compare(delta.scope?.der ?? NONE, list.scope?.der ?? NONE) !== 0) return false;
  return delta.baseNumber <= list.number && list.number < delta.number;
};

const NONE = new Uint8Array();
