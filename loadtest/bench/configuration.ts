/**
 * `npm run bench:configuration`: what a large configuration costs a running daemon: as a file at its start, and line by line through its FIFO as ipsecctl(8) writes it.
 * Argument: number of gateways (10000), each with one connection.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfiguration } from '../../src/shared/config/parse.ts';
import { ConfigurationStore } from '../../src/shared/config/store.ts';
import { addressOf, fileOf, handwrittenFileOf, peerOf, ruleOf } from '../configuration/generate.ts';
import { Daemon, DaemonFault, freePort } from '../daemon.ts';

const ADDRESS = '127.0.0.1';
const BARE = `[General]\nListen-on=${ADDRESS}\n`;
const LOOK_UPS = 200_000;
/** Of /proc/pid/stat, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** Runs `use` with a daemon that has just become ready, and takes it down afterwards. */
const withDaemon = async (
  name: string,
  configuration: string,
  use: (daemon: Daemon, started: Cost) => Promise<void>,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const ports = { ike: await freePort([ADDRESS]), encapsulated: await freePort([ADDRESS]) };
  const began = performance.now();
  const daemon = new Daemon({ name, folder, configuration, ports });
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

/** ms */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

const cpuOf = ({ pid }: Daemon): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name in parentheses may have blanks; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
};

const residentMegabytes = ({ pid }: Daemon): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

const ask = async (daemon: Daemon, gateway: number): Promise<void> => {
  const answer = await daemon.ask(`C get [${peerOf(gateway)}]:Authentication`);
  if (answer.trim() !== `secret-of-${gateway}`) throw new DaemonFault(`gateway ${gateway} has the secret "${answer}"`);
};

const bareStart = async (): Promise<Cost> => {
  let cost: Cost = { wall: 0, cpu: 0 };
  await withDaemon('bare', BARE, async (_, started) => {
    cost = started;
  });
  return cost;
};

/** The cost is that of a start with the file, less that of a start without. */
const file = async (kind: string, text: string, bare: Cost): Promise<void> => {
  const entries = parseConfiguration(text).entries.length;
  await withDaemon('file', `${BARE}${text}`, async (daemon, started) => {
    console.log(
      `${kind}, ${entries} values, ${(text.length / 1e6).toFixed(1)} MB: loaded in ${(started.wall - bare.wall).toFixed(0)} ms ` +
        `(${(started.cpu - bare.cpu).toFixed(0)} ms CPU); ${residentMegabytes(daemon)} MB resident, ${daemon.log.length} lines logged`,
    );
  });
};

/** One open, write, close for each rule, as ipsecctl does it. */
const provision = async (count: number): Promise<void> => {
  const rules = Array.from({ length: count }, (_, gateway) => ruleOf(gateway));
  const lines = rules.reduce((sum, rule) => sum + rule.split('\n').length - 1, 0);
  await withDaemon('fifo', BARE, async (daemon, started) => {
    const before = residentMegabytes(daemon);
    const began = performance.now();
    for (const rule of rules) {
      const fifo = await open(join(daemon.runDirectory, 'isakmpd.fifo'), 'w');
      await fifo.writeFile(rule);
      await fifo.close();
    }
    await ask(daemon, count - 1);
    const seconds = (performance.now() - began) / 1000;
    const cpu = (cpuOf(daemon) - started.cpu) / 1000;
    console.log(
      `${lines} lines through the FIFO: ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s CPU of the daemon), ${Math.round(lines / seconds)} lines/s; ` +
        `${before} -> ${residentMegabytes(daemon)} MB resident, ${daemon.log.length} lines logged`,
    );
  });
};

const lookUps = (count: number): void => {
  const store = new ConfigurationStore();
  store.load(parseConfiguration(fileOf(count)).entries);
  const addresses = Array.from({ length: count }, (_, gateway) => addressOf(gateway));
  const round = (): void => {
    for (let i = 0; i < LOOK_UPS; i++) {
      const peer = store.peerForAddress(addresses[i % count] ?? '') ?? '';
      if (store.connectionsOf(peer).length !== 1) throw new DaemonFault(`no connection of ${peer}`);
    }
  };
  round();
  const began = performance.now();
  round();
  const microseconds = ((performance.now() - began) * 1000) / LOOK_UPS;
  console.log(`${count} peers: ${microseconds.toFixed(2)} us to find peer and connections of an address`);
};

const count = Number(process.argv[2] ?? '10000');
const bare = await bareStart();
console.log(`start without: ${bare.wall.toFixed(0)} ms (${bare.cpu.toFixed(0)} ms CPU)`);
await file('file as written by hand', handwrittenFileOf(count), bare);
await file('file of what ipsecctl writes', fileOf(count), bare);
await provision(count);
for (const peers of [count / 100, count / 10, count]) lookUps(peers);
