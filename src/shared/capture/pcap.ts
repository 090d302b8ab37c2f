/**
 * IKE messages in clear as a pcap file, isakmpd(8) -L: link type 108 (a 4-byte address family), made-up IP and UDP headers with correct
 * checksums, and the message with its Encryption flag cleared. The layout of the file is that of pcap 2.4, little-endian.
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

/** A record; `at` is the wall clock in microseconds. Undefined: an address that is none, or a message longer than a datagram. */
export const pcapRecord = ({ path, isSent, bytes }: CapturedMessage, at: number): Uint8Array | undefined => {
  const [from, to] = isSent ? [path.local, path.remote] : [path.remote, path.local];
  const source = parseAddress(from.address);
  const destination = parseAddress(to.address);
  if (source === undefined || destination === undefined || source.family !== destination.family) return undefined;
  const marker = path.encapsulated ? MARKER_SIZE : 0;
  const udpLength = UDP_HEADER + marker + bytes.length;
  const ipHeader = source.family === 4 ? IPV4_HEADER : IPV6_HEADER;
  if (ipHeader + udpLength > 0xffff) return undefined;
  const size = LINK_HEADER + ipHeader + udpLength;
  const record = new Uint8Array(RECORD_HEADER + size);
  const view = new DataView(record.buffer);
  view.setUint32(0, Math.floor(at / 1e6), true);
  view.setUint32(4, Math.floor(at % 1e6), true);
  view.setUint32(8, size, true);
  view.setUint32(12, size, true);
  // The numbers of OpenBSD: Linux' 10 for IPv6 no reader knows.
  view.setUint32(RECORD_HEADER, source.family === 4 ? 2 : 24);
  const ip = RECORD_HEADER + LINK_HEADER;
  const udp = ip + ipHeader;
  record.set(bytes, udp + UDP_HEADER + marker);
  const flagsAt = udp + UDP_HEADER + marker + FLAGS_AT;
  if (bytes.length > FLAGS_AT) view.setUint8(flagsAt, view.getUint8(flagsAt) & ~HeaderFlag.ENCRYPTION);
  view.setUint16(udp, from.port);
  view.setUint16(udp + 2, to.port);
  view.setUint16(udp + 4, udpLength);
  writeIpHeader(view, ip, udpLength, source, destination);
  const pseudo = sum(source.bytes, 0) + sum(destination.bytes, 0) + UDP + udpLength;
  // RFC 768: a checksum of zero is sent as all ones.
  view.setUint16(udp + 6, folded(pseudo + sum(record, udp)) || 0xffff);
  return record;
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

const SNAP_LENGTH = 65_536;
const LINK_TYPE_LOOP = 108;
const RECORD_HEADER = 16;
const LINK_HEADER = 4;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
/** RFC 3948 §2.2: the non-ESP marker. */
const MARKER_SIZE = 4;
const UDP = 17;
const TTL = 64;
/** Where the flags stand in the ISAKMP header, RFC 2408 §3.1. */
const FLAGS_AT = 19;
