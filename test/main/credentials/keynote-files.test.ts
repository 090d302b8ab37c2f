/** KeyNote credentials on a disk, as main reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeKeys } from '../../../src/shared/keynote/signing.ts';
import { bedOf, type CredentialBed } from '../../helpers/credential-bed.ts';
import { ecKey, privatePem, rsaKey } from '../../helpers/credential-keys.ts';
import { credential, principal } from '../../helpers/keynote-credentials.ts';

const BRANCH = principal(rsaKey('branch'));
const FOR_BRANCH = credential('ca', BRANCH, 'remote_id == "branch.example"');

const write = (
  { write: put }: CredentialBed,
  { credentials = FOR_BRANCH, key = privatePem(rsaKey('branch')), keyMode = 0o600 }: Partial<Written> = {},
): void => {
  put('keynote/branch.example/credentials', credentials, 0o644);
  put('keynote/branch.example/private_key', key, keyMode);
  put('private/local.key', privatePem(rsaKey('own')), 0o600);
};

interface Written {
  readonly credentials: string;
  readonly key: Uint8Array | string;
  readonly keyMode: number;
}

test('KeyNote credentials are those of the identity that their directory is named after', async (t) => {
  const bed = bedOf(t);
  write(bed);
  await bed.credentials.load();
  const [found, ...others] = bed.credentials.files.keynoteCredentials;
  assert.deepEqual([found?.identity, others], ['branch.example', []]);
  assert.equal(Buffer.from(found?.credentials ?? []).toString('latin1'), FOR_BRANCH);
  assert.deepEqual(bed.lines, ['notice credentials: 1 private key, 1 set of KeyNote credentials']);
});

test('a private key beside KeyNote credentials may be in the form of keynote(1)', async (t) => {
  const bed = bedOf(t);
  const made = makeKeys('rsa-hex:', 2048);
  if (made.kind === 'impossible') assert.fail(made.reason);
  const { publicKey, privateKey } = made.result;
  write(bed, {
    credentials: credential('ca', publicKey),
    key: `  "${privateKey.slice(0, 60)}\\\n${privateKey.slice(60)}"\n`,
  });
  await bed.credentials.load();
  assert.deepEqual(bed.lines, ['notice credentials: 1 private key, 1 set of KeyNote credentials']);
});

for (const [what, written, line] of [
  [
    'that others may read their key',
    { keyMode: 0o640 },
    '/keynote/branch.example/private_key is not read: group or others have access to it (chmod 600 would help)',
  ],
  [
    'another key',
    { key: privatePem(rsaKey('stranger')) },
    '/keynote/branch.example is not used: private_key is not the key that the last KeyNote credential licenses',
  ],
  [
    'a key of another kind',
    { key: privatePem(ecKey('branch', 'prime256v1')) },
    '/keynote/branch.example is not used: private_key is not the key that the last KeyNote credential licenses',
  ],
  [
    'no key',
    { key: '"private-key-rsa-hex:00"' },
    '/keynote/branch.example is not used: private_key: it is no private key, neither of keynote(1) nor PEM',
  ],
  [
    'wrong syntax',
    { credentials: FOR_BRANCH.replace('==', '=') },
    '/keynote/branch.example is not used: a KeyNote credential cannot be read: line 3: conditions: "=" cannot stand here',
  ],
  [
    'a wrong signature',
    { credentials: `${FOR_BRANCH}\n${credential('ca', BRANCH).replace('Licensees: "rsa', 'Licensees: "rsA')}` },
    '/keynote/branch.example is not used: KeyNote credential 2 does not count: its signature is wrong',
  ],
  [
    'no signature',
    { credentials: FOR_BRANCH.replace(/Signature[\s\S]*/, '') },
    '/keynote/branch.example is not used: KeyNote credential 1 does not count: it has no signature',
  ],
  [
    'nobody to license',
    { credentials: FOR_BRANCH.replace(/Licensees.*\n/, '') },
    '/keynote/branch.example is not used: no KeyNote credential licenses an RSA key (rsa-hex:, rsa-base64:)',
  ],
] as const) {
  test(`KeyNote credentials with ${what} are named and not used`, async (t) => {
    const bed = bedOf(t);
    write(bed, written);
    await bed.credentials.load();
    assert.equal(bed.lines[0], `error credentials: ${line}`);
  });
}

test('half of a pair, and what lies elsewhere than KeyNote credentials do, is named', async (t) => {
  const bed = bedOf(t);
  bed.write('keynote/branch.example/credentials', FOR_BRANCH, 0o644);
  bed.write('keynote/credentials', FOR_BRANCH, 0o644);
  bed.write('private/local.key', privatePem(rsaKey('own')), 0o600);
  await bed.credentials.load();
  assert.deepEqual(bed.lines.slice(0, 2), [
    'error credentials: /keynote/credentials is not used: Credential-directory has a directory for each identity, and that the files credentials and private_key',
    'error credentials: /keynote/branch.example is not used: the file private_key is not there',
  ]);
  assert.deepEqual(bed.credentials.files.keynoteCredentials, []);
});
