/** Offsets derived from column tables, and growing shared memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growTo, layout, privateRecord } from '../../../src/shared/sa-table/layout.ts';

test('columns follow one another, each aligned to its size', () => {
  const { at, stride } = layout({ a: 'u8', b: 'u32', c: 'u16', d: 'f64', e: 'b16', f: 'i32' });
  assert.deepEqual(at, { a: 0, b: 4, c: 8, d: 16, e: 24, f: 40 });
  assert.equal(stride, 48);
});

test('the views of a private record show the same bytes', () => {
  const record = privateRecord(16);
  record.view.setUint8(4, 0x7f);
  assert.deepEqual([record.bytes[4], record.words[1] !== 0, record.bytes.length], [0x7f, true, 16]);
});

test('a shared buffer grows to its maximum and no further', () => {
  const buffer = new SharedArrayBuffer(0, { maxByteLength: 100 });
  assert.deepEqual([growTo(buffer, 60), growTo(buffer, 40), buffer.byteLength], [true, true, 60]);
  assert.deepEqual([growTo(buffer, 101), buffer.byteLength], [false, 60]);
  assert.deepEqual([growTo(buffer, 100), buffer.byteLength], [true, 100]);
});
