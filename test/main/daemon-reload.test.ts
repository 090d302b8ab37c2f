/** HUP and R on running daemons. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, startAlone, startPair, testFolder } from '../helpers/daemon-process.ts';

const fileOf = (daemon: Daemon): string => join(daemon.runDirectory, 'isakmpd.conf');

/** Rewrites a daemon's configuration file. */
const edit = (daemon: Daemon, change: (text: string) => string): void => {
  writeFileSync(fileOf(daemon), change(readFileSync(fileOf(daemon), 'utf8')));
};

/** The daemon has been told to read its file again, and has. */
const reload = async (daemon: Daemon, times = 1): Promise<void> => {
  daemon.signal('SIGHUP');
  await until('the reload', () => daemon.count('reload: peers: ') >= times || undefined);
};

test('HUP logs its two lines, reads the file again and voids what was set through the FIFO', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('C set [General]:Retransmits=7 force');
  daemon.command('C set [new]:tag=value');
  assert.equal(await daemon.ask('C get [General]:Retransmits'), '7\n');
  edit(daemon, (text) => `${text}\n[file]\ntag=changed\n`);
  await reload(daemon);
  const lines = daemon.log.map((line) => line.replace(/^\S+ Default /, ''));
  const at = lines.indexOf('SIGHUP received');
  assert.deepEqual(lines.slice(at, at + 2), ['SIGHUP received', 'isakmpd: reinitializing daemon']);
  assert.equal(await daemon.ask('C get [General]:Retransmits'), '3\n');
  assert.equal(await daemon.ask('C get [new]:tag'), '');
  assert.equal(await daemon.ask('C get [file]:tag'), 'changed\n');
});

test('R does the same without the line about the signal, and the next command finds the new configuration', async (t) => {
  const { daemon } = await startAlone(t);
  edit(daemon, (text) => `${text}\n[file]\ntag=changed\n`);
  daemon.command('R');
  assert.equal(await daemon.ask('C get [file]:tag'), 'changed\n');
  assert.equal(daemon.count('isakmpd: reinitializing daemon'), 1);
  assert.equal(daemon.count('SIGHUP'), 0);
});

