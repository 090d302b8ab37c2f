import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedKeys, forgetKey, KEY_CACHE_CAPACITY, secretKey } from '../../../src/shared/crypto/key-cache.ts';

test('the same array gets the same KeyObject, holding its bytes', () => {
  const key = Uint8Array.of(1, 2, 3);
  const made = secretKey(key);
  assert.equal(secretKey(key), made);
  assert.deepEqual(new Uint8Array(made.export()), key);
});

test('another array with equal bytes is another key', () => {
  assert.notEqual(secretKey(Uint8Array.of(4, 5)), secretKey(Uint8Array.of(4, 5)));
});

test('an empty key is a key', () => {
  assert.equal(secretKey(new Uint8Array(0)).symmetricKeySize, 0);
});

test('a forgotten key leaves the cache and its bytes become zero', () => {
  const key = Uint8Array.of(6, 7, 8);
  const made = secretKey(key);
  const before = cachedKeys();
  forgetKey(key);
  assert.deepEqual(key, new Uint8Array(3));
  assert.equal(cachedKeys(), before - 1);
  assert.notEqual(secretKey(key), made);
});

test('forgetting a key that was never cached clears its bytes all the same', () => {
  const key = Uint8Array.of(9);
  forgetKey(key);
  assert.deepEqual(key, Uint8Array.of(0));
});

test('a full cache lets the least recently used key go, and keeps those in use', () => {
  const used = Uint8Array.of(1);
  const unused = Uint8Array.of(2);
  const usedObject = secretKey(used);
  const unusedObject = secretKey(unused);
  for (let count = 0; count < KEY_CACHE_CAPACITY; count += 1) {
    secretKey(new Uint8Array(1));
    secretKey(used);
  }
  assert.equal(cachedKeys(), KEY_CACHE_CAPACITY);
  assert.equal(secretKey(used), usedObject);
  assert.notEqual(secretKey(unused), unusedObject);
  assert.deepEqual(unused, Uint8Array.of(2), 'an evicted key keeps its bytes: they are its state’s');
});
