/** The pcap encoder and the packets in it: the bytes against the layout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CapturedMessage } from '../../../src/shared/capture/packet.ts';
import { pcapFileHeader, pcapRecord } from '../../../src/shared/capture/pcap.ts';
import { MESSAGE, message, V4, V6 } from '../../helpers/captured-messages.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const record = (changes: Partial<CapturedMessage> = {}): Uint8Array => {
  const bytes = pcapRecord(message(changes), 1_700_000_000_123_456);
  assert.ok(bytes !== undefined);
  return bytes;
};

/** Adds up to all ones where the checksum in it is right (RFC 1071). */
const onesSum = (...parts: readonly Uint8Array[]): number => {
  const bytes = Buffer.concat(parts);
  const even = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
  let total = 0;
  for (let at = 0; at < even.length; at += 2) total += even.readUInt16BE(at);
  while (total > 0xffff) total = (total >>> 16) + (total & 0xffff);
  return total;
};

test('the file header is the one of the foreign captures', (t) => {
  const path = sharedPath('vectors', 'isakmpd-output', 'pair', 'left', 'isakmpd.pcap');
  if (path === undefined) return t.skip('no shared folder');
  assert.deepEqual([...pcapFileHeader()], [...readFileSync(path).subarray(0, 24)]);
});

test('a record says when, how long, which family, and who sent it to whom', () => {
  const bytes = Buffer.from(record());
  assert.equal(bytes.readUInt32LE(0), 1_700_000_000);
  assert.equal(bytes.readUInt32LE(4), 123_456);
  assert.equal(bytes.readUInt32LE(8), bytes.length - 16);
  assert.equal(bytes.readUInt32LE(12), bytes.length - 16);
  assert.equal(bytes.readUInt32BE(16), 2);
  assert.deepEqual([...bytes.subarray(32, 40)], [192, 0, 2, 1, 192, 0, 2, 2]);
  const received = Buffer.from(record({ isSent: false }));
  assert.deepEqual([...received.subarray(32, 40)], [192, 0, 2, 2, 192, 0, 2, 1]);
});

test('the Encryption flag is cleared in the record and left alone in the message', () => {
  const bytes = record();
  assert.equal(bytes[16 + 4 + 20 + 8 + 19], 0);
  assert.equal(MESSAGE[19], 1);
});

test('messages on the encapsulation port have the non-ESP marker', () => {
  const bytes = record({ path: { ...V4, encapsulated: true } });
  assert.deepEqual([...bytes.subarray(48, 53)], [0, 0, 0, 0, 1]);
  assert.equal(bytes.length, record().length + 4);
});

test('checksums and lengths are right for any message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), fc.boolean(), (bytes, isV6, encapsulated) => {
      const made = record({ path: { ...(isV6 ? V6 : V4), encapsulated }, bytes });
      const ip = made.subarray(20);
      const udp = ip.subarray(isV6 ? 40 : 20);
      assert.equal(Buffer.from(udp).readUInt16BE(4), udp.length);
      if (!isV6) assert.equal(onesSum(ip.subarray(0, 20)), 0xffff);
      const pseudo = Uint8Array.from([0, 17, udp.length >> 8, udp.length & 0xff]);
      assert.equal(onesSum(isV6 ? ip.subarray(8, 40) : ip.subarray(12, 20), pseudo, udp), 0xffff);
    }),
  );
});

test('what cannot be a datagram has no record', () => {
  assert.equal(pcapRecord(message({ bytes: new Uint8Array(65_536) }), 0), undefined);
  const mixed = { local: V4.local, remote: V6.remote, encapsulated: false };
  assert.equal(pcapRecord(message({ path: mixed }), 0), undefined);
});
