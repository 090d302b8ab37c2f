/** Certificates (RFC 5280 section 4.1). */
import { hash, type KeyObject } from 'node:crypto';
import { DerTag } from '../crypto/der.ts';
import { bounded } from '../log/bounded.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  type DerElement,
  fieldsOf,
  onlyPart,
  primitiveTag,
  readDer,
  readSerialNumber,
  readSmallInteger,
} from './der-element.ts';
import { type Extensions, readExtensionList, readExtensions } from './extensions.ts';
import { type DistinguishedName, readDistinguishedName } from './general-name.ts';
import { type KeySize, readPublicKey } from './public-key.ts';
import { expectSameAlgorithm, readSigned, type Signed } from './signature.ts';
import { readTime } from './time.ts';

export interface Certificate extends Signed {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, hex digits. */
  readonly fingerprint: string;
  readonly version: 1 | 2 | 3;
  /** The INTEGER's bytes as hex digits; may be negative or long. */
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Undefined for DSA with the issuer's parameters: validatePath answers with the key to use. */
  readonly publicKey: KeyObject | undefined;
  /** Undefined where keys of its kind have one size only, or where the issuer has the parameters. */
  readonly size: KeySize | undefined;
  readonly extensions: Extensions;
}

/**
 * Throws CertificateError for anything but one certificate in DER with a usable key: malformed extensions, two of one kind, names with a
 * NUL, weak RSA numbers. An unknown critical extension is kept for validatePath, which refuses it.
 */
export const parseCertificate = (der: Uint8Array): Certificate => {
  const where = 'certificate';
  if (der.length > MOST_BYTES)
    throw new CertificateError(`${where}: ${der.length} bytes, at most ${MOST_BYTES} are taken`);
  const { content, algorithmId, ...signed } = readSigned(readDer(der, where), where);
  const fields = fieldsOf(content, DerTag.SEQUENCE, where);
  const version = readVersion(fields.takeIf(constructedTag(0)), where);
  const serialNumber = readSerialNumber(fields.takeAny('serialNumber'), `${where}: serialNumber`);
  expectSameAlgorithm(fields.take(DerTag.SEQUENCE, 'signature'), algorithmId, where);
  const issuer = readDistinguishedName(fields.takeAny('issuer'), `${where}: issuer`);
  const validity = fieldsOf(fields.take(DerTag.SEQUENCE, 'validity'), DerTag.SEQUENCE, `${where}: validity`);
  const notBefore = readTime(validity.takeAny('notBefore'), `${where}: notBefore`);
  const notAfter = readTime(validity.takeAny('notAfter'), `${where}: notAfter`);
  validity.end();
  const subject = readDistinguishedName(fields.takeAny('subject'), `${where}: subject`);
  const { spki, key, size } = readPublicKey(fields.takeAny('subjectPublicKeyInfo'));
  const uniqueIds = [fields.takeIf(primitiveTag(1)), fields.takeIf(primitiveTag(2))];
  const extensions = fields.takeIf(constructedTag(3));
  fields.end();
  if (version < 2 && uniqueIds.some((id) => id !== undefined))
    throw new CertificateError(`${where}: unique identifiers in version 1`);
  if (version < 3 && extensions !== undefined) throw new CertificateError(`${where}: extensions in version ${version}`);
  return {
    ...signed,
    der: new Uint8Array(der),
    fingerprint: fingerprintOf(der),
    version,
    serialNumber,
    subject,
    issuer,
    notBefore,
    notAfter,
    spki,
    publicKey: key,
    size,
    extensions: readExtensions(extensions === undefined ? [] : readExtensionList(onlyPart(extensions, where), where)),
  };
};

/** Its subject, or where that is empty its serial number: how messages call a certificate. */
export const certificateText = ({ subject, serialNumber }: Certificate): string =>
  subject.parts.length > 0 ? subject.said : `serial number 0x${bounded(serialNumber)}`;

/** Subject and issuer are the same name (RFC 5280 section 3.2). */
export const isSelfIssued = ({ subject, issuer }: Certificate): boolean => subject.key === issuer.key;

/** SHA-256 as hex digits. */
export const fingerprintOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

const readVersion = (element: DerElement | undefined, where: string): 1 | 2 | 3 => {
  if (element === undefined) return 1;
  const version = readSmallInteger(onlyPart(element, where), DerTag.INTEGER, `${where}: version`);
  if (version === 1) return 2;
  if (version === 2) return 3;
  throw new CertificateError(`${where}: version ${version + 1}, there are 1 to 3`);
};

/** A payload of IKE has less than 64 KiB. */
const MOST_BYTES = 0xffff;
