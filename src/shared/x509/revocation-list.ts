/** Certificate revocation lists (RFC 5280 section 5), complete, delta and indirect ones. */
import { DerTag } from '../crypto/der.ts';
import { fingerprintOf } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  type DerElement,
  type DerFields,
  fieldsOf,
  hexOf,
  onlyPart,
  partsOf,
  readDer,
  readInteger,
  readSerialNumber,
  readSmallInteger,
} from './der-element.ts';
import { type CrlScope, readCrlScope } from './distribution-point.ts';
import { authorityKeyIdOf, type RawExtension, readExtensionList } from './extensions.ts';
import { type DistinguishedName, readDistinguishedName, readGeneralNames } from './general-name.ts';
import { expectSameAlgorithm, readSigned, type Signed } from './signature.ts';
import { readTime } from './time.ts';

export interface RevocationList extends Signed {
  /** SHA-256 of the CRL, hex digits. */
  readonly fingerprint: string;
  readonly issuer: DistinguishedName;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  /** Undefined where the issuer does not say when the next one comes. */
  readonly nextUpdate: number | undefined;
  readonly number: bigint | undefined;
  /** Set in a delta CRL: the number of the complete CRL it adds to. */
  readonly baseNumber: bigint | undefined;
  readonly authorityKeyId: string | undefined;
  readonly scope: CrlScope | undefined;
  /** By revocationKey. */
  readonly revocations: ReadonlyMap<string, Revocation>;
  /** Critical extensions of the list or of an entry that are not understood: the list must not be used. */
  readonly unknownCritical: readonly string[];
}

export interface Revocation {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `keyCompromise` and so on; undefined where none is given. */
  readonly reason: string | undefined;
}

/** Delta CRLs take a certificate off again with this reason. */
export const REMOVE_FROM_CRL = 'removeFromCRL';

/** How revocations are found: the certificate issuer's name counts, in an indirect CRL it need not be the CRL's. */
export const revocationKey = (issuer: DistinguishedName, serialNumber: string): string =>
  `${serialNumber} ${issuer.key}`;

/** Throws CertificateError for anything but one CRL in DER. */
export const parseRevocationList = (der: Uint8Array): RevocationList => {
  const where = 'CRL';
  const { content, algorithmId, ...signed } = readSigned(readDer(der, where), where);
  const fields = fieldsOf(content, DerTag.SEQUENCE, where);
  const version = fields.takeIf(DerTag.INTEGER);
  if (version !== undefined && readSmallInteger(version, DerTag.INTEGER, where) !== 1) {
    throw new CertificateError(`${where}: neither version 1 nor version 2`);
  }
  expectSameAlgorithm(fields.take(DerTag.SEQUENCE, 'signature'), algorithmId, where);
  const issuer = readDistinguishedName(fields.takeAny('issuer'), `${where}: issuer`);
  const thisUpdate = readTime(fields.takeAny('thisUpdate'), `${where}: thisUpdate`);
  const nextUpdate = takeTime(fields, `${where}: nextUpdate`);
  const entries = readEntries(fields.takeIf(DerTag.SEQUENCE), issuer, where);
  const extensions = fields.takeIf(constructedTag(0));
  fields.end();
  const list = extensions === undefined ? [] : readExtensionList(onlyPart(extensions, where), where);
  const scope = list.find(({ oid }) => oid === ISSUING_DISTRIBUTION_POINT);
  return {
    ...signed,
    fingerprint: fingerprintOf(der),
    issuer,
    thisUpdate,
    nextUpdate,
    number: numberOf(list, CRL_NUMBER),
    baseNumber: numberOf(list, DELTA_CRL_INDICATOR),
    authorityKeyId: authorityKeyIdOf(list),
    scope: scope && readCrlScope(scope.value),
    revocations: entries.revocations,
    unknownCritical: [...entries.unknownCritical, ...criticalBut(list, KNOWN)],
  };
};

interface Entries {
  readonly revocations: ReadonlyMap<string, Revocation>;
  readonly unknownCritical: ReadonlySet<string>;
}

const readEntries = (element: DerElement | undefined, listIssuer: DistinguishedName, where: string): Entries => {
  const revocations = new Map<string, Revocation>();
  const unknownCritical = new Set<string>();
  // Section 5.3.3: an entry without certificateIssuer has that of the entry before it.
  let issuer = listIssuer;
  for (const part of element === undefined ? [] : partsOf(element, DerTag.SEQUENCE, where)) {
    const fields = fieldsOf(part, DerTag.SEQUENCE, `${where}: entry`);
    const serialNumber = readSerialNumber(fields.takeAny('userCertificate'), `${where}: entry`);
    const at = readTime(fields.takeAny('revocationDate'), `${where}: revocationDate`);
    const extensions = fields.takeIf(DerTag.SEQUENCE);
    fields.end();
    const list = extensions === undefined ? [] : readExtensionList(extensions, `${where}: entry`);
    issuer = certificateIssuer(list) ?? issuer;
    for (const oid of criticalBut(list, KNOWN_IN_ENTRIES)) unknownCritical.add(oid);
    revocations.set(revocationKey(issuer, serialNumber), { at, reason: reasonOf(list) });
  }
  return { revocations, unknownCritical };
};

const certificateIssuer = (list: readonly RawExtension[]): DistinguishedName | undefined => {
  const raw = list.find(({ oid }) => oid === CERTIFICATE_ISSUER);
  if (raw === undefined) return undefined;
  const where = 'CRL: certificateIssuer';
  for (const name of readGeneralNames(readDer(raw.value, where), DerTag.SEQUENCE, where)) {
    if (name.kind === 'directory') return name.name;
  }
  throw new CertificateError(`${where}: an X.501 name is wanted`);
};

const reasonOf = (list: readonly RawExtension[]): string | undefined => {
  const raw = list.find(({ oid }) => oid === REASON_CODE);
  if (raw === undefined) return undefined;
  return (
    REVOCATION_REASONS[readSmallInteger(readDer(raw.value, 'CRL: reasonCode'), ENUMERATED, 'CRL: reasonCode')] ??
    'unknown'
  );
};

const numberOf = (list: readonly RawExtension[], wanted: string): bigint | undefined => {
  const raw = list.find(({ oid }) => oid === wanted);
  return raw && BigInt(`0x${hexOf(readInteger(readDer(raw.value, 'CRL: number'), DerTag.INTEGER, 'CRL: number'))}`);
};

const takeTime = (fields: DerFields, where: string): number | undefined => {
  const element = fields.takeIf(UTC_TIME) ?? fields.takeIf(GENERALIZED_TIME);
  return element && readTime(element, where);
};

const criticalBut = (list: readonly RawExtension[], known: ReadonlySet<string>): readonly string[] =>
  list.filter(({ oid, isCritical }) => isCritical && !known.has(oid)).map(({ oid }) => oid);

const CRL_NUMBER = '2.5.29.20';
const REASON_CODE = '2.5.29.21';
const DELTA_CRL_INDICATOR = '2.5.29.27';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const CERTIFICATE_ISSUER = '2.5.29.29';
const KNOWN: ReadonlySet<string> = new Set([CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT, '2.5.29.35']);
const KNOWN_IN_ENTRIES: ReadonlySet<string> = new Set([REASON_CODE, CERTIFICATE_ISSUER]);
/** Section 5.3.1, by their code; 7 is not used. */
export const REVOCATION_REASONS: readonly string[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'unknown',
  REMOVE_FROM_CRL,
  'privilegeWithdrawn',
  'aACompromise',
];
const ENUMERATED = 0x0a;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
