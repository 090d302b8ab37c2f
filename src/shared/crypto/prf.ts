/** Hashes and the PRF of IKEv1: HMAC of the negotiated hash, RFC 2409 §4. Hashes are numbers of HashAlgorithm. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { HashAlgorithm } from '../constants/oakley.ts';
import { InvariantError } from '../errors.ts';
import { secretKey } from './key-cache.ts';
import { plainBytes } from './node-crypto.ts';

/** Bytes the hash and its PRF put out; undefined for a hash we do not have. */
export const hashSize = (hash: number): number | undefined => HASHES.get(hash)?.size;

/** The hash of all parts, one after the other. */
export const digest = (hash: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const running = createHash(nameOfHash(hash));
  for (const part of parts) running.update(part);
  return plainBytes(running.digest());
};

/** HMAC of all parts, one after the other; the block size is the standard's: 128 bytes for SHA2-384 and SHA2-512. The key may be empty. */
export const prf = (hash: number, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const running = createHmac(nameOfHash(hash), secretKey(key));
  for (const part of parts) running.update(part);
  return plainBytes(running.digest());
};

/** Whether both hold the same bytes, in a time that tells nothing about where they differ; lengths are no secret. */
export const equalConstantTime = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);

const nameOfHash = (hash: number): string => {
  const row = HASHES.get(hash);
  if (row === undefined) throw new InvariantError(`hash ${hash} was negotiated but is not supported`);
  return row.name;
};

const HASHES: ReadonlyMap<number, { readonly name: string; readonly size: number }> = new Map([
  [HashAlgorithm.MD5, { name: 'md5', size: 16 }],
  [HashAlgorithm.SHA, { name: 'sha1', size: 20 }],
  [HashAlgorithm.SHA2_256, { name: 'sha256', size: 32 }],
  [HashAlgorithm.SHA2_384, { name: 'sha384', size: 48 }],
  [HashAlgorithm.SHA2_512, { name: 'sha512', size: 64 }],
]);
