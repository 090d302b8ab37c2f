/** The example files of config/ are sound, and what they describe comes up: between daemons on loopback, with addresses and ports of the test. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Daemon, type DaemonOptions, until } from '../../loadtest/daemon.ts';
import { checkConfiguration } from '../../src/main/cli/check.ts';
import { freePorts, type Ports, spawnDaemon, testFolder } from '../helpers/daemon-process.ts';

const FILES = readdirSync('config', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.conf'))
  .map((file) => join('config', file))
  .sort();

test('there are examples', () => {
  assert.deepEqual(
    FILES.map((file) => file.slice('config/'.length)),
    [
      'hub-and-spokes/hub.conf',
      'hub-and-spokes/spoke-1.conf',
      'hub-and-spokes/spoke-2.conf',
      'hub-and-spokes/spoke-3.conf',
      'road-warriors/gateway-by-policy.conf',
      'road-warriors/gateway.conf',
      'road-warriors/warrior.conf',
      'site-to-site/east.conf',
      'site-to-site/west.conf',
    ],
  );
});

for (const file of [...FILES, 'config/isakmpd.conf.example']) {
  test(`--check has nothing to say about ${file}`, async (t) => {
    const copy = join(testFolder(t), 'isakmpd.conf');
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    let output = '';
    const status = await checkConfiguration(copy, { write: (text) => (output += text) });
    assert.deepEqual({ output, status }, { output: '', status: 0 });
  });
}

/** Addresses of the examples, and where they are in the test. */
const ADDRESSES = new Map([
  ['192.0.2.1', '127.0.0.1'],
  ['198.51.100.1', '127.0.0.2'],
  ['198.51.100.2', '127.0.0.3'],
  ['198.51.100.3', '127.0.0.4'],
]);

/** The text of an example with addresses of loopback, and the port for every peer that has an address. */
const onLoopback = (file: string, { ike }: Ports, more: (text: string) => string): string => {
  let text = readFileSync(join('config', file), 'utf8');
  for (const [from, to] of ADDRESSES) text = text.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), to);
  return more(text.replaceAll(/^(Phase=\s+1\nAddress=.*)$/gm, `$1\nPort=${ike}`));
};

const starter = async (t: TestContext) => {
  const ports = await freePorts([...ADDRESSES.values()]);
  const folder = testFolder(t);
  return async (
    name: string,
    file: string,
    more: (text: string) => string = (text) => text,
    options: Partial<DaemonOptions> = {},
  ): Promise<Daemon> => {
    const configuration = onLoopback(file, ports, more);
    const daemon = spawnDaemon(t, { name, folder, ports, configuration, ...options });
    await daemon.ready();
    return daemon;
  };
};

const QUICK_MODE_DONE = 'isakmpd: quick mode done';

/** The responder has its SAs only with the last message, later than the initiator. */
const hasDone = (daemon: Daemon, quickModes: number) =>
  until(`${quickModes} quick modes of ${daemon.name}`, () => daemon.count(QUICK_MODE_DONE) >= quickModes || undefined);

const countOf = (text: string, part: RegExp): number => text.match(part)?.length ?? 0;

/** How many IPsec SAs of this name it has. */
const pairsOf = async (daemon: Daemon, name: string): Promise<number> =>
  countOf(await daemon.ask('S'), new RegExp(`^SA name: ${name} \\(Phase 2\\)`, 'gm'));

test('site-to-site: both gateways have the tunnel', async (t) => {
  const start = await starter(t);
  const west = await start('west', 'site-to-site/west.conf');
  const east = await start('east', 'site-to-site/east.conf');
  await Promise.all([hasDone(east, 1), hasDone(west, 1)]);
  assert.ok((await pairsOf(east, 'east-to-west')) >= 1);
  assert.ok((await pairsOf(west, 'west-to-east')) >= 1);
});

test('hub-and-spokes: the hub has a tunnel with each of the three spokes', async (t) => {
  const start = await starter(t);
  const hub = await start('hub', 'hub-and-spokes/hub.conf');
  const spokes = await Promise.all([1, 2, 3].map((n) => start(`spoke-${n}`, `hub-and-spokes/spoke-${n}.conf`)));
  await Promise.all([hasDone(hub, 3), ...spokes.map((spoke) => hasDone(spoke, 1))]);
  for (const spoke of spokes) assert.equal(await pairsOf(spoke, 'spoke-to-hub'), 1);
  for (const n of [1, 2, 3]) assert.equal(await pairsOf(hub, `hub-to-spoke-${n}`), 1);
});

type Start = Awaited<ReturnType<typeof starter>>;

const warriorAt = (start: Start, name: string, address: string, inner: string): Promise<Daemon> =>
  start(name, 'road-warriors/warrior.conf', (text) =>
    `[General]\nListen-on=${address}\n${text}`.replace('alice@', `${name}@`).replace('10.9.0.1', inner),
  );

test('road-warriors: the gateway has tunnels with two warriors whose addresses it does not know', async (t) => {
  const start = await starter(t);
  const gateway = await start('gateway', 'road-warriors/gateway.conf');
  const alice = await warriorAt(start, 'alice', '127.0.0.2', '10.9.0.1');
  const bob = await warriorAt(start, 'bob', '127.0.0.3', '10.9.0.2');
  await Promise.all([hasDone(gateway, 2), hasDone(alice, 1), hasDone(bob, 1)]);
  assert.equal(await pairsOf(alice, 'to-office'), 1);
  assert.equal(await pairsOf(bob, 'to-office'), 1);
  assert.equal(await pairsOf(gateway, 'warriors-to-office'), 2);
});

test('road-warriors: where the policy says who may have which address, each warrior gets its own and no other', async (t) => {
  const start = await starter(t);
  const policy = join(testFolder(t), 'warriors.policy');
  copyFileSync('config/road-warriors/warriors.policy', policy);
  chmodSync(policy, 0o600);
  const gateway = await start(
    'gateway',
    'road-warriors/gateway-by-policy.conf',
    (text) => text.replace('/etc/isakmpd/warriors.policy', policy),
    { words: ['-d', '-v', '-n', '-4'] },
  );
  const alice = await warriorAt(start, 'alice', '127.0.0.2', '10.9.0.1');
  await Promise.all([hasDone(gateway, 1), hasDone(alice, 1)]);
  const bob = await warriorAt(start, 'bob', '127.0.0.3', '10.9.0.7');
  await bob.saw('INVALID_ID_INFORMATION');
  assert.equal(gateway.count('quick mode refused by the policy'), 1);
  assert.equal(await pairsOf(gateway, '\\[warriors\\]10\\.1\\.0\\.0/255\\.255\\.0\\.0-10\\.9\\.0\\.1'), 1);
});
