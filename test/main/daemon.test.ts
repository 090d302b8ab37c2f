/** The daemon as a process: how it starts, what it refuses, how it ends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts, spawnDaemon, startAlone, startPair, testFolder } from '../helpers/daemon-process.ts';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'bin', 'isakmpd');

/** Runs the program until it ends by itself. */
const run = (t: TestContext, words: readonly string[]) => {
  const folder = testFolder(t);
  const argv = [PROGRAM, '--run-dir', folder, '-c', join(folder, 'isakmpd.conf'), ...words];
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 20_000 });
  return { status, stderr, left: readdirSync(folder) };
};

test('refuses what is not there yet, and options that nobody knows, with status 1 and without leaving anything behind', (t) => {
  const cases: readonly [readonly string[], RegExp][] = [
    [['-d', '-K'], /no kernel here takes IPsec SAs .*run without IPsec with -n/],
    [['-d', '-n'], /isakmpd\.policy is not there: write a policy .* or use -K/],
    [['-K'], /^isakmpd: no kernel here takes IPsec SAs .*run without IPsec with -n.*\n$/],
    [['-d', '-n', '-K', '--no-such-option'], /no-such-option/],
    [['-d', '-n', '-K', '-Z'], /Z/],
    [['-d', '-n', '-K', '-p', '99'], /-p: /],
    [['-d', '-n', '-K', '--workers', '0'], /--workers: a number from 1 to 128 is needed/],
  ];
  for (const [words, reason] of cases) {
    const { status, stderr, left } = run(t, words);
    assert.equal(status, 1, words.join(' '));
    assert.match(stderr, reason);
    assert.deepEqual(left, []);
  }
});

test('runs on unprivileged ports out of a run directory of its own, with FIFO and pid file', async (t) => {
  const { daemon } = await startAlone(t);
  assert.equal(readFileSync(join(daemon.runDirectory, 'isakmpd.pid'), 'utf8'), `${daemon.pid}\n`);
  const fifo = statSync(join(daemon.runDirectory, 'isakmpd.fifo'));
  assert.ok(fifo.isFIFO());
  assert.equal(fifo.mode & 0o777, 0o600);
});

const RUN_FILES = ['isakmpd.fifo', 'isakmpd.pid'];

test('TERM ends it with status 0 and removes FIFO and pid file', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.signal('SIGTERM');
  assert.equal(await daemon.ended, 0);
  for (const file of RUN_FILES) assert.ok(!existsSync(join(daemon.runDirectory, file)), file);
  assert.match(daemon.log.at(-1) ?? '', /isakmpd: exit$/);
});

test('INT is a clean end with exactly one -d', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.signal('SIGINT');
  assert.equal(await daemon.ended, 0);
  for (const file of RUN_FILES) assert.ok(!existsSync(join(daemon.runDirectory, file)), file);
});

test('INT ends it at once with two -d', async (t) => {
  const { daemon } = await startAlone(t, '', { words: ['-d', '-d', '-n', '-K', '-4'] });
  daemon.signal('SIGINT');
  assert.equal(await daemon.ended, null);
  assert.ok(!daemon.log.some((line) => line.includes('exit')));
});

test('Q ends it like TERM', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('Q');
  assert.equal(await daemon.ended, 0);
  assert.ok(!existsSync(join(daemon.runDirectory, 'isakmpd.fifo')));
});

test('a port that is taken ends the start with a line that names address, port and reason', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const other = createSocket('udp4');
  t.after(() => other.close());
  other.bind(ports.ike, '127.0.0.1');
  await once(other, 'listening');
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const daemon = spawnDaemon(t, { name: 'late', folder: testFolder(t), configuration, ports });
  assert.equal(await daemon.ended, 1);
  const line = `cannot listen on 127.0.0.1 port ${ports.ike}: `;
  assert.equal(daemon.count(line), 1, daemon.log.join('\n'));
  assert.equal(daemon.count('EADDRINUSE'), 1);
  assert.deepEqual(readdirSync(daemon.runDirectory), ['isakmpd.conf']);
});

test('behaviour 1.8 Listen-on: where not one of its members can be, the daemon does not start and names them', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const configuration = '[General]\nListen-on=127.0.0.300, 10.0.0.1/8\n';
  const daemon = spawnDaemon(t, { name: 'nowhere', folder: testFolder(t), configuration, ports });
  assert.equal(await daemon.ended, 1);
  assert.match(
    daemon.log.at(-1) ?? '',
    /\[General\]:Listen-on cannot be "127\.0\.0\.300, 10\.0\.0\.1\/8": it is a list/,
  );
  assert.equal(daemon.count('isakmpd: starting'), 0);
});

test('a member of Listen-on that cannot be is left out where another one can', async (t) => {
  const { daemon, ports } = await startAlone(t, '', { configuration: '[General]\nListen-on=127.0.0.300, 127.0.0.1\n' });
  assert.equal(daemon.count('[General]:Listen-on has the member "127.0.0.300", which is ignored'), 1);
  daemon.command('r');
  await daemon.saw(`udp_report: fd 1 src 127.0.0.1:${ports.ike} `);
});

test('threats "config/keys mode check": a configuration that others may read is not loaded, and it says so', async (t) => {
  const { daemon } = await startAlone(t, '', { configurationMode: 0o640 });
  await daemon.saw('isakmpd.conf is not read: group or others have access to it');
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '');
});

test('threats "SIGUSR1": during the start it opens no debugger and is answered later', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const daemon = spawnDaemon(t, { name: 'early', folder: testFolder(t), configuration, ports });
  await daemon.saw('isakmpd: starting');
  daemon.signal('SIGUSR1');
  await daemon.saw('SIGUSR1 received');
  const socket = connect(9229, '127.0.0.1');
  const [fault] = await once(socket, 'error');
  assert.equal(fault.code, 'ECONNREFUSED');
  daemon.signal('SIGTERM');
  assert.equal(await daemon.ended, 0);
});

test('TERM during the start is a clean end', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const daemon = spawnDaemon(t, { name: 'short', folder: testFolder(t), configuration, ports });
  await daemon.saw('isakmpd: starting');
  daemon.signal('SIGTERM');
  assert.equal(await daemon.ended, 0);
  assert.deepEqual(readdirSync(daemon.runDirectory), ['isakmpd.conf']);
});

test('a peer with Blowfish has it start again with the legacy provider, and Blowfish then works', async (t) => {
  const [left, right] = await startPair(t, undefined, { transform: 'BLF-SHA-GRP5' });
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  await right.saw('isakmpd: quick mode done (as responder)');
});

test('Logverbose in [General] reports completed negotiations as -v does, and without either nothing does', async (t) => {
  const words = ['-d', '-n', '-K', '-4'];
  for (const general of ['Logverbose=yes', '']) {
    const [left, right] = await startPair(t, undefined, { words, general });
    left.command('c tunnel');
    while (!/^SPI 1: [0-9a-f]{8}/m.test(await left.ask('S'))) assert.equal(left.log.at(-1)?.includes('exit'), false);
    for (const daemon of [left, right]) daemon.command('Q');
    assert.deepEqual(await Promise.all([left.ended, right.ended]), [0, 0]);
    assert.equal(
      left.log.some((line) => line.includes('isakmpd: quick mode done')),
      general !== '',
    );
  }
});
