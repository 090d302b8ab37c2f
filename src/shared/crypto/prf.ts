/** Hashes and the PRF of IKEv1: HMAC of the negotiated hash, RFC 2409 §4. Hashes are numbers of HashAlgorithm. */
import { hash as hashAtOnce, timingSafeEqual } from 'node:crypto';
import { HashAlgorithm } from '../constants/oakley.ts';
import { InvariantError } from '../errors.ts';
import { plainBytes } from './node-crypto.ts';

/** Bytes the hash and its PRF put out; undefined for a hash we do not have. */
export const hashSize = (hash: number): number | undefined => HASHES.get(hash)?.size;

/** The hash of all parts, one after the other. */
export const digest = (hash: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const [first = NOTHING, ...more] = parts;
  return hashed(rowOf(hash), more.length === 0 ? first : Buffer.concat(parts));
};

/** The same in hex digits. */
export const hexDigest = (hash: number, bytes: Uint8Array): string => hashAtOnce(rowOf(hash).name, bytes, 'hex');

/**
 * HMAC (RFC 2104) of all parts, one after the other; the block size is the standard's: 128 bytes for SHA2-384 and SHA2-512. The key may be empty.
 * Made of two hashes: an Hmac object of node:crypto and a KeyObject for its key cost more than what they compute (docs/performance.md).
 */
export const prf = (hash: number, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const row = rowOf(hash);
  const isLong = key.length > row.block;
  const short = isLong ? hashed(row, key) : key;
  const inner = Buffer.concat([new Uint8Array(row.block), ...parts]);
  const outer = Buffer.alloc(row.block + row.size);
  for (let i = 0; i < row.block; i++) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ INNER;
    outer[i] = byte ^ OUTER;
  }
  outer.set(hashed(row, inner), row.block);
  const code = hashed(row, outer);
  inner.fill(0);
  outer.fill(0);
  if (isLong) short.fill(0);
  return code;
};

/** RFC 2104 §2. */
const INNER = 0x36;
const OUTER = 0x5c;

/** Whether both hold the same bytes, in a time that tells nothing about where they differ; lengths are no secret. */
export const equalConstantTime = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);

interface HashRow {
  readonly name: string;
  /** Bytes of its output, and of the blocks it works on. */
  readonly size: number;
  readonly block: number;
}

const hashed = ({ name }: HashRow, bytes: Uint8Array): Uint8Array => plainBytes(hashAtOnce(name, bytes, 'buffer'));

const rowOf = (hash: number): HashRow => {
  const row = HASHES.get(hash);
  if (row === undefined) throw new InvariantError(`hash ${hash} was negotiated but is not supported`);
  return row;
};

const HASHES: ReadonlyMap<number, HashRow> = new Map([
  [HashAlgorithm.MD5, { name: 'md5', size: 16, block: 64 }],
  [HashAlgorithm.SHA, { name: 'sha1', size: 20, block: 64 }],
  [HashAlgorithm.SHA2_256, { name: 'sha256', size: 32, block: 64 }],
  [HashAlgorithm.SHA2_384, { name: 'sha384', size: 48, block: 128 }],
  [HashAlgorithm.SHA2_512, { name: 'sha512', size: 64, block: 128 }],
]);
const NOTHING = new Uint8Array(0);
