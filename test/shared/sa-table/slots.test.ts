/** Two copies and a flip: what a reader sees of a record while and after it is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../../src/shared/errors.ts';
import { CHUNK_SLOTS, Slots, slotsBuffer } from '../../../src/shared/sa-table/slots.ts';

const STRIDE = 16;
const WORDS = STRIDE / 4;
/** Version, then two copies. */
const SLOT_WORDS = 1 + 2 * WORDS;
const filled = (value: number): Int32Array => new Int32Array(WORDS).fill(value);

const load = (slots: Slots, slot: number): number[] | undefined => {
  const record = new Int32Array(WORDS);
  return slots.load(slot, record) === undefined ? undefined : [...record];
};

test('a record reads back, and its neighbours stay empty', () => {
  const slots = new Slots(slotsBuffer(STRIDE, 1), STRIDE);
  slots.grow(0);
  slots.store(5, filled(-7));
  assert.deepEqual(
    [load(slots, 4), load(slots, 5), load(slots, 6)],
    [
      [0, 0, 0, 0],
      [-7, -7, -7, -7],
      [0, 0, 0, 0],
    ],
  );
  assert.deepEqual([slots.word(5, 3), slots.word(6, 3)], [-7, 0]);
});

test('a version ends when the record is written again', () => {
  const slots = new Slots(slotsBuffer(STRIDE, 1), STRIDE);
  slots.grow(0);
  slots.store(0, filled(1));
  const version = slots.load(0, new Int32Array(WORDS)) ?? -1;
  assert.equal(slots.isStill(0, version), true);
  slots.store(1, filled(2));
  assert.equal(slots.isStill(0, version), true);
  slots.store(0, filled(1));
  assert.equal(slots.isStill(0, version), false);
});

test('threats.md, SAB table torn reads: a write leaves the record before it untouched in the other copy', () => {
  const buffer = slotsBuffer(STRIDE, 1);
  const slots = new Slots(buffer, STRIDE);
  slots.grow(0);
  for (let value = 1; value < 6; value++) {
    slots.store(0, filled(value));
    const copies = [...new Int32Array(buffer).subarray(1, SLOT_WORDS)].sort();
    assert.deepEqual(copies, [...filled(value - 1), ...filled(value)]);
  }
});

test('threats.md, SAB table torn reads: a write cut short at any word leaves the old record, and the next write succeeds', () => {
  for (let written = 0; written <= WORDS; written++) {
    const buffer = slotsBuffer(STRIDE, 1);
    const slots = new Slots(buffer, STRIDE);
    slots.grow(0);
    for (let value = 1; value <= 1 + (written % 2); value++) slots.store(3, filled(value));
    const before = load(slots, 3);
    // The dead writer filled `written` words of the copy that nobody reads and never came to the flip.
    const words = new Int32Array(buffer);
    const base = 3 * SLOT_WORDS;
    const idle = base + 1 + (((words[base] ?? 0) + 1) & 1) * WORDS;
    words.fill(-99, idle, idle + written);
    const successor = new Slots(buffer, STRIDE);
    assert.deepEqual([load(slots, 3), load(successor, 3)], [before, before]);
    successor.store(3, filled(50));
    assert.deepEqual(
      [load(slots, 3), load(successor, 3)],
      [
        [50, 50, 50, 50],
        [50, 50, 50, 50],
      ],
    );
  }
});

test('a version that passes 2^31 keeps flipping', () => {
  const buffer = slotsBuffer(STRIDE, 1);
  const slots = new Slots(buffer, STRIDE);
  slots.grow(0);
  new Int32Array(buffer)[0] = 2 ** 31 - 2;
  for (let value = 1; value < 6; value++) {
    slots.store(0, filled(value));
    assert.deepEqual(load(slots, 0), [value, value, value, value]);
  }
});

test('slots exist as far as the buffer has grown, for every reader', () => {
  const buffer = slotsBuffer(STRIDE, 2);
  const [writer, reader] = [new Slots(buffer, STRIDE), new Slots(buffer, STRIDE)];
  assert.equal(load(reader, 0), undefined);
  assert.deepEqual(
    [writer.grow(0), load(reader, CHUNK_SLOTS - 1), load(reader, CHUNK_SLOTS)],
    [true, [0, 0, 0, 0], undefined],
  );
  assert.deepEqual([writer.grow(1), load(reader, CHUNK_SLOTS)], [true, [0, 0, 0, 0]]);
  assert.equal(writer.grow(2), false);
  assert.deepEqual(
    [load(reader, -1), reader.word(-1, 0), reader.isStill(2 * CHUNK_SLOTS, 0)],
    [undefined, undefined, false],
  );
});

test('writing beyond the memory is a fault of ours', () => {
  assert.throws(() => new Slots(slotsBuffer(STRIDE, 1), STRIDE).store(0, filled(1)), InvariantError);
});
