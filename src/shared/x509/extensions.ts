/** Extensions of certificates (RFC 5280 section 4.2). What is not read here is told by its object identifier if it is critical. */
import { DerTag } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  contentOf,
  type DerElement,
  expectTag,
  fieldsOf,
  hexOf,
  partsOf,
  primitiveTag,
  readBoolean,
  readDer,
  readNamedBits,
  readOid,
  readSmallInteger,
} from './der-element.ts';
import { type DistributionPoint, readDistributionPoints } from './distribution-point.ts';
import { type GeneralName, readGeneralName, readGeneralNames } from './general-name.ts';

export interface Extensions {
  readonly basicConstraints: { readonly isAuthority: boolean; readonly pathLength: number | undefined } | undefined;
  /** Bits of KeyUsageBit; undefined where the extension is not there. */
  readonly keyUsage: number | undefined;
  readonly extendedKeyUsage: { readonly isCritical: boolean; readonly purposes: readonly string[] } | undefined;
  readonly alternativeNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  /** Hex digits. */
  readonly subjectKeyId: string | undefined;
  /** Hex digits of the issuer's key identifier. */
  readonly authorityKeyId: string | undefined;
  readonly distributionPoints: readonly DistributionPoint[];
  /** policyConstraints with requireExplicitPolicy: who cannot process policies must not take the path. */
  readonly wantsExplicitPolicy: boolean;
  /** Object identifiers of critical extensions that are not understood. */
  readonly unknownCritical: readonly string[];
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** Bits of readNamedBits for RFC 5280 section 4.2.1.3. */
export const KeyUsageBit = { digitalSignature: 1, nonRepudiation: 2, keyCertSign: 0x20, cRLSign: 0x40 };

export interface RawExtension {
  readonly oid: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

/** The members of an Extensions SEQUENCE, each object identifier once. Throws CertificateError. */
export const readExtensionList = (element: DerElement, where: string): readonly RawExtension[] => {
  const list = partsOf(element, DerTag.SEQUENCE, where).map((part) => {
    const fields = fieldsOf(part, DerTag.SEQUENCE, where);
    const oid = readOid(fields.takeAny('extnID'), where);
    const critical = fields.takeIf(BOOLEAN);
    const value = contentOf(fields.take(DerTag.OCTET_STRING, 'extnValue'), where);
    fields.end();
    return { oid, isCritical: critical !== undefined && readBoolean(critical, BOOLEAN, where), value };
  });
  const oids = list.map(({ oid }) => oid);
  const twice = oids.find((oid, index) => oids.indexOf(oid) !== index);
  if (twice !== undefined) throw new CertificateError(`${where}: extension ${twice} is there twice`);
  return list;
};

/** Throws CertificateError for a known extension that is malformed. */
export const readExtensions = (list: readonly RawExtension[]): Extensions => {
  const read = <T>(
    oid: string,
    reader: (element: DerElement, where: string, raw: RawExtension) => T,
  ): T | undefined => {
    const raw = list.find((extension) => extension.oid === oid);
    const where = `extension ${NAMES.get(oid) ?? oid}`;
    return raw && reader(readDer(raw.value, where), where, raw);
  };
  return {
    basicConstraints: read(Oid.basicConstraints, readBasicConstraints),
    keyUsage: read(Oid.keyUsage, (element, where) => readNamedBits(element, DerTag.BIT_STRING, where)),
    extendedKeyUsage: read(Oid.extendedKeyUsage, (element, where, { isCritical }) => ({
      isCritical,
      purposes: partsOf(element, DerTag.SEQUENCE, where).map((part) => readOid(part, where)),
    })),
    alternativeNames: read(Oid.subjectAltName, readAlternativeNames) ?? [],
    nameConstraints: read(Oid.nameConstraints, readNameConstraints),
    subjectKeyId: read(Oid.subjectKeyIdentifier, (element, where) => {
      expectTag(element, DerTag.OCTET_STRING, where);
      return hexOf(contentOf(element, where));
    }),
    authorityKeyId: read(Oid.authorityKeyIdentifier, readAuthorityKeyId),
    distributionPoints: read(Oid.cRLDistributionPoints, readDistributionPoints) ?? [],
    wantsExplicitPolicy: read(Oid.policyConstraints, readExplicitPolicy) ?? false,
    unknownCritical: list.filter(({ oid, isCritical }) => isCritical && !NAMES.has(oid)).map(({ oid }) => oid),
  };
};

const readBasicConstraints = (element: DerElement, where: string) => {
  const fields = fieldsOf(element, DerTag.SEQUENCE, where);
  const authority = fields.takeIf(BOOLEAN);
  const length = fields.takeIf(DerTag.INTEGER);
  fields.end();
  return {
    isAuthority: authority !== undefined && readBoolean(authority, BOOLEAN, where),
    pathLength: length && readSmallInteger(length, DerTag.INTEGER, where),
  };
};

const readAlternativeNames = (element: DerElement, where: string): readonly GeneralName[] => {
  const names = readGeneralNames(element, DerTag.SEQUENCE, where);
  for (const name of names) {
    if (name.kind === 'address' && name.bytes.length !== 4 && name.bytes.length !== 16) {
      throw new CertificateError(`${where}: an address of ${name.bytes.length} bytes; IPv4 has 4, IPv6 has 16`);
    }
  }
  return names;
};

const readNameConstraints = (element: DerElement, where: string): NameConstraints => {
  const fields = fieldsOf(element, DerTag.SEQUENCE, where);
  const [permitted, excluded] = [0, 1].map((number) => {
    const subtrees = fields.takeIf(constructedTag(number));
    return subtrees === undefined
      ? []
      : partsOf(subtrees, constructedTag(number), where).map((part) => readSubtree(part, where));
  });
  fields.end();
  return { permitted: permitted ?? [], excluded: excluded ?? [] };
};

/** RFC 5280 section 4.2.1.10: minimum is 0, maximum is absent; anything else would have to be refused where it applies. */
const readSubtree = (element: DerElement, where: string): GeneralName => {
  const fields = fieldsOf(element, DerTag.SEQUENCE, where);
  const base = readGeneralName(fields.takeAny('base'), where);
  fields.end();
  if (base.kind === 'address') checkMask(base.bytes, where);
  return base;
};

/** An address and a mask of the same size whose ones all come first, as RFC 4632 wants. */
const checkMask = (bytes: Uint8Array, where: string): void => {
  if (bytes.length !== 8 && bytes.length !== 32) {
    throw new CertificateError(`${where}: address and mask of ${bytes.length} bytes; IPv4 has 8, IPv6 has 32`);
  }
  const bits = [...bytes.subarray(bytes.length / 2)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if (/01/.test(bits)) throw new CertificateError(`${where}: a mask with gaps`);
};

/** The key identifier only: issuer and serial number are hints that no decision here needs. */
const readAuthorityKeyId = (element: DerElement, where: string): string | undefined => {
  const keyId = fieldsOf(element, DerTag.SEQUENCE, where).takeIf(primitiveTag(0));
  return keyId && hexOf(contentOf(keyId, where));
};

const readExplicitPolicy = (element: DerElement, where: string): boolean =>
  fieldsOf(element, DerTag.SEQUENCE, where).takeIf(primitiveTag(0)) !== undefined;

/** The key identifier of an AuthorityKeyIdentifier extension of a CRL; hex digits. Throws CertificateError. */
export const authorityKeyIdOf = (list: readonly RawExtension[]): string | undefined => {
  const raw = list.find(({ oid }) => oid === Oid.authorityKeyIdentifier);
  return raw && readAuthorityKeyId(readDer(raw.value, 'authorityKeyIdentifier'), 'authorityKeyIdentifier');
};

const Oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  cRLDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
} as const;

/**
 * What is understood if it is critical. Of policies only one that a CA insists on changes the result (RFC 5280 section 6.1): without it
 * certificatePolicies, policyMappings and inhibitAnyPolicy may say what they like.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(Oid).map(([name, oid]) => [oid, name] as const),
  ['2.5.29.32', 'certificatePolicies'],
  ['2.5.29.33', 'policyMappings'],
  ['2.5.29.54', 'inhibitAnyPolicy'],
]);
const BOOLEAN = 0x01;
