/** What needs no ESP is tried on this machine's own kernel, within a network namespace that nothing else is in. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { nativeAddonFault } from '../../../src/kernel/native/native.ts';

const inNamespace = (...command: readonly string[]) =>
  spawnSync('unshare', ['--net', ...command], { encoding: 'utf8' });

const skip =
  nativeAddonFault() ??
  (inNamespace('ip', 'xfrm', 'policy').status === 0 ? false : 'no network namespaces, no XFRM, or not root');

test('XFRM policies, SPIs and acquires on the kernel of this machine', { skip }, () => {
  const file = join(import.meta.dirname, 'xfrm-policies.vm.js');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync('unshare', ['--net', process.execPath, '--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    env,
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^# pass 6$/m);
});
