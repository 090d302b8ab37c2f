/** Random bytes for IVs, drawn some thousand at a time: node:crypto takes as long for sixteen. */
import type { FillRandom } from './transform.ts';

/** `fill` makes an array random. No byte is handed out twice. For at most 4096 bytes at a time. */
export const pooledFill = (fill: (bytes: Uint8Array) => void): FillRandom => {
  const pool = new Uint8Array(POOL_SIZE);
  let used = POOL_SIZE;
  return (bytes, from, to) => {
    if (used + to - from > POOL_SIZE) {
      fill(pool);
      used = 0;
    }
    for (let at = from; at < to; at++) bytes[at] = pool[used++] ?? 0;
  };
};

const POOL_SIZE = 4096;
