/**
 * TCP segments that follow each other go to the host as one packet: most of what a packet into the tunnel device costs is the way through the host's TCP. What Linux does for
 * network cards (generic receive offload), for packets that came out of ESP. Every frame begins with the device's own header, struct virtio_net_hdr.
 */
import { endianness } from 'node:os';

export class TcpCoalescer {
  readonly #write: (frame: Uint8Array) => void;
  readonly #runs: readonly Run[];
  #last: Run;
  #begun = 0;
  readonly #single = new Uint8Array(FRAME_ROOM);
  readonly #segment = new Segment();

  /** `write` gets frames that are only good during the call. */
  constructor(write: (frame: Uint8Array) => void) {
    this.#write = write;
    const first = new Run();
    this.#last = first;
    this.#runs = [first, ...Array.from({ length: RUNS - 1 }, () => new Run())];
  }

  /** A whole IP packet. It is written now, or with others at the next `flush`; what belongs to one TCP connection stays in order. */
  add(packet: Uint8Array): void {
    const segment = this.#segment;
    if (!segment.read(packet)) {
      this.#writeSingle(packet);
      return;
    }
    const run = this.#runOf(packet, segment);
    if (run?.append(packet, segment) === true) {
      if (run.isFull) this.#finish(run);
      return;
    }
    if (run !== undefined) this.#finish(run);
    if (segment.mayBegin) this.#begin(packet, segment);
    else this.#writeSingle(packet);
  }

  /** To be called when no more packets are there. */
  flush(): void {
    for (const run of this.#runs) if (run.segments > 0) this.#finish(run);
  }

  #runOf(packet: Uint8Array, segment: Segment): Run | undefined {
    if (this.#last.isOf(packet, segment)) return this.#last;
    const run = this.#runs.find((one) => one.isOf(packet, segment));
    if (run !== undefined) this.#last = run;
    return run;
  }

  /** In a free run, or in the place of the one that began first. */
  #begin(packet: Uint8Array, segment: Segment): void {
    const run = this.#runs.find(({ segments }) => segments === 0) ?? this.#oldest();
    if (run.segments > 0) this.#finish(run);
    this.#begun++;
    run.begin(packet, segment, this.#begun);
    this.#last = run;
  }

  #oldest(): Run {
    return this.#runs.reduce((oldest, run) => (run.number < oldest.number ? run : oldest));
  }

  #finish(run: Run): void {
    this.#write(run.finish());
  }

  #writeSingle(packet: Uint8Array): void {
    this.#single.set(packet, DEVICE_HEADER);
    this.#write(this.#single.subarray(0, DEVICE_HEADER + packet.length));
  }
}

/** What is read of one TCP segment; reused. */
class Segment {
  ipHeader = 0;
  /** Of IP and TCP. */
  headers = 0;
  payload = 0;
  sequence = 0;
  flags = 0;

  /** False for what is no TCP, a fragment, or has options of IP: it is left alone. */
  read(packet: Uint8Array): boolean {
    this.ipHeader = plainIpHeader(packet);
    if (this.ipHeader === 0 || packet.length < this.ipHeader + 20) return false;
    this.headers = this.ipHeader + ((packet[this.ipHeader + 12] ?? 0) >> 4) * 4;
    this.payload = packet.length - this.headers;
    this.sequence = longAt(packet, this.ipHeader + 4);
    this.flags = packet[this.ipHeader + 13] ?? 0;
    return this.headers >= this.ipHeader + 20 && this.payload >= 0;
  }

  /** Data and nothing else. */
  get mayBegin(): boolean {
    return this.payload > 0 && this.flags === ACK;
  }
}

/** Segments of one connection, gathered in a frame. */
class Run {
  segments = 0;
  isFull = false;
  /** Runs are numbered in the order in which they begin. */
  number = 0;
  readonly #frame = new Uint8Array(FRAME_ROOM);
  readonly #view = new DataView(this.#frame.buffer);
  #end = 0;
  #ipHeader = 0;
  #headers = 0;
  #segmentSize = 0;
  #nextSequence = 0;
  /** Only the first segment is in, and nobody has checked it. */
  #isUnchecked = false;

