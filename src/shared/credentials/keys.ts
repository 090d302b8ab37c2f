/** Keys out of PEM files, and which of them are good enough to prove anything with. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { parsePrincipal } from '../keynote/environment-file.ts';
import { privateKeyObject } from '../keynote/signing.ts';

/** A key, or one sentence about why there is none. */
export type KeyOrFault =
  | { readonly kind: 'key'; readonly key: KeyObject }
  | { readonly kind: 'unfit'; readonly reason: string };

/** A private key in PEM: PKCS#1, PKCS#8 or SEC 1, without passphrase. `minimumRsaBits` as for `unfitKey`. */
export const readPrivateKey = (pem: Uint8Array, minimumRsaBits: number): KeyOrFault => {
  const text = Buffer.from(pem.buffer, pem.byteOffset, pem.length);
  if (text.includes('BEGIN ENCRYPTED PRIVATE KEY') || text.includes('Proc-Type: 4,ENCRYPTED')) {
    return unfit('it is encrypted: nobody is there to type a passphrase, write it without one (openssl pkey)');
  }
  return judged(() => createPrivateKey(text), minimumRsaBits, 'it is no private key in PEM');
};

/** A private key beside KeyNote credentials: as keynote(1) makes them, or PEM. `minimumRsaBits` as for `unfitKey`. */
export const readKeynotePrivateKey = (bytes: Uint8Array, minimumRsaBits: number): KeyOrFault => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (text.includes('-----BEGIN')) return readPrivateKey(bytes, minimumRsaBits);
  return judged(() => keynotePrivateKey(text), minimumRsaBits, 'it is no private key, neither of keynote(1) nor PEM');
};

/** Throws where it is none. */
const keynotePrivateKey = (text: string): KeyObject => {
  const key = privateKeyObject(parsePrincipal(text));
  if (key === undefined) throw new TypeError('no private key');
  return key;
};

/** A public key in PEM: `PUBLIC KEY` or `RSA PUBLIC KEY`. */
export const readPublicKey = (pem: Uint8Array, minimumRsaBits: number): KeyOrFault => {
  const text = Buffer.from(pem.buffer, pem.byteOffset, pem.length);
  // createPublicKey would take private keys and certificates as well: neither belongs where public keys are looked for.
  const label = /-----BEGIN ([^\n]*?)-----/.exec(text.toString('latin1'))?.[1];
  if (label !== 'PUBLIC KEY' && label !== 'RSA PUBLIC KEY') {
    return unfit('it is no public key in PEM (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY)');
  }
  return judged(() => createPublicKey(text), minimumRsaBits, 'what it has between its BEGIN and END is no public key');
};

const judged = (read: () => KeyObject, minimumRsaBits: number, otherwise: string): KeyOrFault => {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // Whatever OpenSSL dislikes about it: the words of its errors help nobody, and may quote the file.
    return unfit(otherwise);
  }
  const reason = unfitKey(key, minimumRsaBits);
  return reason === undefined ? { kind: 'key', key } : unfit(reason);
};

const unfit = (reason: string): KeyOrFault => ({ kind: 'unfit', reason });

/**
 * Why a key, public or private, cannot be used for signatures of phase 1; undefined: it can. RSA keys of `minimumRsaBits` to 8192 bits with
 * odd modulus and an odd exponent from 3 to 64 bits (CVE-2017-9022 and others), EC keys on the curves of RFC 4754.
 */
export const unfitKey = (key: KeyObject, minimumRsaBits: number): string | undefined => {
  const type = key.asymmetricKeyType;
  if (type === 'ec') {
    const curve = key.asymmetricKeyDetails?.namedCurve ?? 'unknown';
    return EC_CURVES.includes(curve)
      ? undefined
      : `it is on the curve ${curve}: ${EC_CURVES.join(', ')} can be used (RFC 4754)`;
  }
  // Node aborts when it is asked for details of some broken DSA keys.
  if (type !== 'rsa') return `it is a key for ${type ?? 'nothing'}: RSA and ECDSA can be used`;
  const details = key.asymmetricKeyDetails;
  const bits = details?.modulusLength ?? 0;
  if (!isRsaSize(bits, minimumRsaBits)) {
    return `it is an RSA key of ${bits} bits: ${minimumRsaBits} to ${MOST_RSA_BITS} can be used (Minimum-RSA-bits)`;
  }
  const exponent = details?.publicExponent ?? 0n;
  if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 64n || !isOddModulus(key)) {
    return 'it is no proper RSA key: its modulus or its exponent is even, or its exponent is out of all proportion';
  }
  return undefined;
};

/** Whether RSA keys of so many bits are taken. */
export const isRsaSize = (bits: number, minimumRsaBits: number): boolean =>
  bits >= minimumRsaBits && bits <= MOST_RSA_BITS;

const isOddModulus = (key: KeyObject): boolean => {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const modulus = Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url');
  return (modulus.at(-1) ?? 0) % 2 === 1;
};

/** P-256, P-384 and P-521, as OpenSSL calls them. */
const EC_CURVES: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1'];
const MOST_RSA_BITS = 8192;
