/** Makes the transform of an SA from its suite and keys. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { InvariantError } from '../errors.ts';
import { HmacIcv, type Icv, NoIcv } from './icv.ts';
import type { EspSuite } from './suite.ts';
import type { FillRandom, Opener, Sealer } from './transform.ts';
import { CbcOpener, CbcSealer } from './transform-cbc.ts';
import { CtrTransform } from './transform-ctr.ts';
import { GcmTransform, GmacTransform } from './transform-gcm.ts';
import { NullTransform } from './transform-null.ts';

/**
 * Takes what it needs of the keys, which may be zeroed then. `random` makes IVs that nobody can foretell. Throws the fault of node:crypto where OpenSSL lacks the algorithm.
 */
export const createSealer = (
  suite: EspSuite,
  encryptionKey: Uint8Array,
  authenticationKey: Uint8Array,
  random: FillRandom,
): Sealer => {
  const [icv, key, salt] = parts(suite, encryptionKey, authenticationKey);
  return suite.mode === 'cbc' ? new CbcSealer(suite, key(), icv, random) : both(suite, key, salt, icv);
};

/** As `createSealer`. */
export const createOpener = (suite: EspSuite, encryptionKey: Uint8Array, authenticationKey: Uint8Array): Opener => {
  const [icv, key, salt] = parts(suite, encryptionKey, authenticationKey);
  return suite.mode === 'cbc' ? new CbcOpener(suite, key(), icv) : both(suite, key, salt, icv);
};

const both = (suite: EspSuite, key: () => KeyObject, salt: Uint8Array, icv: Icv): Sealer & Opener => {
  switch (suite.mode) {
    case 'ctr':
      return new CtrTransform(suite, key(), salt, icv);
    case 'gcm':
      return new GcmTransform(suite, key(), salt);
    case 'gmac':
      return new GmacTransform(suite, key(), salt);
    case 'null':
      return new NullTransform(icv);
    case 'cbc':
      throw new InvariantError('CBC has a transform for each direction');
  }
};

const parts = (
  suite: EspSuite,
  encryptionKey: Uint8Array,
  authenticationKey: Uint8Array,
): [Icv, () => KeyObject, Uint8Array] => {
  if (encryptionKey.length !== suite.keySize + suite.saltSize || authenticationKey.length !== suite.hmacKeySize) {
    throw new InvariantError(
      `ESP keys of ${encryptionKey.length} and ${authenticationKey.length} bytes, not ${suite.keySize + suite.saltSize} and ${suite.hmacKeySize}`,
    );
  }
  const icv = suite.hmac === '' ? new NoIcv() : new HmacIcv(suite.hmac, authenticationKey, suite.icvSize);
  return [icv, () => cipherKey(suite, encryptionKey), encryptionKey.slice(suite.keySize)];
};

const cipherKey = (suite: EspSuite, encryptionKey: Uint8Array): KeyObject => {
  const key = encryptionKey.subarray(0, suite.keySize);
  if (suite.cipher !== 'des-ede3-cbc' || suite.keySize !== DES_KEY_SIZE) return createSecretKey(key);
  const tripled = new Uint8Array(3 * DES_KEY_SIZE);
  for (let at = 0; at < tripled.length; at += DES_KEY_SIZE) tripled.set(key, at);
  const made = createSecretKey(tripled);
  tripled.fill(0);
  return made;
};

const DES_KEY_SIZE = 8;
