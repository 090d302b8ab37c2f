/** The key slab: keys come back, and nothing else ever does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../../src/shared/errors.ts';
import { createKeySlab, type KeyRecord, KeySlab } from '../../../src/shared/sa-table/key-slab.ts';

const keys = (n: number): KeyRecord => ({
  owner: { slot: n, generation: 2 * n + 1 },
  hash: 4,
  cipher: 7,
  keyLength: 256,
  skeyidD: new Uint8Array(32).fill(n),
  skeyidA: new Uint8Array(64).fill(n + 1),
  encryptionKey: new Uint8Array(56).fill(n + 2),
  lastIv: new Uint8Array(16).fill(n + 3),
});

const allocate = (slab: KeySlab, n: number): number => slab.allocate(keys(n)) ?? assert.fail('the slab is full');
const isZero = (buffer: SharedArrayBuffer): boolean => new Uint8Array(buffer).every((byte) => byte === 0);
/** Where a key byte of this value lies. */
const find = (buffer: SharedArrayBuffer, value: number): number => new Uint8Array(buffer).indexOf(value);

test('keys read back, each record its own', () => {
  const slab = new KeySlab(createKeySlab(100));
  const slots = [10, 20, 30].map((n) => allocate(slab, n));
  assert.deepEqual(
    slots.map((slot) => slab.read(slot)),
    [keys(10), keys(20), keys(30)],
  );
  assert.deepEqual([...slab.liveSlots()], slots);
});

test('what is read is a private copy: zeroing it leaves the slab alone', () => {
  const slab = new KeySlab(createKeySlab(1));
  const slot = allocate(slab, 1);
  slab.read(slot)?.skeyidD.fill(0);
  assert.deepEqual(slab.read(slot), keys(1));
  assert.ok(!(slab.read(slot)?.skeyidD.buffer instanceof SharedArrayBuffer));
});

test('a freed slot is zeroed and used again', () => {
  const buffer = createKeySlab(100);
  const slab = new KeySlab(buffer);
  const slot = allocate(slab, 7);
  assert.equal(slab.free(slot), true);
  assert.ok(isZero(buffer));
  assert.deepEqual([slab.read(slot), slab.free(slot), [...slab.liveSlots()]], [undefined, false, []]);
  assert.equal(allocate(slab, 8), slot);
});

test('shorter keys over longer ones leave nothing of them', () => {
  const buffer = createKeySlab(1);
  const slab = new KeySlab(buffer);
  slab.free(allocate(slab, 200));
  const short = { ...keys(1), skeyidA: new Uint8Array(16).fill(1), encryptionKey: new Uint8Array(0) };
  assert.deepEqual(slab.read(slab.allocate(short) ?? -1), short);
  assert.equal(find(buffer, 201), -1);
});

test('a slab grows to its size and then refuses', () => {
  const buffer = createKeySlab(300);
  const slab = new KeySlab(buffer);
  const before = buffer.byteLength;
  let count = 0;
  while (slab.allocate(keys(count % 250)) !== undefined) count++;
  assert.ok(before < buffer.byteLength && count >= 300, `${count} records`);
  assert.equal(slab.free(17), true);
  assert.equal(slab.allocate(keys(1)), 17);
});

test('a successor finds the keys, and room only where there are none', () => {
  const buffer = createKeySlab(100);
  const dead = new KeySlab(buffer);
  const [kept, freed] = [allocate(dead, 1), allocate(dead, 2)];
  dead.free(freed);
  const slab = new KeySlab(buffer);
  assert.deepEqual([[...slab.liveSlots()], slab.read(kept)], [[kept], keys(1)]);
  assert.notEqual(allocate(slab, 3), kept);
  assert.deepEqual(slab.read(kept), keys(1));
});

test('threats.md, SAB torn reads: a record cut short before its flag was set holds no keys and is erased by the successor', () => {
  const buffer = createKeySlab(100);
  const slot = allocate(new KeySlab(buffer), 66);
  assert.notEqual(find(buffer, 66), -1);
  // The flag, which goes last, was not yet written when the thread died.
  new Int32Array(buffer)[(slot * buffer.byteLength) / 256 / 4] = 0;
  const slab = new KeySlab(buffer);
  assert.deepEqual([slab.read(slot), [...slab.liveSlots()]], [undefined, []]);
  assert.ok(isZero(buffer));
});

test('slots that do not exist hold nothing', () => {
  const slab = new KeySlab(createKeySlab(100));
  allocate(slab, 1);
  for (const slot of [-1, 255, 256, 1e9, Number.NaN, 0.5])
    assert.deepEqual([slab.read(slot), slab.free(slot)], [undefined, false]);
});

test('keys longer than any algorithm has are refused, without a byte of them in the message', () => {
  const slab = new KeySlab(createKeySlab(100));
  const tooLong = { skeyidD: 65, skeyidA: 65, encryptionKey: 57, lastIv: 17 };
  for (const [name, length] of Object.entries(tooLong)) {
    const refused = { ...keys(1), [name]: new Uint8Array(length).fill(171) };
    assert.throws(
      () => slab.allocate(refused),
      (fault) => fault instanceof InvariantError && !/171|ab/.test(fault.message),
    );
  }
  assert.deepEqual([...slab.liveSlots()], []);
});
