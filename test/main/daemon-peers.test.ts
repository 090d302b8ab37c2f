/** Two daemons as processes with each other, in other circumstances than the demo's. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { startPair } from '../helpers/daemon-process.ts';

/** Both daemons have completed this many quick modes. */
const quickModes = async (count: number, daemons: readonly Daemon[]): Promise<void> => {
  for (const daemon of daemons) {
    await until('the quick mode', () => daemon.count('isakmpd: quick mode done') >= count || undefined);
  }
};

test('two daemons on the IPv6 loopback address', async (t) => {
  const all = Object.values(networkInterfaces()).flat();
  if (!all.some((entry) => entry?.address === '::1')) return t.skip('there is no IPv6 loopback address');
  const sides = [
    { name: 'left', address: '::1' },
    { name: 'right', address: '::1' },
  ] as const;
  const pair = await startPair(t, sides, { words: ['-d', '-v', '-n', '-K', '-6'] });
  const [left, right] = pair;
  left.command('c tunnel');
  await quickModes(1, pair);
  assert.match(await right.ask('S'), /^src: ::1 dst: ::1$/m);
});

test('--workers 2: handshakes work on whichever lane they fall', async (t) => {
  const pair = await startPair(t, undefined, { workers: 2 });
  const [left] = pair;
  const rounds = 6;
  for (let round = 1; round <= rounds; round++) {
    left.command('c tunnel');
    await quickModes(round, pair);
    left.command('t tunnel');
    left.command('t main peer');
    await until('phase 1 to go', () => pair[1].count('made us delete live SA peer') >= round || undefined);
  }
  for (const daemon of pair) assert.equal(daemon.count('phase 1 done'), rounds, daemon.log.join('\n'));
});

test('a peer is called by the name of its host, and one whose name nobody knows is told', async (t) => {
  const pair = await startPair(t);
  const [, right] = pair;
  right.command('C set [peer]:Local-address=127.0.0.2 force');
  right.command('C set [peer]:Address=localhost force');
  right.command('c tunnel');
  await quickModes(1, pair);
  right.command('C set [peer]:Address=no-such-host.invalid force');
  right.command('t tunnel');
  right.command('t main peer');
  right.command('c tunnel');
  await right.saw('[peer]:Address names the host no-such-host.invalid, which has no address: ');
  await right.saw('[peer]:Address is missing, or stands for no address now');
});
