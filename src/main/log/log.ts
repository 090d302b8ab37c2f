/** The log: which records are printed, how many strangers may cause, and pino, which writes them as JSON or in the text form of isakmpd. */
import { type DestinationStream, pino } from 'pino';
import { classTag, isPrinted } from '../../shared/log/classes.ts';
import { jsonFields, SECRET_PATHS } from '../../shared/log/json-format.ts';
import { notice } from '../../shared/log/records.ts';
import { syslogPriority } from '../../shared/log/severity.ts';
import { type LocalTime, recordText, textLine } from '../../shared/log/text-format.ts';
import { TokenBucket } from '../../shared/log/token-bucket.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

/** The key by which pino recognises a destination that wants more than the line. It must stand before the class that uses it. */
const PINO_METADATA: unique symbol = Symbol.for('pino.metadata');

export interface LogDestination {
  /** 'stamped': text lines carry time and tag; 'bare': whoever keeps them adds the time himself, as syslog does. */
  readonly form: 'stamped' | 'bare';
  /** Takes one whole line, and a syslog priority (0-7). Never throws, and waits for nobody. */
  readonly write: (line: string, priority: number) => void;
  /** What the log itself has suffered, as soon as it can be told; told once. */
  readonly takeComplaint: () => LogRecord | undefined;
  /** Hands over what is left; nothing is written after it. */
  readonly close: () => Promise<void>;
}

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
  /** Names of events that peers cause with their packets: these are limited, each by itself, as debug records are, each class by itself. */
  readonly peerTriggered: ReadonlySet<string>;
  /** Milliseconds since 1970, with a fraction. */
  readonly wallClock: () => number;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
  readonly format: 'text' | 'json';
  readonly destination: LogDestination;
}

/** A logger that writes to `destination`. */
export const createLogger = (options: LoggerOptions): Logger => {
  const printer = options.format === 'json' ? jsonPrinter(options) : textPrinter(options);
  const limits = new Limits(options, printer);
  return {
    write: (record) => {
      if (!isWanted(options, record) || !limits.admits(record)) return;
      const complaint = options.destination.takeComplaint();
      if (complaint !== undefined) printer(complaint);
      printer(record);
    },
    close: () => limits.report(),
  };
};

type Printer = (record: LogRecord) => void;

const textPrinter = ({ destination, wallClock }: LoggerOptions): Printer => {
  const lines = new Lines(destination, (_json, record, time) =>
    destination.form === 'bare' ? `${recordText(record)}\n` : textLine(localTime(Number(time)), record),
  );
  const logger = pino({ ...SEVERITIES, timestamp: () => `,"time":${wallClock()}` }, lines);
  return (record) => {
    lines.record = record;
    logger[record.severity](record.text);
  };
};

const jsonPrinter = ({ destination, wallClock }: LoggerOptions): Printer => {
  const lines = new Lines(destination, (json) => json);
  const logger = pino(
    {
      ...SEVERITIES,
      messageKey: 'text',
      timestamp: () => `,"time":"${isoTime(wallClock())}"`,
      formatters: { level: (level) => ({ level }) },
      redact: [...SECRET_PATHS],
    },
    lines,
  );
  return (record) => {
    lines.record = record;
    logger[record.severity](jsonFields(record), recordText(record));
  };
};

/** Every record that comes as far as pino is wanted. */
const SEVERITIES = {
  base: null,
  level: 'debug',
  customLevels: { verbose: 30, notice: 32, report: 34 },
} as const;

/** What pino writes to. It hands over its JSON line and, by its metadata protocol, the time in it; the record is the printer's. */
class Lines implements DestinationStream {
  readonly [PINO_METADATA] = true;
  lastTime = '0';
  record: LogRecord | undefined;
  readonly #destination: LogDestination;
  readonly #lineOf: (json: string, record: LogRecord, time: string) => string;

  constructor(destination: LogDestination, lineOf: (json: string, record: LogRecord, time: string) => string) {
    this.#destination = destination;
    this.#lineOf = lineOf;
  }

  write(json: string): void {
    const { record } = this;
    if (record === undefined) return;
    this.#destination.write(this.#lineOf(json, record, this.lastTime), syslogPriority(record.severity));
  }
}

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

/** A bucket for each event of peers and for each class of debug records, and a line every few seconds that says how much was held back. */
class Limits {
  readonly #options: LoggerOptions;
  readonly #print: Printer;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #suppressed = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(options: LoggerOptions, print: Printer) {
    this.#options = options;
    this.#print = print;
  }

  admits(record: LogRecord): boolean {
    const kind = this.#limitedKind(record);
    if (kind === undefined || this.#bucket(kind, record).take(this.#options.wallClock())) return true;
    this.#suppressed.set(kind, (this.#suppressed.get(kind) ?? 0) + 1);
    this.#cancel ??= this.#options.schedule(SUMMARY_MILLISECONDS, () => this.report());
    return false;
  }

  report(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const [kind, count] of this.#suppressed) {
      this.#print(notice('log-suppressed', `isakmpd: suppressed ${count} log lines of the kind "${kind}"`));
    }
    this.#suppressed.clear();
  }

  #limitedKind({ severity, logClass, event }: LogRecord): string | undefined {
    if (severity === 'debug') return `debug ${classTag(logClass).trimEnd()}`;
    return this.#options.peerTriggered.has(event) ? event : undefined;
  }

  #bucket(kind: string, { severity }: LogRecord): TokenBucket {
    const known = this.#buckets.get(kind);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(severity === 'debug' ? DEBUG_LINES : PEER_LINES);
    this.#buckets.set(kind, bucket);
    return bucket;
  }
}

/** Local time of day of a moment in ms since 1970, with a fraction. */
export const localTime = (milliseconds: number): LocalTime => {
  const date = new Date(milliseconds);
  return {
    hours: date.getHours(),
    minutes: date.getMinutes(),
    seconds: date.getSeconds(),
    microseconds: Math.floor((milliseconds % 1000) * 1000),
  };
};

/** ISO 8601 in UTC with microseconds: `2026-01-02T08:06:39.809750Z`. Takes ms since 1970, with a fraction. */
const isoTime = (milliseconds: number): string => {
  const microseconds = Math.floor((milliseconds % 1) * 1000);
  return new Date(milliseconds).toISOString().replace('Z', `${String(microseconds).padStart(3, '0')}Z`);
};

/** Ten times the coarsest step of Date.now(). */
const LARGEST_DRIFT = 10;
/** The operator asked for them, but whoever can send packets can cause most of them. */
const DEBUG_LINES = { burst: 5000, perSecond: 1000 } as const;
const PEER_LINES = { burst: 200, perSecond: 20 } as const;
const SUMMARY_MILLISECONDS = 10_000;
