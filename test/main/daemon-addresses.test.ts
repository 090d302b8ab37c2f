import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { until } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, startAlone, testFolder } from '../helpers/daemon-process.ts';

/** A network namespace of its own with lo up, or undefined where this process may not make one. */
const namespaceOf = (t: TestContext): string | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const name = `isakmpd-test-${randomBytes(4).toString('hex')}`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  t.after(() => execFileSync('ip', ['netns', 'del', name]));
  ip(name, 'link', 'set', 'lo', 'up');
  return name;
};

const ip = (namespace: string, ...words: readonly string[]): void => {
  execFileSync('ip', ['-n', namespace, ...words]);
};

test('a daemon whose only address is not there starts, takes commands, and says what it waits for', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const options = {
    name: 'waiting',
    folder: testFolder(t),
    configuration: '[General]\nListen-on=203.0.113.9\n',
    ports,
  };
  const daemon = spawnDaemon(t, options);
  await daemon.ready();
  assert.equal(daemon.count('[General]:Listen-on has 203.0.113.9, but this host has no such address yet'), 1);
  assert.equal(daemon.count('there is no address to listen on yet'), 1);
  assert.match(await daemon.ask('C get [General]:Listen-on'), /203\.0\.113\.9/);
});

test('addresses and interfaces that come and go are followed by a running daemon', async (t) => {
  const namespace = namespaceOf(t);
  if (namespace === undefined) return t.skip('needs root and ip(8) to make a network namespace');
  const inside = ['ip', 'netns', 'exec', namespace];
  const { daemon, ports } = await startAlone(t, '', {
    inside,
    configuration: '[General]\nListen-on=127.0.0.1, 192.0.2.100, dummy7\n',
  });
  /** Local addresses of the daemon's IPv4 sockets on its own port, as the kernel lists them. */
  const bound = (): readonly string[] => {
    const suffix = `:${ports.ike.toString(16).toUpperCase().padStart(4, '0')}`;
    const sockets = readFileSync(`/proc/${daemon.pid}/net/udp`, 'latin1').split('\n');
    const ends = sockets.flatMap((line) => line.trim().split(/\s+/).at(1) ?? []);
    const hex = ends.filter((end) => end.endsWith(suffix)).map((end) => end.slice(0, 8));
    return hex.map((word) => [...Buffer.from(word, 'hex')].reverse().join('.')).toSorted();
  };
  const follows = async (...addresses: readonly string[]): Promise<void> => {
    await until(`sockets on ${addresses.join()}`, () => bound().join() === addresses.join() || undefined);
  };
  await follows('127.0.0.1');
  ip(namespace, 'address', 'add', '192.0.2.100/32', 'dev', 'lo');
  await follows('127.0.0.1', '192.0.2.100');
  ip(namespace, 'link', 'add', 'dummy7', 'type', 'veth', 'peer', 'name', 'dummy8');
  ip(namespace, 'address', 'add', '198.51.100.1/24', 'dev', 'dummy7');
  ip(namespace, 'link', 'set', 'dummy8', 'up');
  ip(namespace, 'link', 'set', 'dummy7', 'up');
  await follows('127.0.0.1', '192.0.2.100', '198.51.100.1');
  ip(namespace, 'address', 'del', '192.0.2.100/32', 'dev', 'lo');
  await follows('127.0.0.1', '198.51.100.1');
  ip(namespace, 'link', 'del', 'dummy7');
  await follows('127.0.0.1');
  assert.equal(daemon.count('Listen-on has 192.0.2.100, but this host has no such address yet'), 2);
});
