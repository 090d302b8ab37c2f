/**
 * Userland ESP as a function of packets and time: policies, SAs, replay, limits. No sockets and no clock: its owner hands it packets and carries out what it says.
 * Nothing leaves in clear: what matches a flow is sealed, held or dropped, and what matches none is dropped as well.
 */
import { takeOuterEcn } from '../../shared/esp/ecn.ts';
import { IpPacket, readIpPacket } from '../../shared/esp/ip-packet.ts';
import {
  largestInner,
  NextHeader,
  OpenedPacket,
  openPacket,
  sealPacket,
  sequenceOf,
  spiOf,
} from '../../shared/esp/packet.ts';
import { selectorsOf } from '../../shared/esp/selector.ts';
import { tooBigAnswer } from '../../shared/esp/too-big.ts';
import type { Acquire, Expire, Flow, Mapping } from '../backend.ts';
import type { Drop } from './drops.ts';
import type { EspSa, InboundSa, OutboundSa } from './esp-sa.ts';
import { FlowEntries, type FlowEntry } from './flow-entries.ts';
import type { SaCounters } from './sa-counters.ts';
import { allows, SaStore } from './sa-store.ts';

/** What the engine wants done. Bytes are only good during the call. */
export interface EngineOutput {
  /** An ESP packet for `sa.destination`. 0: done what can be done; else it was too big, and the path carries outer packets of this size only. */
  transmit(sa: OutboundSa, packet: Uint8Array, trafficClass: number, isDontFragment: boolean): number;
  /** A whole IP packet for the host. */
  deliver(packet: Uint8Array): void;
  acquire(acquire: Acquire): void;
  expire(expire: Expire): void;
  mapping(mapping: Mapping): void;
  dropped(why: Drop): void;
}

/** Where an ESP packet came from, as far as its socket tells. */
export interface Arrival {
  readonly isEncapsulated: boolean;
  /** Address and port, canonical; asked for only where it matters. */
  readonly source: () => { readonly address: string; readonly port: number };
  /** Of the outer header; 0 where the socket does not tell. */
  readonly trafficClass: number;
}

/** Milliseconds of a monotonic clock, and seconds since the epoch. */
export interface EngineTime {
  readonly now: number;
  readonly epoch: number;
}

export class EspEngine {
  readonly sas: SaStore;
  readonly #flows = new FlowEntries();
  readonly #output: EngineOutput;
  readonly #counters: SaCounters;
  #time: EngineTime;
  #acquires = 0;
  /** Reused by every packet. */
  readonly #packet = new IpPacket();
  readonly #opened = new OpenedPacket();
  readonly #slab = new Uint8Array(LARGEST_PACKET);

  constructor(output: EngineOutput, counters: SaCounters, time: EngineTime) {
    this.#output = output;
    this.#counters = counters;
    this.#time = time;
    this.sas = new SaStore(time.now);
  }

  /** ms: when to call `advance` next; undefined while nothing waits. */
  get nextDeadline(): number | undefined {
    return this.sas.nextDeadline;
  }

  /** Says what time it is, and ends what is over by then. To be called before every batch of packets. */
  advance(time: EngineTime): void {
    this.#time = time;
    const { nextDeadline } = this.sas;
    if (nextDeadline === undefined || nextDeadline > time.now) return;
    for (const { sa, isHard } of this.sas.due(time.now)) {
      if (isHard) this.#end(sa);
      else this.#warn(sa);
    }
  }

