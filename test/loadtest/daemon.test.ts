/** That no daemon is left behind, however the program that started it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../loadtest/daemon.ts';
import { startPair, testFolder } from '../helpers/daemon-process.ts';

const MODULE = new URL('../../loadtest/daemon.js', import.meta.url).href;

/** Starts a daemon and says its pid. */
const starter = (folder: string): string => `
  import { Daemon, freePort } from ${JSON.stringify(MODULE)};
  const ports = { ike: await freePort(['127.0.0.1']), encapsulated: await freePort(['127.0.0.1']) };
  const configuration = '[General]\\nListen-on=127.0.0.1\\n';
  const daemon = new Daemon({ name: 'orphan', folder: ${JSON.stringify(folder)}, configuration, ports });
  await daemon.ready();
  console.log(daemon.pid);
`;

/** Not a dead one whose parent has not looked yet, either. */
const isAlive = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
};

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a daemon ends with its starter, which ${signal} ends`, async (t) => {
    const argv = ['--input-type=module', '-e', starter(testFolder(t))];
    const program = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => program.kill('SIGKILL'));
    const [line] = await once(program.stdout, 'data');
    const pid = Number(line);
    assert.ok(isAlive(pid));
    program.kill(signal);
    await once(program, 'exit');
    await until('the end of the daemon', () => !isAlive(pid) || undefined);
  });
}

test('a daemon that started itself again is killed with its second process', async (t) => {
  const pair = await startPair(t, undefined, { transform: 'BLF-SHA-GRP5' });
  for (const daemon of pair) daemon.kill();
  // Each process holds the log open.
  await Promise.all(pair.map(({ ended }) => ended));
});
