/**
 * What systemd is told (sd_notify(3)): through systemd-notify(1), because Node has no datagram sockets of the Unix domain. Nothing here is waited for, one
 * call runs at a time, and one that hangs is ended. Without NOTIFY_SOCKET there is nobody to tell.
 */
import { execFile } from 'node:child_process';
import { notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { schedule } from '../clock.ts';
import { codeOf } from '../privileged/system-fault.ts';

export interface ServiceManagerOptions {
  /** The daemon's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Our process and the one that started us: the watchdog may mean either, where the program had to start itself again. */
  readonly pids: readonly number[];
  readonly log: (record: LogRecord) => void;
  /** Program and first arguments instead of systemd-notify; for tests. */
  readonly command?: readonly [string, ...string[]];
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  /** Messages that wait for the call before. */
  readonly #waiting: (readonly string[])[] = [];
  #running: Promise<void> | undefined;
  /** There is nobody to tell, or no way. */
  #isSilent: boolean;
  #hasFailed = false;
  #cancelPing: (() => void) | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#isSilent = (options.environment['NOTIFY_SOCKET'] ?? '') === '';
  }

  /** The daemon serves from now on, after its start or a reload; `status` is one line for `systemctl status`. */
  ready(status: string): void {
    const [pid = 0] = this.#options.pids;
    this.#tell({ READY: '1', MAINPID: String(pid), STATUS: status });
    this.#ping();
  }

  /** A reload has begun. `now`: ms on the system's monotonic clock. */
  reloading(now: number): void {
    this.#tell({
      RELOADING: '1',
      MONOTONIC_USEC: String(Math.floor(now * 1000)),
      STATUS: 'reading the configuration again',
    });
  }

  status(status: string): void {
    this.#tell({ STATUS: status });
  }

  stopping(): void {
    this.#tell({ STOPPING: '1', STATUS: 'telling the peers goodbye' });
  }

  /** Resolves when what was told has been handed over, or after `patience` ms. No ping follows. */
  async close(patience: number): Promise<void> {
    this.#cancelPing?.();
    if (this.#running === undefined) return;
    await Promise.race([this.#running, new Promise<void>((resolve) => schedule(patience, resolve))]);
  }

  /** From the main loop: one that is stuck is noticed. Twice as often as the watchdog wants it. */
  #ping(): void {
    const interval = watchdogMilliseconds(this.#options);
    if (interval === undefined || this.#cancelPing !== undefined) return;
    const pingAndWait = (): void => {
      this.#tell({ WATCHDOG: '1' });
      this.#cancelPing = schedule(interval / 2, pingAndWait);
    };
    pingAndWait();
  }

  #tell(assignments: Readonly<Record<string, string>>): void {
    if (this.#isSilent) return;
    // systemd does not read, or the machine is overloaded: the oldest news matter least.
    if (this.#waiting.length === MOST_WAITING) this.#waiting.shift();
    this.#waiting.push(Object.entries(assignments).map(([name, value]) => `${name}=${value}`));
    this.#running ??= this.#send();
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#call(next);
    this.#running = undefined;
  }

  #call(words: readonly string[]): Promise<void> {
    const [program, ...first] = this.#options.command ?? ['systemd-notify'];
    const env = { PATH: SYSTEM_PATH, NOTIFY_SOCKET: this.#options.environment['NOTIFY_SOCKET'] };
    return new Promise((resolve) => {
      execFile(program, [...first, ...words], { env, timeout: PATIENCE }, (fault) => {
        this.#note(fault);
        resolve();
      });
    });
  }

  /** The first failure of a row is told. Without the program there is no second one. */
  #note(fault: Error | null): void {
    if (fault !== null && !this.#hasFailed) {
      const [reason = ''] = fault.message.split('\n');
      this.#options.log(notice('service-manager', `systemd cannot be told: ${reason}`));
    }
    this.#hasFailed = fault !== null;
    if (fault === null || codeOf(fault) !== 'ENOENT') return;
    this.#isSilent = true;
    this.#waiting.length = 0;
  }
}

/** ms; undefined: nobody watches us. */
const watchdogMilliseconds = ({ environment, pids }: ServiceManagerOptions): number | undefined => {
  const microseconds = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!Number.isInteger(microseconds) || microseconds <= 0) return undefined;
  return pid === undefined || pids.some((own) => String(own) === pid) ? microseconds / 1000 : undefined;
};

const SYSTEM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
/** ms */
const PATIENCE = 5000;
const MOST_WAITING = 16;
