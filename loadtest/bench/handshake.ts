/**
 * `npm run bench`: handshakes (main mode and quick mode without PFS) between two of our daemons on loopback, each with one lane; CPU time of
 * each side per handshake, by thread. The first handshakes warm up and are not counted. Arguments: number of handshakes (1000), groups (14 19), `rsa` for
 * certificates in place of a pre-shared key;
 * `--profile` has Node write a .cpuprofile of each thread of both sides into the current folder; other options are for Node.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, until } from '../daemon.ts';
import { writeCertificates } from './certificates.ts';
import { freeGatewayPorts, gatewayCertificates, initiator, responder } from './gateways.ts';

/** User and system CPU time so far, ms. */
interface Cpu {
  readonly all: number;
  readonly main: number;
  /** The busiest of the other threads: the lane. The rest compiles and collects garbage for both. */
  readonly lane: number;
}

const cpuOf = (pid: number): Cpu => {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => cpuIn(`/proc/${pid}/task/${thread}/stat`));
  const main = cpuIn(`/proc/${pid}/task/${pid}/stat`);
  const [first = 0, second = 0] = threads.toSorted((a, b) => b - a);
  return { all: cpuIn(`/proc/${pid}/stat`), main, lane: main === first ? second : first };
};

const cpuIn = (file: string): number => {
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
};
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What `count` handshakes cost each, by name. */
const perHandshake = (count: number, before: Cpu, after: Cpu): string => {
  const each = (part: keyof Cpu): string => ((after[part] - before[part]) / count).toFixed(3);
  return `${each('all')} (main ${each('main')}, lane ${each('lane')})`;
};

const measure = async (
  { count, group, usesRsa }: { readonly count: number; readonly group: string; readonly usesRsa: boolean },
  nodeOptions: readonly string[],
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const ports = await freeGatewayPorts();
  const all = WARM_UP + count;
  const begin = (name: string, configuration: string) =>
    new Daemon({ name, folder, configuration, ports, nodeOptions });
  const side = { count: all, group, port: ports.ike, general: KEEP };
  const certificates = writeCertificates(folder, usesRsa ? await gatewayCertificates(all) : undefined);
  const left = begin('initiator', initiator({ ...side, certificates: certificates.initiator }));
  const right = begin('responder', responder({ ...side, certificates: certificates.responder }));
  const shake = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) left.command(`c net-${i}`);
    const isDone = (): true | undefined => right.count('quick mode done (as responder)') >= to || undefined;
    await until(`handshake ${to} of ${all}`, isDone, 600_000);
  };
  try {
    await Promise.all([left.ready(), right.ready()]);
    await shake(0, WARM_UP);
    const before = [cpuOf(left.pid), cpuOf(right.pid)] as const;
    const start = performance.now();
    await shake(WARM_UP, all);
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `group ${group}, ${usesRsa ? 'RSA-2048' : 'pre-shared key'}: ${count} handshakes in ${seconds.toFixed(1)} s; CPU ms per handshake: ` +
        `initiator ${perHandshake(count, before[0], cpuOf(left.pid))}, responder ${perHandshake(count, before[1], cpuOf(right.pid))}`,
    );
    for (const daemon of [left, right]) daemon.command('Q');
    await Promise.all([left.ended, right.ended]);
  } finally {
    for (const daemon of [left, right]) daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

const WARM_UP = 1000;
/** The end is not measured. */
const KEEP = 'Delete-SAs=no';

const words = process.argv.slice(2);
const [count = '1000', ...groups] = words.filter((word) => /^\d+$/.test(word));
const options = words.filter((word) => word.startsWith('--'));
const nodeOptions = options.flatMap((word) =>
  word === '--profile' ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : word,
);
const usesRsa = words.includes('rsa');
for (const group of groups.length === 0 ? ['14', '19'] : groups) {
  await measure({ count: Number(count), group, usesRsa }, nodeOptions);
}
