/** What a tunnel answers to a packet that does not fit through and must not be fragmented: ICMP "fragmentation needed" (RFC 792, 1191) and "packet too big" (RFC 4443 §3.2). */
import type { IpPacket } from './ip-packet.ts';

/**
 * A whole IP packet to the sender of `packet`, which lies in `bytes`, as if its destination said it: the tunnel has no address of its own. `mtu`:
 * the size that would fit. Undefined: nobody must be told (a later fragment, an ICMP error, a group address).
 */
export const tooBigAnswer = (packet: IpPacket, bytes: Uint8Array, mtu: number): Uint8Array | undefined => {
  if (packet.isLaterFragment || !mayBeAnswered(packet, bytes)) return undefined;
  return packet.family === 4 ? fragmentationNeeded(packet, bytes, mtu) : packetTooBig(packet, bytes, mtu);
};

const fragmentationNeeded = (packet: IpPacket, bytes: Uint8Array, mtu: number): Uint8Array => {
  const quoted = bytes.subarray(packet.start, Math.min(packet.end, packet.start + MOST_ICMP - 28));
  const answer = new Uint8Array(28 + quoted.length);
  const view = new DataView(answer.buffer);
  answer[0] = 0x45;
  view.setUint16(2, answer.length);
  answer[8] = HOP_LIMIT;
  answer[9] = ICMP;
  answer.set(bytes.subarray(packet.destinationAt, packet.destinationAt + 4), 12);
  answer.set(bytes.subarray(packet.sourceAt, packet.sourceAt + 4), 16);
  view.setUint16(10, checksum(answer, 0, 20, 0));
  answer[20] = 3;
  answer[21] = 4;
  view.setUint16(26, mtu);
  answer.set(quoted, 28);
  view.setUint16(22, checksum(answer, 20, answer.length, 0));
  return answer;
};

const packetTooBig = (packet: IpPacket, bytes: Uint8Array, mtu: number): Uint8Array => {
  const quoted = bytes.subarray(packet.start, Math.min(packet.end, packet.start + MOST_ICMPV6 - 48));
  const answer = new Uint8Array(48 + quoted.length);
  const view = new DataView(answer.buffer);
  answer[0] = 0x60;
  view.setUint16(4, 8 + quoted.length);
  answer[6] = ICMPV6;
  answer[7] = HOP_LIMIT;
  answer.set(bytes.subarray(packet.destinationAt, packet.destinationAt + 16), 8);
  answer.set(bytes.subarray(packet.sourceAt, packet.sourceAt + 16), 24);
  answer[40] = 2;
  view.setUint32(44, mtu);
  answer.set(quoted, 48);
  // RFC 8200 §8.1: the pseudo-header is both addresses, the length and the next header.
  view.setUint16(42, checksum(answer, 8, answer.length, 8 + quoted.length + ICMPV6));
  return answer;
};

/** RFC 1122 §3.2.2 and RFC 4443 §2.4 (e): an error never answers an error, nor what went to many. */
const mayBeAnswered = (packet: IpPacket, bytes: Uint8Array): boolean => {
  const { family, protocol, payloadAt, sourceAt, destinationAt } = packet;
  const [from = 0, to = 0, type = 0] = [bytes[sourceAt], bytes[destinationAt], bytes[payloadAt]];
  if (family === 4) return !(protocol === ICMP && ICMP_ERRORS.has(type)) && from !== 0 && from < 224 && to < 224;
  if (protocol === ICMPV6 && type < FIRST_ICMPV6_QUERY) return false;
  return from !== 0xff && to !== 0xff && bytes.subarray(sourceAt, sourceAt + 16).some((byte) => byte !== 0);
};

/** RFC 1071. */
const checksum = (bytes: Uint8Array, start: number, end: number, initial: number): number => {
  let sum = initial;
  for (let at = start; at < end; at += 2) sum += ((bytes[at] ?? 0) << 8) | (at + 1 < end ? (bytes[at + 1] ?? 0) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
};

const ICMP = 1;
const ICMPV6 = 58;
/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const FIRST_ICMPV6_QUERY = 128;
const HOP_LIMIT = 64;
/** RFC 1812 §4.3.2.3. */
const MOST_ICMP = 576;
/** The minimum MTU of IPv6. */
const MOST_ICMPV6 = 1280;
