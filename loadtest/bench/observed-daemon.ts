/** A daemon that is looked at from outside: what it costs, when it is at rest, and how long it lets others wait. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, type DaemonOptions, freePort } from '../daemon.ts';

/** ms */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

/** Runs `use` with a daemon that has just become ready, and takes it down afterwards. */
export const withDaemon = async (
  { address, ...options }: Pick<DaemonOptions, 'name' | 'configuration' | 'words'> & { readonly address: string },
  use: (daemon: Daemon, started: Cost) => Promise<void>,
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const ports = { ike: await freePort([address]), encapsulated: await freePort([address]) };
  const began = performance.now();
  const daemon = new Daemon({ ...options, folder, ports });
  try {
    await daemon.ready();
    await use(daemon, { wall: performance.now() - began, cpu: cpuOf(daemon) });
    daemon.command('Q');
    await daemon.ended;
  } finally {
    daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** User and system time of all its threads so far, ms. */
export const cpuOf = ({ pid }: Pick<Daemon, 'pid'>): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name in parentheses may have blanks; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
};

export const residentMegabytes = ({ pid }: Daemon): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

/** Waits until it does nothing any more; what that cost from now on. */
export const untilAtRest = async (daemon: Daemon): Promise<Cost> => {
  const [began, before] = [performance.now(), cpuOf(daemon)];
  let [lastBusy, last] = [began, before];
  while (performance.now() - lastBusy < REST) {
    await sleep(REST / 10);
    const cpu = cpuOf(daemon);
    if (cpu > last) [lastBusy, last] = [performance.now(), cpu];
  }
  return { wall: lastBusy - began, cpu: last - before };
};

/** Asks the status socket over and over again while `work` runs; answers how long it had to wait at most, ms. */
export const longestStall = async (daemon: Daemon, work: () => Promise<void>): Promise<number> => {
  const socket = createConnection(join(daemon.runDirectory, 'isakmpd.sock'));
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let longest = 0;
  let isDone = false;
  const asking = async (): Promise<void> => {
    while (!isDone) {
      const asked = performance.now();
      socket.write('{"request":"sas"}\n');
      await lines.next();
      longest = Math.max(longest, performance.now() - asked);
      await sleep(PAUSE);
    }
  };
  const asked = asking();
  try {
    await work();
  } finally {
    isDone = true;
    await asked;
    socket.destroy();
  }
  return longest;
};

/** Of /proc/pid/stat, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;
/** ms without use of a processor. */
const REST = 300;
/** ms between two questions. */
const PAUSE = 5;
