/**
 * Signatures of assertions (RFC 2704 section 4.6.7, RFC 2792 section 4): the hash goes over the text before the word Signature, and the name of the
 * algorithm with its colon. What an RSA key signs of it is in signed-digest.ts; the algorithms with SHA-256 are an addition of this program.
 */
import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  publicDecrypt,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { pkcs1Block } from '../crypto/pkcs1-block.ts';
import { dsaPublicKeyObject } from './dsa.ts';
import { decodeText, encodeIntegers, type TextEncoding } from './encodings.ts';
import { type PublicKey, principalOf } from './principals.ts';
import { type DigestForm, signedContents } from './signed-digest.ts';

interface SignatureAlgorithm {
  readonly key: 'rsa' | 'dsa';
  readonly hash: 'md5' | 'sha1' | 'sha256';
  /** How an RSA key signs the digest; DSA has one way only. */
  readonly form: DigestForm;
  readonly encoding: TextEncoding;
}

/** The algorithm that a signature begins with, and the length of its name with the colon; undefined for one that is not known. */
export const signatureAlgorithm = (
  text: string,
): { readonly algorithm: SignatureAlgorithm; readonly length: number } | undefined => {
  const [name, scheme = '', hash = '', encoding = ''] =
    /^sig-(\w+)-(\w+)-(hex|base64):/.exec(text.slice(0, 40).toLowerCase()) ?? [];
  const known = SCHEMES.find((row) => row.scheme === scheme && row.hash === hash);
  if (name === undefined || known === undefined) return undefined;
  const { key, form } = known;
  const algorithm = { key, hash: known.hash, form, encoding: encoding === 'hex' ? 'hex' : 'base64' } as const;
  return { algorithm, length: name.length };
};

export type SignatureVerdict =
  /** `weakness`: what should be better about it, in words. */
  | { readonly kind: 'valid'; readonly weakness: string | undefined }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Whether the signature over `signedText` is the authorizer's. `isLocal`: from the operator's own files, where every algorithm counts; from a
 * peer MD5, DSA and short keys do not. Both texts are those of the principal and of the Signature field.
 */
export const verifySignature = (
  signedText: string,
  authorizer: string,
  signature: string,
  isLocal: boolean,
): SignatureVerdict => {
  const { key } = principalOf(authorizer);
  if (key === undefined) return refused('its authorizer is no key');
  const found = signatureAlgorithm(signature);
  if (found === undefined) return refused('the algorithm of its signature is not known');
  const { algorithm, length } = found;
  if (algorithm.key !== key.kind)
    return refused(`its signature is made by ${algorithm.key.toUpperCase()} and its authorizer is another key`);
  const bytes = decodeText(signature.slice(length), algorithm.encoding);
  if (bytes === undefined || bytes.length === 0) return refused(`its signature is no ${algorithm.encoding}`);
  const unfit = isLocal ? undefined : unfitForPeers(algorithm, key);
  if (unfit !== undefined) return refused(unfit);
  const signed = Buffer.from(signedText + signature.slice(0, length), 'latin1');
  return isSigned(signed, key, algorithm, bytes)
    ? { kind: 'valid', weakness: weakness(algorithm, key) }
    : refused('its signature is wrong');
};

const refused = (reason: string): SignatureVerdict => ({ kind: 'refused', reason });

const unfitForPeers = (algorithm: SignatureAlgorithm, key: PublicKey): string | undefined => {
  if (algorithm.hash === 'md5') return 'it is signed with MD5';
  if (key.kind === 'dsa') return 'it is signed with DSA';
  const bits = bitLength(key.modulus);
  if (bits < LEAST_BITS || bits > MOST_BITS)
    return `its authorizer is an RSA key of ${bits} bits: ${LEAST_BITS} to ${MOST_BITS} count`;
  const last = (digits: Uint8Array): number => digits.at(-1) ?? 0;
  // CVE-2017-9022 and others: exponents and moduli that are even, exponents below 3; a long exponent makes a slow verification.
  if (
    last(key.modulus) % 2 === 0 ||
    last(key.exponent) % 2 === 0 ||
    key.exponent.length > 8 ||
    bitLength(key.exponent) < 2
  ) {
    return 'its authorizer is no proper RSA key';
  }
  return undefined;
};

const weakness = ({ hash, key: kind }: SignatureAlgorithm, key: PublicKey): string | undefined => {
  const found = [
    ...(hash === 'sha256' ? [] : [`the hash ${hash.toUpperCase()}`]),
    ...(kind === 'dsa' ? ['DSA'] : []),
    ...(key.kind === 'rsa' && bitLength(key.modulus) < FIT_BITS ? [`a key of ${bitLength(key.modulus)} bits`] : []),
  ];
  return found.length === 0 ? undefined : `signed with ${found.join(' and ')}`;
};

const isSigned = (
  signed: Uint8Array,
  key: PublicKey,
  { hash, form }: SignatureAlgorithm,
  signature: Uint8Array,
): boolean => {
  try {
    const object = publicKeyObject(key);
    if (key.kind === 'dsa') return verify(hash, signed, { key: object, dsaEncoding: 'der' }, signature);
    if (signature.length !== key.modulus.length) return false;
    const block = publicDecrypt({ key: object, padding: constants.RSA_NO_PADDING }, signature);
    return signedContents(form, hash, createHash(hash).update(signed).digest()).some((content) => {
      const wanted = pkcs1Block(content, key.modulus.length);
      return wanted !== undefined && block.length === wanted.length && timingSafeEqual(block, wanted);
    });
  } catch {
    // OpenSSL throws for keys and signatures that cannot be: none of them has signed.
    return false;
  }
};

/** Throws what OpenSSL throws for numbers that are no key. */
export const publicKeyObject = (key: PublicKey): KeyObject => {
  if (key.kind === 'rsa') {
    return createPublicKey({ key: encodeIntegers(key.modulus, key.exponent), format: 'der', type: 'pkcs1' });
  }
  return dsaPublicKeyObject(key);
};

const bitLength = (magnitude: Uint8Array): number => magnitude.length * 8 - (Math.clz32(magnitude[0] ?? 0) - 24);

const SCHEMES = [
  { scheme: 'rsa', hash: 'sha256', key: 'rsa', form: 'digestInfo' },
  { scheme: 'rsa', hash: 'sha1', key: 'rsa', form: 'octets' },
  { scheme: 'rsa', hash: 'md5', key: 'rsa', form: 'octets' },
  { scheme: 'x509', hash: 'sha256', key: 'rsa', form: 'digestInfo' },
  { scheme: 'x509', hash: 'sha1', key: 'rsa', form: 'shaWithRsa' },
  { scheme: 'dsa', hash: 'sha1', key: 'dsa', form: 'octets' },
] as const;

const LEAST_BITS = 1024;
const FIT_BITS = 2048;
const MOST_BITS = 8192;
