/** config/isakmpd.service as systemd reads it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testFolder } from '../helpers/daemon-process.ts';

const UNIT = readFileSync('config/isakmpd.service', 'utf8');
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

test('the unit tells systemd what the daemon does', () => {
  // Told through a child (systemd-notify), and compiled at run time by Node.
  for (const line of ['Type=notify', 'NotifyAccess=all', 'ExecReload=/bin/kill -HUP $MAINPID']) {
    assert.ok(UNIT.split('\n').includes(line), line);
  }
  assert.doesNotMatch(UNIT, /^MemoryDenyWriteExecute=/m);
});

test('systemd-analyze verify has nothing to say about the unit', {
  skip: HAS_SYSTEMD ? false : 'systemd is not installed',
}, (t) => {
  const file = join(testFolder(t), 'isakmpd.service');
  // Program and manual pages are where they were installed to, which is not here.
  writeFileSync(file, UNIT.replace('/usr/bin/isakmpd ', '/bin/true ').replace(/^Documentation=.*\n/m, ''));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});
