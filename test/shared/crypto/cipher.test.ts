import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NotifyType } from '../../../src/shared/constants/isakmp.ts';
import { EncryptionAlgorithm } from '../../../src/shared/constants/oakley.ts';
import {
  type CipherSpec,
  cipherAvailable,
  cipherSpec,
  decryptCbc,
  encryptCbc,
  isWeakKey,
} from '../../../src/shared/crypto/cipher.ts';
import { cachedKeys } from '../../../src/shared/crypto/key-cache.ts';
import { InvariantError, ProtocolError } from '../../../src/shared/errors.ts';
import { checkCbcFile, checkEcbFile, pkcs7, specOf } from './cipher-vectors.ts';
import { fromHex, readVectors, tally, toHex } from './vector-file.ts';

const AES = specOf(EncryptionAlgorithm.AES_CBC);
const TRIPLE_DES = specOf(EncryptionAlgorithm['3DES_CBC']);
const DES = specOf(EncryptionAlgorithm.DES_CBC);

test('key lengths default as in behaviour 5.7: AES and Blowfish 128 bits, 3DES 192, CAST 128', () => {
  assert.equal(AES.keySize, 16);
  assert.equal(TRIPLE_DES.keySize, 24);
  assert.equal(specOf(EncryptionAlgorithm.BLOWFISH_CBC).keySize, 16);
  assert.equal(specOf(EncryptionAlgorithm.CAST_CBC).keySize, 16);
  assert.equal(DES.keySize, 8);
});

test('only key lengths that the cipher takes are accepted', () => {
  const accepted = (algorithm: number): readonly number[] =>
    Array.from({ length: 600 }, (_, bits) => bits).filter((bits) => cipherSpec(algorithm, bits) !== undefined);
  assert.deepEqual(accepted(EncryptionAlgorithm.AES_CBC), [128, 192, 256]);
  assert.deepEqual(accepted(EncryptionAlgorithm.CAST_CBC), [96, 104, 112, 120, 128]);
  assert.deepEqual(
    accepted(EncryptionAlgorithm.BLOWFISH_CBC),
    Array.from({ length: 45 }, (_, index) => 96 + 8 * index),
  );
  // RFC 2409 appendix A: no key length where it is fixed.
  assert.deepEqual(accepted(EncryptionAlgorithm['3DES_CBC']), []);
  assert.deepEqual(accepted(EncryptionAlgorithm.DES_CBC), []);
});

test('hostile key lengths and unknown ciphers are refused', () => {
  for (const bits of [0, -128, 127, 128.5, 65536, Number.NaN]) {
    assert.equal(cipherSpec(EncryptionAlgorithm.AES_CBC, bits), undefined);
  }
  for (const algorithm of [0, EncryptionAlgorithm.IDEA_CBC, EncryptionAlgorithm.RC5_R16_B64_CBC, 8, 65535]) {
    assert.equal(cipherSpec(algorithm, undefined), undefined);
    assert.equal(cipherSpec(algorithm, 128), undefined);
  }
});

test('AES, 3DES and single DES need no legacy provider', () => {
  for (const spec of [AES, TRIPLE_DES, DES]) {
    assert.equal(spec.legacyProvider, false);
    assert.equal(cipherAvailable(spec), true);
  }
});

test('Blowfish and CAST are marked as legacy, and are unavailable in a process without that provider', () => {
  for (const algorithm of [EncryptionAlgorithm.BLOWFISH_CBC, EncryptionAlgorithm.CAST_CBC]) {
    const spec = specOf(algorithm);
    assert.equal(spec.legacyProvider, true);
    assert.equal(cipherAvailable(spec), process.execArgv.includes('--openssl-legacy-provider'));
  }
});

test('probing leaves no key behind', () => {
  const before = cachedKeys();
  cipherAvailable(specOf(EncryptionAlgorithm.AES_CBC, 192));
  assert.equal(cachedKeys(), before);
});

