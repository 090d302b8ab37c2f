/** Rows on their way into fixed-size records and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { privateRecord } from '../../../src/shared/sa-table/layout.ts';
import {
  generationOf,
  readRow,
  referencesOf,
  SA_ROW,
  type SaRow,
  STRING_COLUMNS,
  writeReferences,
  writeRow,
} from '../../../src/shared/sa-table/rows.ts';
import { sampleRow } from './sample-row.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const number = fc.double({ noNaN: true });
const protocol = fc.record(
  {
    protocolId: u8,
    transformId: u8,
    authentication: u16,
    keyLength: u16,
    encapsulation: u16,
    spiOut: u32,
    spiIn: u32,
    encryptionKeyBytes: u16,
    authenticationKeyBytes: u16,
  },
  { noNullPrototype: true },
);
const transport = fc.oneof(
  fc.record({ family: fc.constant(0 as const), localAddress: bytes(0), remoteAddress: bytes(0) }),
  fc.record({ family: fc.constant(4 as const), localAddress: bytes(4), remoteAddress: bytes(4) }),
  fc.record({ family: fc.constant(6 as const), localAddress: bytes(16), remoteAddress: bytes(16) }),
);
const numbers = fc.record({
  phase: fc.constantFrom(1 as const, 2 as const),
  role: fc.constantFrom(1 as const, 2 as const),
  ...{ state: u8, exchangeType: u8, flags: u32, messageId: u32, localPort: u16, remotePort: u16 },
  ...{ establishedAt: number, softAt: number, hardAt: number, lifeSeconds: number, lifeKilobytes: number },
  ...{ encryption: u16, keyLength: u16, hash: u16, group: u16, authenticationMethod: u16 },
  ...{ initiatorCookie: bytes(8), responderCookie: bytes(8) },
  protocols: fc.array(protocol, { maxLength: 2 }),
  slabSlot: fc.integer({ min: -1, max: 0x7fff_ffff }),
});
const strings = fc.record({
  ...{ zone: fc.string(), name: fc.string(), peerName: fc.string(), localIdentity: fc.string() },
  ...{ remoteIdentity: fc.string(), localSelector: fc.string(), remoteSelector: fc.string() },
});
const row: fc.Arbitrary<SaRow> = fc.tuple(transport, numbers, strings).map(([a, b, c]) => ({ ...a, ...b, ...c }));

test('every row reads back as it was written, over whatever the record held before', () => {
  const record = privateRecord(SA_ROW.stride);
  fc.assert(
    fc.property(row, u32, (written, generation) => {
      const texts = STRING_COLUMNS.map((column) => written[column]);
      writeRow(record, generation, written);
      writeReferences(
        record,
        texts.map((_, i) => i),
      );
      assert.equal(generationOf(record), generation);
      assert.deepEqual(
        readRow(record, (reference) => texts[reference] ?? 'none'),
        written,
      );
    }),
  );
});

test('string references are kept in the order of their columns', () => {
  const record = privateRecord(SA_ROW.stride);
  writeRow(record, 1, sampleRow(1));
  writeReferences(record, [1, 2, 3, 4, 5, 6, 0xffff_ffff]);
  assert.deepEqual(referencesOf(record), [1, 2, 3, 4, 5, 6, 0xffff_ffff]);
});

test('a row does not change when the record is used again', () => {
  const record = privateRecord(SA_ROW.stride);
  writeRow(record, 1, sampleRow(7));
  const before = readRow(record, () => '');
  const copy = structuredClone(before);
  writeRow(record, 1, sampleRow(8));
  assert.deepEqual(before, copy);
});

test('sizes that no SA has are refused', () => {
  const record = privateRecord(SA_ROW.stride);
  const refused: readonly Partial<SaRow>[] = [
    { initiatorCookie: new Uint8Array(7) },
    { responderCookie: new Uint8Array(0) },
    { family: 4, localAddress: new Uint8Array(4), remoteAddress: new Uint8Array(16) },
    { family: 0, localAddress: new Uint8Array(4), remoteAddress: new Uint8Array(4) },
    { protocols: [...sampleRow(2).protocols, ...sampleRow(2).protocols] },
  ];
  for (const change of refused) {
    assert.throws(() => writeRow(record, 1, { ...sampleRow(2), ...change }), InvariantError);
  }
});
