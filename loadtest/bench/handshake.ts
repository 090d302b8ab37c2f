/**
 * `npm run bench`: handshakes (main mode and quick mode without PFS) between two of our daemons on loopback, each with one lane; CPU time of
 * each side per handshake, by thread. The first handshakes warm up and are not counted. Arguments: number of handshakes (1000), groups (14 19);
 * `--profile` has Node write a .cpuprofile of each thread of both sides into the current folder; other options are for Node.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, freePort, until } from '../daemon.ts';

const RESPONDER = '127.0.0.2';
/** The initiator stands for this many gateways, each with several users, as a concentrator has them. */
const INITIATORS = Array.from({ length: 250 }, (_, i) => `127.1.0.${i + 1}`);

const gatewayOf = (index: number): number => index % INITIATORS.length;

const common = (group: string): string => `
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP${group}

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA2-256-SUITE
`;

const net = (name: string, second: number, index: number): string => `
[${name}-${index}]
ID-type=IPV4_ADDR_SUBNET
Network=10.${second + (index >> 8)}.${index & 0xff}.0
Netmask=255.255.255.0
`;

const connection = (index: number, peer: string, local: string, remote: string): string => `
[net-${index}]
Phase=2
ISAKMP-peer=${peer}
Configuration=quick-mode
Local-ID=${local}-${index}
Remote-ID=${remote}-${index}
${net('left', 16, index)}${net('right', 64, index)}`;

/** Every peer section stands for the same responder under an identity of its own, so that each needs a phase 1. */
const initiator = (count: number, group: string, port: number): string => {
  const sections = Array.from(
    { length: count },
    (_, i) => `
[peer-${i}]
Phase=1
Address=${RESPONDER}
Local-address=${INITIATORS[gatewayOf(i)]}
Port=${port}
Configuration=main-mode
Authentication=benchmark
ID=id-${i}

[id-${i}]
ID-type=USER_FQDN
Name=user${i}@bench.example
${connection(i, `peer-${i}`, 'left', 'right')}`,
  );
  return `[General]\nDelete-SAs=no\nListen-on=${INITIATORS.join(',')}\n${common(group)}${sections.join('')}`;
};

const responder = (count: number, group: string, port: number): string => {
  const names = Array.from({ length: count }, (_, i) => `net-${i}`);
  const gateways = INITIATORS.map(
    (address, i) => `
[gateway-${i}]
Phase=1
Address=${address}
Port=${port}
Configuration=main-mode
Authentication=benchmark
`,
  );
  const sections = names.map((_, i) => connection(i, `gateway-${gatewayOf(i)}`, 'right', 'left'));
  return `[General]
Delete-SAs=no
Listen-on=${RESPONDER}

[Phase 1]
${INITIATORS.map((address, i) => `${address}=gateway-${i}`).join('\n')}

[Phase 2]
Passive-connections=${names.join(',')}
${common(group)}${gateways.join('')}${sections.join('')}`;
};

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

const measure = async (count: number, group: string, nodeOptions: readonly string[]): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const ike = await freePort([RESPONDER, ...INITIATORS]);
  const ports = { ike, encapsulated: await freePort([RESPONDER, ...INITIATORS]) };
  const all = WARM_UP + count;
  const begin = (name: string, configuration: string) =>
    new Daemon({ name, folder, configuration, ports, nodeOptions });
  const left = begin('initiator', initiator(all, group, ports.ike));
  const right = begin('responder', responder(all, group, ports.ike));
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
      `group ${group}: ${count} handshakes in ${seconds.toFixed(1)} s; CPU ms per handshake: ` +
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

const words = process.argv.slice(2);
const [count = '1000', ...groups] = words.filter((word) => /^\d+$/.test(word));
const options = words.filter((word) => word.startsWith('--'));
const nodeOptions = options.flatMap((word) =>
  word === '--profile' ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : word,
);
for (const group of groups.length === 0 ? ['14', '19'] : groups) await measure(Number(count), group, nodeOptions);
