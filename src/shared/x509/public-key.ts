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
  /** `RSA`, `DSA`, or the name or object identifier of an elliptic curve. */
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
  const parameters = algorithm.takeIf(NULL) === undefined ? algorithm.takeIf(DerTag.SEQUENCE) : undefined;
  const bits = fields.take(DerTag.BIT_STRING, 'subjectPublicKey');
  fields.end();
  const spki = derOf(element);
  if (oid === RSA || oid === RSA_PSS) {
    const key = readWholeBits(bits, where);
    const size: KeySize = { kind: 'RSA', bits: checkRsa(key) };
    return { spki, key: oid === RSA ? importRsa(key) : importKey(spki), size };
  }
  if (oid === DSA) {
    if (parameters === undefined) return { spki, key: undefined, size: undefined };
    const size: KeySize = { kind: 'DSA', bits: checkDsa(parameters) };
    return { spki, key: importKey(spki), size };
  }
  if (oid === EC) {
    // RFC 5480 section 2.1.1.
    const curve = algorithm.takeIf(DerTag.OBJECT_IDENTIFIER);
    if (curve === undefined) throw new CertificateError(`${where}: an EC key whose curve has no name`);
    const size = {
      kind: { curve: curveName(readOid(curve, where)) },
      bits: coordinateBits(readWholeBits(bits, where)),
    };
    return { spki, key: importKey(spki), size };
  }
  // OpenSSL has other names for some kinds.
  if (!OF_ONE_SIZE.has(oid)) throw new CertificateError(`${where}: a key of a kind that is not known here (${oid})`);
  return { spki, key: importKey(spki), size: undefined };
};

/** SEC 1 section 2.3.3: one coordinate behind 2 or 3, both behind 4. */
const coordinateBits = (point: Uint8Array): number => (point[0] === 4 ? (point.length - 1) / 2 : point.length - 1) * 8;

const curveName = (oid: string): string => SMALL_CURVES.get(oid) ?? oid;

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
  const modulus = readPositive(fields.takeAny('modulus'), `${where}: modulus`);
  const exponent = readPositive(fields.takeAny('publicExponent'), `${where}: publicExponent`);
  fields.end();
  const modulusBits = checkModulus(modulus, where);
  if (!isOdd(exponent) || bitLength(exponent) < 2)
    throw new CertificateError(`${where}: the exponent is even or below 3`);
  if (bitLength(exponent) > MOST_EXPONENT_BITS)
    throw new CertificateError(`${where}: the exponent has more than ${MOST_EXPONENT_BITS} bits`);
  return modulusBits;
};

/** The same of Dss-Parms (RFC 3279 section 2.3.2). What OpenSSL makes of tiny numbers is a key at which Node aborts. */
const checkDsa = (parameters: DerElement): number => {
  const where = 'DSA key';
  const fields = fieldsOf(parameters, DerTag.SEQUENCE, where);
  const [p = new Uint8Array()] = ['p', 'q', 'g'].map((name) => readPositive(fields.takeAny(name), `${where}: ${name}`));
  fields.end();
  const bits = checkModulus(p, where);
  if (bits < LEAST_DSA_BITS) throw new CertificateError(`${where}: ${bits} bits, at least ${LEAST_DSA_BITS} are taken`);
  return bits;
};

const readPositive = (element: DerElement, where: string): Uint8Array => {
  const digits = readInteger(element, DerTag.INTEGER, where);
  if ((digits[0] ?? 0) >= 0x80) throw new CertificateError(`${where} is negative`);
  return digits;
};

/** Its size in bits. */
const checkModulus = (modulus: Uint8Array, where: string): number => {
  const bits = bitLength(modulus);
  if (bits > MOST_MODULUS_BITS)
    throw new CertificateError(`${where}: ${bits} bits, at most ${MOST_MODULUS_BITS} are taken`);
  if (!isOdd(modulus)) throw new CertificateError(`${where}: the modulus is even`);
  return bits;
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
/** Ed25519, Ed448 (RFC 8410). */
const OF_ONE_SIZE: ReadonlySet<string> = new Set(['1.3.101.112', '1.3.101.113']);
/** Those below 256 bits that one meets, as OpenSSL calls them. */
const SMALL_CURVES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10045.3.1.1', 'prime192v1'],
  ['1.2.840.10045.3.1.4', 'prime239v1'],
  ['1.3.132.0.33', 'secp224r1'],
  ['1.3.132.0.26', 'sect233k1'],
]);
const NULL = 0x05;
/** The least that Minimum-RSA-bits can be. */
const LEAST_DSA_BITS = 1024;
/** What OpenSSL takes too. Checking a signature with such a key takes about a millisecond. */
const MOST_MODULUS_BITS = 16_384;
const MOST_EXPONENT_BITS = 64;
