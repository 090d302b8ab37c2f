import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DerTag, derContent, derElement, derInteger } from '../../../src/shared/crypto/der.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { toHex } from './vector-file.ts';

test('lengths take the shortest form', () => {
  for (const [length, header] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [1100, '0482044c'],
  ] as const) {
    const element = derElement(DerTag.OCTET_STRING, new Uint8Array(length));
    assert.equal(toHex(element.subarray(0, element.length - length)), header);
  }
});

test('an INTEGER is positive and has no needless zeros', () => {
  for (const [magnitude, der] of [
    [[0], '020100'],
    [[0, 0], '020100'],
    [[1], '020101'],
    [[0, 0, 1], '020101'],
    [[0x80], '02020080'],
    [[0, 0xff, 0], '020300ff00'],
    [[0x7f, 0xff], '02027fff'],
  ] as const) {
    assert.equal(toHex(derInteger(Uint8Array.from(magnitude))), der);
  }
});

test('the content of an element is found where it was put', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.uint8Array({ maxLength: 9 }), (content, before) => {
      const der = new Uint8Array([...before, ...derElement(DerTag.SEQUENCE, content)]);
      const { start, end } = derContent(der, before.length);
      assert.deepEqual(der.subarray(start, end), content);
    }),
  );
});

test('DER that ends too early is our fault: only node:crypto’s own output is read', () => {
  assert.throws(() => derContent(Uint8Array.of(0x30, 2, 1), 0), InvariantError);
  assert.throws(() => derContent(Uint8Array.of(0x30, 0x82, 1), 0), InvariantError);
});
