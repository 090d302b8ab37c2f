/**
 * The packet that a captured message is shown in: a 4-byte address family (link type 108), made-up IP and UDP headers with correct checksums,
 * and the message with its Encryption flag cleared. What files make of it is in pcap.ts and pcapng.ts.
 */
import { type IpAddress, parseAddress } from '../address.ts';
import { HeaderFlag } from '../constants/isakmp.ts';
import type { Path } from '../threads/contract.ts';

/** One message as it was before encryption or after decryption. */
export interface CapturedMessage {
  readonly path: Path;
  readonly isSent: boolean;
  /** Header and payloads. */
  readonly bytes: Uint8Array;
}

/** The packet, at most LARGEST_PACKET bytes. Undefined: an address that is none, or a message longer than a datagram. */
export const packetOf = ({ path, isSent, bytes }: CapturedMessage): Uint8Array | undefined => {
  const [from, to] = isSent ? [path.local, path.remote] : [path.remote, path.local];
  const source = parseAddress(from.address);
  const destination = parseAddress(to.address);
  if (source === undefined || destination === undefined || source.family !== destination.family) return undefined;
  const marker = path.encapsulated ? MARKER_SIZE : 0;
  const udpLength = UDP_HEADER + marker + bytes.length;
  const ipHeader = source.family === 4 ? IPV4_HEADER : IPV6_HEADER;
  if (ipHeader + udpLength > LARGEST_IP_PACKET) return undefined;
  const packet = new Uint8Array(LINK_HEADER + ipHeader + udpLength);
  const view = new DataView(packet.buffer);
  // The numbers of OpenBSD: Linux' 10 for IPv6 no reader knows.
  view.setUint32(0, source.family === 4 ? 2 : 24);
  const udp = LINK_HEADER + ipHeader;
  packet.set(bytes, udp + UDP_HEADER + marker);
  const flagsAt = udp + UDP_HEADER + marker + FLAGS_AT;
  if (bytes.length > FLAGS_AT) view.setUint8(flagsAt, view.getUint8(flagsAt) & ~HeaderFlag.ENCRYPTION);
  view.setUint16(udp, from.port);
  view.setUint16(udp + 2, to.port);
  view.setUint16(udp + 4, udpLength);
  writeIpHeader(view, LINK_HEADER, udpLength, source, destination);
  const pseudo = sum(source.bytes, 0) + sum(destination.bytes, 0) + UDP + udpLength;
  // RFC 768: a checksum of zero is sent as all ones.
  view.setUint16(udp + 6, folded(pseudo + sum(packet, udp)) || 0xffff);
  return packet;
};

const writeIpHeader = (
  view: DataView,
  at: number,
  udpLength: number,
  source: IpAddress,
  destination: IpAddress,
): void => {
  const bytes = new Uint8Array(view.buffer);
  if (source.family === 6) {
    view.setUint8(at, 0x60);
    view.setUint16(at + 4, udpLength);
    view.setUint8(at + 6, UDP);
    view.setUint8(at + 7, TTL);
    bytes.set(source.bytes, at + 8);
    bytes.set(destination.bytes, at + 24);
    return;
  }
  view.setUint8(at, 0x45);
  view.setUint16(at + 2, IPV4_HEADER + udpLength);
  // The original numbers no packet either: every record has identification 1.
  view.setUint16(at + 4, 1);
  view.setUint8(at + 8, TTL);
  view.setUint8(at + 9, UDP);
  bytes.set(source.bytes, at + 12);
  bytes.set(destination.bytes, at + 16);
  view.setUint16(at + 10, folded(sum(bytes.subarray(0, at + IPV4_HEADER), at)));
};

/** The 16-bit words from `start` on, added up; an odd byte at the end counts as if a zero followed (RFC 1071). */
const sum = (bytes: Uint8Array, start: number): number => {
  let total = 0;
  for (let at = start; at < bytes.length; at += 2) total += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  return total;
};

const folded = (total: number): number => {
  let rest = total;
  while (rest > 0xffff) rest = Math.floor(rest / 0x10000) + (rest & 0xffff);
  return ~rest & 0xffff;
};

export const LINK_TYPE_LOOP = 108;
const LINK_HEADER = 4;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const LARGEST_IP_PACKET = 0xffff;
export const LARGEST_PACKET: number = LINK_HEADER + LARGEST_IP_PACKET;
const UDP_HEADER = 8;
/** RFC 3948 §2.2: the non-ESP marker. */
const MARKER_SIZE = 4;
const UDP = 17;
const TTL = 64;
/** Where the flags stand in the ISAKMP header, RFC 2408 §3.1. */
const FLAGS_AT = 19;
