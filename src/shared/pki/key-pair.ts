/** New pairs of keys for signatures. OpenSSL makes them on its own threads: nobody waits. */
import { generateKeyPair, type KeyObject } from 'node:crypto';

/** What key is wanted. */
export type KeyWish =
  | { readonly kind: 'rsa'; readonly bits: number }
  /** P-256, P-384 or P-521. */
  | { readonly kind: 'ec'; readonly curve: string };

/** As rc(8) of OpenBSD makes them. */
export const HOST_KEY: KeyWish = { kind: 'rsa', bits: 2048 };
/** For a CA, whose key lives longer. */
export const AUTHORITY_KEY: KeyWish = { kind: 'rsa', bits: 3072 };
/** The curves of RFC 4754. */
export const CURVES = ['P-256', 'P-384', 'P-521'] as const;
/** Bits of RSA keys. */
export const RSA_SIZES = { least: 2048, most: 8192 };

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** PEM: PKCS#8. */
  readonly privatePem: string;
  /** PEM: SubjectPublicKeyInfo. */
  readonly publicPem: string;
}

/** Calls back once with the pair, or with what OpenSSL says where it cannot make it. */
export const makeKeyPair = (wish: KeyWish, done: (made: KeyPair | Error) => void): void => {
  const finish = (fault: Error | null, publicKey: KeyObject, privateKey: KeyObject): void => {
    if (fault !== null) done(fault);
    else done({ privateKey, privatePem: pemOf(privateKey), publicPem: publicPem(publicKey) });
  };
  if (wish.kind === 'rsa') generateKeyPair('rsa', { modulusLength: wish.bits }, finish);
  else generateKeyPair('ec', { namedCurve: wish.curve }, finish);
};

/** PEM of a public key. */
export const publicPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** `RSA, 2048 bits`, `ECDSA, P-256`. */
export const wishText = (wish: KeyWish): string =>
  wish.kind === 'rsa' ? `RSA, ${wish.bits} bits` : `ECDSA, ${wish.curve}`;

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
