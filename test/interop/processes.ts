/** Running programs and waiting for conditions. Nothing here sleeps for a fixed time: every wait polls and has an end. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SystemError } from '../../src/shared/errors.ts';

export interface Result {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; its exit code and what it wrote to both outputs. Never rejects because of the exit code. */
export const run = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> =>
  new Promise((resolve) => {
    execFile(file, [...args], { env, timeout: RUN_TIMEOUT, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });

/** As `run`, but a program that fails ends the scenario. */
export const must = async (file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> => {
  const { code, output } = await run(file, args, env);
  if (code !== 0) throw new SystemError(`${[file, ...args].join(' ')} exited with ${code}: ${output.trim()}`);
  return output;
};

/** A program that stays up during a scenario, both outputs in one file. */
export class Service {
  readonly pid: number;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(name: string, log: string, command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const [file = '', ...args] = command;
    const output = openSync(log, 'a', 0o600);
    this.#child = spawn(file, args, { env, stdio: ['ignore', output, output] });
    closeSync(output);
    this.#name = name;
    this.pid = this.#child.pid ?? 0;
    running.add(this);
    this.#ended = new Promise((resolve) => {
      const ended = () => {
        running.delete(this);
        resolve();
      };
      this.#child.once('exit', ended);
      this.#child.once('error', ended);
    });
  }

  get isRunning(): boolean {
    return this.pid !== 0 && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Does the process (or what it replaced itself with) listen on this UDP port? Reads the sockets of its own namespace. */
  listensOn(port: number): boolean {
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    return ['udp', 'udp6'].some((table) => textOf(`/proc/${this.pid}/net/${table}`).includes(wanted));
  }

  /** Asks the process to end, and insists after a while; true if asking was enough. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<boolean> {
    if (!this.isRunning) return true;
    this.#child.kill(signal);
    if (await this.ends(STOP_PATIENCE)) return true;
    this.#child.kill('SIGKILL');
    await this.#ended;
    return false;
  }

  /** Does the process end by itself within these seconds? */
  async ends(seconds: number): Promise<boolean> {
    const patience = new AbortController();
    const late = delay(seconds * 1000, false, { signal: patience.signal }).catch(() => false);
    const ended = await Promise.race([this.#ended.then(() => true), late]);
    patience.abort();
    return ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  toString(): string {
    return this.#name;
  }
}

/** Kills whatever is still running: for an interrupted run. */
export const killAll = (): void => {
  for (const service of running) service.kill();
};

/** Polls until the probe answers something other than undefined or false; a SystemError with `what` after the time. */
export const until = async <T>(
  what: () => string,
  seconds: number,
  probe: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> => {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new SystemError(`${what()} (waited ${seconds} s)`);
    await delay(POLL_INTERVAL);
  }
};

/** A file's text, empty while it is not there. */
export const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const running = new Set<Service>();
const POLL_INTERVAL = 50;
const RUN_TIMEOUT = 60_000;
const STOP_PATIENCE = 8;
