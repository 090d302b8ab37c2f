/** Principals (RFC 2704 sections 4.5 and 5.2, RFC 2792): which texts are keys, and what makes two of them the same. */
import { X509Certificate } from 'node:crypto';
import { decodeIntegers, decodeText, encodeText } from './encodings.ts';

/** Magnitudes, big-endian, without leading zeros. */
export type PublicKey =
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  | {
      readonly kind: 'dsa';
      readonly y: Uint8Array;
      readonly p: Uint8Array;
      readonly q: Uint8Array;
      readonly g: Uint8Array;
    };

export interface Principal {
  /** Equal for two principals exactly when they are the same one: keys are compared by value, however they are written. */
  readonly identity: string;
  /** Undefined: nothing can be signed in its name. */
  readonly key: PublicKey | undefined;
}

/** A text that looks like a key but is none (or of an algorithm that is not known here) is an opaque principal, equal to the same text alone. */
export const principalOf = (text: string): Principal => {
  const [, algorithm = '', encoding = '', digits = ''] = KEY_FORM.exec(text) ?? [];
  const bytes = decodeText(digits, encoding.toLowerCase() === 'hex' ? 'hex' : 'base64');
  return (
    (algorithm === '' || bytes === undefined ? undefined : decoded(algorithm.toLowerCase(), bytes)) ?? opaque(text)
  );
};

/** The root of every policy. Local assertions alone speak for it. */
export const POLICY = 'text:POLICY';

const rsaIdentity = (modulus: Uint8Array, exponent: Uint8Array): string => `rsa:${hex(modulus)},${hex(exponent)}`;

const decoded = (algorithm: string, bytes: Buffer): Principal | undefined => {
  switch (algorithm) {
    case 'rsa': {
      const [modulus, exponent, ...others] = decodeIntegers(bytes) ?? [];
      return modulus === undefined || exponent === undefined || others.length > 0 ? undefined : rsa(modulus, exponent);
    }
    case 'dsa': {
      const [y, p, q, g, ...others] = decodeIntegers(bytes) ?? [];
      if (y === undefined || p === undefined || q === undefined || g === undefined || others.length > 0)
        return undefined;
      return { identity: `dsa:${[y, p, q, g].map(hex).join(',')}`, key: { kind: 'dsa', y, p, q, g } };
    }
    case 'x509':
      return certified(bytes);
    default:
      return { identity: `binary:${hex(bytes)}`, key: undefined };
  }
};

const rsa = (modulus: Uint8Array, exponent: Uint8Array): Principal => ({
  identity: rsaIdentity(modulus, exponent),
  key: { kind: 'rsa', modulus, exponent },
});

/** The key of a certificate. Nothing is asked of the certificate itself: as a principal it is a way to write its key. */
const certified = (der: Buffer): Principal | undefined => {
  try {
    const { publicKey } = new X509Certificate(der);
    if (publicKey.asymmetricKeyType !== 'rsa') {
      return { identity: `spki:${hex(publicKey.export({ type: 'spki', format: 'der' }))}`, key: undefined };
    }
    const [modulus, exponent] = decodeIntegers(publicKey.export({ type: 'pkcs1', format: 'der' })) ?? [];
    return modulus === undefined || exponent === undefined ? undefined : rsa(modulus, exponent);
  } catch {
    // Whatever OpenSSL dislikes about it: no certificate.
    return undefined;
  }
};

const opaque = (text: string): Principal => ({ identity: `text:${text}`, key: undefined });

const hex = (bytes: Uint8Array): string => encodeText(bytes, 'hex');

/** Names of algorithms are the same in upper and lower case (RFC 2704 section 9.2). */
const KEY_FORM = /^(rsa|dsa|x509|binary)-(hex|base64):([\s\S]*)$/i;
