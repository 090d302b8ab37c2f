import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { Authenticated } from '../../../src/shared/credentials/authenticated.ts';
import { requesterOf } from '../../../src/shared/policy-check/authorizers.ts';
import { createPolicyCheck } from '../../../src/shared/policy-check/policy-check.ts';
import { quickModeAction } from '../../helpers/quick-mode-action.ts';

const ACTION = quickModeAction();

const passphrase = (secret: Uint8Array): Authenticated => ({ kind: 'passphrase', secret });
const SECRET = Buffer.from('mekmitasdigoat');

test('a passphrase is licensed as it is and by its hashes', () => {
  const hashed = (hash: string): string => createHash(hash).update(SECRET).digest('hex');
  for (const licensee of [
    'passphrase:mekmitasdigoat',
    `passphrase-md5-hex:${hashed('md5')}`,
    `passphrase-sha1-hex:${hashed('sha1')}`,
  ]) {
    const check = createPolicyCheck(`Authorizer: "POLICY"\nLicensees: "${licensee}"\n`);
    assert.equal(check.permission(passphrase(SECRET), ACTION).isPermitted, true, licensee);
    assert.equal(check.permission(passphrase(Buffer.from('another')), ACTION).isPermitted, false);
  }
});

test('a passphrase outside of ASCII is the same bytes in the policy file', () => {
  const secret = Buffer.from('schlüssel', 'utf8');
  const text = Buffer.from('Authorizer: "POLICY"\nLicensees: "passphrase:schlüssel"\n', 'utf8').toString('latin1');
  assert.equal(createPolicyCheck(text).permission(passphrase(secret), ACTION).isPermitted, true);
});

test('P23: raw public keys are licensed by value', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const known: Authenticated = { kind: 'publicKey', key, chain: [], rawKeyOf: undefined, keynote: [] };
  const hex = publicKey.export({ type: 'pkcs1', format: 'der' }).toString('hex');
  assert.deepEqual(requesterOf(known).authorizers, [`rsa-hex:${hex}`]);
  const base64 = publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
  const check = createPolicyCheck(`Authorizer: "POLICY"\nLicensees: "rsa-base64:${base64}"\n`);
  assert.equal(check.permission(known, ACTION).isPermitted, true);
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
  const other: Authenticated = { kind: 'publicKey', key: elliptic, chain: [], rawKeyOf: undefined, keynote: [] };
  assert.deepEqual(requesterOf(other).authorizers, [`binary-hex:${elliptic.toString('hex')}`]);
  assert.equal(check.permission(other, ACTION).isPermitted, false);
});

test('a refusal says which assertion and which condition decided, and never the secret', () => {
  const check = createPolicyCheck(
    'Authorizer: "POLICY"\nLicensees: "passphrase:mekmitasdigoat"\nConditions: esp_present == "yes" -> "true";\n',
  );
  const { isPermitted, decision } = check.permission(passphrase(SECRET), ACTION);
  assert.equal(isPermitted, false);
  assert.match(decision, /the assertion at line 1 of the policy.*esp_present/);
  assert.doesNotMatch(decision, /mekmitas/);
});

test('nobody is permitted by an empty policy', () => {
  assert.equal(createPolicyCheck('').permission(passphrase(SECRET), ACTION).isPermitted, false);
});
