/** CVE-2018-5389: secrets that can be guessed are told. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { secretBits, weakSecretFindings } from '../../../src/shared/config/secret-strength.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const isWeak = (secret: Uint8Array): boolean => weakSecretFindings('west', 'Authentication', secret).length > 0;

for (const secret of [
  '',
  'sesame',
  'mekmitasdigoat',
  'a'.repeat(200),
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'zyxwvutsrqponmlkjihgfedcba',
  '12345678901234567890',
  'Ab3'.repeat(40),
  'k7Qz!'.repeat(10),
  '\0'.repeat(64),
  '0123456789abcde',
]) {
  test(`CVE-2018-5389: ${JSON.stringify(secret.slice(0, 20))}, ${secret.length} characters, can be guessed`, () => {
    assert.ok(isWeak(bytes(secret)), `${secretBits(bytes(secret))} bits`);
  });
}

test('random secrets as they are made by openssl rand, in hexadecimal, in base64 and as bytes, are not called weak', () => {
  for (let i = 0; i < 1000; i++) {
    const random = createHash('sha256').update(`${i}`).digest();
    assert.ok(!isWeak(random.subarray(0, 16)));
    assert.ok(!isWeak(bytes(random.toString('hex'))));
    assert.ok(!isWeak(bytes(random.toString('base64').slice(0, 20))));
  }
});

test('what is said has no part of the secret', () => {
  assert.deepEqual(
    weakSecretFindings('west', 'Authentication', bytes('mekmitasdigoat')).map(({ text }) => text),
    [
      '[west]:Authentication is worth 65 bits at most and can be guessed: take 20 random letters and digits or more, for instance of openssl rand -hex 20',
    ],
  );
});

test('any bytes are worth no more than they have bits, and the same bytes again add next to nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3, maxLength: 8 }), (secret) => {
      const bits = secretBits(secret);
      assert.ok(bits >= 0 && bits <= 8 * secret.length);
      assert.ok(secretBits(Uint8Array.from([...secret, ...secret])) < bits + 3 * Math.log2(2 * secret.length) + 8);
    }),
  );
});
