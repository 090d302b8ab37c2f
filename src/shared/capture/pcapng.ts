/** A capture as a pcapng file, draft-ietf-opsawg-pcapng: one section, one interface, little-endian, times in microseconds. */
import { type CapturedMessage, LARGEST_PACKET, LINK_TYPE_LOOP, packetOf } from './packet.ts';

/** What a file begins with: Section Header Block (§4.1) and Interface Description Block (§4.2). The same bytes every time. */
export const pcapngFileHeader = (): Uint8Array => {
  const bytes = new Uint8Array(SECTION_HEADER + INTERFACE_DESCRIPTION);
  const section = frame(bytes.subarray(0, SECTION_HEADER), BlockType.SECTION_HEADER);
  section.setUint32(8, BYTE_ORDER_MAGIC, true);
  section.setUint16(12, 1, true);
  // Of unknown length, so that the file can be continued.
  section.setBigInt64(16, -1n, true);
  const description = frame(bytes.subarray(SECTION_HEADER), BlockType.INTERFACE_DESCRIPTION);
  description.setUint16(8, LINK_TYPE_LOOP, true);
  // tcpdump reads no further than a packet that is longer than this.
  description.setUint32(12, LARGEST_PACKET, true);
  return bytes;
};

/** An Enhanced Packet Block (§4.3); `at` is the wall clock in microseconds. Undefined: there is no packet of this message. */
export const pcapngBlock = (message: CapturedMessage, at: number): Uint8Array | undefined => {
  const packet = packetOf(message);
  if (packet === undefined) return undefined;
  const padded = Math.ceil(packet.length / 4) * 4;
  const block = new Uint8Array(PACKET_HEADER + padded + 4);
  const view = frame(block, BlockType.ENHANCED_PACKET);
  view.setUint32(12, Math.floor(at / 2 ** 32), true);
  view.setUint32(16, Math.floor(at % 2 ** 32), true);
  view.setUint32(20, packet.length, true);
  view.setUint32(24, packet.length, true);
  block.set(packet, PACKET_HEADER);
  return block;
};

/** Type and, at both ends, the length of a block (§3.1). */
const frame = (block: Uint8Array, type: number): DataView => {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  view.setUint32(0, type, true);
  view.setUint32(4, block.length, true);
  view.setUint32(block.length - 4, block.length, true);
  return view;
};

const BlockType = { SECTION_HEADER: 0x0a0d0d0a, INTERFACE_DESCRIPTION: 1, ENHANCED_PACKET: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Whole blocks, and what of a packet's block stands before the packet: bytes. */
const SECTION_HEADER = 28;
const INTERFACE_DESCRIPTION = 20;
const PACKET_HEADER = 28;
