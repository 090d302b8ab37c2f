/** Capture files of whole IP packets, for programs that judge them. */
import { ipPacket } from './ip-packets.ts';

/** A pcap file of link type RAW (101). */
export const rawCapture = (packets: readonly Uint8Array[]): Uint8Array => {
  const file = new Uint8Array(24 + packets.reduce((sum, packet) => sum + 16 + packet.length, 0));
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, 65535);
  view.setUint32(20, 101);
  let at = 24;
  for (const packet of packets) {
    view.setUint32(at + 8, packet.length);
    view.setUint32(at + 12, packet.length);
    file.set(packet, at + 16);
    at += 16 + packet.length;
  }
  return file;
};

/** An ESP packet between two hosts, on protocol 50. */
export const espOnWire = (source: string, destination: string, esp: Uint8Array): Uint8Array =>
  ipPacket({ source, destination, protocol: 50, body: esp });
/** The packets of a pcap file of link type RAW; of another one without the first `linkHeader` bytes each. */
export const packetsOfCapture = (file: Uint8Array, linkHeader = 0): readonly Uint8Array[] => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isLittle = view.getUint32(0) !== 0xa1b2c3d4;
  const packets: Uint8Array[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const size = view.getUint32(at + 8, isLittle);
    packets.push(file.slice(at + 16 + linkHeader, at + 16 + size));
    at += 16 + size;
  }
  return packets;
};
