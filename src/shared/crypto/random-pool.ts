/** Randomness by the block: node:crypto takes as long for eight bytes as for some thousand. */

/** Draws fresh bytes. */
export type Random = (size: number) => Uint8Array;

/**
 * Cryptographic random bytes out of a pool that `fill` fills over and over. No byte is handed out twice, and those that were are erased in the
 * pool at once. Large requests go past it.
 */
export const pooledRandom = (fill: (bytes: Uint8Array) => void): Random => {
  const pool = new Uint8Array(POOL_SIZE);
  let used = POOL_SIZE;
  return (size) => {
    if (size > LARGEST_POOLED) {
      const bytes = new Uint8Array(size);
      fill(bytes);
      return bytes;
    }
    if (used + size > POOL_SIZE) {
      fill(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + size);
    pool.fill(0, used, used + size);
    used += size;
    return bytes;
  };
};

const POOL_SIZE = 4096;
const LARGEST_POOLED = 512;
