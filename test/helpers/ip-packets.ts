/** IP packets as a host would send them: headers with right checksums, UDP or anything else inside. */

import { parseAddress } from '../../src/shared/address.ts';
import { InvariantError } from '../../src/shared/errors.ts';

export interface PacketWish {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  /** What is behind the IP header; ports and payload of a UDP datagram where it is not given. */
  readonly body?: Uint8Array;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: Uint8Array;
  readonly trafficClass?: number;
  readonly isDontFragment?: boolean;
  /** In units of 8 bytes. */
  readonly fragmentOffset?: number;
  readonly hasMoreFragments?: boolean;
}

export const ipPacket = (wish: PacketWish): Uint8Array => {
  const [source, destination] = [bytesOf(wish.source), bytesOf(wish.destination)];
  const isV4 = source.length === 4;
  const protocol = wish.protocol ?? 17;
  const body = wish.body ?? udp(wish, source, destination);
  return isV4 ? ipv4(wish, source, destination, protocol, body) : ipv6(wish, source, destination, protocol, body);
};

const ipv4 = (wish: PacketWish, from: Uint8Array, to: Uint8Array, protocol: number, body: Uint8Array): Uint8Array => {
  const packet = new Uint8Array(20 + body.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = wish.trafficClass ?? 0;
  view.setUint16(2, packet.length);
  const flags = (wish.isDontFragment === true ? 0x4000 : 0) | (wish.hasMoreFragments === true ? 0x2000 : 0);
  view.setUint16(4, 0x1234);
  view.setUint16(6, flags | (wish.fragmentOffset ?? 0));
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(from, 12);
  packet.set(to, 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  packet.set(body, 20);
  return packet;
};

const ipv6 = (wish: PacketWish, from: Uint8Array, to: Uint8Array, protocol: number, body: Uint8Array): Uint8Array => {
  const isFragment = wish.fragmentOffset !== undefined || wish.hasMoreFragments === true;
  const extension = isFragment ? 8 : 0;
  const packet = new Uint8Array(40 + extension + body.length);
  const view = new DataView(packet.buffer);
  view.setUint16(0, 0x6000 | ((wish.trafficClass ?? 0) << 4));
  view.setUint16(4, extension + body.length);
  packet[6] = isFragment ? 44 : protocol;
  packet[7] = 64;
  packet.set(from, 8);
  packet.set(to, 24);
  if (isFragment) {
    packet[40] = protocol;
    view.setUint16(42, ((wish.fragmentOffset ?? 0) << 3) | (wish.hasMoreFragments === true ? 1 : 0));
  }
  packet.set(body, 40 + extension);
  return packet;
};

const udp = (wish: PacketWish, from: Uint8Array, to: Uint8Array): Uint8Array => {
  const payload = wish.payload ?? new Uint8Array(0);
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, wish.sourcePort ?? 1000);
  view.setUint16(2, wish.destinationPort ?? 2000);
  view.setUint16(4, datagram.length);
  datagram.set(payload, 8);
  const pseudo = new Uint8Array(from.length * 2 + 4 + datagram.length);
  pseudo.set(from);
  pseudo.set(to, from.length);
  pseudo[from.length * 2 + 1] = 17;
  new DataView(pseudo.buffer).setUint16(from.length * 2 + 2, datagram.length);
  pseudo.set(datagram, from.length * 2 + 4);
  view.setUint16(6, internetChecksum(pseudo) || 0xffff);
  return datagram;
};

/** RFC 1071; 0 over what holds its own right checksum. */
export const internetChecksum = (bytes: Uint8Array): number => {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return 0xffff - sum;
};

const bytesOf = (address: string): Uint8Array => {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new InvariantError(`${address} is no address`);
  return parsed.bytes;
};