test('what was encrypted decrypts, for every cipher that is there', () => {
  const specs = [
    AES,
    specOf(EncryptionAlgorithm.AES_CBC, 192),
    specOf(EncryptionAlgorithm.AES_CBC, 256),
    TRIPLE_DES,
    DES,
  ];
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const arbitrary = fc.constantFrom(...specs).chain((spec) =>
    fc.tuple(
      fc.constant(spec),
      bytes(spec.keySize),
      bytes(spec.blockSize),
      fc.integer({ min: 1, max: 20 }).chain((blocks) => bytes(blocks * spec.blockSize)),
    ),
  );
  fc.assert(
    fc.property(arbitrary, ([spec, key, iv, plain]) => {
      const sealed = encryptCbc(spec, key, iv, plain);
      assert.equal(sealed.length, plain.length);
      assert.deepEqual(decryptCbc(spec, key, iv, sealed), plain);
    }),
  );
});

test('ciphertext that is empty or no multiple of the block is PAYLOAD_MALFORMED', () => {
  for (const spec of [AES, TRIPLE_DES]) {
    for (const length of [0, 1, spec.blockSize - 1, spec.blockSize + 1]) {
      assert.throws(
        () => decryptCbc(spec, new Uint8Array(spec.keySize), new Uint8Array(spec.blockSize), new Uint8Array(length)),
        (fault) => fault instanceof ProtocolError && fault.notify === NotifyType.PAYLOAD_MALFORMED,
      );
    }
  }
});

test('keys, IVs and plaintext of the wrong length are our fault', () => {
  const key = new Uint8Array(16);
  const block = new Uint8Array(16);
  for (const wrong of [
    () => encryptCbc(AES, key, block, new Uint8Array(15)),
    () => encryptCbc(AES, key, block, new Uint8Array(0)),
    () => encryptCbc(AES, new Uint8Array(24), block, block),
    () => encryptCbc(AES, key, new Uint8Array(8), block),
    () => decryptCbc(AES, new Uint8Array(15), block, block),
    () => decryptCbc(AES, key, new Uint8Array(17), block),
  ]) {
    assert.throws(wrong, InvariantError);
  }
});

test('results are plain Uint8Arrays that own their bytes', () => {
  const sealed = encryptCbc(AES, new Uint8Array(16), new Uint8Array(16), new Uint8Array(32));
  const opened = decryptCbc(AES, new Uint8Array(16), new Uint8Array(16), sealed);
  for (const bytes of [sealed, opened]) {
    assert.equal(bytes.constructor, Uint8Array);
    assert.equal(bytes.buffer.byteLength, bytes.length);
  }
});

test('a 3DES key with equal neighbours is weak, whatever the parity bits; K1 = K3 is not', () => {
  const one = '0123456789abcdef';
  const sameButParity = '0022446688aaccee';
  const two = '23456789abcdef01';
  const three = '456789abcdef0123';
  const weak = (hex: string): boolean => isWeakKey(TRIPLE_DES, fromHex(hex));
  assert.equal(weak(one + one + three), true);
  assert.equal(weak(one + two + two), true);
  assert.equal(weak(one + sameButParity + three), true);
  assert.equal(weak(one + two + one), false);
  assert.equal(weak(one + two + three), false);
});

test('a weak or semi-weak DES key is weak alone and in each place of a 3DES key', () => {
  const good = ['23456789abcdef01', '456789abcdef0123'];
  for (const key of [
    '0101010101010101',
    '0000000000000000',
    'fefefefefefefefe',
    '1f1f1f1f0e0e0e0e',
    'e0fee0fef1fef1fe',
  ]) {
    assert.equal(isWeakKey(DES, fromHex(key)), true, key);
    for (const [first, second, third] of [
      [key, good[0], good[1]],
      [good[0], key, good[1]],
      [good[0], good[1], key],
    ]) {
      assert.equal(isWeakKey(TRIPLE_DES, fromHex(`${first}${second}${third}`)), true, key);
    }
  }
  assert.equal(isWeakKey(DES, fromHex('23456789abcdef01')), false);
});

