/** Files of keys on a disk, as main reads them. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bedOf } from '../../helpers/credential-bed.ts';
import { privatePem, publicPem, rsaKey } from '../../helpers/credential-keys.ts';

test('keys are found by their places and names', async (t) => {
  const bed = bedOf(t);
  const { write, credentials, lines } = bed;
  write('private/local.key', privatePem(rsaKey('own')), 0o600);
  write('private/gate.example', privatePem(rsaKey('gate')), 0o600);
  // Where isakmpd(8) has openssl put certificate requests.
  write('private/10.0.0.1.csr', 'no key', 0o644);
  write('pubkeys/ipv4/10.0.0.1', publicPem(rsaKey('peer')), 0o644);
  write('pubkeys/asn1_dn/C=SE/CN=gate', publicPem(rsaKey('peer')), 0o644);
  write('pubkeys/fqdn/.hidden', 'no key', 0o644);
  await credentials.load();
  const { privateKeys, publicKeys } = credentials.files;
  assert.deepEqual(
    privateKeys.map(({ identity }) => identity),
    ['', 'gate.example'],
  );
  assert.deepEqual(
    publicKeys.map(({ kind, name }) => `${kind} ${name}`),
    ['asn1_dn /C=SE/CN=gate', 'ipv4 10.0.0.1'],
  );
  assert.deepEqual(lines, ['notice credentials: 2 private keys, 2 public keys']);
  assert.equal(bed.changes, 1);
});

test('threat key mode: a private key that others may read, or a public key that others may write, is left out and named', async (t) => {
  const { write, credentials, lines } = bedOf(t);
  write('private/local.key', privatePem(rsaKey('own')), 0o640);
  write('pubkeys/ipv4/10.0.0.1', publicPem(rsaKey('peer')), 0o666);
  await credentials.load();
  assert.deepEqual(lines, [
    'error credentials: /private/local.key is not read: group or others have access to it (chmod 600 would help)',
    'error credentials: /pubkeys/ipv4/10.0.0.1 is not read: group or others may write to it (chmod 644 would help)',
  ]);
  assert.deepEqual([credentials.files.privateKeys, credentials.files.publicKeys], [[], []]);
});

test('what is no key, and what lies elsewhere than keys do, is named', async (t) => {
  const { folder, write, credentials, lines } = bedOf(t);
  write('private/local.key', 'nothing', 0o600);
  write('pubkeys/10.0.0.1', publicPem(rsaKey('peer')), 0o644);
  mkdirSync(join(folder, 'pubkeys/fqdn'));
  symlinkSync('/dev/zero', join(folder, 'pubkeys/fqdn/endless'));
  await credentials.load();
  assert.deepEqual(lines.toSorted(), [
    'error credentials: /private/local.key is not used: it is no private key in PEM',
    'error credentials: /pubkeys/10.0.0.1 is not used: Pubkey-directory has the directories ipv4, ipv6, fqdn, ufqdn, asn1_dn, keyid',
    'error credentials: /pubkeys/fqdn/endless is not read: it is not a regular file',
    'notice credentials: 1 private key',
  ]);
});

test('places that the configuration names have to be there', async (t) => {
  const { folder, credentials, lines } = bedOf(t);
  rmSync(join(folder, 'pubkeys'), { recursive: true });
  await credentials.load();
  assert.deepEqual(lines, [
    'error credentials: /private/local.key is not there, which Private-key names',
    'error credentials: /pubkeys/ is not there, which Pubkey-directory names',
  ]);
});

test('a reload finds what has changed, and so does a place that is named anew; an edit of something else reads nothing', async (t) => {
  const bed = bedOf(t);
  const { write, credentials } = bed;
  write('private/local.key', privatePem(rsaKey('own')), 0o600);
  await credentials.load();
  write('pubkeys/ipv4/10.0.0.1', publicPem(rsaKey('peer')), 0o644);
  await credentials.placesMayHaveChanged();
  assert.deepEqual([credentials.files.publicKeys.length, bed.changes], [0, 1]);
  await credentials.load();
  assert.deepEqual([credentials.files.publicKeys.length, bed.changes], [1, 2]);
  bed.places = { ...bed.places, publicKeyDirectory: join(bed.folder, 'private') };
  await credentials.placesMayHaveChanged();
  assert.deepEqual([credentials.files.publicKeys.length, bed.changes], [0, 3]);
});
