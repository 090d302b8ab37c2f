/** What ESP has to know of the IP packet inside: one reusable record, filled from untrusted bytes. Offsets are into those bytes. */

/** Filled by `readIpPacket`; only true after it answered true. */
export class IpPacket {
  family: 4 | 6 = 4;
  /** Where its header begins and where its last byte ends: the packet's own length, what comes after it in the buffer is padding. */
  start = 0;
  end = 0;
  /** Of the addresses, 4 or 16 bytes each. */
  sourceAt = 0;
  destinationAt = 0;
  /** The upper-layer protocol, behind the extension headers of IPv6. */
  protocol = 0;
  /** Where that protocol's header begins; means nothing in a later fragment. */
  payloadAt = 0;
  /** False where ports cannot be told: another protocol, a fragment that is not the first, a first one that is too short. */
  hasPorts = false;
  sourcePort = 0;
  destinationPort = 0;
  /** A fragment other than the first. */
  isLaterFragment = false;
  /** IPv4: the DF bit. IPv6 packets are never fragmented under way. */
  isDontFragment = false;
  /** TOS or traffic class. */
  trafficClass = 0;
}

/** Reads the packet at `start`, which may be shorter than `end` says (padding), never longer. False: no IP packet whose header we understand. */
export const readIpPacket = (into: IpPacket, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start < 1) return false;
  into.start = start;
  into.hasPorts = false;
  into.isLaterFragment = false;
  const version = byteAt(bytes, start) >> 4;
  if (version === 4) return readIpv4(into, bytes, start, end);
  return version === 6 && readIpv6(into, bytes, start, end);
};

const readIpv4 = (into: IpPacket, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start < 20) return false;
  const headerSize = (byteAt(bytes, start) & 0x0f) * 4;
  const length = wordAt(bytes, start + 2);
  if (headerSize < 20 || length < headerSize || length > end - start) return false;
  const fragment = wordAt(bytes, start + 6);
  into.family = 4;
  into.end = start + length;
  into.sourceAt = start + 12;
  into.destinationAt = start + 16;
  into.protocol = byteAt(bytes, start + 9);
  into.isDontFragment = (fragment & 0x4000) !== 0;
  into.isLaterFragment = (fragment & 0x1fff) !== 0;
  into.trafficClass = byteAt(bytes, start + 1);
  readPorts(into, bytes, start + headerSize);
  return true;
};

const readIpv6 = (into: IpPacket, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start < IPV6_HEADER) return false;
  const length = IPV6_HEADER + wordAt(bytes, start + 4);
  if (length > end - start) return false;
  into.family = 6;
  into.end = start + length;
  into.sourceAt = start + 8;
  into.destinationAt = start + 24;
  into.isDontFragment = true;
  into.trafficClass = (wordAt(bytes, start) >> 4) & 0xff;
  return skipExtensions(into, bytes, byteAt(bytes, start + 6), start + IPV6_HEADER);
};

/** Walks to the upper-layer header (RFC 8200 §4). Ports of a later fragment are elsewhere, and so is the rest of its chain: the next header that its fragment header names is taken. */
const skipExtensions = (into: IpPacket, bytes: Uint8Array, first: number, from: number): boolean => {
  let next = first;
  let at = from;
  for (let headers = 0; EXTENSIONS.has(next); headers++) {
    if (headers === MOST_EXTENSIONS || at + 8 > into.end) return false;
    if (next === FRAGMENT && (wordAt(bytes, at + 2) & 0xfff8) !== 0) {
      into.isLaterFragment = true;
      into.protocol = byteAt(bytes, at);
      return true;
    }
    const size = sizeOfExtension(next, byteAt(bytes, at + 1));
    next = byteAt(bytes, at);
    at += size;
    if (at > into.end) return false;
  }
  into.protocol = next;
  readPorts(into, bytes, at);
  return true;
};

const sizeOfExtension = (header: number, length: number): number => {
  if (header === FRAGMENT) return 8;
  // RFC 4302 §2.2: AH counts in words of 4 bytes, minus 2.
  return header === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
};

const readPorts = (into: IpPacket, bytes: Uint8Array, at: number): void => {
  into.payloadAt = at;
  if (into.isLaterFragment || !WITH_PORTS.has(into.protocol) || at + 4 > into.end) return;
  into.hasPorts = true;
  into.sourcePort = wordAt(bytes, at);
  into.destinationPort = wordAt(bytes, at + 2);
};

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const wordAt = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

const IPV6_HEADER = 40;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Hop-by-hop options, routing, fragment, AH, destination options, mobility, HIP, shim6. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140]);
/** A chain is never longer in earnest. */
const MOST_EXTENSIONS = 8;
/** TCP, UDP, DCCP, SCTP, UDP-Lite. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);
