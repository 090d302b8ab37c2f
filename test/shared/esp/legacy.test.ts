import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test("ESP with Blowfish and CAST works where OpenSSL's legacy provider is loaded", () => {
  for (const file of ['packet.test.js', 'tshark.test.js']) {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--openssl-legacy-provider', join(import.meta.dirname, file)], {
      encoding: 'utf8',
      env,
    });
    assert.equal(run.status, 0, run.stdout);
    if (file === 'packet.test.js') assert.match(run.stdout, /blowfish-448-sha1: no byte of a packet can be changed/);
  }
});
