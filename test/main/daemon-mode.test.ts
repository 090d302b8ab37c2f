/** Passive mode and the end of running daemons. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, startAlone, startPair } from '../helpers/daemon-process.ts';

const WORDS = ['-d', '-v', '-n', '-K', '-4'];

/** The tunnel between the two is up on both sides. */
const connect = async ([left, right]: readonly [Daemon, Daemon]): Promise<void> => {
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  await right.saw('isakmpd: quick mode done (as responder)');
};

test('E17: started with -S, a connection that is due is a debug line; nothing is sent until M active', async (t) => {
  const ports = await freePorts(['127.0.0.1', '127.0.0.2']);
  const peer = createSocket('udp4');
  t.after(() => peer.close());
  const received: Buffer[] = [];
  peer.on('message', (bytes) => received.push(bytes));
  peer.bind(ports.ike, '127.0.0.2');
  await once(peer, 'listening');
  const configuration = `Loglevel=7=40
[Phase 2]
Connections=tunnel
[peer]
Phase=1
Address=127.0.0.2
Port=${ports.ike}
Authentication=secret
[tunnel]
Phase=2
ISAKMP-peer=peer
Local-ID=one
Remote-ID=other
[one]
ID-type=IPV4_ADDR
Address=10.0.0.1
[other]
ID-type=IPV4_ADDR
Address=10.0.0.2
`;
  const { daemon } = await startAlone(t, configuration, { words: [...WORDS, '-S'], ports });
  await daemon.saw('Exch 40 exchange_establish: connection tunnel is due, but the daemon is passive');
  assert.equal(await daemon.ask('S'), '');
  assert.equal(received.length, 0);
  daemon.command('M active');
  await until('the first message', () => received[0]);
});

test('fifo-clients sasyncd: a passive daemon looks at nothing that peers send, and is there again with M active', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  right.command('M passive');
  await right.caughtUp();
  assert.equal(await right.ask('S'), '');
  left.command('c tunnel');
  while ((await left.ask('S')) === '') assert.equal(left.count('isakmpd: exit'), 0);
  assert.equal(await right.ask('S'), '');
  right.command('M active');
  await right.caughtUp();
  await left.saw('isakmpd: quick mode done');
});

test('E23: TERM tells the peer of every SA and leaves no file behind', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  await connect(pair);
  left.signal('SIGTERM');
  assert.equal(await left.ended, 0);
  await right.saw('made us delete live SA tunnel for proto 3');
  await right.saw('made us delete live SA peer for proto 1');
  const said = left.log.map((line) => line.replace(/^\S+ Default /, ''));
  assert.deepEqual(said.slice(-2), ['isakmpd: shutting down...', 'isakmpd: exit']);
  for (const file of ['isakmpd.fifo', 'isakmpd.pid']) assert.ok(!existsSync(join(left.runDirectory, file)), file);
  assert.equal(await right.ask('S'), '');
});

test('Q says so first', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('Q x');
  await daemon.saw('ui_shutdown_daemon: command "Q x" malformed');
  daemon.command('Q');
  assert.equal(await daemon.ended, 0);
  const said = daemon.log.map((line) => line.replace(/^\S+ Default /, ''));
  assert.deepEqual(said.slice(-3), [
    'ui_shutdown_daemon: received shutdown command',
    'isakmpd: shutting down...',
    'isakmpd: exit',
  ]);
});

const sas = (listing: string): number => [...listing.matchAll(/^SA name: /gm)].length;

test('E24: with -S the peer hears of no end and keeps its SAs', async (t) => {
  const pair = await startPair(t, undefined, { words: [...WORDS, '-S'] });
  for (const daemon of pair) daemon.command('M active');
  const [left, right] = pair;
  await connect(pair);
  left.signal('SIGTERM');
  assert.equal(await left.ended, 0);
  assert.equal(sas(await right.ask('S')), 2);
  assert.equal(right.count('made us delete'), 0);
});

test('Delete-SAs=no does the same; removed through the FIFO it has its default (behaviour O17)', async (t) => {
  const pair = await startPair(t, undefined, { general: 'Delete-SAs=no' });
  const [left, right] = pair;
  await connect(pair);
  left.command('C rm [General]:Delete-SAs');
  left.command('C rm [General]:Use-Keynote');
  left.command('Q');
  assert.equal(await left.ended, 0);
  await right.saw('made us delete live SA tunnel for proto 3');
  right.command('Q');
  assert.equal(await right.ended, 0);
});

test('a second TERM ends a daemon at once that is telling its peers goodbye', async (t) => {
  const pair = await startPair(t);
  const [left] = pair;
  await connect(pair);
  left.signal('SIGTERM');
  left.signal('SIGTERM');
  assert.equal(await left.ended, 0);
  assert.ok(!existsSync(join(left.runDirectory, 'isakmpd.fifo')));
  assert.match(left.log.at(-1) ?? '', /isakmpd: exit$/);
});

test('fifo-clients isakctl-reload: down and up again leaves one tunnel', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  await connect(pair);
  left.command('t tunnel');
  await right.saw('made us delete live SA tunnel');
  left.command('c tunnel');
  await until('the second quick mode', () => left.count('isakmpd: quick mode done') >= 2 || undefined);
  await until('its other end', () => right.count('isakmpd: quick mode done (as responder)') >= 2 || undefined);
  for (const daemon of pair) assert.equal((await daemon.ask('S')).match(/Phase 2/g)?.length, 1);
});
