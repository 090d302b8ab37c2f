/** A capture as a pcap file, version 2.4, little-endian: what isakmpd(8) -L writes. */
import { type CapturedMessage, LINK_TYPE_LOOP, packetOf } from './packet.ts';

/** The 24 bytes that a file begins with. */
export const pcapFileHeader = (): Uint8Array => {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_LENGTH, true);
  view.setUint32(20, LINK_TYPE_LOOP, true);
  return bytes;
};

/** A record; `at` is the wall clock in microseconds. Undefined: there is no packet of this message. */
export const pcapRecord = (message: CapturedMessage, at: number): Uint8Array | undefined => {
  const packet = packetOf(message);
  if (packet === undefined) return undefined;
  const record = new Uint8Array(RECORD_HEADER + packet.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, Math.floor(at / 1e6), true);
  view.setUint32(4, Math.floor(at % 1e6), true);
  view.setUint32(8, packet.length, true);
  view.setUint32(12, packet.length, true);
  record.set(packet, RECORD_HEADER);
  return record;
};

const SNAP_LENGTH = 65_536;
const RECORD_HEADER = 16;
