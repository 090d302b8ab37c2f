/** Explicit congestion notification through a tunnel, RFC 6040 (which RFC 4301 §5.1.2 is read by): from the inner header to the outer one and back. */
import type { IpPacket } from './ip-packet.ts';

/**
 * Brings a congestion mark that the outer header met under way into the inner one (RFC 6040 §4.2). False: the packet has to be dropped, since
 * its ends do not know ECN and would not learn of the congestion otherwise.
 */
export const takeOuterEcn = (packet: IpPacket, bytes: Uint8Array, outerTrafficClass: number): boolean => {
  const outer = outerTrafficClass & ECN;
  const inner = packet.trafficClass & ECN;
  if (outer === CE) {
    if (inner === 0) return false;
    if (inner !== CE) setEcn(packet, bytes, CE);
  } else if (outer === ECT_1 && inner === ECT_0) {
    setEcn(packet, bytes, ECT_1);
  }
  return true;
};

const setEcn = (packet: IpPacket, bytes: Uint8Array, ecn: number): void => {
  const { start, family } = packet;
  const before = wordAt(bytes, start);
  // The traffic class of IPv6 lies four bits further to the left.
  const shift = family === 4 ? 0 : 4;
  const after = (before & ~(ECN << shift)) | (ecn << shift);
  writeWord(bytes, start, after);
  packet.trafficClass = (packet.trafficClass & ~ECN) | ecn;
  if (family === 4) writeWord(bytes, start + 10, updatedChecksum(wordAt(bytes, start + 10), before, after));
};

/** RFC 1624 §3, equation 3. */
const updatedChecksum = (checksum: number, before: number, after: number): number => {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
};

const wordAt = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const writeWord = (bytes: Uint8Array, at: number, word: number): void => {
  bytes[at] = word >> 8;
  bytes[at + 1] = word;
};

const ECN = 3;
const ECT_1 = 1;
const ECT_0 = 2;
const CE = 3;
