/** Engines of userland ESP without any I/O: what they say is written down, what they send goes where a test takes it. */

import { type SaWish, saOf } from '../../loadtest/esp/gateways.ts';
import type { Acquire, Expire, Mapping } from '../../src/kernel/backend.ts';
import type { Drop } from '../../src/kernel/userland/drops.ts';
import { EspEngine } from '../../src/kernel/userland/esp-engine.ts';
import type { OutboundSa } from '../../src/kernel/userland/esp-sa.ts';
import { makeSa } from '../../src/kernel/userland/make-sa.ts';
import { CounterSlots, createCounterMemory, SaCounters } from '../../src/kernel/userland/sa-counters.ts';
import { InvariantError } from '../../src/shared/errors.ts';

export interface Sent {
  readonly sa: OutboundSa;
  readonly packet: Uint8Array;
  readonly trafficClass: number;
  readonly isDontFragment: boolean;
}

/** One side: an engine and all that it said. */
export class EngineSide {
  readonly outer: string;
  readonly counters = new SaCounters(createCounterMemory());
  readonly slots = new CounterSlots(this.counters.memory);
  readonly engine: EspEngine;
  readonly sent: Sent[] = [];
  readonly delivered: Uint8Array[] = [];
  readonly acquires: Acquire[] = [];
  readonly expires: Expire[] = [];
  readonly mappings: Mapping[] = [];
  readonly drops: Drop[] = [];
  /** What `transmit` answers. */
  pathMtu = 0;
  #now = 0;

  constructor(outer: string) {
    this.outer = outer;
    this.engine = new EspEngine(
      {
        transmit: (sa, packet, trafficClass, isDontFragment) => {
          if (this.pathMtu > 0) return this.pathMtu;
          this.sent.push({ sa, packet: packet.slice(), trafficClass, isDontFragment });
          return 0;
        },
        deliver: (packet) => this.delivered.push(packet.slice()),
        acquire: (acquire) => this.acquires.push(acquire),
        expire: (expire) => this.expires.push(expire),
        mapping: (mapping) => this.mappings.push(mapping),
        dropped: (why) => this.drops.push(why),
      },
      this.counters,
      this.time(0),
    );
  }

  /** Moves the clocks on. */
  pass(seconds: number): void {
    this.#now += seconds * 1000;
    this.engine.advance(this.time(this.#now));
  }

  time(now: number): { readonly now: number; readonly epoch: number } {
    return { now, epoch: EPOCH + Math.floor(now / 1000) };
  }

  /** The SA from here to there, on both sides; answers its slot here. */
  addSaTo(other: EngineSide, wish: SaWish): number {
    const inbound = saOf(this, other, 'in', wish);
    other.engine.addSa(makeSa(inbound.sa, inbound.context, other.slots.take()));
    return this.addOutbound(other, wish);
  }

  /** On this side only. */
  addOutbound(other: EngineSide, wish: SaWish): number {
    const { sa, context } = saOf(this, other, 'out', wish);
    const slot = this.slots.take();
    this.engine.addSa(makeSa(sa, context, slot));
    return slot;
  }

  /** Takes the packets that were sent. */
  takeSent(): readonly Uint8Array[] {
    return this.sent.splice(0).map(({ packet }) => packet);
  }

  /** As if it came on protocol 50, or encapsulated from that place. */
  receive(packet: Uint8Array | undefined, from?: { readonly address: string; readonly port: number }, outer = 0): void {
    if (packet === undefined) throw new InvariantError('nothing was sent');
    const bytes = packet.slice();
    this.engine.inbound(bytes, 0, bytes.length, {
      isEncapsulated: from !== undefined,
      source: () => from ?? { address: '', port: 0 },
      trafficClass: outer,
    });
  }
}

export const EPOCH = 1_700_000_000;
