import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfigurationFile } from '../../../src/main/cli/configuration-file.ts';
import type { SecretFile } from '../../../src/main/privileged/secret-file.ts';

const read = (file: SecretFile) => readConfigurationFile({ readSecretFile: async () => file }, '/etc/x.conf');

test('a configuration file is its text', async () => {
  const bytes = new TextEncoder().encode('[General]\n# Büro\n');
  assert.deepEqual(await read({ kind: 'bytes', bytes }), { kind: 'text', text: '[General]\n# Büro\n' });
});

test('a missing or refused file is passed on', async () => {
  assert.deepEqual(await read({ kind: 'missing' }), { kind: 'missing' });
  assert.deepEqual(await read({ kind: 'refused', reason: 'r' }), { kind: 'refused', reason: 'r' });
});

test('a file that is not UTF-8 is refused with its first bad line', async () => {
  for (const end of ['\n', '']) {
    const bytes = Buffer.from(`[peer]\nPhase=1\nAuthentication=b\xe9te${end}`, 'latin1');
    assert.deepEqual(await read({ kind: 'bytes', bytes }), {
      kind: 'refused',
      reason: '/etc/x.conf is not read: line 3 is not UTF-8 text',
    });
  }
});
