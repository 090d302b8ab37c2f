import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { HashAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { digest, equalConstantTime, hashSize, prf } from '../../../src/shared/crypto/prf.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { fromHex, readVectors, tally, toHex } from './vector-file.ts';

const SUPPORTED = [
  [HashAlgorithm.MD5, 16],
  [HashAlgorithm.SHA, 20],
  [HashAlgorithm.SHA2_256, 32],
  [HashAlgorithm.SHA2_384, 48],
  [HashAlgorithm.SHA2_512, 64],
] as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [HashAlgorithm.MD5, 'md5'],
  [HashAlgorithm.SHA, 'sha1'],
  [HashAlgorithm.SHA2_256, 'sha256'],
  [HashAlgorithm.SHA2_384, 'sha384'],
  [HashAlgorithm.SHA2_512, 'sha512'],
]);

for (const [hash, size] of SUPPORTED) {
  test(`hash ${hash} gives ${size} bytes, as digest and as PRF`, () => {
    assert.equal(hashSize(hash), size);
    assert.equal(digest(hash, Uint8Array.of(1)).length, size);
    assert.equal(prf(hash, Uint8Array.of(1), Uint8Array.of(2)).length, size);
  });
}

test('the PRF is the HMAC of OpenSSL for keys shorter and longer than a block, and leaves key and input as they were', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom(...SUPPORTED), bytes, fc.array(bytes, { maxLength: 3 }), ([hash], key, parts) => {
      const before = structuredClone([key, ...parts]);
      const expected = createHmac(NAMES.get(hash) ?? '', key);
      for (const part of parts) expected.update(part);
      assert.equal(toHex(prf(hash, key, ...parts)), expected.digest('hex'));
      assert.deepEqual([key, ...parts], before);
    }),
  );
});

test('TIGER and unknown hashes are not supported', () => {
  for (const hash of [0, HashAlgorithm.TIGER, 7, 65535]) {
    assert.equal(hashSize(hash), undefined);
    assert.throws(() => digest(hash, Uint8Array.of(1)), InvariantError);
    assert.throws(() => prf(hash, Uint8Array.of(1), Uint8Array.of(1)), InvariantError);
  }
});

test('how the input is cut into parts does not matter', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.constantFrom(...SUPPORTED), bytes, bytes, bytes, ([hash], key, first, second) => {
      const whole = new Uint8Array([...first, ...second]);
      assert.deepEqual(digest(hash, first, second), digest(hash, whole));
      assert.deepEqual(prf(hash, key, first, second), prf(hash, key, whole));
    }),
  );
});

test('the PRF of SHA2-384 and SHA2-512 has the 128-byte block of the standard (P12): a key of 100 bytes is not hashed first', () => {
  const key = new Uint8Array(100).fill(7);
  for (const [hash, name] of [
    [HashAlgorithm.SHA2_384, 'sha384'],
    [HashAlgorithm.SHA2_512, 'sha512'],
  ] as const) {
    const padded = new Uint8Array(128);
    padded.set(key);
    const inner = digest(
      hash,
      padded.map((byte) => byte ^ 0x36),
      Uint8Array.of(1),
    );
    const expected = digest(
      hash,
      padded.map((byte) => byte ^ 0x5c),
      inner,
    );
    assert.deepEqual(prf(hash, key, Uint8Array.of(1)), expected);
    assert.equal(toHex(prf(hash, key, Uint8Array.of(1))), createHmac(name, key).update(Uint8Array.of(1)).digest('hex'));
  }
});

test('an empty key and no input are fine', () => {
  assert.equal(toHex(prf(HashAlgorithm.MD5, new Uint8Array(0))), createHmac('md5', '').digest('hex'));
});

test('results are plain Uint8Arrays that own their bytes, so that states clone and compare', () => {
  for (const bytes of [digest(HashAlgorithm.MD5), prf(HashAlgorithm.SHA, Uint8Array.of(1))]) {
    assert.equal(bytes.constructor, Uint8Array);
    assert.equal(bytes.buffer.byteLength, bytes.length);
    assert.deepEqual(structuredClone(bytes), bytes);
  }
});

test('P29: secrets are compared in constant time after the lengths', () => {
  assert.equal(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  assert.equal(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
  assert.equal(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
  assert.equal(equalConstantTime(Uint8Array.of(1, 2), new Uint8Array(0)), false);
  assert.equal(equalConstantTime(new Uint8Array(0), new Uint8Array(0)), true);
});

interface HmacCase {
  readonly Key: string;
  readonly In: string;
  readonly Out: string;
}

test('vectors: HMAC of RFC 2202 and RFC 4231', (t) => {
  const file = 'hmac-rfc2202-4231.json';
  const vectors = readVectors<{ readonly sections: Readonly<Record<string, readonly HmacCase[]>> }>(t, 'crypto', file);
  if (vectors === undefined) return;
  const hashes = new Map<string, number>([
    ['HMAC(MD5)', HashAlgorithm.MD5],
    ['HMAC(SHA-1)', HashAlgorithm.SHA],
    ['HMAC(SHA-256)', HashAlgorithm.SHA2_256],
    ['HMAC(SHA-384)', HashAlgorithm.SHA2_384],
    ['HMAC(SHA-512)', HashAlgorithm.SHA2_512],
  ]);
  const counted = tally();
  for (const [section, cases] of Object.entries(vectors.sections)) {
    const hash = hashes.get(section);
    if (hash === undefined) {
      counted.leftOut(`no ${section}`, cases.length);
      continue;
    }
    for (const { Key, In, Out } of cases) {
      assert.equal(toHex(prf(hash, fromHex(Key), fromHex(In))), Out.toLowerCase());
      counted.ran();
    }
  }
  counted.print(t, file);
});

interface MacGroup {
  readonly tagSize: number;
  readonly tests: readonly {
    readonly tcId: number;
    readonly key: string;
    readonly msg: string;
    readonly tag: string;
    readonly result: 'valid' | 'invalid';
  }[];
}

for (const [file, hash] of [
  ['wycheproof-hmac_sha1.json', HashAlgorithm.SHA],
  ['wycheproof-hmac_sha256.json', HashAlgorithm.SHA2_256],
  ['wycheproof-hmac_sha512.json', HashAlgorithm.SHA2_512],
] as const) {
  test(`vectors: ${file}, valid tags are equal and modified ones are not`, (t) => {
    const vectors = readVectors<{ readonly data: { readonly testGroups: readonly MacGroup[] } }>(t, 'crypto', file);
    if (vectors === undefined) return;
    const counted = tally();
    for (const { tagSize, tests } of vectors.data.testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const computed = prf(hash, fromHex(key), fromHex(msg)).subarray(0, tagSize / 8);
        assert.equal(equalConstantTime(computed, fromHex(tag)), result === 'valid', `case ${tcId}`);
        counted.ran();
      }
    }
    counted.print(t, file);
  });
}
