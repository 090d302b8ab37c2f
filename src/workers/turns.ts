/**
 * A lane's work, turn by turn, without its thread: batches of events go in, batches of effects come out. Whatever the exchanges throw ends here:
 * that event is dropped and logged, the lane goes on (threats: a poison packet must not crash-loop a shard).
 */
import { keysOf } from '../shared/exchange/ipsec-keys.ts';
import { faultText } from '../shared/log/fault-text.ts';
import { failure } from '../shared/log/records.ts';
import { TokenBucket } from '../shared/log/token-bucket.ts';
import type { LaneEffect, LaneEvent, LaneExchanges } from '../shared/threads/contract.ts';
import { BatchWriter, LANE_EFFECTS, LANE_EVENTS, readBatch } from '../shared/threads/frames.ts';
import { LaneQueues, type Weight } from './queues.ts';

/** The exchanges and ISAKMP SAs of a lane, as its thread drives them. */
export interface Core {
  handle(event: LaneEvent): void;
  /** 'slow': may cost a Diffie-Hellman. */
  weigh(event: LaneEvent): Weight;
  /** Fires due timers. */
  advance(): void;
  /** ms, undefined when no timer runs. */
  nextDeadline(): number | undefined;
  /** For a report. */
  exchanges(): LaneExchanges;
  /** Returns and clears. */
  takeEffects(): readonly LaneEffect[];
  /** Diffie-Hellman operations so far. */
  readonly diffieHellman: number;
  readonly counts: { readonly isakmpSas: number; readonly halfOpen: number; readonly phase2Exchanges: number };
}

export class Turns {
  readonly #lane: number;
  readonly #core: Core;
  /** ms, monotonic. */
  readonly #now: () => number;
  readonly #queues = new LaneQueues({ fast: FAST_LIMIT, slow: SLOW_LIMIT });
  readonly #out = new BatchWriter<LaneEffect>(LANE_EFFECTS);
  readonly #faultLines = new TokenBucket(FAULT_LINES);
  readonly #shedLines = new TokenBucket(SHED_LINES);
  /** Shed datagrams that a log line has told of. */
  #shedTold = 0;
  /** No timer before this: an advance that threw may throw again. */
  #advanceAgainAt = 0;
  /** When the oldest effect that main has not heard of was packed, ms. */
  #packedAt = 0;

  constructor(lane: number, core: Core, now: () => number) {
    this.#lane = lane;
    this.#core = core;
    this.#now = now;
  }

  get queues(): LaneQueues {
    return this.#queues;
  }

  /** Whether another turn is due at once. */
  get busy(): boolean {
    return this.#queues.fast > 0 || this.#queues.slow > 0;
  }

  /** Queues what came over the data port; the batch is ours from now on. */
  accept(batch: ArrayBuffer): void {
    this.#contain('a batch', () => {
      for (const event of readBatch(LANE_EVENTS, batch)) {
        this.#contain(event.kind, () => this.#queues.put(event, this.#core.weigh(event)));
      }
    });
  }

  /**
   * Due timers, then the fast events, then slow ones until one of them took a Diffie-Hellman. Answers what main shall hear now: while a lane is busy,
   * what it has to say gathers for a moment, because waking main costs as much as several messages.
   */
  take(): ArrayBuffer | undefined {
    this.#advance();
    this.#runFast();
    this.#runSlow();
    this.#pack();
    const canWait = this.busy && this.#out.size < LARGEST_WAITING && this.#now() - this.#packedAt < GATHER_MILLISECONDS;
    return canWait ? undefined : this.#out.take();
  }

  /** Like `take`, but for the last time: every fast event (DELETEs among them), nothing new from the peers. */
  finish(): ArrayBuffer | undefined {
    for (let event = this.#queues.takeFast(); event !== undefined; event = this.#queues.takeFast()) this.#handle(event);
    this.#pack();
    return this.#out.take();
  }

  /** When the next turn is due if no event comes first (ms on our clock); undefined: never. */
  nextAt(): number | undefined {
    const deadline = this.#core.nextDeadline();
    return deadline === undefined ? undefined : Math.max(deadline, this.#advanceAgainAt);
  }

  #advance(): void {
    const now = this.#now();
    if (now < this.#advanceAgainAt) return;
    if (!this.#contain('timers', () => this.#core.advance())) this.#advanceAgainAt = now + AFTER_FAULT;
  }

  #runFast(): void {
    const until = this.#now() + FAST_MILLISECONDS;
    for (let event = this.#queues.takeFast(); event !== undefined; event = this.#queues.takeFast()) {
      this.#handle(event);
      if (this.#now() >= until) return;
    }
  }

  #runSlow(): void {
    const until = this.#now() + SLOW_MILLISECONDS;
    const before = this.#core.diffieHellman;
    for (let event = this.#queues.takeSlow(); event !== undefined; event = this.#queues.takeSlow()) {
      this.#handle(event);
      if (this.#core.diffieHellman !== before || this.#now() >= until) return;
    }
  }

  #handle(event: LaneEvent): void {
    this.#contain(event.kind, () => this.#core.handle(event));
  }

  #pack(): void {
    this.#tellShed();
    if (this.#out.size === 0) this.#packedAt = this.#now();
    for (const effect of this.#core.takeEffects()) {
      this.#contain(effect.kind, () => this.#out.add(effect));
      // The kernel's copy is on its way: decisions, nobody keeps IPsec keys. So is the copy for a capture.
      if (effect.kind === 'install') for (const key of keysOf(effect.sas)) key.fill(0);
      if (effect.kind === 'captureKey') effect.key.fill(0);
    }
  }

  #tellShed(): void {
    const untold = this.#queues.shed - this.#shedTold;
    if (untold === 0 || !this.#shedLines.take(this.#now())) return;
    this.#shedTold += untold;
    const text = `lane ${this.#lane}: ${untold} messages dropped, too many wait for their key exchange` as const;
    this.#out.add({ kind: 'log', record: failure('lane-shed', text) });
  }

  /** False when `action` threw. */
  #contain(what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (fault) {
      if (this.#faultLines.take(this.#now())) {
        const text = `lane ${this.#lane}: ${what} dropped, internal fault: ${faultText(fault)}` as const;
        this.#out.add({ kind: 'log', record: failure('lane-fault', text) });
      }
      return false;
    }
  }
}

/** A kilobyte each: what a lane works off in a few seconds, and what a peer waits for before it sends again. */
const SLOW_LIMIT = 2048;
const FAST_LIMIT = 16384;
/** How long a turn may keep the data port waiting (ms); each kind gets at least one event. */
const FAST_MILLISECONDS = 20;
const SLOW_MILLISECONDS = 5;
/** How long effects of a busy lane may wait for others (ms), and how many bytes of them. */
const GATHER_MILLISECONDS = 1;
const LARGEST_WAITING = 65536;
/** ms */
const AFTER_FAULT = 1000;
const FAULT_LINES = { burst: 10, perSecond: 1 } as const;
const SHED_LINES = { burst: 1, perSecond: 0.1 } as const;
