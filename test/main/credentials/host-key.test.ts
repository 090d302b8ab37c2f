/** The key that a daemon makes at its first start: when, where, with which permissions, and what happens where it cannot. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFirstKey, makesFirstKey, publicKeyFile } from '../../../src/main/credentials/host-key.ts';
import { existingPaths, writeNewFiles } from '../../../src/main/privileged/new-file.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { freePorts, spawnDaemon, testFolder } from '../../helpers/daemon-process.ts';

const bedOf = (t: TestContext) => {
  const folder = testFolder(t);
  const etc = join(folder, 'isakmpd');
  const places = { privateKey: join(etc, 'private/local.key'), privateKeyDirectory: join(etc, 'private/') };
  const lines: string[] = [];
  const make = (write = (files: Parameters<typeof writeNewFiles>[0]) => writeNewFiles(files, false)) =>
    makeFirstKey({
      privileged: {
        existing: async (paths) => existingPaths(paths),
        writeNewFiles: async (files) => write(files),
      },
      places,
      log: ({ severity, text }) => void lines.push(`${severity} ${text.replaceAll(folder, '')}`),
    });
  return { etc, places, lines, make, publicKey: join(etc, 'local.pub') };
};

test('the first start makes a key of 2048 bits and its public half, once', async (t) => {
  const { etc, places, lines, make, publicKey } = bedOf(t);
  mkdirSync(etc);
  assert.equal(await make(), true);
  const key = createPrivateKey(readFileSync(places.privateKey));
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
  assert.ok(createPublicKey(key).equals(createPublicKey(readFileSync(publicKey))));
  assert.deepEqual(
    [join(etc, 'private'), places.privateKey, publicKey].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o600, 0o644],
  );
  assert.equal(await make(), false);
  assert.deepEqual(lines, [
    'notice credentials: /isakmpd/private/local.key is the new key of this host (RSA, 2048 bits), /isakmpd/local.pub its public half',
  ]);
});

for (const [what, prepare] of [
  ['/etc/isakmpd is not there', () => {}],
  [
    'there is a private key',
    ({ etc, places }) => {
      mkdirSync(join(etc, 'private'), { recursive: true });
      writeFileSync(places.privateKey, 'anything');
    },
  ],
  [
    'the private key is a link that leads nowhere yet',
    ({ etc, places }) => {
      mkdirSync(join(etc, 'private'), { recursive: true });
      symlinkSync('/nowhere/local.key', places.privateKey);
    },
  ],
  [
    'only a public key is there',
    ({ etc, publicKey }) => {
      mkdirSync(etc);
      writeFileSync(publicKey, 'anything');
    },
  ],
] as const satisfies readonly (readonly [string, (bed: ReturnType<typeof bedOf>) => void])[]) {
  test(`no key is made, and nothing said, where ${what}`, async (t) => {
    const bed = bedOf(t);
    prepare(bed);
    const before = existsSync(bed.etc) ? readdirSync(bed.etc, { recursive: true }) : [];
    assert.equal(await bed.make(), false);
    assert.deepEqual(existsSync(bed.etc) ? readdirSync(bed.etc, { recursive: true }) : [], before);
    assert.deepEqual(bed.lines, []);
  });
}

test('a key that cannot be written is one line', async (t) => {
  const { etc, lines, make } = bedOf(t);
  mkdirSync(etc);
  const isMade = await make(() => {
    throw new SystemError('cannot write /etc/isakmpd/private/local.key: EROFS: read-only file system', 'EROFS');
  });
  assert.equal(isMade, false);
  assert.deepEqual(lines, [
    'notice credentials: no key was made for this host: cannot write /etc/isakmpd/private/local.key: EROFS: read-only file system',
  ]);
});

test('the daemon makes keys only where isakmpd(8) has them, and none with -n', () => {
  const [original, other] = ['/etc/isakmpd/private/local.key', '/mnt/private/local.key'].map((privateKey) =>
    [true, false].map((usesKernel) => makesFirstKey(usesKernel, { privateKey, privateKeyDirectory: '/x' })),
  );
  assert.deepEqual(original, [true, false]);
  assert.deepEqual(other, [false, false]);
});

test('the public half is beside the private keys, and never among them', () => {
  const beside = (privateKey: string, privateKeyDirectory: string): string =>
    publicKeyFile({ privateKey, privateKeyDirectory });
  assert.equal(beside('/etc/isakmpd/private/local.key', '/etc/isakmpd/private/'), '/etc/isakmpd/local.pub');
  assert.equal(beside('/srv/vpn.key', '/etc/isakmpd/private/'), '/srv/vpn.pub');
  assert.equal(beside('/srv/keys/gate', '/srv/keys/'), '/srv/gate.pub');
});

/** A user and mount namespace, in which /etc can be another one. */
const NEEDS_NAMESPACES = {
  skip: spawnSync('unshare', ['-rm', 'true']).status === 0 ? false : 'namespaces cannot be made here (unshare -rm)',
};

test('a daemon has its key in use soon after its first start', NEEDS_NAMESPACES, async (t) => {
  const folder = testFolder(t);
  const etc = join(folder, 'etc');
  mkdirSync(join(etc, 'isakmpd'), { recursive: true });
  for (const name of ['passwd', 'group', 'services', 'protocols', 'hosts', 'nsswitch.conf']) {
    if (existsSync(join('/etc', name))) cpSync(join('/etc', name), join(etc, name), { recursive: true });
  }
  const daemon = spawnDaemon(t, {
    name: 'first',
    folder,
    configuration: '[General]\nListen-on=127.0.0.1\nKernel=none\n',
    ports: await freePorts(['127.0.0.1']),
    words: ['-d', '-v', '-K', '-4'],
    inside: ['unshare', '-rm', 'sh', '-c', `mount --bind ${etc} /etc && exec "$@"`, 'sh'],
  });
  await daemon.ready();
  await daemon.saw('is the new key of this host (RSA, 2048 bits), /etc/isakmpd/local.pub its public half');
  await daemon.saw('credentials: 1 private key');
  assert.equal(statSync(join(etc, 'isakmpd/private/local.key')).mode & 0o777, 0o600);
});
