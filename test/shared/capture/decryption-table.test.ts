/** Lines of the decryption table. What Wireshark makes of them is tested with running daemons. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decryptionTableHeader, decryptionTableLine } from '../../../src/shared/capture/decryption-table.ts';

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

test('a line is the initiator cookie and the key in hex', () => {
  const cookie = Uint8Array.of(0x01, 0x9a, 0xaf, 0xf0, 4, 5, 6, 7);
  assert.equal(textOf(decryptionTableLine(cookie, Uint8Array.of(0xde, 0xad, 0x09))), '019aaff004050607,dead09\n');
});

test('any cookie and key are read back from their line', () => {
  const cookies = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(cookies, fc.uint8Array({ maxLength: 64 }), (cookie, key) => {
      const hex = [cookie, key].map((bytes) => Buffer.from(bytes).toString('hex'));
      assert.equal(textOf(decryptionTableLine(cookie, key)), `${hex.join()}\n`);
    }),
  );
});

test('the table begins with one line of comment', () => {
  assert.match(textOf(decryptionTableHeader()), /^#[^\n]*\n$/);
});