  /** Whether the packet is of the same connection. */
  isOf(packet: Uint8Array, { ipHeader }: Segment): boolean {
    if (this.segments === 0 || ipHeader !== this.#ipHeader) return false;
    // Addresses and ports follow each other.
    return this.#isSame(packet, ipHeader === 20 ? 12 : 8, ipHeader + 4);
  }

  begin(packet: Uint8Array, { ipHeader, headers, payload, sequence }: Segment, number: number): void {
    this.number = number;
    this.#frame.set(packet, DEVICE_HEADER);
    this.#end = DEVICE_HEADER + packet.length;
    this.#ipHeader = ipHeader;
    this.#headers = headers;
    this.#segmentSize = payload;
    this.#nextSequence = (sequence + payload) >>> 0;
    this.segments = 1;
    this.isFull = false;
    this.#isUnchecked = true;
  }

  /**
   * Adds the next segment of the connection; false where it does not fit behind the others. The host will not look at checksums of the whole, so
   * those of the segments are checked here.
   */
  append(packet: Uint8Array, segment: Segment): boolean {
    const { headers, payload, sequence, flags } = segment;
    if (!this.#isNext(segment) || !this.#hasSameHeaders(packet) || !this.#isChecked()) return false;
    if (!isRight(packet, this.#ipHeader)) return false;
    this.#frame.set(packet.subarray(headers), this.#end);
    this.#end += payload;
    this.#nextSequence = (sequence + payload) >>> 0;
    this.segments++;
    if (flags !== ACK) this.#frame[DEVICE_HEADER + this.#ipHeader + 13] = flags;
    // A shorter one is the last one, and what was pushed is not to wait.
    this.isFull = payload < this.#segmentSize || flags !== ACK;
    return true;
  }

  #isNext({ headers, payload, sequence, flags }: Segment): boolean {
    if (this.isFull || sequence !== this.#nextSequence || headers !== this.#headers) return false;
    const isData = payload > 0 && payload <= this.#segmentSize && (flags & ~PSH) === ACK;
    return isData && this.#end + payload - DEVICE_HEADER <= LARGEST_PACKET;
  }

  /** Of the first segment, once there is a second one. */
  #isChecked(): boolean {
    if (!this.#isUnchecked) return true;
    if (!isRight(this.#frame.subarray(DEVICE_HEADER, this.#end), this.#ipHeader)) return false;
    this.#isUnchecked = false;
    return true;
  }

  /** The frame; the run is free then. */
  finish(): Uint8Array {
    this.#frame.fill(0, 0, DEVICE_HEADER);
    if (this.segments > 1) this.#join();
    this.segments = 0;
    return this.#frame.subarray(0, this.#end);
  }

  /** The device's header says where to cut again, those of IP and TCP are made to fit the whole; the checksum of TCP is left to the host. */
  #join(): void {
    const view = this.#view;
    const isV4 = this.#ipHeader === 20;
    const ip = DEVICE_HEADER;
    const size = this.#end - ip;
    view.setUint8(0, NEEDS_CHECKSUM);
    view.setUint8(1, isV4 ? GSO_TCPV4 : GSO_TCPV6);
    view.setUint16(2, this.#headers, IS_LITTLE_ENDIAN);
    view.setUint16(4, this.#segmentSize, IS_LITTLE_ENDIAN);
    view.setUint16(6, this.#ipHeader, IS_LITTLE_ENDIAN);
    view.setUint16(8, TCP_CHECKSUM, IS_LITTLE_ENDIAN);
    if (isV4) {
      view.setUint16(ip + 2, size);
      view.setUint16(ip + 10, 0);
      view.setUint16(ip + 10, ~folded(wordSum(this.#frame, ip, ip + 20)) & 0xffff);
    } else {
      view.setUint16(ip + 4, size - 40);
    }
    const addresses = wordSum(this.#frame, ip + (isV4 ? 12 : 8), ip + this.#ipHeader);
    const pseudoHeader = folded(addresses + TCP + size - this.#ipHeader);
    view.setUint16(ip + this.#ipHeader + TCP_CHECKSUM, pseudoHeader);
  }

  /** All but lengths, identification, checksums, sequence number and flags. */
  #hasSameHeaders(packet: Uint8Array): boolean {
    const tcp = this.#ipHeader;
    const isSameIp =
      tcp === 20
        ? this.#isSame(packet, 1, 2) && this.#isSame(packet, 6, 9)
        : this.#isSame(packet, 0, 4) && this.#isSame(packet, 7, 8);
    // Acknowledgement and data offset, window, urgent pointer and options.
    return (
      isSameIp &&
      this.#isSame(packet, tcp + 8, tcp + 13) &&
      this.#isSame(packet, tcp + 14, tcp + 16) &&
      this.#isSame(packet, tcp + 18, this.#headers)
    );
  }

  #isSame(packet: Uint8Array, from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (packet[at] !== this.#frame[DEVICE_HEADER + at]) return false;
    return true;
  }
}

/** Bytes of the IP header where TCP follows at once, and nothing is fragmented; else 0. */
const plainIpHeader = (packet: Uint8Array): number => {
  const first = packet[0] ?? 0;
  if (first >> 4 === 6) return packet[6] === TCP ? 40 : 0;
  // More fragments to come, or an offset.
  const isFragment = ((packet[6] ?? 0) & 0x3f) !== 0 || packet[7] !== 0;
  return first === 0x45 && packet[9] === TCP && !isFragment ? 20 : 0;
};

/** Whether the checksums of the TCP segment (RFC 9293 §3.1) and, where it has one, of its IP header are right. */
const isRight = (packet: Uint8Array, ipHeader: number): boolean => {
  const isV4 = ipHeader === 20;
  if (isV4 && folded(wordSum(packet, 0, ipHeader)) !== 0xffff) return false;
  return folded(wordSum(packet, isV4 ? 12 : 8, packet.length) + TCP + packet.length - ipHeader) === 0xffff;
};

/** Sum of big-endian words. */
const wordSum = (bytes: Uint8Array, from: number, to: number): number => {
  let sum = 0;
  const even = to - ((to - from) & 1);
  for (let at = from; at < even; at += 2) sum += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
  return even < to ? sum + ((bytes[even] ?? 0) << 8) : sum;
};

const folded = (sum: number): number => {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + (rest >>> 16);
  return rest;
};

const longAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;

/** struct virtio_net_hdr: flags, kind, length of all headers, size of a segment, where the checksum begins and is. */
export const DEVICE_HEADER = 10;
const NEEDS_CHECKSUM = 1;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const IS_LITTLE_ENDIAN = endianness() === 'LE';
/** Connections at a time. */
const RUNS = 8;
const LARGEST_PACKET = 65_535;
const FRAME_ROOM = DEVICE_HEADER + LARGEST_PACKET + 1;
const TCP = 6;
const TCP_CHECKSUM = 16;
const ACK = 0x10;
const PSH = 0x08;
