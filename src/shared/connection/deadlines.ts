/** The timers of the connection core: what to do and when, on a clock that its owner moves. */
import { type TimerHandle, TimerWheel } from '../timer-wheel.ts';

export class Deadlines {
  readonly #wheel: TimerWheel<Deadline>;

  constructor(now: number) {
    this.#wheel = new TimerWheel(now);
  }

  /** Timers that wait. */
  get size(): number {
    return this.#wheel.size;
  }

  /** When `advance` is due, ms; undefined while nothing waits. */
  get next(): number | undefined {
    return this.#wheel.nextDeadline();
  }

  schedule(at: number, fire: () => void): Deadline {
    const deadline = new Deadline(this.#wheel, at, fire);
    deadline.handle = this.#wheel.schedule(at, deadline);
    return deadline;
  }

  /** Fires what is due, in order; what was cancelled by one that fired before stays silent. */
  advance(now: number): void {
    for (const deadline of this.#wheel.advance(now)) deadline.expire();
  }
}

/** One timer; it fires at most once. */
export class Deadline {
  /** Set by Deadlines. */
  handle: TimerHandle = 0;
  /** ms */
  readonly at: number;
  readonly #wheel: TimerWheel<Deadline>;
  #fire: (() => void) | undefined;

  constructor(wheel: TimerWheel<Deadline>, at: number, fire: () => void) {
    this.#wheel = wheel;
    this.at = at;
    this.#fire = fire;
  }

  /** Harmless when it has fired. */
  cancel(): void {
    this.#fire = undefined;
    this.#wheel.cancel(this.handle);
  }

  /** For Deadlines only. */
  expire(): void {
    const fire = this.#fire;
    this.#fire = undefined;
    fire?.();
  }
}
