/** The daemon with and without the native addon. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAlone, startPair } from '../helpers/daemon-process.ts';
import { NEEDS_ADDON } from '../helpers/native.ts';

const WITHOUT = { environment: { ISAKMPD_ADDON: '/nowhere/isakmpd.node' } };

test('a daemon without the addon says so once, makes its FIFO, and sets up a tunnel', async (t) => {
  const [left, right] = await startPair(t, undefined, WITHOUT);
  left.command('c tunnel');
  await Promise.all([left, right].map((daemon) => daemon.saw('quick mode done')));
  for (const daemon of [left, right]) {
    assert.equal(
      daemon.count('no native addon (/nowhere/isakmpd.node was not built (npm run build:native, with a C compiler)): '),
      1,
    );
    const fifo = statSync(join(daemon.runDirectory, 'isakmpd.fifo'));
    assert.deepEqual([fifo.isFIFO(), fifo.mode & 0o777], [true, 0o600]);
  }
});

test('a daemon with the addon says nothing of it', NEEDS_ADDON, async (t) => {
  const { daemon } = await startAlone(t);
  assert.equal(daemon.count('native addon'), 0);
});
