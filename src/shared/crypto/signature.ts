/**
 * Signatures of phase 1. RSA: PKCS#1 block type 1 over the bare HASH_I or HASH_R, without DigestInfo (RFC 2409 §5.1). ECDSA: r | s over HASH_I or
 * HASH_R, which are made with the hash that goes with the curve and are not hashed again (RFC 4754 §5 and §6). node:crypto signs no bare value with ECDSA.
 */
import { constants, createPublicKey, type KeyObject, privateEncrypt, publicDecrypt } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { AuthenticationMethod, HashAlgorithm } from '../constants/oakley.ts';
import { InvariantError } from '../errors.ts';
import { plainBytes } from './node-crypto.ts';
import { pkcs1Block } from './pkcs1-block.ts';
import { equalConstantTime } from './prf.ts';

/** Whether a method of authentication is one of the signatures that are there. */
export const isSignatureMethod = (method: number): boolean =>
  method === AuthenticationMethod.RSA_SIG || CURVES.has(method);

/** The methods of authentication that a key, public or private, is for. */
export const methodOfKey = (key: KeyObject): number | undefined => {
  if (key.asymmetricKeyType === 'rsa') return AuthenticationMethod.RSA_SIG;
  const curve = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : undefined;
  for (const [method, { namedCurve }] of CURVES) if (namedCurve === curve) return method;
  return undefined;
};

/** The hash whose HMAC makes HASH_I and HASH_R: that of the curve (RFC 4754 §6, RFC 2409 §5.1), else the negotiated one. */
export const hashForProof = (method: number, negotiated: number): number => CURVES.get(method)?.hash ?? negotiated;

/** Signs HASH_I or HASH_R; `key` is for this method. Throws InvariantError for one that is not. */
export const signProof = (method: number, key: KeyObject, hash: Uint8Array): Uint8Array => {
  if (methodOfKey(key) !== method) throw new InvariantError(`method ${method} has no use for such a key`);
  const curve = CURVES.get(method);
  if (curve === undefined) return plainBytes(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, hash));
  const scalar = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  try {
    return new Uint8Array(curve.ecdsa.sign(hash, new Uint8Array(scalar), BARE));
  } finally {
    scalar.fill(0);
  }
};

/**
 * Whether the signature over HASH_I or HASH_R was made with the private key that belongs to `key`. The decrypted block is made anew and compared whole
 * (CVE-2018-16151: whoever takes it apart lets forged ones pass).
 */
export const isProof = (method: number, key: KeyObject, hash: Uint8Array, signature: Uint8Array): boolean => {
  if (methodOfKey(key) !== method) return false;
  const curve = CURVES.get(method);
  try {
    return curve === undefined
      ? isRsaProof(key, hash, signature)
      : curve.ecdsa.verify(signature, hash, pointOf(key, curve.size), BARE);
  } catch {
    // OpenSSL throws for numbers above the modulus, the other library for r and s out of range: neither is a signature.
    return false;
  }
};

const isRsaProof = (key: KeyObject, hash: Uint8Array, signature: Uint8Array): boolean => {
  const size = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (signature.length !== size) return false;
  const block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  const wanted = pkcs1Block(hash, size);
  return wanted !== undefined && equalConstantTime(block, wanted);
};

/** 04 | x | y. */
const pointOf = (key: KeyObject, size: number): Uint8Array => {
  const { x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const point = new Uint8Array(1 + 2 * size);
  point[0] = 4;
  point.set(Buffer.from(x ?? '', 'base64url'), 1);
  point.set(Buffer.from(y ?? '', 'base64url'), 1 + size);
  return point;
};

/** Peers do not know the rule that s is in the lower half. */
const BARE = { prehash: false, lowS: false, format: 'compact' } as const;

/** RFC 4754 §6. `size`: bytes of a coordinate, of r and of s. */
const CURVES = new Map([
  [AuthenticationMethod.ECDSA_256, { namedCurve: 'prime256v1', size: 32, hash: HashAlgorithm.SHA2_256, ecdsa: p256 }],
  [AuthenticationMethod.ECDSA_384, { namedCurve: 'secp384r1', size: 48, hash: HashAlgorithm.SHA2_384, ecdsa: p384 }],
  [AuthenticationMethod.ECDSA_521, { namedCurve: 'secp521r1', size: 66, hash: HashAlgorithm.SHA2_512, ecdsa: p521 }],
]) as ReadonlyMap<
  number,
  { readonly namedCurve: string; readonly size: number; readonly hash: number; readonly ecdsa: typeof p256 }
>;
