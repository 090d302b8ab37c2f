/** config/isakmpd.service as systemd reads it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { transfer } from '../../loadtest/esp/gateway-configuration.ts';
import { namespacesFault } from '../../loadtest/esp/namespaces.ts';
import { AddressFamily } from '../../src/kernel/linux-sockets.ts';
import { nativeAddonFault } from '../../src/kernel/native/native.ts';
import { parseCommandLine } from '../../src/main/cli/options.ts';
import { publicKeyFile } from '../../src/main/credentials/host-key.ts';
import { resolveGeneral } from '../../src/shared/config/resolve-general.ts';
import { ConfigurationStore } from '../../src/shared/config/store.ts';
import { testFolder } from '../helpers/daemon-process.ts';
import { serviceUnit, underUnitCapabilities, unitValues } from '../helpers/service-unit.ts';
import { withUserlandBench } from '../helpers/userland-bench.ts';

const UNIT = serviceUnit();
const has = (program: string, ...words: readonly string[]): boolean => spawnSync(program, words).status === 0;
const HAS_SYSTEMD = has('systemd-analyze', '--version');

test('the unit tells systemd what the daemon does', () => {
  // Told through a child (systemd-notify), and compiled at run time by Node.
  for (const line of ['Type=notify', 'NotifyAccess=all', 'ExecReload=/bin/kill -HUP $MAINPID']) {
    assert.ok(UNIT.split('\n').includes(line), line);
  }
  assert.doesNotMatch(UNIT, /^MemoryDenyWriteExecute=/m);
});

test('the unit starts a daemon that uses the kernel, asks the policy, and may write where its files are', async () => {
  const [program, ...words] = unitValues('ExecStart');
  assert.equal(program, '/usr/bin/isakmpd');
  const commandLine = await parseCommandLine(words, '1');
  assert.ok(commandLine.kind === 'run', JSON.stringify(commandLine));
  const { kernel, policy, foreground, runDirectory, configurationFile } = commandLine.options;
  assert.deepEqual([kernel, policy, foreground], [true, true, 1]);
  assert.deepEqual(unitValues('RuntimeDirectory'), [runDirectory.replace('/run/', '')]);
  assert.deepEqual(unitValues('ConfigurationDirectory'), [dirname(configurationFile).replace('/etc/', '')]);
  const { credentials } = resolveGeneral(new ConfigurationStore());
  const firstKey = [credentials.privateKeyDirectory, publicKeyFile(credentials)];
  const [writable, ...more] = unitValues('ReadWritePaths');
  assert.deepEqual(more, []);
  assert.ok(
    firstKey.every((path) => path.startsWith(`${writable}/`)),
    `${writable} for ${firstKey}`,
  );
});

test('the unit leaves a successor the journal of reqids, by which it knows what is its own in the kernel', () => {
  assert.deepEqual(unitValues('RuntimeDirectoryPreserve'), ['yes']);
});

test('the unit allows the sockets and the device of every kernel', () => {
  const { PACKET: _, ...used } = AddressFamily;
  const families = [...Object.keys(used), 'UNIX'].map((name) => `AF_${name}`);
  assert.deepEqual(unitValues('RestrictAddressFamilies').toSorted(), families.toSorted());
  const native = readFileSync('src/kernel/native/files.c', 'utf8');
  const [device = '', rights] = unitValues('DeviceAllow');
  assert.ok(native.includes(`open("${device}", O_RDWR`), device);
  assert.equal(rights, 'rw');
  // It would hide the device.
  assert.deepEqual(unitValues('PrivateDevices'), []);
});

test('the capabilities of the unit are enough for a tunnel of Kernel=userland', {
  skip: nativeAddonFault() ?? (namespacesFault() || (has('setpriv', '--version') ? false : 'setpriv is missing')),
}, async (t) => {
  await withUserlandBench(
    t,
    async ({ left, right, start }) => {
      const daemons = [await start(left, 'left'), await start(right, 'right')];
      daemons[0]?.command('c tunnel');
      for (const daemon of daemons) await daemon.saw('quick mode done');
      await transfer(left, right, 20_000);
    },
    underUnitCapabilities(),
  );
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
