/** Where the log goes: standard error, the journal behind it, or syslog. */
import { fstatSync, writeSync } from 'node:fs';
import { failure } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { monotonicNow, schedule } from '../clock.ts';
import { codeOf } from '../privileged/system-fault.ts';
import type { LogDestination } from './log.ts';
import { Syslog } from './syslog.ts';

/**
 * The journal where systemd has connected standard error with it, else standard error with -d, else syslog. `environment` is the daemon's own.
 */
export const openLogDestination = (
  options: { readonly foreground: number },
  environment: NodeJS.ProcessEnv = process.env,
): LogDestination => {
  if (isJournal(STANDARD_ERROR, environment['JOURNAL_STREAM']))
    return new DescriptorLog(STANDARD_ERROR, 'bare', openSyslog);
  return options.foreground > 0 ? new DescriptorLog(STANDARD_ERROR, 'stamped', openSyslog) : openSyslog();
};

const openSyslog = (): LogDestination =>
  new Syslog({ pid: process.pid, fallback: writeToStandardError, now: monotonicNow, schedule });

/** Lines to a file descriptor, written at once: none is lost when the daemon dies. One that fails for good is replaced (behaviour 1.9). */
export class DescriptorLog implements LogDestination {
  readonly form: LogDestination['form'];
  readonly #descriptor: number;
  readonly #openOther: () => LogDestination;
  #other: LogDestination | undefined;
  /** Of the last line, what the reader had no room for. */
  #rest: Uint8Array = new Uint8Array(0);
  /** The fault that has ended it, until somebody asks. */
  #broken: string | undefined;
  /** Lines that a reader who did not keep up has missed. */
  #lost = 0;

  /** `form` 'bare': systemd's, priority in front (sd-daemon(3)). */
  constructor(descriptor: number, form: LogDestination['form'], openOther: () => LogDestination) {
    this.#descriptor = descriptor;
    this.form = form;
    this.#openOther = openOther;
  }

  write(line: string, priority: number): void {
    if (this.#other !== undefined) {
      this.#other.write(line, priority);
      return;
    }
    try {
      this.#flush();
      if (this.#rest.length > 0) {
        this.#lost++;
        return;
      }
      this.#rest = Buffer.from(this.form === 'bare' ? `<${priority}>${line}` : line);
      this.#flush();
    } catch (fault) {
      const code = codeOf(fault);
      if (code === undefined) throw fault;
      this.#broken = code;
      this.#other = this.#openOther();
      this.#other.write(line, priority);
    }
  }

  takeComplaint(): LogRecord | undefined {
    if (this.#broken !== undefined) {
      const code = this.#broken;
      this.#broken = undefined;
      return failure('log-lost', `isakmpd: cannot write the log (${code}): it goes to syslog from here on`);
    }
    if (this.#other !== undefined) return this.#other.takeComplaint();
    const lost = this.#lost;
    if (lost === 0 || this.#rest.length > 0) return undefined;
    this.#lost = 0;
    return failure('log-lost', `isakmpd: ${lost} log lines were lost: standard error was not read in time`);
  }

  async close(): Promise<void> {
    await this.#other?.close();
  }

  /** As much as goes without waiting. */
  #flush(): void {
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(writeSync(this.#descriptor, this.#rest));
    } catch (fault) {
      if (codeOf(fault) !== 'EAGAIN') throw fault;
    }
  }
}

/** systemd.exec(5): the device and inode of the stream, so that a program whose standard error went elsewhere since can tell. */
export const isJournal = (descriptor: number, journalStream: string | undefined): boolean => {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return journalStream === `${dev}:${ino}`;
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
    return false;
  }
};

/** A daemon in the background may have none. */
const writeToStandardError = (line: string): void => {
  try {
    writeSync(STANDARD_ERROR, line);
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
  }
};

const STANDARD_ERROR = 2;
