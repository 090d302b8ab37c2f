/** The SAs of the ESP thread: by name, by SPI for packets that come, by reqid for packets that leave; and when their time is over. */
import type { SaId } from '../../shared/connection/events.ts';
import type { IpPacket } from '../../shared/esp/ip-packet.ts';
import { fitsSelectors } from '../../shared/esp/selector.ts';
import { TimerWheel } from '../../shared/timer-wheel.ts';
import { KernelError } from '../backend.ts';
import type { EspSa, InboundSa, OutboundSa } from './esp-sa.ts';

export class SaStore {
  readonly #byName = new Map<string, EspSa>();
  /** RFC 4303 §2.1: the SPI alone is enough to find an SA of our own choice. */
  readonly #inbound = new Map<number, InboundSa>();
  /** The newest last. */
  readonly #outbound = new Map<number, OutboundSa[]>();
  readonly #timers: TimerWheel<Limit>;

  constructor(now: number) {
    this.#timers = new TimerWheel(now);
  }

  get size(): number {
    return this.#byName.size;
  }

  /** ms; undefined while no SA has a time limit. */
  get nextDeadline(): number | undefined {
    return this.#timers.nextDeadline();
  }

  /** Throws KernelError 'exists'. */
  add(sa: EspSa, now: number): void {
    const name = nameOf(sa.id);
    if (this.#byName.has(name) || (sa.direction === 'in' && this.#inbound.has(sa.spi))) {
      throw new KernelError('exists', `there is an ESP SA with SPI ${hex(sa.spi)} already`);
    }
    this.#byName.set(name, sa);
    if (sa.direction === 'in') {
      this.#inbound.set(sa.spi, sa);
    } else {
      const list = this.#outbound.get(sa.reqid);
      if (list === undefined) this.#outbound.set(sa.reqid, [sa]);
      else list.push(sa);
    }
    const { softSeconds, hardSeconds } = sa.life;
    const limit = (seconds: number, isHard: boolean): number[] =>
      seconds === 0 ? [] : [this.#timers.schedule(now + seconds * 1000, { sa, isHard })];
    sa.timers = [...limit(softSeconds, false), ...limit(hardSeconds, true)];
  }

  /** Throws KernelError 'missing'. */
  get(id: SaId): EspSa {
    const sa = this.#byName.get(nameOf(id));
    if (sa === undefined) {
      throw new KernelError('missing', `there is no ESP SA with SPI ${hex(id.spi)} to ${id.destination}`);
    }
    return sa;
  }

  /** Gives the SA another name. Throws KernelError 'exists'. */
  rename(sa: EspSa, id: SaId): void {
    const [before, after] = [nameOf(sa.id), nameOf(id)];
    if (before === after) return;
    if (this.#byName.has(after)) {
      throw new KernelError('exists', `there is an ESP SA with SPI ${hex(id.spi)} to ${id.destination} already`);
    }
    this.#byName.delete(before);
    this.#byName.set(after, sa);
    sa.id = id;
  }

  remove(sa: EspSa): void {
    if (!this.#byName.delete(nameOf(sa.id))) return;
    for (const timer of sa.timers) this.#timers.cancel(timer);
    if (sa.direction === 'in') {
      this.#inbound.delete(sa.spi);
      return;
    }
    const rest = (this.#outbound.get(sa.reqid) ?? []).filter((other) => other !== sa);
    if (rest.length === 0) this.#outbound.delete(sa.reqid);
    else this.#outbound.set(sa.reqid, rest);
  }

  inbound(spi: number): InboundSa | undefined {
    return this.#inbound.get(spi);
  }

  /** As Linux chooses: one that allows the packet, rather not one beyond its soft limit, of those the newest. */
  outbound(reqid: number, packet: IpPacket, bytes: Uint8Array): OutboundSa | undefined {
    const list = this.#outbound.get(reqid);
    let dying: OutboundSa | undefined;
    for (let i = (list?.length ?? 0) - 1; i >= 0; i--) {
      const sa = list?.[i];
      if (sa === undefined || !allows(sa, packet, bytes)) continue;
      if (!sa.isDying) return sa;
      dying ??= sa;
    }
    return dying;
  }

  /** The limits that are over by now, in their order. */
  due(now: number): readonly Limit[] {
    return this.#timers.advance(now);
  }
}

/** A time limit of an SA. */
export interface Limit {
  readonly sa: EspSa;
  readonly isHard: boolean;
}

/** Whether the SA may carry the packet; a later fragment's ports are those of the first one. */
export const allows = ({ selectors }: EspSa, packet: IpPacket, bytes: Uint8Array): boolean =>
  selectors === undefined || fitsSelectors(packet, bytes, selectors.source, selectors.destination, 'allowed');

const nameOf = ({ spi, destination }: SaId): string => `${spi} ${destination}`;
const hex = (spi: number): string => `0x${spi.toString(16).padStart(8, '0')}`;
