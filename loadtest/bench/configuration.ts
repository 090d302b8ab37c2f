/**
 * `npm run bench:configuration`: what a large configuration costs a running daemon: as a file at its start and at a SIGHUP, and line by line through its FIFO as
 * ipsecctl(8) writes it. Argument: number of gateways (10000), each with one connection.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfiguration } from '../../src/shared/config/parse.ts';
import { ConfigurationStore } from '../../src/shared/config/store.ts';
import { addressOf, fileOf, handwrittenFileOf, peerOf, ruleOf } from '../configuration/generate.ts';
import { type Daemon, DaemonFault, until } from '../daemon.ts';
import { type Cost, cpuOf, longestStall, residentMegabytes, untilAtRest, withDaemon } from './observed-daemon.ts';

const ADDRESS = '127.0.0.1';
const BARE = `[General]\nListen-on=${ADDRESS}\n`;
const PASSIVE_WORDS = ['-d', '-v', '-n', '-K', '-4', '-S'];
const LOOK_UPS = 200_000;
const GETS = 2000;

const textOf = ({ wall, cpu }: Cost): string => `${wall.toFixed(0)} ms (${cpu.toFixed(0)} ms CPU)`;
const lessThan = (cost: Cost, other: Cost): Cost => ({ wall: cost.wall - other.wall, cpu: cost.cpu - other.cpu });

const ask = async (daemon: Daemon, gateway: number): Promise<void> => {
  const answer = await daemon.ask(`C get [${peerOf(gateway)}]:Authentication`);
  if (answer.trim() !== `secret-of-${gateway}`) throw new DaemonFault(`gateway ${gateway} has the secret "${answer}"`);
};

/** ms for one `C get` of many in a row, the last of which has an answer of its own. */
const getTime = async (daemon: Daemon): Promise<number> => {
  const result = join(daemon.runDirectory, 'isakmpd.result');
  const began = performance.now();
  daemon.command(`${'C get [General]:Exchange-max-time\n'.repeat(GETS - 1)}C get [General]:Retransmits`);
  await until('the last answer', () => (existsSync(result) && readFileSync(result, 'utf8') === '3\n') || undefined);
  return (performance.now() - began) / GETS;
};

const bareStart = async (): Promise<Cost> => {
  let cost: Cost = { wall: 0, cpu: 0 };
  await withDaemon({ name: 'bare', configuration: BARE, address: ADDRESS }, async (daemon, started) => {
    cost = started;
    const rest = await untilAtRest(daemon);
    console.log(`start without: ready after ${textOf(started)}, at rest ${textOf(rest)} later`);
    console.log(`C get without: ${(await getTime(daemon)).toFixed(3)} ms each`);
  });
  return cost;
};

/** The cost until ready is that of a start with the file, less that of a start without; it waits for all policies, five seconds at most. */
const file = async (kind: string, text: string, bare: Cost): Promise<void> => {
  const configuration = `${BARE}${text}`;
  const entries = parseConfiguration(text).entries.length;
  console.log(`${kind}: ${entries} values, ${(text.length / 1e6).toFixed(1)} MB`);
  let rest: Cost = { wall: 0, cpu: 0 };
  await withDaemon({ name: 'file', configuration, address: ADDRESS }, async (daemon, started) => {
    rest = await untilAtRest(daemon);
    console.log(
      `  ready after ${textOf(lessThan(started, bare))}, at rest ${textOf(rest)} later; ` +
        `${residentMegabytes(daemon)} MB resident, ${daemon.log.length} lines logged`,
    );
    console.log(`  C get: ${(await getTime(daemon)).toFixed(3)} ms each`);
    await hangUp(daemon, configuration);
  });
  await withDaemon({ name: 'stalls', configuration, address: ADDRESS }, async (daemon) => {
    // The questions cost something themselves, so that this daemon is never at rest.
    const ofStart = await longestStall(daemon, () => sleep(2 * rest.wall));
    change(daemon, configuration);
    const ofReload = await longestStall(daemon, async () => {
      daemon.signal('SIGHUP');
      await daemon.saw(RELOADED);
      await sleep(rest.wall);
    });
    console.log(`  longest stall: ${ofStart.toFixed(0)} ms after start, ${ofReload.toFixed(0)} ms at the SIGHUP`);
  });
  const passive = { name: 'passive', configuration, address: ADDRESS, words: PASSIVE_WORDS };
  await withDaemon(passive, async (daemon, started) => {
    rest = await untilAtRest(daemon);
    console.log(`  with -S: ready after ${textOf(lessThan(started, bare))}, at rest ${textOf(rest)} later`);
  });
};

/** One secret is another. */
const change = (daemon: Daemon, configuration: string): void => {
  writeFileSync(join(daemon.runDirectory, 'isakmpd.conf'), configuration.replace('secret-of-1\n', 'another-secret\n'));
};
const RELOADED = 'reload: peers: 1 changed, 0 new, 0 gone';

const hangUp = async (daemon: Daemon, configuration: string): Promise<void> => {
  change(daemon, configuration);
  const [began, before] = [performance.now(), cpuOf(daemon)];
  daemon.signal('SIGHUP');
  const at = await daemon.saw(RELOADED);
  const told = { wall: at - began, cpu: cpuOf(daemon) - before };
  const rest = await untilAtRest(daemon);
  console.log(
    `  SIGHUP with one peer changed: told after ${textOf(told)}, at rest ${textOf(rest)} later; ${residentMegabytes(daemon)} MB resident`,
  );
};

/** One open, write, close for each rule, as ipsecctl does it. */
const provision = async (count: number): Promise<void> => {
  const rules = Array.from({ length: count }, (_, gateway) => ruleOf(gateway));
  const lines = rules.reduce((sum, rule) => sum + rule.split('\n').length - 1, 0);
  await withDaemon({ name: 'fifo', configuration: BARE, address: ADDRESS }, async (daemon, started) => {
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
await file('file as written by hand', handwrittenFileOf(count), bare);
await file('file of what ipsecctl writes', fileOf(count), bare);
await provision(count);
for (const peers of [count / 100, count / 10, count]) lookUps(peers);
