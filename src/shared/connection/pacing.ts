/** Starts in an even flow: after a restart ten thousand connections want to come up at once, and neither we nor the peers could bear it. */
import type { Deadline } from './deadlines.ts';
import type { Desk } from './desk.ts';

/** A queue of things to start, each at most once in it; a bounded number leaves it per tick. */
export class Pacing<T> {
  readonly #desk: Desk;
  /** Starts one, unless that has become needless: then it answers false, and the tick is not charged. */
  readonly #start: (item: T) => boolean;
  /** Whether another one may start now; asked before each. */
  readonly #hasRoom: () => boolean;
  readonly #queue = new Set<T>();
  #tickAt = Number.NEGATIVE_INFINITY;
  #started = 0;
  #next: Deadline | undefined;

  constructor(desk: Desk, start: (item: T) => boolean, hasRoom: () => boolean = () => true) {
    this.#desk = desk;
    this.#start = start;
    this.#hasRoom = hasRoom;
  }

  get size(): number {
    return this.#queue.size;
  }

  add(item: T): void {
    this.#queue.add(item);
  }

  remove(item: T): void {
    this.#queue.delete(item);
  }

  clear(): void {
    this.#queue.clear();
    this.#next?.cancel();
    this.#next = undefined;
  }

  /** Starts what may start now; the rest waits for the next tick. To be called after `add`. */
  run(): void {
    if (this.#queue.size === 0) return;
    if (this.#desk.now >= this.#tickAt + TICK_MS) {
      this.#tickAt = this.#desk.now;
      this.#started = 0;
    }
    for (const item of this.#queue) {
      if (this.#started >= STARTS_PER_TICK || !this.#hasRoom()) break;
      this.#queue.delete(item);
      if (this.#start(item)) this.#started++;
    }
    if (this.#queue.size === 0 || this.#next !== undefined) return;
    this.#next = this.#desk.after(TICK_MS, 'start_pending', '', () => {
      this.#next = undefined;
      this.run();
    });
  }
}

const TICK_MS = 100;
const STARTS_PER_TICK = 50;
