/** One of our daemons as a child process: unprivileged, without kernel and policy, driven through its FIFO. For the demo and the benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin', 'isakmpd');

/** ms that anything here may take. */
export const PATIENCE = 30_000;

/** Something did not happen: the message is for whoever started the program. */
export class DaemonFault extends Error {
  override readonly name = 'DaemonFault';
}

export interface DaemonOptions {
  readonly name: string;
  /** Its run directory is made in here. */
  readonly folder: string;
  /** Text of isakmpd.conf. */
  readonly configuration: string;
  /** Permissions of its file; 0600. */
  readonly configurationMode?: number;
  readonly ports: { readonly ike: number; readonly encapsulated: number };
  readonly workers?: number;
  /** Options of isakmpd besides those for its files and ports. */
  readonly words?: readonly string[];
  /** Gets every line of the log. */
  readonly onLine?: (line: string) => void;
  /** Variables besides our own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Words of a command that starts it, `ip netns exec name` for example. */
  readonly inside?: readonly string[];
  /** For node itself: profilers. */
  readonly nodeOptions?: readonly string[];
}

export class Daemon {
  readonly name: string;
  /** Its exit status, null when a signal ended it; by then the log is complete. */
  readonly ended: Promise<number | null>;
  readonly runDirectory: string;
  readonly ports: DaemonOptions['ports'];
  readonly #child: ChildProcess;
  readonly #seen: { readonly text: string; readonly at: number }[] = [];

  constructor(options: DaemonOptions) {
    const {
      name,
      folder,
      configuration,
      ports,
      workers = 1,
      words = WORDS,
      onLine,
      nodeOptions = [],
      inside = [],
    } = options;
    this.name = name;
    this.ports = ports;
    this.runDirectory = join(folder, name);
    mkdirSync(this.runDirectory, { mode: 0o700 });
    const file = join(this.runDirectory, 'isakmpd.conf');
    writeFileSync(file, configuration);
    chmodSync(file, options.configurationMode ?? 0o600);
    const places = ['--run-dir', this.runDirectory, '-c', file];
    const numbers = ['--workers', String(workers), '-p', String(ports.ike), '-N', String(ports.encapsulated)];
    const [command = process.execPath, ...more] = [...inside, process.execPath];
    this.#child = spawn(command, [...more, ...nodeOptions, PROGRAM, ...words, ...places, ...numbers], {
      cwd: this.runDirectory,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'inherit', 'pipe'],
      // A group of its own: one that starts itself again with the legacy provider is two processes.
      detached: true,
    });
    guard(this.#child);
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
    const { stderr } = this.#child;
    if (stderr === null) throw new DaemonFault('the daemon has no standard error');
    createInterface({ input: stderr }).on('line', (text) => {
      this.#seen.push({ text, at: performance.now() });
      onLine?.(text);
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new DaemonFault(`the ${this.name} daemon did not start`);
    return pid;
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its log lines so far. */
  get log(): readonly string[] {
    return this.#seen.map(({ text }) => text);
  }

  /** How many log lines have this text. */
  count(text: string): number {
    return this.#seen.filter((line) => line.text.includes(text)).length;
  }

  /** When the log had its first line with this text: ms. */
  saw(text: string): Promise<number> {
    return until(`the ${this.name} daemon to say "${text}"`, () => {
      const line = this.#seen.find((one) => one.text.includes(text));
      if (line === undefined && !this.#isRunning) throw new DaemonFault(`the ${this.name} daemon has ended`);
      return line?.at;
    });
  }

  command(line: string): void {
    writeFileSync(join(this.runDirectory, 'isakmpd.fifo'), `${line}\n`);
  }

  /** All that was commanded so far has been done: FIFO lines are taken in order. */
  async caughtUp(): Promise<void> {
    await this.ask('C get [General]:Listen-on');
  }

  /** The result file of a command that writes one. */
  async ask(line: string): Promise<string> {
    const file = join(this.runDirectory, 'isakmpd.result');
    rmSync(file, { force: true });
    this.command(line);
    return until(`the answer to ${line}`, () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined));
  }

  /** It takes commands, and its policies are in place. */
  async ready(): Promise<void> {
    const pidFile = join(this.runDirectory, 'isakmpd.pid');
    await this.saw('isakmpd: starting');
    await until(`the ${this.name} daemon to be ready`, () => {
      if (!this.#isRunning) throw new DaemonFault(`the ${this.name} daemon has ended`);
      return existsSync(pidFile) || undefined;
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Nobody reads its log any more. */
  closeLog(): void {
    this.#child.stderr?.destroy();
  }

  kill(): void {
    if (this.#isRunning) killGroup(this.pid);
  }
}

/** Whatever ends us, the daemon and its children end too: a shell sees our end of a pipe close. */
const guard = (daemon: ChildProcess): void => {
  const { pid } = daemon;
  if (pid === undefined) return;
  const command = `read -r _ || kill -s KILL -- -${pid}`;
  // In a session of its own, or what is typed at the terminal would end it before it can do anything.
  const shell = spawn('sh', ['-c', command], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  daemon.once('exit', () => {
    killGroup(pid);
    shell.stdin.end('\n');
  });
};

/** Does nothing where nobody is left. */
const killGroup = (leader: number): void => {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (fault) {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH')) throw fault;
  }
};

/** In the foreground and talkative, without kernel and policy. */
const WORDS = ['-d', '-v', '-n', '-K', '-4'];

/** Looks until there is something. Throws DaemonFault after `patience` ms. */
export const until = async <T>(what: string, look: () => T | undefined, patience = PATIENCE): Promise<T> => {
  for (const end = performance.now() + patience; performance.now() < end; await sleep(5)) {
    const found = look();
    if (found !== undefined) return found;
  }
  throw new DaemonFault(`waited ${patience / 1000} s for ${what}`);
};

/** A UDP port that is free just now on every one of these addresses. */
export const freePort = async ([first = '127.0.0.1', ...others]: readonly string[]): Promise<number> => {
  const socket = await bound(first, 0);
  const { port } = socket.address();
  try {
    for (const address of others) (await bound(address, port)).close();
    return port;
  } finally {
    socket.close();
  }
};

const bound = (address: string, port: number) =>
  new Promise<ReturnType<typeof createSocket>>((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind(port, address, () => resolve(socket));
  });
