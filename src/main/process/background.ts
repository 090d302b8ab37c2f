/**
 * The start in the background: the process that was called starts the daemon proper, in a session of its own, waits until that is ready or has failed, and
 * ends with a status that says which. The daemon tells it over a pipe; the environment names the pipe, and that is how the daemon knows its role.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { argumentsOfThisProcess, argumentsWithLegacyProvider } from '../cli/legacy-provider.ts';
import type { Options } from '../cli/options.ts';
import { codeOf } from '../privileged/system-fault.ts';
import { processTitle } from './process-title.ts';
import { handleSignals } from './signals.ts';

/** The daemon's end of the pipe. What is said first counts. */
export interface StartReport {
  readonly ready: () => void;
  /** One line for whoever called. */
  readonly failed: (reason: string) => void;
  /** Ends this process; the caller starts another one with the ciphers of OpenSSL's legacy provider. */
  readonly restartWithLegacyProvider: () => Promise<never>;
}

/** Undefined in a process that was not started by `startInBackground`. To be called once. */
export const takeStartReport = (): StartReport | undefined => {
  const descriptor = process.env[PIPE_VARIABLE];
  delete process.env[PIPE_VARIABLE];
  if (descriptor !== String(PIPE)) return undefined;
  let isSaid = false;
  const say = (word: string): void => {
    if (isSaid) return;
    isSaid = true;
    try {
      writeSync(PIPE, word);
      closeSync(PIPE);
    } catch (fault) {
      // Nobody waits any more.
      if (codeOf(fault) === undefined) throw fault;
    }
  };
  return {
    ready: () => say(READY),
    failed: (reason) => say(`${FAILED}${reason}`),
    restartWithLegacyProvider: async () => {
      say(LEGACY);
      return process.exit(0);
    },
  };
};

/** Answers the exit status: 0 when the daemon runs; else the reason is on standard error. */
export const startInBackground = async (options: Pick<Options, 'fifo'>): Promise<number> => {
  const input = options.fifo === undefined ? 'inherit' : 'ignore';
  let word = await startOnce(input, argumentsOfThisProcess());
  if (word === LEGACY) word = await startOnce(input, argumentsWithLegacyProvider());
  if (word === READY) return 0;
  process.stderr.write(`isakmpd: ${word.startsWith(FAILED) ? word.slice(FAILED.length) : SILENT}\n`);
  return 1;
};

/** What the daemon says of its start; '' when it ended without a word. */
const startOnce = async (input: 'inherit' | 'ignore', argv: readonly string[]): Promise<string> => {
  const child = spawn(process.execPath, argv, {
    // Room for the title, which can only be as long as the arguments were.
    argv0: processTitle(process.argv.slice(2)),
    detached: true,
    stdio: [input, 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, [PIPE_VARIABLE]: String(PIPE) },
  });
  const failure = once(child, 'error').then(([fault]) => `${FAILED}cannot start the daemon: ${fault.message}`);
  const pass = (signal: NodeJS.Signals) => (): void => void child.kill(signal);
  handleSignals({
    interrupt: true,
    shutdown: pass('SIGTERM'),
    reinitialize: pass('SIGHUP'),
    report: pass('SIGUSR1'),
    say: () => undefined,
  });
  const pipe = child.stdio[PIPE];
  const word = isReadable(pipe) ? text(pipe) : new Promise<string>(() => undefined);
  const said = await Promise.race([word, failure]);
  child.unref();
  return said;
};

const isReadable = (stream: unknown): stream is Readable =>
  typeof stream === 'object' && stream !== null && 'read' in stream;

const PIPE = 3;
const PIPE_VARIABLE = 'ISAKMPD_START_REPORT';
const READY = 'ready';
const LEGACY = 'legacy';
const FAILED = 'failed ';
const SILENT = 'the daemon ended before it was ready; its log says why, or start it with -d';
