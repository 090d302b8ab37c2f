import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createCredentials } from '../../../src/shared/credentials/credentials.ts';
import { readKeynoteCredentials } from '../../../src/shared/credentials/keynote-credentials.ts';
import { keynoteTexts } from '../../../src/shared/credentials/peer-credentials.ts';
import { credentialFiles, rsaKey } from '../../helpers/credential-keys.ts';
import { credential, principal } from '../../helpers/keynote-credentials.ts';

const KEYNOTE = 11;
const ONE = credential('ca', principal(rsaKey('branch')));
const read = (...texts: readonly string[]) =>
  readKeynoteCredentials(
    texts.map((text) => Buffer.from(text, 'latin1')),
    2048,
  );

it('the key is the RSA key that the last credential which has one licenses, in whatever payload it came', () => {
  for (const texts of [
    [ONE],
    [credential('ca', principal(rsaKey('region'))), ONE],
    [ONE, credential('ca', 'DN:/CN=x')],
  ]) {
    const found = read(...texts);
    if (found.kind === 'unfit') assert.fail(found.reason);
    assert.equal(found.assertions.length, texts.length);
    assert.deepEqual(
      found.keys.map((key) => key.equals(rsaKey('branch').publicKey)),
      [true],
    );
  }
});

for (const [what, texts, reason] of [
  [
    'a short key',
    [credential('ca', principal(rsaKey('short', 1024)))],
    /cannot be used: it is an RSA key of 1024 bits/,
  ],
  ['no RSA key', [credential('ca', 'passphrase:secret')], /no KeyNote credential licenses an RSA key/],
  [
    'a key of nonsense',
    [credential('ca', 'rsa-hex:3006020100020100')],
    /no KeyNote credential licenses an RSA key|cannot be used/,
  ],
  [
    'too many bytes in all',
    [ONE.repeat(10), `${'#'.repeat(31_000)}\n`],
    /bytes of KeyNote credentials, 32768 are the most/,
  ],
  [
    'too many of them in all',
    [`${'Authorizer: "a"\n\n'.repeat(40)}`, `${'Authorizer: "a"\n\n'.repeat(25)}`],
    /there are 65 KeyNote credentials, 64/,
  ],
  ['nothing', [''], /no KeyNote credential licenses an RSA key/],
] as const) {
  it(`threat memory: credentials with ${what} are not taken, and it is said why`, () => {
    const found = read(...texts);
    assert.match(found.kind === 'unfit' ? found.reason : '', reason);
  });
}

it('threat memory: no more credentials than one file may have are kept with an ISAKMP SA', () => {
  const payload = (size: number, encoding = KEYNOTE) => ({ encoding, data: new Uint8Array(size) });
  const kept = keynoteTexts([payload(30_000), payload(5, 4), payload(3_000), payload(2_000)]);
  assert.deepEqual(
    kept.map(({ length }) => length),
    [30_000],
  );
});

it('a policy is read anew only where its text is another one', () => {
  const files = (policy: string) => credentialFiles(undefined, {}, { policy });
  const { policy } = createCredentials(files('Authorizer: "POLICY"\n'));
  assert.ok(policy !== undefined);
  assert.equal(createCredentials(files('Authorizer: "POLICY"\n'), policy).policy, policy);
  assert.notEqual(createCredentials(files('Authorizer: "POLICY"\nLicensees: "a"\n'), policy).policy, policy);
  assert.equal(createCredentials(credentialFiles(undefined, {}), policy).policy, undefined);
});