  /** Packets that waited for it leave at once. Throws KernelError 'exists'. */
  addSa(sa: EspSa): void {
    this.sas.add(sa, this.#time.now);
    this.#counters.begin(sa.slot, this.#time.epoch);
    if (sa.direction === 'in') return;
    for (const entry of this.#flows.withReqid(sa.reqid)) this.#release(entry);
  }

  /** Throws KernelError 'exists'. */
  putFlow(flow: Flow): void {
    const entry = this.#flows.put(flow);
    this.#release(entry);
  }

  /** Throws KernelError 'missing'. */
  deleteFlow(id: number): void {
    this.#flows.delete(id);
  }

  get flows(): number {
    return this.#flows.size;
  }

  /** A packet that the host sends into the tunnel device, at `start`. */
  outbound(bytes: Uint8Array, start = 0): void {
    this.#note(this.#leave(bytes, start));
  }

  /** An ESP packet, from its SPI on. It is opened in place. */
  inbound(bytes: Uint8Array, start: number, end: number, arrival: Arrival): void {
    this.#note(this.#enter(bytes, start, end, arrival));
  }

  /** Why the packet was dropped; undefined where it was not. */
  #leave(bytes: Uint8Array, start: number): Drop | undefined {
    const packet = this.#packet;
    if (!readIpPacket(packet, bytes, start, bytes.length)) return 'malformed';
    const entry = this.#flows.table.outbound(packet, bytes);
    if (entry === undefined) return 'noFlow';
    const sa = this.sas.outbound(entry.flow.reqid, packet, bytes);
    return sa === undefined ? this.#hold(entry, packet, bytes) : this.#send(sa, packet, bytes);
  }

  #enter(bytes: Uint8Array, start: number, end: number, arrival: Arrival): Drop | undefined {
    const sa = this.sas.inbound(spiOf(bytes, start, end));
    if (sa === undefined) return 'noSa';
    if (arrival.isEncapsulated !== sa.source.port > 0) return 'otherEncapsulation';
    const sequence = sequenceOf(bytes, start);
    if (sa.window?.isFresh(sequence) === false) return 'replayed';
    const verdict = openPacket(sa.suite, sa.opener, bytes, start, end, this.#opened);
    if (verdict === 'forged') return 'forged';
    const isNewest = sa.window !== undefined && sequence > sa.window.highest;
    sa.window?.accept(sequence);
    // Only what is authentic and newest tells where the peer is now: a packet that was held back does not.
    if (isNewest && arrival.isEncapsulated) this.#notePeer(sa, arrival);
    return verdict === 'malformed' ? 'malformed' : this.#accept(sa, bytes, arrival);
  }

  /** What is inside an authentic packet. */
  #accept(sa: InboundSa, bytes: Uint8Array, arrival: Arrival): Drop | undefined {
    const { start, end, nextHeader } = this.#opened;
    const packet = this.#packet;
    this.#count(sa, end - start);
    if (nextHeader === NextHeader.DUMMY) return 'dummy';
    if (!readIpPacket(packet, bytes, start, end) || nextHeader !== NEXT_HEADERS[packet.family]) return 'malformed';
    if (!allows(sa, packet, bytes)) return 'outsideSa';
    const flow = this.#flows.table.inbound(packet, bytes)?.flow;
    if (flow === undefined || !isWelcome(flow, sa)) return 'noFlow';
    if (!takeOuterEcn(packet, bytes, arrival.trafficClass)) return 'congestion';
    this.#output.deliver(bytes.subarray(packet.start, packet.end));
    return undefined;
  }

  #send(sa: OutboundSa, packet: IpPacket, bytes: Uint8Array): Drop | undefined {
    if (!this.#fits(sa, packet, bytes)) return 'tooBig';
    const sequence = this.#counters.reserve(sa.slot);
    if (sequence === 0) {
      this.#end(sa);
      return 'noSa';
    }
    if (sequence === SEQUENCES_SOFT) this.#warn(sa);
    const text = bytes.subarray(packet.start, packet.end);
    const end = sealPacket(sa.suite, sa.sealer, sa.spi, sequence, text, this.#slab, 0);
    const sealed = this.#slab.subarray(0, end);
    const pathMtu = this.#output.transmit(sa, sealed, packet.trafficClass, mustFit(packet));
    if (pathMtu > 0) {
      sa.pathMtu = pathMtu;
      sa.pathMtuUntil = this.#time.now + PATH_MTU_SECONDS * 1000;
      return this.#fits(sa, packet, bytes) ? undefined : 'tooBig';
    }
    this.#count(sa, text.length);
    return undefined;
  }

  /** Whether the path carries the packet; where it does not and must not be fragmented, its sender is told. */
  #fits(sa: OutboundSa, packet: IpPacket, bytes: Uint8Array): boolean {
    if (sa.pathMtu === 0 || !mustFit(packet)) return true;
    if (sa.pathMtuUntil <= this.#time.now) {
      sa.pathMtu = 0;
      return true;
    }
    const most = largestInner(sa.suite, sa.pathMtu - outerOverhead(sa));
    if (packet.end - packet.start <= most) return true;
    const answer = tooBigAnswer(packet, bytes, Math.max(most, packet.family === 4 ? LEAST_MTU : LEAST_MTU_IPV6));
    if (answer !== undefined) this.#output.deliver(answer);
    return false;
  }

