/** Blowfish and CAST exist only in a process started with --openssl-legacy-provider: this file starts itself again that way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EncryptionAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { cipherAvailable, cipherSpec, decryptCbc, encryptCbc } from '../../../src/shared/crypto/cipher.ts';
import { type CiphersHere, checkCbcFile, checkEcbFile, specOf } from './cipher-vectors.ts';
import { toHex } from './vector-file.ts';

const LEGACY = '--openssl-legacy-provider';

const HERE: CiphersHere = new Map([
  ['Blowfish', (keySize: number) => cipherSpec(EncryptionAlgorithm.BLOWFISH_CBC, keySize * 8)],
  ['CAST-128', (keySize: number) => cipherSpec(EncryptionAlgorithm.CAST_CBC, keySize * 8)],
]);

if (process.execArgv.includes(LEGACY)) {
  test('Blowfish and CAST are available with the legacy provider', () => {
    assert.equal(cipherAvailable(specOf(EncryptionAlgorithm.BLOWFISH_CBC)), true);
    assert.equal(cipherAvailable(specOf(EncryptionAlgorithm.CAST_CBC)), true);
  });

  test('every key length we accept works, and every byte of the key counts', () => {
    for (const [algorithm, least, most] of [
      [EncryptionAlgorithm.BLOWFISH_CBC, 12, 56],
      [EncryptionAlgorithm.CAST_CBC, 12, 16],
    ] as const) {
      for (let size = least; size <= most; size += 1) {
        const spec = specOf(algorithm, size * 8);
        const key = Uint8Array.from({ length: size }, (_, at) => 3 * at + size);
        const iv = new Uint8Array(8);
        const plain = new Uint8Array(24).fill(9);
        const sealed = encryptCbc(spec, key, iv, plain);
        assert.deepEqual(decryptCbc(spec, key, iv, sealed), plain);
        const changed = key.slice();
        changed.set([(key.at(-1) ?? 0) ^ 1], size - 1);
        assert.notEqual(toHex(encryptCbc(spec, changed, iv, plain)), toHex(sealed), `${spec.name} ${size}`);
      }
    }
  });

  test('vectors: the legacy ciphers of cbc-botan.json', (t) => checkCbcFile(t, HERE, 'in the main test'));
  test('vectors: the legacy ciphers of block-ecb-botan.json', (t) => checkEcbFile(t, HERE, 'in the main test'));
} else {
  test('Blowfish and CAST pass their tests in a process with the legacy provider', (t) => {
    // Without its context variable the child reports as a program of its own.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const self = fileURLToPath(import.meta.url);
    const child = spawnSync(process.execPath, [LEGACY, '--test-reporter=tap', self], { env, encoding: 'utf8' });
    for (const line of child.stdout.split('\n'))
      if (line.includes('json:')) t.diagnostic(line.replace('# ', '').trim());
    assert.equal(child.status, 0, `${child.stdout}${child.stderr}`);
    // Skipped ones, where the vectors are absent, count as tests too.
    assert.match(child.stdout, /# tests 4\n/);
  });
}