test('without a file, HUP leaves what was set through the FIFO', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('C set [ours]:tag=value');
  rmSync(fileOf(daemon));
  daemon.signal('SIGHUP');
  await daemon.saw('isakmpd.conf is not there: what was set through the FIFO stays');
  assert.equal(await daemon.ask('C get [ours]:tag'), 'value\n');
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

test('a file that is insecure, broken or no text leaves everything as it was, and it is said why', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('C set [ours]:tag=value');
  const faults: readonly (readonly [() => void, string])[] = [
    [() => chmodSync(fileOf(daemon), 0o640), 'isakmpd.conf is not read: group or others have access to it'],
    [
      () => {
        chmodSync(fileOf(daemon), 0o600);
        writeFileSync(fileOf(daemon), Uint8Array.of(0x5b, 0xff, 0x5d, 0x0a));
      },
      'isakmpd.conf is not read: line 1 is not UTF-8 text',
    ],
    [() => writeFileSync(fileOf(daemon), '[General\nListen-on=127.0.0.1\n'), 'lines that cannot be read'],
    [() => writeFileSync(fileOf(daemon), '[General]\nRetransmits=many\n'), '[General]:Retransmits'],
    [
      () => writeFileSync(fileOf(daemon), '[General]\nListen-on=10.0.0.300\n'),
      '[General]:Listen-on cannot be "10.0.0.300"',
    ],
  ];
  for (const [spoil, reason] of faults) {
    spoil();
    const before = daemon.count('isakmpd: nothing was reloaded, the configuration stays as it was');
    daemon.signal('SIGHUP');
    await daemon.saw(reason);
    await until('the refusal', () => daemon.count('isakmpd: nothing was reloaded') > before || undefined);
  }
  assert.equal(await daemon.ask('C get [ours]:tag'), 'value\n');
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

test('Logverbose can be switched on and off by HUP (behaviour O13)', async (t) => {
  const pair = await startPair(t, undefined, { words: ['-d', '-n', '-K', '-4'] });
  const [left] = pair;
  edit(left, (text) => text.replace('[General]', '[General]\nLogverbose=yes'));
  await reload(left);
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  edit(left, (text) => text.replace('Logverbose=yes', ''));
  await reload(left, 2);
  left.command('t tunnel');
  left.command('c tunnel');
  while (!/^SPI 1: [0-9a-f]{8}/m.test(await left.ask('S'))) assert.equal(left.count('isakmpd: exit'), 0);
  assert.equal(left.count('isakmpd: quick mode done'), 1);
});

test('a changed secret on both sides has phase 1 and the tunnel made anew at once', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  left.command('c tunnel');
  await right.saw('isakmpd: quick mode done (as responder)');
  const before = spis(await left.ask('S'));
  for (const daemon of [right, left]) edit(daemon, (text) => text.replace('a secret of tests', 'another secret'));
  // The passive side first: it begins as well, and whoever is early tries again.
  await Promise.all(pair.map((daemon) => reload(daemon)));
  for (const daemon of pair)
    await daemon.saw('reload: peer peer changed (Authentication): its SAs are negotiated anew now');
  for (;;) {
    const now = spis(await left.ask('S'));
    if (now.some((spi) => !before.includes(spi))) break;
  }
});

test('a changed secret of an identity has the tunnel of the peer that uses it made anew', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  const byIdentity = '[127.0.0.1]\nAuthentication=one of an identity\n[127.0.0.2]\nAuthentication=one of an identity\n';
  for (const daemon of pair) {
    edit(daemon, (text) =>
      text.replace('Authentication=a secret of tests', '').replace('ID_PROT', 'AGGRESSIVE').concat(byIdentity),
    );
  }
  await Promise.all(pair.map((daemon) => reload(daemon)));
  left.command('c tunnel');
  await right.saw('isakmpd: quick mode done (as responder)');
  const before = spis(await left.ask('S'));
  for (const daemon of pair) edit(daemon, (text) => text.replaceAll('one of an identity', 'another of an identity'));
  await Promise.all([right, left].map((daemon) => reload(daemon, 2)));
  await left.saw('reload: the secret of 127.0.0.2 changed: the SAs of peers that use it are negotiated anew now');
  await until('a new tunnel', () => left.count('isakmpd: quick mode done') > 1 || undefined);
  const after = spis(await left.ask('S'));
  assert.ok(
    after.some((spi) => !before.includes(spi)),
    `${before} ${after}`,
  );
});

const spis = (listing: string): readonly string[] =>
  [...listing.matchAll(/^SPI \d: (\S{8})/gm)].map(([, spi]) => spi ?? '');

test('many HUPs in a row become few reloads, and the daemon goes on', async (t) => {
  const { daemon } = await startAlone(t);
  for (let i = 0; i < 200; i++) daemon.signal('SIGHUP');
  await reload(daemon);
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

test('HUP during the start waits until the daemon is up', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const daemon = spawnDaemon(t, { name: 'early', folder: testFolder(t), configuration, ports });
  await daemon.saw('isakmpd: starting');
  daemon.signal('SIGHUP');
  await daemon.saw('reload: peers: 0 changed, 0 new, 0 gone; connections: 0 new, 0 gone');
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

test('a connection that the file no longer lists is told as gone, and its SAs stay', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  left.command('c tunnel');
  await right.saw('isakmpd: quick mode done (as responder)');
  edit(right, (text) => text.replace('Passive-connections=tunnel', ''));
  await reload(right);
  assert.equal(right.count('reload: connection tunnel is gone: its SAs are not renewed and end when they expire'), 1);
  assert.equal(spis(await right.ask('S')).length, 2);
});
