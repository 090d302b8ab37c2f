/** The log: which records are printed, how many strangers may cause, and pino with the text form of isakmpd as its destination. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { isPrinted } from '../shared/log/classes.ts';
import { notice } from '../shared/log/records.ts';
import { type LocalTime, textLine } from '../shared/log/text-format.ts';
import { TokenBucket } from '../shared/log/token-bucket.ts';
import type { LogRecord } from '../shared/threads/contract.ts';

/** The key by which pino recognises a destination that wants more than the line. It must stand before the class that uses it. */
const PINO_METADATA: unique symbol = Symbol.for('pino.metadata');

export interface Logger {
  /** Prints the record if its severity, class and level are switched on and strangers have not caused too many of its kind. */
  readonly write: (record: LogRecord) => void;
  /** Says what was suppressed so far and stops the timer. */
  readonly close: () => void;
}

export interface LoggerOptions {
  /** -v */
  readonly isVerbose: () => boolean;
  /** Debug level of each class, see createDebugLevels. */
  readonly levels: Int32Array;
  /** Names of events that peers cause with their packets: these are limited, each by itself. */
  readonly peerTriggered: ReadonlySet<string>;
  /** Milliseconds since 1970, with a fraction. */
  readonly wallClock: () => number;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
  /** Takes whole lines. */
  readonly destination: { readonly write: (line: string) => void };
}

/** A logger that writes text lines to `destination`. */
export const createLogger = (options: LoggerOptions): Logger => {
  const printer = pino(
    { level: 'debug', base: null, timestamp: () => `,"time":${options.wallClock()}` },
    new TextDestination(options.destination),
  );
  const limits = new PeerLimits(options, (record) => print(printer, record));
  return {
    write: (record) => {
      if (isWanted(options, record) && limits.admits(record)) print(printer, record);
    },
    close: () => limits.report(),
  };
};

/** Standard error, written synchronously: no line is lost when the daemon dies. A reader that went away is no reason to stop. */
export const standardError = (): LoggerOptions['destination'] => {
  const stream = pino.destination({ dest: 2, sync: true });
  stream.on('error', () => undefined);
  return stream;
};

/** The wall clock in ms with microseconds: the precise monotonic clock, set again whenever the system's clock was moved. */
export const createWallClock = (): (() => number) => {
  let offset = Date.now() - performance.now();
  return () => {
    const now = performance.now();
    if (Math.abs(now + offset - Date.now()) > LARGEST_DRIFT) offset = Date.now() - now;
    return now + offset;
  };
};

const isWanted = (options: LoggerOptions, record: LogRecord): boolean => {
  if (record.severity === 'verbose') return options.isVerbose();
  return record.severity !== 'debug' || isPrinted(options.levels, record.logClass, record.level);
};

const print = (printer: PinoLogger, record: LogRecord): void =>
  printer[PINO_LEVEL[record.severity]](record, record.text);

/** One bucket per event name, and a line every few seconds that says how much was held back. */
class PeerLimits {
  readonly #options: LoggerOptions;
  readonly #print: (record: LogRecord) => void;
  readonly #buckets: ReadonlyMap<string, TokenBucket>;
  readonly #suppressed = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(options: LoggerOptions, print: (record: LogRecord) => void) {
    this.#options = options;
    this.#print = print;
    this.#buckets = new Map([...options.peerTriggered].map((event) => [event, new TokenBucket(PEER_LINES)]));
  }

  admits(record: LogRecord): boolean {
    const bucket = this.#buckets.get(record.event);
    if (bucket === undefined || bucket.take(this.#options.wallClock())) return true;
    this.#suppressed.set(record.event, (this.#suppressed.get(record.event) ?? 0) + 1);
    this.#cancel ??= this.#options.schedule(SUMMARY_MILLISECONDS, () => this.report());
    return false;
  }

  report(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const [event, count] of this.#suppressed) {
      this.#print(notice('log-suppressed', `isakmpd: suppressed ${count} log lines of the kind "${event}"`));
    }
    this.#suppressed.clear();
  }
}

/** Gets from pino, besides the JSON line, the record and the time it was made from (pino's metadata protocol), and writes the text form. */
class TextDestination implements DestinationStream {
  readonly [PINO_METADATA] = true;
  lastObj: LogRecord | undefined;
  lastTime = '0';
  readonly #destination: LoggerOptions['destination'];

  constructor(destination: LoggerOptions['destination']) {
    this.#destination = destination;
  }

  write(): void {
    if (this.lastObj !== undefined) this.#destination.write(textLine(localTime(Number(this.lastTime)), this.lastObj));
  }
}

const localTime = (milliseconds: number): LocalTime => {
  const date = new Date(milliseconds);
  return {
    hours: date.getHours(),
    minutes: date.getMinutes(),
    seconds: date.getSeconds(),
    microseconds: Math.floor((milliseconds % 1000) * 1000),
  };
};

const PINO_LEVEL = { error: 'error', notice: 'info', verbose: 'info', report: 'info', debug: 'debug' } as const;
/** Ten times the coarsest step of Date.now(). */
const LARGEST_DRIFT = 10;
const PEER_LINES = { burst: 200, perSecond: 20 } as const;
const SUMMARY_MILLISECONDS = 10_000;
