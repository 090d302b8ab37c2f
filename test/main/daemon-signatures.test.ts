/** Daemons that prove themselves by raw public keys, from files to tunnel. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { ecKey, type KeyPair, privatePem, publicPem, rsaKey } from '../helpers/credential-keys.ts';
import { LEFT, RIGHT, type Side, startPair, testFolder } from '../helpers/daemon-process.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../helpers/openssl-pki.ts';

/** The key files of one side, and what its configuration says of them. */
const keysOf = (folder: string, own: Side, key: KeyPair, other: Side, otherKey: KeyPair): string => {
  const place = join(folder, `${own.name}-keys`);
  mkdirSync(join(place, 'pubkeys/ipv4'), { recursive: true });
  mkdirSync(join(place, 'private'));
  writeFileSync(join(place, 'private/local.key'), privatePem(key), { mode: 0o600 });
  writeFileSync(join(place, 'pubkeys/ipv4', other.address), publicPem(otherKey), { mode: 0o644 });
  return `Pubkey-directory=${place}/pubkeys/
[X509-certificates]
Private-key=${place}/private/local.key
Private-key-directory=${place}/private/
`;
};

interface Signing {
  readonly pair: readonly [Daemon, Daemon];
  readonly folder: string;
}

const startSigning = async (t: TestContext, keys: readonly [KeyPair, KeyPair], method: string): Promise<Signing> => {
  const folder = testFolder(t);
  const [left, right] = keys;
  const signing = `
[signing]
ENCRYPTION_ALGORITHM=AES_CBC
KEY_LENGTH=128
HASH_ALGORITHM=SHA2_256
AUTHENTICATION_METHOD=${method}
GROUP_DESCRIPTION=ECP_256
Life=LIFE_MAIN_MODE
`;
  const general = {
    [LEFT.name]: `${keysOf(folder, LEFT, left, RIGHT, right)}${signing}`,
    [RIGHT.name]: `${keysOf(folder, RIGHT, right, LEFT, left)}${signing}`,
  };
  const pair = await startPair(t, undefined, { transform: 'signing', secret: undefined, general });
  return { pair, folder };
};

for (const [name, method, keys] of [
  ['RSA', 'RSA_SIG', [rsaKey('left'), rsaKey('right')]],
  ['ECDSA', 'ECDSA_384', [ecKey('left', 'secp384r1'), ecKey('right', 'secp384r1')]],
] as const) {
  test(`two daemons bring up a tunnel with raw ${name} keys`, async (t) => {
    const { pair } = await startSigning(t, keys, method);
    const [left, right] = pair;
    left.command('c tunnel');
    await left.saw('isakmpd: phase 1 done');
    await right.saw('isakmpd: phase 1 done (as responder)');
    await until('the tunnel', async () => /Phase: 2|phase 2/i.test(await right.ask('S')) || undefined);
    assert.equal(left.count('refused'), 0);
  });
}

test('a key that is taken away counts no more after HUP', async (t) => {
  const { pair, folder } = await startSigning(t, [rsaKey('left'), rsaKey('right')], 'RSA_SIG');
  const [left, right] = pair;
  rmSync(join(folder, 'right-keys/pubkeys/ipv4', LEFT.address));
  right.signal('SIGHUP');
  await until('the reload', () => right.count('reload: peers: ') > 0 || undefined);
  left.command('c tunnel');
  await right.saw('rsa_sig_decode_hash: no public key found');
  await right.saw('or put its key into Pubkey-directory, in ipv4/127.0.0.1');
});

for (const [what, change] of [
  ['replaced', (file: string) => writeFileSync(file, publicPem(rsaKey('another')))],
  ['taken away', (file: string) => rmSync(file)],
] as const) {
  test(`a peer whose raw key is ${what} loses its SAs after HUP, and gets no new ones`, async (t) => {
    const { pair, folder } = await startSigning(t, [rsaKey('left'), rsaKey('right')], 'RSA_SIG');
    const [left, right] = pair;
    left.command('c tunnel');
    await until('the tunnel', () => right.count('isakmpd: quick mode done') > 0 || undefined);
    change(join(folder, 'right-keys/pubkeys/ipv4', LEFT.address));
    right.signal('SIGHUP');
    await right.saw('127.0.0.1; 1 ISAKMP and 1 IPsec SAs are deleted');
    // Its lane removes the ISAKMP SA a moment later.
    await until('no SA', async () => !/^SA name:/m.test(await right.ask('S')) || undefined);
    await left.saw('made us delete live SA tunnel');
    left.command('c tunnel');
    await right.saw('phase 1 refused');
    assert.equal(right.count('isakmpd: quick mode done'), 1);
  });
}

