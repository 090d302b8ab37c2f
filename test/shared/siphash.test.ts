/** SipHash-2-4 against the paper's example and against a plain 64-bit implementation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/shared/errors.ts';
import { siphash, sipKey } from '../../src/shared/siphash.ts';

const MASK = 0xffff_ffff_ffff_ffffn;
const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;
const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const round = ([v0, v1, v2, v3]: readonly [bigint, bigint, bigint, bigint]): [bigint, bigint, bigint, bigint] => {
  const a = (v0 + v1) & MASK;
  const b = rotate(v1, 13n) ^ a;
  const c = (v2 + v3) & MASK;
  const d = rotate(v3, 16n) ^ c;
  const e = (rotate(a, 32n) + d) & MASK;
  const f = (c + b) & MASK;
  return [e, rotate(b, 17n) ^ f, rotate(f, 32n), rotate(d, 21n) ^ e];
};

/** The definition of the paper, section 2, in 64-bit arithmetic. */
const plainSiphash = (key: Uint8Array, input: Uint8Array): bigint => {
  const [k0, k1] = [littleEndian(key.subarray(0, 8)), littleEndian(key.subarray(8))];
  let v: [bigint, bigint, bigint, bigint] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  for (let offset = 0; offset <= input.length; offset += 8) {
    const isLast = offset + 8 > input.length;
    const word = littleEndian(input.subarray(offset, offset + 8)) | (isLast ? BigInt(input.length & 0xff) << 56n : 0n);
    v = round(round([v[0], v[1], v[2], v[3] ^ word]));
    v[0] ^= word;
  }
  v = round(round(round(round([v[0], v[1], v[2] ^ 0xffn, v[3]]))));
  return v[0] ^ v[1] ^ v[2] ^ v[3];
};

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);

test('the example of the SipHash paper, appendix A, comes out', () => {
  assert.equal(plainSiphash(counting(16), counting(15)), 0xa129ca6149be45e5n);
  assert.equal(siphash(sipKey(counting(16)), counting(15)), 0x49be45e5);
});

test('every key and input hashes to the low half of the 64-bit definition', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(16), fc.uint8Array({ maxLength: 300 }), (key, input) => {
      assert.equal(siphash(sipKey(key), input), Number(plainSiphash(key, input) & 0xffff_ffffn));
    }),
  );
});

test('a view into a larger buffer hashes as a buffer of its own', () => {
  const datagram = counting(40);
  const key = sipKey(datagram.subarray(3, 19));
  assert.equal(siphash(key, datagram.subarray(5, 13)), siphash(sipKey(counting(19).slice(3)), datagram.slice(5, 13)));
});

test('cookies spread evenly over lanes', () => {
  const key = sipKey(counting(16));
  const hits = [0, 0, 0, 0, 0];
  const cookie = new Uint8Array(8);
  for (let i = 0; i < 10_000; i++) {
    new DataView(cookie.buffer).setUint32(0, i);
    const lane = siphash(key, cookie) % hits.length;
    hits[lane] = (hits[lane] ?? 0) + 1;
  }
  assert.ok(Math.min(...hits) > 1800 && Math.max(...hits) < 2200, hits.join(' '));
});

test('a key of another length than 16 bytes is refused', () => {
  assert.throws(() => sipKey(counting(15)), InvariantError);
  assert.throws(() => sipKey(counting(17)), InvariantError);
});
