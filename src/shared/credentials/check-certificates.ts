/** What there is to say about files of certificates and CRLs: once when they are read, not by every lane. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { failure, notice } from '../log/records.ts';
import type { Steps } from '../steps.ts';
import type { LogRecord } from '../threads/contract.ts';
import { type Certificate, certificateText, isSelfIssued } from '../x509/certificate.ts';
import { bindsIdentity } from '../x509/certificate-identity.ts';
import { keyRefusal } from '../x509/strength.ts';
import { timeText } from '../x509/time.ts';
import { type StoredCertificate, type TrustStore, trustStoreInSteps } from '../x509/trust-store.ts';
import { validatePath } from '../x509/validate-path.ts';
import type { CredentialFiles, CredentialSettings } from './credential-files.ts';
import { identityOfFileName } from './identity-key.ts';
import { readPrivateKey } from './keys.ts';

export interface CertificateFindings {
  /** What cannot be used, one sentence each, naming the file. */
  readonly problems: readonly string[];
  /** What can be used and is odd. */
  readonly oddities: readonly string[];
  /** Files of CRLs that are broken altogether or in part. */
  readonly brokenLists: ReadonlySet<string>;
  readonly items: readonly DatedItem[];
  readonly trust: TrustStore;
}

/** Something that is of use up to a day. */
export interface DatedItem {
  readonly kind: 'authority' | 'certificate' | 'crl';
  readonly file: string;
  /** The subject; of a CRL its issuer. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** Undefined for a CRL that does not say when the next one comes. */
  readonly until: number | undefined;
}

/** `at` is in ms since 1970. */
export function* certificateFindingsInSteps(files: CredentialFiles, at: number): Steps<CertificateFindings> {
  const store = yield* trustStoreInSteps(files, files.settings);
  const lists = new Set(files.revocationLists.map(({ file }) => file));
  const oddities: string[] = [];
  for (const authority of store.authorities) oddities.push(...authorityOddities(authority, files.settings));
  for (const { file, list } of store.revocationLists) {
    if (!store.bySubject.has(list.issuer.key)) {
      oddities.push(`${file} has no effect: no certificate of ${list.issuer.said}, who issued this CRL, is there`);
    }
  }
  const own = ownCertificates(files, store);
  for (const certificate of own) {
    oddities.push(...ownOddities(certificate, store, at));
    yield;
  }
  oddities.push(...foreignOddities(files, store, own));
  return {
    problems: store.problems.map(({ file, problem }) => `${file} is not used: ${problem}`),
    oddities,
    brokenLists: new Set(store.problems.map(({ file }) => file).filter((file) => lists.has(file))),
    items: itemsOf(store),
    trust: store,
  };
}

/** `CA certificate of /CN=x (ca/x.pem)`. */
const itemText = ({ kind, name, file }: DatedItem): string => `${KINDS[kind]} of ${name} (${file})`;

/** A peer's self-signed certificate may be there to be trusted for itself. */
const authorityOddities = (
  { file, certificate }: StoredCertificate,
  settings: CredentialSettings,
): readonly string[] => {
  const isAuthority = certificate.extensions.basicConstraints?.isAuthority === true || isSelfIssued(certificate);
  const why = isAuthority ? keyRefusal(certificate.size, settings) : 'is no CA certificate';
  return why === undefined
    ? []
    : [`${file} vouches for nobody: the certificate of ${certificateText(certificate)} ${why}`];
};

/** Those in Cert-directory whose private key we have. */
const ownCertificates = (
  { privateKeys, settings }: CredentialFiles,
  { certificates }: TrustStore,
): readonly StoredCertificate[] => {
  const own = privateKeys.flatMap(({ bytes }) => {
    const read = readPrivateKey(bytes, settings.minimumRsaBits);
    return read.kind === 'key' ? [spkiOf(createPublicKey(read.key))] : [];
  });
  return certificates.filter(
    ({ certificate: { publicKey } }) => publicKey !== undefined && own.includes(spkiOf(publicKey)),
  );
};

/** Certificates of one of our names whose private key we do not have: the signature that goes with them would be made with another one. */
const foreignOddities = (
  { privateKeys }: CredentialFiles,
  { certificates }: TrustStore,
  own: readonly StoredCertificate[],
): readonly string[] => {
  if (own.length === 0 && certificates.length > 0 && privateKeys.length > 0) {
    return ['no certificate in Cert-directory belongs to a private key of ours: peers get none'];
  }
  return privateKeys
    .filter(({ identity }) => identity !== '')
    .flatMap(({ identity, file: keyFile }) => {
      const wanted = identityOfFileName(identity);
      const fitting = certificates.filter(({ certificate }) =>
        bindsIdentity(certificate, wanted, { matchWildcards: false }),
      );
      if (fitting.some((stored) => own.includes(stored))) return [];
      return fitting.map(({ file }) => `${file} names ${identity} and does not belong to the private key ${keyFile}`);
    });
};

const spkiOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');

/** Our peers may trust other CAs than we do: without any of its issuer's name nothing is said. */
const ownOddities = ({ file, certificate }: StoredCertificate, store: TrustStore, at: number): readonly string[] => {
  if (!store.bySubject.has(certificate.issuer.key)) return [];
  const outcome = validatePath(certificate, { untrusted: [], store, at });
  return outcome.kind === 'refused' ? [`${file} is ours, and peers may refuse it as we would: ${outcome.reason}`] : [];
};

const itemsOf = ({ authorities, certificates, revocationLists }: TrustStore): readonly DatedItem[] => [
  ...authorities.map((stored) => itemOf('authority', stored)),
  ...certificates.map((stored) => itemOf('certificate', stored)),
  ...revocationLists.map(({ file, list }) => ({
    kind: 'crl' as const,
    file,
    name: list.issuer.said,
    from: list.thisUpdate,
    until: list.nextUpdate,
  })),
];

const itemOf = (
  kind: DatedItem['kind'],
  { file, certificate }: { file: string; certificate: Certificate },
): DatedItem => ({
  kind,
  file,
  name: certificateText(certificate),
  from: certificate.notBefore,
  until: certificate.notAfter,
});

/** `at` is in ms since 1970. Soon: within 30 days. */
export const stateOf = (
  { from, until }: DatedItem,
  at: number,
): 'valid' | 'expires-soon' | 'expired' | 'not-yet-valid' => {
  if (at < from) return 'not-yet-valid';
  if (until === undefined || until - at > SOON) return 'valid';
  return until < at ? 'expired' : 'expires-soon';
};

/** What is said of an item that has ended, ends soon or has not begun; undefined: nothing. `at` is in ms since 1970. */
export const expiryRecord = (item: DatedItem, at: number): LogRecord | undefined => {
  const end = timeText(item.until ?? 0);
  switch (stateOf(item, at)) {
    case 'valid':
      return undefined;
    case 'not-yet-valid':
      return failure('credentials-expired', `credentials: ${itemText(item)} is valid from ${timeText(item.from)} only`);
    case 'expired':
      return failure('credentials-expired', `credentials: ${itemText(item)} expired on ${end}`);
    default: {
      const days = Math.floor(((item.until ?? 0) - at) / DAY);
      const left = days === 1 ? '1 day' : `${days} days`;
      return notice('credentials-expire', `credentials: ${itemText(item)} expires on ${end}, in ${left}`);
    }
  }
};

const KINDS: Readonly<Record<DatedItem['kind'], string>> = {
  authority: 'CA certificate',
  certificate: 'certificate',
  crl: 'CRL',
};
/** ms */
const DAY = 86_400_000;
const SOON = 30 * DAY;