test('at load it is said that a peer wants signatures which no private key of ours can make', async (t) => {
  const keys = [rsaKey('left'), ecKey('right', 'prime256v1')] as const;
  const { pair } = await startSigning(t, keys, 'RSA_SIG');
  const [left, right] = pair;
  await right.saw('[peer] wants signatures (RSA_SIG), and there is no private key of our address to make them');
  await until('left to be ready', async () => (await left.ask('S')) !== undefined || undefined);
  assert.equal(left.count('wants signatures'), 0);
});

test('another key of our own counts from the next phase 1: SAs stay after HUP', async (t) => {
  const { pair, folder } = await startSigning(t, [rsaKey('left'), rsaKey('right')], 'RSA_SIG');
  const [left, right] = pair;
  left.command('c tunnel');
  await until('the tunnel', () => right.count('isakmpd: quick mode done') > 0 || undefined);
  writeFileSync(join(folder, 'right-keys/private/local.key'), privatePem(rsaKey('another')));
  right.signal('SIGHUP');
  await until('the reload', () => right.count('reload: peers: ') > 0 || undefined);
  assert.equal((await right.ask('S')).match(/^SA name:/gm)?.length, 2);
  assert.equal(right.count('no longer trusted'), 0);
  left.command('t main peer');
  left.command('c peer');
  await left.saw('its signature is not made with the key of 127.0.0.2');
});

test(
  'two daemons bring up a tunnel with certificates, and not with one that was revoked since',
  NEEDS_OPENSSL,
  async (t) => {
    const pki = opensslPki();
    t.after(() => pki.remove());
    const root = pki.certificate({ subject: '/CN=Root', extensions: CA });
    const folder = testFolder(t);
    const leaf = ({ name, address }: Side): Made =>
      pki.certificate({
        subject: `/CN=${name}`,
        issuer: root,
        privateKey: rsaKey(name).privateKey,
        extensions: [`subjectAltName=IP:${address}`],
      });
    const certificates = { left: leaf(LEFT), right: leaf(RIGHT) };
    const general = {
      left: certified(folder, 'left', certificates.left, root),
      right: certified(folder, 'right', certificates.right, root),
    };
    const pair = await startPair(t, undefined, {
      transform: 'AES-128-SHA2-256-GRP19-RSA_SIG',
      secret: undefined,
      general,
    });
    const [left, right] = pair;
    left.command('c tunnel');
    await left.saw('isakmpd: phase 1 done');
    await right.saw('isakmpd: phase 1 done (as responder)');
    assert.equal(right.count('refused'), 0);
    left.command('t tunnel');
    left.command('t main peer');
    writeFileSync(join(folder, 'right/crls/root.crl'), pki.crl(root, [{ of: certificates.left }]));
    right.signal('SIGHUP');
    await until('the reload', () => right.count('reload: peers: ') > 0 || undefined);
    left.command('c tunnel');
    await right.saw('its certificate is not taken: certificate of /CN=left');
  },
);

/** What the configuration of a side says of its certificate. */
const certified = (folder: string, side: string, own: Made, root: Made): string => {
  const place = join(folder, side);
  for (const directory of ['private', 'ca', 'certs', 'crls', 'pubkeys']) {
    mkdirSync(join(place, directory), { recursive: true });
  }
  const pem = own.privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(place, 'private/local.key'), pem, { mode: 0o600 });
  writeFileSync(join(place, 'ca/root.crt'), root.pem, { mode: 0o644 });
  writeFileSync(join(place, 'certs/own.crt'), own.pem, { mode: 0o644 });
  return `Pubkey-directory=${place}/pubkeys/
[X509-certificates]
Private-key=${place}/private/local.key
Private-key-directory=${place}/private/
CA-directory=${place}/ca/
Cert-directory=${place}/certs/
CRL-directory=${place}/crls/
`;
};
