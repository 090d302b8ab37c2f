import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pooledRandom } from '../../../src/shared/crypto/random-pool.ts';

/** A source of bytes that counts: 1, 2, 3 ... 255, 1, ... */
const counting = () => {
  let counter = 0;
  const filled: Uint8Array[] = [];
  const fill = (bytes: Uint8Array): void => {
    filled.push(bytes);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (counter++ % 255) + 1;
  };
  return { filled, random: pooledRandom(fill) };
};

it('hands out every byte once, in order', () => {
  const { random } = counting();
  const bytes = [8, 1, 32, 0, 512].map((size) => random(size));
  assert.deepEqual(
    bytes.map(({ length }) => length),
    [8, 1, 32, 0, 512],
  );
  const all = bytes.flatMap((part) => [...part]);
  assert.deepEqual(
    all,
    all.map((_, i) => (i % 255) + 1),
  );
});

it('asks for more when what is left does not do', () => {
  const { filled, random } = counting();
  for (let i = 0; i < 1000; i++) assert.ok(random(20).every((byte) => byte !== 0));
  assert.equal(filled.length, Math.ceil(1000 / Math.floor(4096 / 20)));
});

it('erases in the pool what it has handed out, and shares no memory with it', () => {
  const { filled, random } = counting();
  const bytes = random(16);
  const [pool] = filled;
  assert.ok(pool !== undefined);
  bytes.fill(0xff);
  assert.deepEqual(pool.subarray(0, 16), new Uint8Array(16));
  assert.notEqual(pool[16], 0);
});

it('goes past the pool for large requests', () => {
  const { filled, random } = counting();
  assert.equal(random(100_000).length, 100_000);
  assert.equal(filled[0]?.length, 100_000);
});
