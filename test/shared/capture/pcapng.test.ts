/** The pcapng encoder: its blocks, read back by the layout of draft-ietf-opsawg-pcapng. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packetOf } from '../../../src/shared/capture/packet.ts';
import { pcapngBlock, pcapngFileHeader } from '../../../src/shared/capture/pcapng.ts';
import { message, V4, V6 } from '../../helpers/captured-messages.ts';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** §3.1: type, length, body in words of 4 bytes, length once more. */
const blocksOf = (bytes: Uint8Array): readonly Block[] => {
  const file = Buffer.from(bytes);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    assert.equal(length % 4, 0);
    assert.equal(file.readUInt32LE(at + length - 4), length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
};

test('a file begins with a section of unknown length and one interface of link type 108', () => {
  const [section, description, ...more] = blocksOf(pcapngFileHeader());
  assert.deepEqual(more, []);
  assert.equal(section?.type, 0x0a0d0d0a);
  assert.equal(section?.body.toString('hex'), '4d3c2b1a01000000ffffffffffffffff');
  assert.equal(description?.type, 1);
  assert.equal(description?.body.readUInt16LE(0), 108);
});

test('a block holds any packet whole, of interface 0, with its time in microseconds and padded with zeros', () => {
  const times = fc.integer({ min: 0, max: 4_102_444_800_000_000 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), fc.boolean(), times, (bytes, isV6, isSent, at) => {
      const one = message({ path: { ...(isV6 ? V6 : V4), encapsulated: false }, isSent, bytes });
      const [block, ...more] = blocksOf(pcapngBlock(one, at + 0.5) ?? assert.fail('no block'));
      assert.deepEqual(more, []);
      assert.equal(block?.type, 6);
      const { body } = block;
      const [interfaceId, high, low, captured, original] = [0, 4, 8, 12, 16].map((offset) => body.readUInt32LE(offset));
      assert.equal(interfaceId, 0);
      assert.equal((BigInt(high ?? 0) << 32n) | BigInt(low ?? 0), BigInt(at));
      const packet = packetOf(one) ?? assert.fail('no packet');
      assert.deepEqual([captured, original], [packet.length, packet.length]);
      assert.ok(body.subarray(20, 20 + packet.length).equals(packet));
      const padding = body.subarray(20 + packet.length);
      assert.ok(padding.length < 4 && padding.every((byte) => byte === 0));
    }),
  );
});

test('what cannot be a datagram has no block', () => {
  assert.equal(pcapngBlock(message({ bytes: new Uint8Array(65_536) }), 0), undefined);
});
