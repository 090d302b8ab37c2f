/** Packet capture on running daemons: -L, -l and `p`. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../loadtest/daemon.ts';
import { startAlone, startPair } from '../helpers/daemon-process.ts';
import { pcapDatagrams } from '../helpers/wire-captures.ts';

const MAIN_MODE = 2;
const QUICK_MODE = 32;
const INFO = 5;
/** Exchange type, flags and first payload of each message. */
const shapes = (path: string): readonly (readonly (number | undefined)[])[] =>
  pcapDatagrams(path).map((bytes) => [bytes[18], bytes[19], bytes[16]]);

test('E22: p on=path, a negotiation, p off: every message once, in clear', async (t) => {
  const pair = await startPair(t);
  const [left] = pair;
  const file = join(left.runDirectory, 'x.pcap');
  left.command(`p on=${file}`);
  await left.saw(`log_packet_init: starting IKE packet capture to file "${file}"`);
  left.command('c tunnel');
  for (const daemon of pair) await until('the quick mode', () => daemon.count('quick mode done') > 0 || undefined);
  left.command('p off');
  await left.saw('log_packet_stop: stopped capture');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const [SA, KE, ID, HASH] = [1, 4, 5, 8];
  assert.deepEqual(shapes(file), [
    [MAIN_MODE, 0, SA],
    [MAIN_MODE, 0, SA],
    [MAIN_MODE, 0, KE],
    [MAIN_MODE, 0, KE],
    [MAIN_MODE, 0, ID],
    [MAIN_MODE, 0, ID],
    [QUICK_MODE, 0, HASH],
    [QUICK_MODE, 0, HASH],
    [QUICK_MODE, 0, HASH],
  ]);
});

test('the end of the daemon closes the capture, with its DELETEs, before it exits', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  right.command('p on');
  await right.caughtUp();
  const file = join(right.runDirectory, 'isakmpd.pcap');
  await right.saw(`log_packet_init: starting IKE packet capture to file "${file}"`);
  left.command('c tunnel');
  for (const daemon of pair) await until('the quick mode', () => daemon.count('quick mode done') > 0 || undefined);
  right.command('Q');
  await right.ended;
  assert.ok(shapes(file).some(([type, flags]) => type === INFO && flags === 0));
  assert.equal(right.count('log_packet_stop: stopped capture'), 1);
});

test('-L captures from the start; p on continues the file without a second header', async (t) => {
  const { daemon } = await startAlone(t, '', { words: ['-d', '-n', '-K', '-4', '-L'] });
  const file = join(daemon.runDirectory, 'isakmpd.pcap');
  await daemon.saw(`log_packet_init: starting IKE packet capture to file "${file}"`);
  daemon.command('p off');
  daemon.command('p on');
  await until(
    'the second start',
    () => daemon.count(`starting IKE packet capture to file "${file}"`) === 2 || undefined,
  );
  assert.equal(statSync(file).size, 24);
});

test('p on twice, p off twice, and files that are refused are one line each', async (t) => {
  const { daemon } = await startAlone(t);
  const file = join(daemon.runDirectory, 'isakmpd.pcap');
  daemon.command('p on');
  daemon.command('p on=other.pcap');
  await daemon.saw(`log_packet_restart: capture already active on file "${file}"`);
  daemon.command('p off');
  await daemon.saw('log_packet_stop: stopped capture');
  daemon.command('p off');
  await daemon.saw('log_packet_stop: no capture is active');
  daemon.command('p on=/etc/passwd');
  await daemon.saw('only paths below the run directory');
  daemon.command('p on=../x.pcap');
  await until('the second refusal', () => daemon.count('only paths below the run directory') === 2 || undefined);
  daemon.command('p on=isakmpd.fifo');
  await daemon.saw('isakmpd.fifo" is refused: it is not a regular file');
  // The name that worked is the one that is remembered.
  daemon.command('p on');
  await until(
    'the second start',
    () => daemon.count(`starting IKE packet capture to file "${file}"`) === 2 || undefined,
  );
});
