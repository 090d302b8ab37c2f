/**
 * KeyObjects of cipher keys, beside the states that hold only the bytes: on Node 24 a cipher costs six times more with raw
 * bytes than with a KeyObject. One cache per thread; module state is enough, each worker loads its own.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';

/** A KeyObject is 1.4 kB: a full cache costs 6 MB a thread. An ISAKMP SA has one. */
export const KEY_CACHE_CAPACITY = 4096;

/**
 * The KeyObject of `key`, recognised by the identity of the array: an array handed in here keeps its bytes until forgetKey.
 * The least recently used key leaves when the cache is full; its bytes stay as they are, they are its state's.
 */
export const secretKey = (key: Uint8Array): KeyObject => {
  const cached = cache.get(key);
  if (cached !== undefined) {
    // A Map remembers the order of insertion: taken out and put back, the key is the youngest again.
    cache.delete(key);
    cache.set(key, cached);
    return cached;
  }
  if (cache.size >= KEY_CACHE_CAPACITY) dropOldest();
  const made = createSecretKey(key);
  cache.set(key, made);
  return made;
};

/** Drops the KeyObject of `key` and fills its bytes with zero. */
export const forgetKey = (key: Uint8Array): void => {
  cache.delete(key);
  key.fill(0);
};

/** How many keys are held now: at most KEY_CACHE_CAPACITY. */
export const cachedKeys = (): number => cache.size;

const dropOldest = (): void => {
  for (const oldest of cache.keys()) {
    cache.delete(oldest);
    return;
  }
};

const cache = new Map<Uint8Array, KeyObject>();
