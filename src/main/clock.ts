/** The main thread's clock and timers. */

/** The daemon's clock in ms: the same in all threads, which performance.now() is not. */
export const monotonicNow = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

/** A moment of that clock as ISO 8601, by the wall clock as it goes now. */
export const wallTime = (at: number): string => new Date(Date.now() + at - monotonicNow()).toISOString();

/** Calls back after some ms; the answer cancels. Keeps no process alive. */
export const schedule = (milliseconds: number, callback: () => void): (() => void) => {
  const timer = setTimeout(callback, Math.min(milliseconds, LONGEST_TIMEOUT));
  timer.unref();
  return () => clearTimeout(timer);
};

/** One timer for whoever knows when it next has something to do. `due` may come early: it has to look whether anything is due. */
export class DeadlineTimer {
  readonly #due: () => void;
  #cancel: (() => void) | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(due: () => void) {
    this.#due = due;
  }

  /** ms on the daemon's clock; undefined: nothing is to be waited for. A timer that is too early stays: deadlines move at every event. */
  set(at: number | undefined): void {
    if (at === undefined || at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = schedule(Math.max(1, Math.ceil(at - monotonicNow())), () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#due();
    });
  }

  close(): void {
    this.#cancel?.();
  }
}

/** setTimeout fires at once for anything longer (threats: timer overflow). */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
