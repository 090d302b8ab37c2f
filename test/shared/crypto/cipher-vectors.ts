/** The foreign block cipher vectors, run for the ciphers that this process has. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type CipherSpec, cipherSpec, decryptCbc, encryptCbc } from '../../../src/shared/crypto/cipher.ts';
import { fromHex, readVectors, tally, toHex } from './vector-file.ts';

/** The spec of a cipher that must exist. */
export const specOf = (algorithm: number, keyLengthBits?: number): CipherSpec => {
  const spec = cipherSpec(algorithm, keyLengthBits);
  assert.ok(spec, `cipher ${algorithm} with ${keyLengthBits} bits`);
  return spec;
};

export const pkcs7 = (bytes: Uint8Array, blockSize: number): Uint8Array => {
  const padding = blockSize - (bytes.length % blockSize);
  const padded = new Uint8Array(bytes.length + padding).fill(padding);
  padded.set(bytes);
  return padded;
};

/** Cipher name of the file -> the spec for a key of so many bytes. */
export type CiphersHere = ReadonlyMap<string, (keySize: number) => CipherSpec | undefined>;

interface BotanFile {
  readonly sections: Readonly<
    Record<
      string,
      readonly { readonly Key: string; readonly Nonce?: string; readonly In: string; readonly Out: string }[]
    >
  >;
}

/** Sections are called 'AES-128/CBC/PKCS7'. */
export const checkCbcFile = (t: TestContext, here: CiphersHere, elsewhere: string): void => {
  const vectors = readVectors<BotanFile>(t, 'crypto', 'cbc-botan.json');
  if (vectors === undefined) return;
  const counted = tally();
  for (const [section, cases] of Object.entries(vectors.sections)) {
    const [name = '', , padding] = section.split('/');
    for (const { Key, Nonce = '', In, Out } of cases) {
      const spec = here.get(name)?.(Key.length / 2);
      if (spec === undefined) {
        counted.leftOut(`${name}: ${elsewhere}`);
        continue;
      }
      const plain = padding === 'PKCS7' ? pkcs7(fromHex(In), spec.blockSize) : fromHex(In);
      const sealed = encryptCbc(spec, fromHex(Key), fromHex(Nonce), plain);
      assert.equal(toHex(sealed), Out.toLowerCase(), section);
      assert.deepEqual(decryptCbc(spec, fromHex(Key), fromHex(Nonce), sealed), plain, section);
      counted.ran();
    }
  }
  counted.print(t, 'cbc-botan.json');
};

/** One block in ECB is one block in CBC with an IV of zeros. */
export const checkEcbFile = (t: TestContext, here: CiphersHere, elsewhere: string): void => {
  const vectors = readVectors<BotanFile>(t, 'crypto', 'block-ecb-botan.json');
  if (vectors === undefined) return;
  const counted = tally();
  for (const [name, cases] of Object.entries(vectors.sections)) {
    const make = here.get(name);
    if (make === undefined) {
      counted.leftOut(`${name}: ${elsewhere}`, cases.length);
      continue;
    }
    for (const { Key, In, Out } of cases) {
      const key = withThirdKey(name, fromHex(Key));
      const spec = make(key.length);
      if (spec === undefined) {
        counted.leftOut(`${name}: no key length of ours`);
        continue;
      }
      assert.equal(encryptEcb(spec, key, fromHex(In)), Out.toLowerCase(), `${name} ${Key}`);
      counted.ran();
    }
  }
  counted.print(t, 'block-ecb-botan.json');
};

/** Triple DES with two keys is triple DES with K3 = K1. */
const withThirdKey = (name: string, key: Uint8Array): Uint8Array =>
  name === 'TripleDES' && key.length === 16 ? new Uint8Array([...key, ...key.subarray(0, 8)]) : key;

const encryptEcb = (spec: CipherSpec, key: Uint8Array, plain: Uint8Array): string => {
  let sealed = '';
  for (let at = 0; at < plain.length; at += spec.blockSize) {
    sealed += toHex(encryptCbc(spec, key, new Uint8Array(spec.blockSize), plain.subarray(at, at + spec.blockSize)));
  }
  return sealed;
};
