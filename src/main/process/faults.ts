/**
 * Faults of our own code in the main thread. What one datagram, effect, timer or command sets off is guarded: it is dropped and logged, the daemon goes
 * on (threats: a poison packet must not take it down). What gets past that ends the daemon in order.
 */
import { faultText } from '../../shared/log/fault-text.ts';
import { failure } from '../../shared/log/records.ts';
import { TokenBucket } from '../../shared/log/token-bucket.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

/** Contains faults, and logs as many of them as the log bears. */
export class Faults {
  readonly #log: (record: LogRecord) => void;
  readonly #now: () => number;
  readonly #lines = new TokenBucket(FAULT_LINES);

  /** `now`: ms on a monotonic clock. */
  constructor(log: (record: LogRecord) => void, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Does `action`, which is about `what`; if it throws, that was all. */
  guard(what: string, action: () => void): void {
    try {
      action();
    } catch (fault) {
      this.dropped(what, fault);
    }
  }

  /** Says that something was given up for a fault of ours. */
  dropped(what: string, fault: unknown): void {
    if (!this.#lines.take(this.#now())) return;
    this.#log(failure('fault', `isakmpd: ${what} dropped, internal fault: ${faultText(fault)}`));
  }
}

/**
 * A promise that nobody waited for has failed: what it was about is lost, all else stands, the daemon goes on. An exception out of nowhere may have left
 * anything half done: `end` is called, and somebody has to start the daemon again.
 */
export const handleUncaught = (log: (record: LogRecord) => void, end: () => void): void => {
  process.on('uncaughtException', (fault, origin) => {
    const isPromise = origin === 'unhandledRejection';
    const what = isPromise ? 'a failure that nobody handled' : 'an exception that nobody caught, ending';
    log(failure('fault', `isakmpd: ${what}: ${faultText(fault)}`));
    if (!isPromise) end();
  });
};

const FAULT_LINES = { burst: 10, perSecond: 1 } as const;