  /** Keeps the first packet of a flow, and asks for an SA once. */
  #hold(entry: FlowEntry, packet: IpPacket, bytes: Uint8Array): Drop | undefined {
    const { now } = this.#time;
    if (entry.waiting !== undefined && entry.waiting.until > now) return 'noSa';
    this.#acquires = this.#acquires === LAST_ACQUIRE ? 1 : this.#acquires + 1;
    entry.waiting = {
      sequence: this.#acquires,
      until: now + ACQUIRE_SECONDS * 1000,
      packet: bytes.slice(packet.start, packet.end),
    };
    const { id, local, remote, localAddress, remoteAddress, reqid } = entry.flow;
    this.#output.acquire({
      sequence: this.#acquires,
      flow: id,
      reqid,
      source: localAddress,
      destination: remoteAddress,
      policy: { source: local, destination: remote },
      packet: selectorsOf(packet, bytes),
    });
    return undefined;
  }

  /** There may be an SA now for the packet that waits. */
  #release(entry: FlowEntry): void {
    const { waiting } = entry;
    if (waiting === undefined) return;
    const packet = this.#packet;
    if (!readIpPacket(packet, waiting.packet, 0, waiting.packet.length)) return;
    const sa = this.sas.outbound(entry.flow.reqid, packet, waiting.packet);
    if (sa === undefined) return;
    entry.waiting = undefined;
    if (waiting.until > this.#time.now) this.#note(this.#send(sa, packet, waiting.packet));
  }

  #note(why: Drop | undefined): void {
    if (why !== undefined) this.#output.dropped(why);
  }

  #notePeer(sa: InboundSa, arrival: Arrival): void {
    const source = arrival.source();
    if (source.address === sa.source.text && source.port === sa.source.port) {
      sa.reported = '';
      return;
    }
    const place = `${source.address} ${source.port}`;
    if (sa.reported === place) return;
    sa.reported = place;
    this.#output.mapping({ id: sa.id, source });
  }

  #count(sa: EspSa, size: number): void {
    const bytes = this.#counters.count(sa.slot, size, this.#time.epoch);
    const { hardBytes, softBytes } = sa.life;
    if (hardBytes > 0 && bytes >= hardBytes) this.#end(sa);
    else if (softBytes > 0 && bytes >= softBytes) this.#warn(sa);
  }

  /** The soft limit, told once. */
  #warn(sa: EspSa): void {
    if (sa.isDying) return;
    sa.isDying = true;
    this.#output.expire({ id: sa.id, isHard: false, usage: this.#counters.usage(sa.slot) });
  }

  #end(sa: EspSa): void {
    this.sas.remove(sa);
    this.#output.expire({ id: sa.id, isHard: true, usage: this.#counters.usage(sa.slot) });
  }
}

/** Inbound packets may come through any SA of that peer. */
const isWelcome = (flow: Flow, sa: InboundSa): boolean =>
  flow.reqid === sa.reqid || flow.remoteAddress === sa.source.text;

/** A router must not fragment it. IPv6 carries 1280 bytes whatever is below: a tunnel fragments its own packets then (RFC 8200 §5). */
const mustFit = (packet: IpPacket): boolean =>
  packet.isDontFragment && (packet.family === 4 || packet.end - packet.start > LEAST_MTU_IPV6);

/** The outer IP header, and the one of UDP. */
const outerOverhead = ({ destination }: OutboundSa): number =>
  (destination.address.length === 4 ? 20 : 40) + (destination.port > 0 ? 8 : 0);

const NEXT_HEADERS = { 4: NextHeader.IPV4, 6: NextHeader.IPV6 } as const;
/** An IP packet of 64 KiB and what ESP puts around it. */
const LARGEST_PACKET = 65_536 + 256;
/** What Linux does (net.core.xfrm_acq_expires). */
const ACQUIRE_SECONDS = 30;
const LAST_ACQUIRE = 0xffffffff;
/** RFC 1191 §6.3. */
const PATH_MTU_SECONDS = 600;
/** RFC 791 and RFC 8200 §5. */
const LEAST_MTU = 68;
const LEAST_MTU_IPV6 = 1280;
/** Time to renew: 2^28 packets before the numbers end, an hour at 75,000 packets a second. */
const SEQUENCES_SOFT = 0xf0000000;
