import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { AuthenticationMethod } from '../../../src/shared/constants/oakley.ts';
import { keyProblemsInSteps } from '../../../src/shared/credentials/check-files.ts';
import { createCredentials } from '../../../src/shared/credentials/credentials.ts';
import { nameFromText } from '../../../src/shared/policy/distinguished-name.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Identity } from '../../../src/shared/policy/peer-policy.ts';
import { atOnce } from '../../../src/shared/steps.ts';
import { credentialFiles, type KeyPair, privatePem, rsaKey } from '../../helpers/credential-keys.ts';

const RSA = AuthenticationMethod.RSA_SIG;

const keyId = (text: string): Identity => ({
  type: IdType.KEY_ID,
  protocol: 0,
  port: 0,
  data: new TextEncoder().encode(text),
});

const isKeyOf = (key: KeyObject | undefined, { publicKey }: KeyPair): boolean => key?.equals(publicKey) === true;
const isOwn = (key: KeyObject | undefined, { privateKey }: KeyPair): boolean => key?.equals(privateKey) === true;

for (const [path, identity] of [
  ['ipv4/10.0.0.1', identityFromText('10.0.0.1')],
  ['ipv6/2001:DB8::1', identityFromText('2001:db8:0:0:0:0:0:1')],
  ['ipv6/2001:0db8:0000::0001', identityFromText('2001:db8::1')],
  ['fqdn/Gate.example', identityFromText('gate.EXAMPLE')],
  ['ufqdn/joe@example.org', identityFromText('Joe@example.org')],
  ['asn1_dn//C=SE/O=Company/CN=gate', identityFromText('/C=SE/O=company/CN=Gate')],
  ['asn1_dn/CN=gate,O=Company,C=SE', identityFromText('/C=SE/O=Company/CN=gate')],
  ['keyid/group', keyId('group')],
  ['keyid/0x67726f7570', keyId('group')],
] as const) {
  test(`the public key in ${path} is that of the identity`, () => {
    const credentials = createCredentials(credentialFiles(undefined, { [path]: rsaKey('peer') }));
    assert.ok(isKeyOf(credentials.publicKey(identity, RSA), rsaKey('peer')));
    // Asked again, it is the same object: it was read once.
    assert.equal(credentials.publicKey(identity, RSA), credentials.publicKey(identity, RSA));
  });
}

test('threat wrong identity: a key counts for its own kind of identity only', () => {
  const files = credentialFiles(undefined, { 'fqdn/10.0.0.1': rsaKey('peer'), 'ipv4/gate': rsaKey('peer') });
  const credentials = createCredentials(files);
  assert.equal(credentials.publicKey(identityFromText('10.0.0.1'), RSA), undefined);
  assert.equal(credentials.publicKey(identityFromText('gate'), RSA), undefined);
});

test('our key is that of the identity, else that of Private-key', () => {
  const files = credentialFiles(rsaKey('own'), {});
  const named = (identity: string, name: string) => ({ identity, file: identity, bytes: privatePem(rsaKey(name)) });
  const dn = nameFromText('/C=SE/CN=gate') ?? assert.fail();
  const credentials = createCredentials({
    ...files,
    privateKeys: [
      ...files.privateKeys,
      named('2001:DB8::0:1', 'six'),
      named('Gate.example', 'gate'),
      named('CN=gate,C=SE', 'dn'),
    ],
  });
  assert.ok(isOwn(credentials.privateKey(identityFromText('2001:db8::1'), RSA), rsaKey('six')));
  assert.ok(isOwn(credentials.privateKey(identityFromText('gate.example'), RSA), rsaKey('gate')));
  assert.ok(
    isOwn(credentials.privateKey({ type: IdType.DER_ASN1_DN, protocol: 0, port: 0, data: dn }, RSA), rsaKey('dn')),
  );
  assert.ok(isOwn(credentials.privateKey(keyId('any'), RSA), rsaKey('own')));
});

test('without a key there is none, and an unfit one counts as none', () => {
  assert.equal(createCredentials(credentialFiles(undefined, {})).privateKey(identityFromText('a'), RSA), undefined);
  const files = credentialFiles(rsaKey('small', 1024), { 'fqdn/peer': rsaKey('small', 1024) });
  const credentials = createCredentials(files);
  assert.equal(credentials.privateKey(identityFromText('a'), RSA), undefined);
  assert.equal(credentials.publicKey(identityFromText('peer'), RSA), undefined);
});

test('the bytes of private keys are erased once they are read', () => {
  const files = credentialFiles(rsaKey('own'), {});
  createCredentials(files);
  assert.ok(files.privateKeys.every(({ bytes }) => bytes.every((byte) => byte === 0)));
});

test('what is wrong with files is said by name', () => {
  const files = credentialFiles(rsaKey('small', 1024), {
    'ipv4/gate': rsaKey('peer'),
    'fqdn/short': rsaKey('small', 1024),
    'fqdn/good': rsaKey('peer'),
  });
  assert.deepEqual(atOnce(keyProblemsInSteps(files)), [
    'local.key is not used: it is an RSA key of 1024 bits: 2048 to 8192 can be used (Minimum-RSA-bits)',
    'ipv4/gate is not used: files in ipv4/ are named after IPv4 addresses',
    'fqdn/short is not used: it is an RSA key of 1024 bits: 2048 to 8192 can be used (Minimum-RSA-bits)',
  ]);
});
