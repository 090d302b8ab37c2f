/** Handles as one number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { decodeHandle, encodeHandle, MOST_SLOTS } from '../../../src/shared/sa-table/handles.ts';

test('every handle is a safe integer and comes back from it', () => {
  fc.assert(
    fc.property(fc.nat(MOST_SLOTS - 1), fc.nat(0xffff_ffff), (slot, generation) => {
      const encoded = encodeHandle({ slot, generation });
      assert.ok(Number.isSafeInteger(encoded));
      assert.deepEqual(decodeHandle(encoded), { slot, generation });
    }),
  );
});

test('numbers that no handle has are refused', () => {
  for (const encoded of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => decodeHandle(encoded), InvariantError);
});
