/** Public keys of certificates (RFC 5280 section 4.1.2.7): checked before OpenSSL sees them. */
import { createPublicKey, type KeyObject, type PublicKeyInput } from 'node:crypto';
import { DerTag, derElement } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, derOf, fieldsOf, readDer, readInteger, readOid, readWholeBits } from './der-element.ts';

export interface CertificateKey {
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Undefined for a DSA key whose parameters are its issuer's (RFC 3279 section 2.3.2). */
  readonly key: KeyObject | undefined;
  /** Undefined where its kind has one size only, or where its issuer has the parameters. */
  readonly size: KeySize | undefined;
}

export interface KeySize {
  /** `RSA`, `DSA`, or OpenSSL's name of an elliptic curve. */
  readonly kind: 'RSA' | 'DSA' | { readonly curve: string };
  /** Of the modulus; of a coordinate, in whole bytes. */
  readonly bits: number;
}

/** Throws CertificateError for keys that are none: RSA with an even modulus, an even exponent or one below 3 (CVE-2026-14957, CVE-2017-9022), points off the curve, curves that have no name (CVE-2020-0601). */
export const readPublicKey = (element: DerElement): CertificateKey => {
  const where = 'subjectPublicKeyInfo';
  const fields = fieldsOf(element, DerTag.SEQUENCE, where);
  const algorithm = fieldsOf(fields.take(DerTag.SEQUENCE, 'algorithm'), DerTag.SEQUENCE, where);
  const oid = readOid(algorithm.takeAny('algorithm'), where);
  const hasParameters = algorithm.takeIf(NULL) === undefined && algorithm.takeIf(DerTag.SEQUENCE) !== undefined;
  const bits = fields.take(DerTag.BIT_STRING, 'subjectPublicKey');
  fields.end();
  const spki = derOf(element);
  if (oid === RSA || oid === RSA_PSS) {
    const key = readWholeBits(bits, where);
    const size: KeySize = { kind: 'RSA', bits: checkRsa(key) };
    return { spki, key: oid === RSA ? importRsa(key) : importKey(spki), size };
  }
  // RFC 5480 section 2.1.1.
  if (oid === EC && algorithm.takeIf(DerTag.OBJECT_IDENTIFIER) === undefined)
    throw new CertificateError(`${where}: an EC key whose curve has no name`);
  if (oid === DSA && !hasParameters) return { spki, key: undefined, size: undefined };
  const key = importKey(spki);
  return { spki, key, size: sizeOf(key, readWholeBits(bits, where)) };
};

/** Undefined for kinds that have one size only. */
const sizeOf = (key: KeyObject, content: Uint8Array): KeySize | undefined => {
  const { namedCurve: curve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'dsa') return { kind: 'DSA', bits: modulusLength ?? 0 };
  if (key.asymmetricKeyType !== 'ec') return undefined;
  // SEC 1 section 2.3.3: one coordinate behind 2 or 3, both behind 4.
  const coordinate = content[0] === 4 ? (content.length - 1) / 2 : content.length - 1;
  return { kind: { curve: curve ?? 'unknown' }, bits: coordinate * 8 };
};

/** The DSA key of `spki` with the parameters of its issuer's key; undefined where that is no DSA key. */
export const withParametersOf = (spki: Uint8Array, issuer: KeyObject): KeyObject | undefined => {
  if (issuer.asymmetricKeyType !== 'dsa') return undefined;
  const where = 'subjectPublicKeyInfo';
  const [own, theirs] = [spki, issuer.export({ type: 'spki', format: 'der' })].map((der) =>
    fieldsOf(readDer(der, where), DerTag.SEQUENCE, where),
  );
  const algorithm = theirs?.take(DerTag.SEQUENCE, 'algorithm');
  own?.take(DerTag.SEQUENCE, 'algorithm');
  const bits = own?.take(DerTag.BIT_STRING, 'subjectPublicKey');
  return algorithm && bits && importKey(derElement(DerTag.SEQUENCE, derOf(algorithm), derOf(bits)));
};

/** The size of the modulus in bits. */
const checkRsa = (key: Uint8Array): number => {
  const where = 'RSA key';
  const fields = fieldsOf(readDer(key, where), DerTag.SEQUENCE, where);
  const [modulus, exponent] = ['modulus', 'publicExponent'].map((name) => {
    const digits = readInteger(fields.takeAny(name), DerTag.INTEGER, `${where}: ${name}`);
    if ((digits[0] ?? 0) >= 0x80) throw new CertificateError(`${where}: ${name} is negative`);
    return digits;
  });
  fields.end();
  const modulusBits = bitLength(modulus);
  if (modulusBits > MOST_MODULUS_BITS)
    throw new CertificateError(`${where}: ${modulusBits} bits, at most ${MOST_MODULUS_BITS} are taken`);
  if (!isOdd(modulus)) throw new CertificateError(`${where}: the modulus is even`);
  if (!isOdd(exponent) || bitLength(exponent) < 2)
    throw new CertificateError(`${where}: the exponent is even or below 3`);
  if (bitLength(exponent) > MOST_EXPONENT_BITS)
    throw new CertificateError(`${where}: the exponent has more than ${MOST_EXPONENT_BITS} bits`);
  return modulusBits;
};

const isOdd = (digits: Uint8Array | undefined): boolean => ((digits?.at(-1) ?? 0) & 1) === 1;

const bitLength = (digits: Uint8Array = new Uint8Array()): number => {
  const first = digits.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (digits.length - first) * 8 - Math.clz32(digits[first] ?? 0) + 24;
};

const importKey = (spki: Uint8Array): KeyObject => imported({ key: Buffer.from(spki), format: 'der', type: 'spki' });

/** RSAPublicKey of RFC 8017 appendix A.1.1. OpenSSL 3 needs fifty times less for it than for the SubjectPublicKeyInfo around it. */
const importRsa = (key: Uint8Array): KeyObject => imported({ key: Buffer.from(key), format: 'der', type: 'pkcs1' });

const imported = (input: PublicKeyInput): KeyObject => {
  try {
    return createPublicKey(input);
  } catch {
    // OpenSSL's words speak of its decoders; whatever it was, this key cannot be used.
    throw new CertificateError(
      'subjectPublicKeyInfo: a key that OpenSSL does not take: unknown kind, unknown curve or broken',
    );
  }
};

const RSA = '1.2.840.113549.1.1.1';
const RSA_PSS = '1.2.840.113549.1.1.10';
const DSA = '1.2.840.10040.4.1';
const EC = '1.2.840.10045.2.1';
const NULL = 0x05;
/** What OpenSSL takes too. Checking a signature with such a key takes about a millisecond. */
const MOST_MODULUS_BITS = 16_384;
const MOST_EXPONENT_BITS = 64;
