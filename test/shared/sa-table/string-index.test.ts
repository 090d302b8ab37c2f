/** The bounded index of the string area. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StringIndex } from '../../../src/shared/sa-table/string-index.ts';

const scattered = (n: number): number => Math.imul(n, 0x9e3779b1) ^ (n >>> 3);

test('what was added is found by its hash, through all growth, until it is removed', () => {
  const index = new StringIndex();
  const all = Array.from({ length: 5000 }, (_, i) => i + 1);
  for (const n of all) index.add(scattered(n), n);
  const found = all.filter((n) => index.find(scattered(n), (reference) => reference === n) === n);
  assert.ok(found.length > 4900, `${found.length} of 5000`);
  for (const n of all) index.remove(scattered(n), n);
  assert.deepEqual(
    all.filter((n) => index.find(scattered(n), () => true) !== 0),
    [],
  );
});

test('an equal hash is no equal string', () => {
  const index = new StringIndex();
  index.add(-5, 10);
  index.add(-5, 20);
  assert.equal(
    index.find(-5, (reference) => reference === 20),
    20,
  );
  assert.equal(
    index.find(-5, () => false),
    0,
  );
});

test('strings made to collide are left out instead of searched for ever', () => {
  const index = new StringIndex();
  for (let n = 1; n <= 100; n++) index.add(7, n);
  let compared = 0;
  index.find(7, () => {
    compared++;
    return false;
  });
  assert.equal(compared, 8);
  index.remove(7, 99);
  index.remove(7, 1);
  assert.equal(
    index.find(7, (reference) => reference === 1),
    0,
  );
});
