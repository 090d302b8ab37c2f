/** The commands of the FIFO on a running daemon, and what edits of the configuration do there. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { startAlone, startPair } from '../helpers/daemon-process.ts';

/** Both daemons have completed this many quick modes. */
const quickModes = async (count: number, daemons: readonly Daemon[]): Promise<void> => {
  for (const daemon of daemons) {
    await until('the quick mode', () => daemon.count('isakmpd: quick mode done') >= count || undefined);
  }
};

/** Waits until both daemons list these SAs and no others. */
const listed = async (names: readonly string[], daemons: readonly Daemon[]): Promise<void> => {
  for (const daemon of daemons) {
    const end = performance.now() + 5000;
    for (;;) {
      const found = namesIn(await daemon.ask('S'));
      if (found.join() === names.join()) break;
      assert.ok(performance.now() < end, `${daemon.name}: ${found} and not ${names}`);
    }
  }
};

const namesIn = (listing: string): string[] =>
  [...listing.matchAll(/^SA name: (\S+) \(Phase (\d)/gm)].map(([, name, phase]) => `${name} ${phase}`).toSorted();

test('C get answers into the result file, which others cannot read; S of a daemon without SAs is empty', async (t) => {
  const { daemon } = await startAlone(t);
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
  assert.equal(await daemon.ask('C get [General]:Retransmits'), '3\n');
  assert.equal(await daemon.ask('C get [nowhere]:nothing'), '');
  assert.equal(await daemon.ask('S'), '');
  assert.equal(statSync(join(daemon.runDirectory, 'isakmpd.result')).mode & 0o777, 0o600);
});

test('c of an unknown name gets the line of the original, and nothing else happens', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('c nobody');
  await daemon.saw('Default exchange_establish: peer "nobody" does not have a correct phase (0)');
  assert.equal(await daemon.ask('S'), '');
  assert.equal(daemon.count('nobody'), 2);
});

test('commands for SAs that are not there change nothing', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('d 0123456789abcdef0123456789abcdef -');
  await daemon.saw('ui_delete: command "d 0123456789abcdef0123456789abcdef -" found no SA');
  for (const line of ['t nobody', 't main nobody', 't quick 192.0.2.1', 'T', 'x']) daemon.command(line);
  await daemon.saw("unrecognized command: 'x'");
  assert.equal(await daemon.ask('S'), '');
});

test('E26: T ends the quick modes of both sides and leaves phase 1 to the next one', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  left.command('c tunnel');
  await quickModes(1, pair);
  left.command('T');
  await listed(['peer 1'], pair);
  left.command('c tunnel');
  await quickModes(2, pair);
  assert.equal(right.count('phase 1 done'), 1);
});

test('t ends a connection by its name, t main an ISAKMP SA by its peer, d one by its cookies', async (t) => {
  const pair = await startPair(t);
  const [left] = pair;
  left.command('c tunnel');
  await quickModes(1, pair);
  left.command('t tunnel');
  await listed(['peer 1'], pair);
  left.command('t main peer');
  await listed([], pair);
  left.command('c tunnel');
  await quickModes(2, pair);
  left.command('t tunnel');
  const cookies = /icookie ([0-9a-f]{16}) rcookie ([0-9a-f]{16})/.exec(await left.ask('S'));
  assert.ok(cookies !== null);
  left.command(`d ${cookies[1]}${cookies[2]} -`);
  await listed([], pair);
});

test('an edit of a peer reaches the lanes: the next negotiation goes by the new secret', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  left.command('c tunnel');
  await quickModes(1, pair);
  left.command('t tunnel');
  left.command('t main peer');
  await listed([], pair);
  // On the answering side nobody but the lane has to know, and nothing but the edit tells it.
  right.command('C set [PEER]:authentication=another-secret force');
  await right.caughtUp();
  assert.equal(await right.ask('C get [peer]:Authentication'), 'another-secret\n');
  left.command('c tunnel');
  await right.saw('probably a wrong pre-shared key');
  left.command('C set [peer]:Authentication=another-secret force');
  // The negotiation that runs keeps the secret it began with.
  for (const line of ['t tunnel', 't main peer', 'c tunnel']) left.command(line);
  await quickModes(2, pair);
});

test('a connection that an edit puts on the list is begun after the list has rested for five seconds', async (t) => {
  const pair = await startPair(t);
  const [left] = pair;
  const asked = performance.now();
  left.command('C set [Phase 2]:Connections=tunnel');
  await quickModes(1, pair);
  const took = performance.now() - asked;
  assert.ok(took > 4900 && took < 10_000, `${took} ms`);
});

test('configuration that cannot be never takes the daemon down, and is told once', async (t) => {
  const pair = await startPair(t);
  const [left] = pair;
  const port = (await left.ask('C get [peer]:Port')).trim();
  for (const daemon of pair) {
    daemon.command('C set [General]:Exchange-max-time=soon force');
    daemon.command('C set [peer]:Port=elsewhere force');
  }
  left.command('c tunnel');
  await left.saw('[General]:Exchange-max-time cannot be "soon"');
  await left.saw('[peer]:Port cannot be "elsewhere"');
  for (const daemon of pair) daemon.command(`C set [peer]:Port=${port} force`);
  left.command('c tunnel');
  await quickModes(1, pair);
  assert.equal(left.count('Exchange-max-time'), 1);
  assert.equal(left.count('[peer]:Port'), 1);
  for (const { log } of pair) assert.ok(!log.some((line) => line.includes('internal fault')), log.join('\n'));
});
