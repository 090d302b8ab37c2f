/**
 * What waits in a lane: established SAs and cheap events in one queue, whatever may cost a Diffie-Hellman in the other. Both are bounded for
 * datagrams, the newest of which are shed (threats: DoS); events from our own main thread are never dropped.
 */
import type { LaneEvent } from '../shared/threads/contract.ts';

export type Weight = 'fast' | 'slow';

interface QueueLimits {
  readonly fast: number;
  readonly slow: number;
}

/** A first-in first-out queue that does not move its elements. */
class Fifo {
  #events: (LaneEvent | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#events.length - this.#head;
  }

  push(event: LaneEvent): void {
    this.#events.push(event);
  }

  shift(): LaneEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#events[this.#head++] = undefined;
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }
}

export class LaneQueues {
  readonly #limits: QueueLimits;
  readonly #fast = new Fifo();
  readonly #slow = new Fifo();
  /** Requests of the startPhase1 events in the slow queue. */
  readonly #starting = new Set<number>();
  /** How many datagrams in the slow queue have these cookies. */
  readonly #waiting = new Map<string, number>();
  /** How many events of the fast queue bring configuration. */
  #configuration = 0;
  #shed = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get fast(): number {
    return this.#fast.length;
  }

  get slow(): number {
    return this.#slow.length;
  }

  /** Datagrams dropped so far because their queue was full. */
  get shed(): number {
    return this.#shed;
  }

  /** False when the event was shed. */
  put(event: LaneEvent, weight: Weight): boolean {
    const slow = weight === 'slow' || this.#mustFollow(event);
    const queue = slow ? this.#slow : this.#fast;
    if (event.kind === 'datagram' && queue.length >= (slow ? this.#limits.slow : this.#limits.fast)) {
      this.#shed++;
      return false;
    }
    if (slow) this.#remember(event, 1);
    else if (isConfiguration(event)) this.#configuration++;
    queue.push(event);
    return true;
  }

  takeFast(): LaneEvent | undefined {
    const event = this.#fast.shift();
    if (event !== undefined && isConfiguration(event)) this.#configuration--;
    return event;
  }

  /** Nothing while configuration waits in the fast queue: a start must not overtake the policy that was sent ahead of it. */
  takeSlow(): LaneEvent | undefined {
    if (this.#configuration > 0) return undefined;
    const event = this.#slow.shift();
    if (event !== undefined) this.#remember(event, -1);
    return event;
  }

  /**
   * A cancel must not overtake the start that it means, nor a message the one before it under the same cookies: whoever ends phase 1 may begin
   * a quick mode in the same breath.
   */
  #mustFollow(event: LaneEvent): boolean {
    if (this.#slow.length === 0) return false;
    if (event.kind === 'cancel') return this.#starting.has(event.request);
    return event.kind === 'datagram' && this.#waiting.has(cookiesOf(event.bytes));
  }

  #remember(event: LaneEvent, change: 1 | -1): void {
    if (event.kind === 'startPhase1') {
      if (change === 1) this.#starting.add(event.request);
      else this.#starting.delete(event.request);
    } else if (event.kind === 'datagram') {
      const cookies = cookiesOf(event.bytes);
      const count = (this.#waiting.get(cookies) ?? 0) + change;
      if (count > 0) this.#waiting.set(cookies, count);
      else this.#waiting.delete(cookies);
    }
  }
}

const isConfiguration = ({ kind }: LaneEvent): boolean => kind === 'peer' || kind === 'peerGone' || kind === 'general';

/** Both cookies as a key for Map. */
const cookiesOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, COOKIES_BYTES)).toString('latin1');

const COOKIES_BYTES = 16;
const COMPACT_AT = 1024;
