/** Userland ESP against the ESP of a Linux kernel, which run-in-vm of the shared folder boots. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nativeAddonFault } from '../../../src/kernel/native/native.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const runInVm = sharedPath('vm', 'run-in-vm');
const program = fileURLToPath(new URL('../../helpers/esp-kernel-peer.js', import.meta.url));
const skip = runInVm === undefined ? 'no run-in-vm in the shared folder' : nativeAddonFault();

/** Every 13th suite: most ciphers, every hash. `4:0:1 6:0:1 4:4500:1` tries them all, in ten minutes. */
const PLANS = ['4:0:13', '6:0:47', '4:4500:47'];

test("userland ESP and Linux's understand each other, over IPv4, IPv6 and in UDP", { skip }, () => {
  const node = [process.execPath, '--openssl-legacy-provider', program, ...PLANS];
  const output = execFileSync(runInVm ?? '', ['-t', '200', '--', ...node], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = output.trimEnd().split('\n');
  assert.equal(lines.length, 8 + 2 + 2, output);
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(': ok')),
    [],
  );
});
