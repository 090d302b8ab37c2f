/**
 * The way to syslog: logger(1) as a child that reads our lines from its standard input, because Node has no datagram sockets of the Unix domain. A
 * child that dies is started again; nothing here ever waits for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { failure } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { LogDestination } from './log.ts';

export interface SyslogOptions {
  /** What the lines carry as the daemon's. */
  readonly pid: number;
  /** Gets what syslog cannot, whole lines. */
  readonly fallback: (line: string) => void;
  /** Milliseconds on a clock that does not jump. */
  readonly now: () => number;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
  /** Program and first arguments instead of logger(1); for tests. */
  readonly command?: readonly [string, ...string[]];
}

export class Syslog implements LogDestination {
  readonly form = 'bare';
  readonly #options: SyslogOptions;
  #child: Child | undefined;
  #cancelRestart: (() => void) | undefined;
  /** Deaths without a long life between them. */
  #deaths = 0;
  /** Why the last one has ended, until somebody asks. */
  #ended: string | undefined;
  /** Lines that syslog has not got. */
  #lost = 0;
  #isClosed = false;

  constructor(options: SyslogOptions) {
    this.#options = options;
    this.#start();
  }

  write(line: string, priority: number): void {
    const child = this.#child;
    if (child === undefined) {
      this.#lost++;
      this.#options.fallback(line);
    } else if (child.isFull) this.#lost++;
    else child.write(`<${DAEMON | priority}>${line}`);
  }

  takeComplaint(): LogRecord | undefined {
    const [child, lost, ended] = [this.#child, this.#lost, this.#ended];
    if (child === undefined || child.isFull || (lost === 0 && ended === undefined)) return undefined;
    this.#lost = 0;
    this.#ended = undefined;
    return ended === undefined
      ? failure('log-lost', `isakmpd: ${lost} log lines did not reach syslog: logger(1) is too slow`)
      : failure('log-lost', `isakmpd: logger(1) has ended (${ended}): ${lost} log lines did not reach syslog`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRestart?.();
    await this.#child?.end(this.#options.schedule);
  }

  #start(): void {
    const { pid, now, command = ['logger'] } = this.#options;
    const [program, ...first] = command;
    const words = [...first, '-t', 'isakmpd', `--id=${pid}`, '--prio-prefix', '--size', LONGEST, ...ERRORS];
    this.#cancelRestart = undefined;
    const child: Child = new Child(program, words, now, (reason) => this.#onEnd(child, reason));
    this.#child = child;
  }

  #onEnd(child: Child, reason: string): void {
    this.#child = undefined;
    if (this.#isClosed) return;
    const { fallback, schedule } = this.#options;
    this.#deaths = child.age > LONG_LIFE ? 1 : this.#deaths + 1;
    const delay = Math.min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** (this.#deaths - 1));
    this.#ended = reason;
    this.#lost += child.unread.length;
    for (const line of child.unread) fallback(line.replace(/^<\d+>/, ''));
    this.#cancelRestart = schedule(delay, () => this.#start());
  }
}

/** One life of logger(1). */
class Child {
  readonly #process: ChildProcess;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #ended: Promise<void>;
  #onEnd: ((reason: string) => void) | undefined;
  /** What it was given while young: without a syslog to talk to it dies at once, and nobody has them. */
  readonly #first: string[] = [];
  /** Later lines that wait in this process still. */
  readonly #waiting = new Set<{ readonly line: string }>();

  constructor(program: string, words: readonly string[], now: () => number, onEnd: (reason: string) => void) {
    this.#now = now;
    this.#startedAt = now();
    this.#onEnd = onEnd;
    // Its own process group: it outlives signals that a terminal or an init sends to ours, and ends with its input.
    this.#process = spawn(program, [...words], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    // Its end says why.
    this.#process.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const end = (reason: string): void => {
        resolve();
        this.#onEnd?.(reason);
        this.#onEnd = undefined;
      };
      this.#process.once('error', (fault) => end(fault.message));
      this.#process.once('exit', (status, signal) => end(signal === null ? `status ${status}` : signal));
    });
  }

  /** ms */
  get age(): number {
    return this.#now() - this.#startedAt;
  }

  get isFull(): boolean {
    return (this.#process.stdin?.writableLength ?? 0) > MOST_WAITING;
  }

  /** What it has certainly not passed on. */
  get unread(): readonly string[] {
    const waiting = Array.from(this.#waiting, ({ line }) => line);
    return this.#isYoung ? [...this.#first, ...waiting] : waiting;
  }

  get #isYoung(): boolean {
    return this.age < YOUTH;
  }

  write(line: string): void {
    if (this.#isYoung && this.#first.length < MOST_FIRST) {
      this.#first.push(line);
      this.#process.stdin?.write(line);
      return;
    }
    const entry = { line };
    this.#waiting.add(entry);
    this.#process.stdin?.write(line, (fault) => {
      if (fault == null) this.#waiting.delete(entry);
    });
  }

  /** Lets it read to the end, and waits for that a while. */
  async end(schedule: SyslogOptions['schedule']): Promise<void> {
    this.#process.stdin?.end();
    const patience = new Promise<void>((resolve) => schedule(PATIENCE, resolve));
    await Promise.race([this.#ended, patience]);
    this.#process.kill();
  }
}

/** RFC 5424 section 6.2.1: facility 3. */
const DAEMON = 3 << 3;
/** logger(1) cuts at 1 KiB unless told otherwise, and is silent about a syslog that is not there. */
const LONGEST = '64KiB';
const ERRORS = ['--socket-errors=on'] as const;
/** Bytes that may wait for it. */
const MOST_WAITING = 1_048_576;
const MOST_FIRST = 1000;
/** ms */
const YOUTH = 1000;
const PATIENCE = 2000;
const LONG_LIFE = 60_000;
const FIRST_BACK_OFF = 1000;
const LONGEST_BACK_OFF = 60_000;