test('a weak or semi-weak DES key undoes itself or its partner', () => {
  const block = fromHex('0123456789abcdef');
  const iv = new Uint8Array(8);
  const encrypt = (key: string, plain: Uint8Array): Uint8Array => encryptCbc(DES, fromHex(key), iv, plain);
  for (const [key, partner] of [
    ['0101010101010101', '0101010101010101'],
    ['fefefefefefefefe', 'fefefefefefefefe'],
    ['e0e0e0e0f1f1f1f1', 'e0e0e0e0f1f1f1f1'],
    ['1f1f1f1f0e0e0e0e', '1f1f1f1f0e0e0e0e'],
    ['011f011f010e010e', '1f011f010e010e01'],
    ['01e001e001f101f1', 'e001e001f101f101'],
    ['01fe01fe01fe01fe', 'fe01fe01fe01fe01'],
    ['1fe01fe00ef10ef1', 'e01fe01ff10ef10e'],
    ['1ffe1ffe0efe0efe', 'fe1ffe1ffe0efe0e'],
    ['e0fee0fef1fef1fe', 'fee0fee0fef1fef1'],
  ] as const) {
    assert.deepEqual(encrypt(partner, encrypt(key, block)), block, key);
    assert.equal(isWeakKey(DES, fromHex(key)), true, key);
    assert.equal(isWeakKey(DES, fromHex(partner)), true, partner);
  }
});

test('AES keys are never weak', () => {
  assert.equal(isWeakKey(AES, new Uint8Array(16)), false);
});

const HERE = new Map<string, (keySize: number) => CipherSpec | undefined>([
  ['AES-128', () => AES],
  ['AES-192', () => cipherSpec(EncryptionAlgorithm.AES_CBC, 192)],
  ['AES-256', () => cipherSpec(EncryptionAlgorithm.AES_CBC, 256)],
  ['TripleDES', () => TRIPLE_DES],
  ['DES', () => DES],
]);

test('vectors: cbc-botan.json, but for the legacy ciphers', (t) => checkCbcFile(t, HERE, 'in the legacy test'));
test('vectors: block-ecb-botan.json, but for the legacy ciphers', (t) => checkEcbFile(t, HERE, 'in the legacy test'));

type NistCase = Readonly<Record<string, string>>;

test('vectors: nist-cbc.json', (t) => {
  const vectors = readVectors<{ readonly files: Readonly<Record<string, readonly NistCase[]>> }>(
    t,
    'crypto',
    'nist-cbc.json',
  );
  if (vectors === undefined) return;
  const counted = tally();
  for (const [name, cases] of Object.entries(vectors.files)) {
    for (const row of cases) {
      const { KEY = '', KEY1 = '', KEY2 = '', KEY3 = '', IV = '', PLAINTEXT = '', CIPHERTEXT = '' } = row;
      const key = fromHex(KEY + KEY1 + KEY2 + KEY3);
      const spec = KEY === '' ? TRIPLE_DES : specOf(EncryptionAlgorithm.AES_CBC, key.length * 8);
      assert.equal(toHex(encryptCbc(spec, key, fromHex(IV), fromHex(PLAINTEXT))), CIPHERTEXT, name);
      assert.equal(toHex(decryptCbc(spec, key, fromHex(IV), fromHex(CIPHERTEXT))), PLAINTEXT, name);
      counted.ran();
    }
  }
  counted.print(t, 'nist-cbc.json');
});

interface AesGroup {
  readonly keySize: number;
  readonly tests: readonly {
    readonly tcId: number;
    readonly flags: readonly string[];
    readonly key: string;
    readonly iv: string;
    readonly msg: string;
    readonly ct: string;
    readonly result: string;
  }[];
}

test('vectors: wycheproof-aes_cbc_pkcs5.json', (t) => {
  const file = 'wycheproof-aes_cbc_pkcs5.json';
  const vectors = readVectors<{ readonly data: { readonly testGroups: readonly AesGroup[] } }>(t, 'crypto', file);
  if (vectors === undefined) return;
  const counted = tally();
  for (const { keySize, tests } of vectors.data.testGroups) {
    const spec = specOf(EncryptionAlgorithm.AES_CBC, keySize);
    for (const { tcId, flags, key, iv, msg, ct, result } of tests) {
      if (flags.includes('BadPadding')) {
        counted.leftOut('PKCS#5 padding is not IKE’s and not checked here');
        continue;
      }
      const open = (): Uint8Array => decryptCbc(spec, fromHex(key), fromHex(iv), fromHex(ct));
      if (result === 'valid') {
        const padded = pkcs7(fromHex(msg), spec.blockSize);
        assert.equal(toHex(encryptCbc(spec, fromHex(key), fromHex(iv), padded)), ct, `case ${tcId}`);
        assert.deepEqual(open(), padded, `case ${tcId}`);
      } else {
        assert.throws(open, ProtocolError, `case ${tcId}`);
      }
      counted.ran();
    }
  }
  counted.print(t, file);
});
