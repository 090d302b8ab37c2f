/** `isakmpd pki init` and `pubkey`, and its command line: openssl judges the keys, the daemon's own reader finds them. */
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { placesOf } from '../../../src/main/cli/pki/files.ts';
import { runPki } from '../../../src/main/cli/pki/run.ts';
import { readCredentials } from '../../../src/main/credentials/credential-reader.ts';
import { writeNewFiles } from '../../../src/main/privileged/new-file.ts';
import { listFiles, readSecretFile, readTrustedFile } from '../../../src/main/privileged/secret-file.ts';
import { PKI_COMMANDS } from '../../../src/shared/cli/pki-table.ts';
import { createCredentials } from '../../../src/shared/credentials/credentials.ts';
import { methodOfKey } from '../../../src/shared/crypto/signature.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import { testFolder } from '../../helpers/daemon-process.ts';
import { NEEDS_OPENSSL } from '../../helpers/openssl-pki.ts';
import { type PkiBed, pkiBed } from '../../helpers/pki-bed.ts';

for (const [options, kind] of [
  [[], /Private-Key: \(2048 bit/],
  [['--bits', '3072'], /Private-Key: \(3072 bit/],
  [['--ec', 'P-256'], /ASN1 OID: prime256v1/],
  [['--ec', 'P-384'], /ASN1 OID: secp384r1/],
  [['--ec', 'P-521'], /ASN1 OID: secp521r1/],
] as const) {
  test(`init ${options.join(' ')} makes a key that openssl takes, and its public half`, NEEDS_OPENSSL, async (t) => {
    const bed = pkiBed(t);
    const said = await bed.done('init', ...options);
    assert.match(bed.openssl('pkey', '-in', 'etc/private/local.key', '-check', '-noout', '-text'), kind);
    assert.equal(bed.openssl('pkey', '-in', 'etc/private/local.key', '-pubout'), bed.read('etc/local.pub'));
    assert.deepEqual(
      ['etc/private', 'etc/private/local.key', 'etc/local.pub'].map((name) => bed.mode(name)),
      [0o700, 0o600, 0o644],
    );
    assert.equal(said.split('\n').length, 3, 'a line for each file');
    assert.doesNotMatch(said, /BEGIN/);
  });
}

test('init writes over nothing without --force', async (t) => {
  const bed = pkiBed(t);
  await bed.done('init', '--ec', 'P-256');
  const [before, beforePub] = [bed.read('etc/private/local.key'), bed.read('etc/local.pub')];
  assert.deepEqual(await bed.pki('init', '--ec', 'P-256'), {
    status: 1,
    out: '',
    err: 'isakmpd pki: /etc/private/local.key is there already: --force would write over it\n',
  });
  assert.deepEqual([bed.read('etc/private/local.key'), bed.read('etc/local.pub')], [before, beforePub]);
  await bed.done('init', '--ec', 'P-256', '--force');
  assert.notEqual(bed.read('etc/private/local.key'), before);
  assert.equal(bed.mode('etc/private/local.key'), 0o600);
  assert.deepEqual(readdirSync(bed.path('etc/private')), ['local.key'], 'nothing half done is left');
});

test('init writes nothing at all where only the public key is there', async (t) => {
  const bed = pkiBed(t);
  bed.write('etc/local.pub', 'of somebody else');
  assert.equal((await bed.pki('init', '--ec', 'P-256')).status, 1);
  assert.throws(() => readdirSync(bed.path('etc/private')), { code: 'ENOENT' });
  assert.equal(bed.read('etc/local.pub'), 'of somebody else');
});

test('no link is followed where a new file belongs', (t) => {
  const folder = testFolder(t);
  symlinkSync('/nowhere/else', `${folder}/link`);
  const files = [{ path: `${folder}/link`, text: 'text', isSecret: true }];
  const isExisting = (fault: unknown): boolean => fault instanceof SystemError && fault.code === 'EEXIST';
  assert.throws(() => writeNewFiles(files, false), isExisting);
  writeNewFiles(files, true);
  assert.equal(readFileSync(`${folder}/link`, 'utf8'), 'text', 'with force it is replaced, not followed');
  assert.deepEqual(readdirSync(folder), ['link']);
});

const IDENTITIES = [
  '10.1.0.2',
  '2001:DB8:0:0::2',
  'gate.example.net',
  'joe@example.net',
  '/C=SE/O=Company/CN=gate',
  '/CN=x',
];

/** The keys that the daemon finds for IDENTITIES. */
const foundKeys = async (bed: PkiBed) => {
  const access = {
    readSecretFile: async (name: string) => readSecretFile(name),
    readTrustedFile: async (name: string) => readTrustedFile(name),
    listFiles: async (name: string) => listFiles(name),
  };
  const places = await placesOf({ text: (key) => (key === 'config-file' ? bed.configuration : undefined) });
  const { files, problems } = await readCredentials(access, places);
  const credentials = createCredentials(files);
  return {
    problems: problems.filter((problem) => !problem.endsWith('names')),
    find: (text: string, method: number) => credentials.publicKey(identityFromText(text), method),
  };
};

test('pubkey puts a key where the daemon finds it, whatever identity it is for', async (t) => {
  const bed = pkiBed(t);
  await bed.done('init', '--ec', 'P-256');
  for (const identity of IDENTITIES) await bed.done('pubkey', bed.path('etc/local.pub'), identity);
  const key = createPublicKey(bed.read('etc/local.pub'));
  const { problems, find } = await foundKeys(bed);
  assert.deepEqual(problems, []);
  for (const identity of IDENTITIES) {
    assert.ok(find(identity, methodOfKey(key) ?? 0)?.equals(key), identity);
  }
  assert.equal(bed.read('etc/pubkeys/ipv6/2001:db8::2'), bed.read('etc/local.pub'), 'named in the shortest form');
});

test('pubkey takes keys, requests and certificates, of openssl too', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  bed.openssl('genrsa', '-traditional', '-out', 'peer.key', '2048');
  bed.openssl('rsa', '-in', 'peer.key', '-RSAPublicKey_out', '-out', 'pkcs1.pub');
  bed.openssl('rsa', '-in', 'peer.key', '-pubout', '-out', 'peer.pub');
  bed.openssl('req', '-new', '-key', 'peer.key', '-subj', '/CN=peer', '-out', 'peer.csr');
  bed.openssl('req', '-new', '-x509', '-key', 'peer.key', '-subj', '/CN=peer', '-out', 'peer.crt');
  for (const [number, name] of ['peer.key', 'pkcs1.pub', 'peer.pub', 'peer.csr', 'peer.crt'].entries()) {
    await bed.done('pubkey', bed.path(name), `10.1.0.${number}`);
    assert.equal(bed.read(`etc/pubkeys/ipv4/10.1.0.${number}`), bed.read('peer.pub'), name);
  }
});

test('pubkey refuses files without a key that the daemon would take', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  bed.write('text', 'no key');
  bed.openssl('genrsa', '-out', 'short.key', '1024');
  bed.openssl('req', '-new', '-x509', '-key', 'short.key', '-subj', '/CN=peer', '-out', 'short.crt');
  bed.openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.key');
  const refusals = [];
  for (const name of ['missing', 'text', 'short.key', 'short.crt', 'ed.key']) {
    const { status, err } = await bed.pki('pubkey', bed.path(name), '10.1.0.1');
    refusals.push(`${status} ${err}`);
  }
  assert.deepEqual(refusals, [
    '1 isakmpd pki: cannot read /missing: ENOENT: no such file or directory\n',
    '1 isakmpd pki: /text cannot be used: it is no public key in PEM (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY)\n',
    '1 isakmpd pki: /short.key cannot be used: it is an RSA key of 1024 bits: 2048 to 8192 can be used (Minimum-RSA-bits)\n',
    '1 isakmpd pki: /short.crt cannot be used: it is an RSA key of 1024 bits: 2048 to 8192 can be used (Minimum-RSA-bits)\n',
    '1 isakmpd pki: /ed.key cannot be used: it is a key for ed25519: RSA and ECDSA can be used\n',
  ]);
});

test('identities that would lead a file elsewhere are none', async (t) => {
  const bed = pkiBed(t);
  await bed.done('init', '--ec', 'P-256');
  for (const text of [
    '../../x',
    '.',
    '..',
    'a/b',
    '/CN=a/../../b',
    '/CN=a/',
    '.hidden',
    'a b',
    'a\nb',
    '10.1.0',
    '10.0.0.0/8',
    '',
    '@x',
    'x@',
    'a..b',
  ]) {
    const { status, err } = await bed.pki('pubkey', bed.path('etc/local.pub'), text);
    assert.equal(status, 1, text);
    assert.match(err, /^isakmpd pki: .*\n$/);
  }
  assert.throws(() => readdirSync(bed.path('etc/pubkeys')), { code: 'ENOENT' });
});

/** What a command line comes to. */
const said = async (...words: readonly string[]) => {
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  return { status: await runPki(words, { print: add, complain: add }), text };
};

test('what is no command is told in one line, with what would be right', async () => {
  for (const [words, text] of [
    [['nonsense'], 'unknown argument: nonsense (isakmpd pki --help)'],
    [['-c', 'x'], 'a command is needed (isakmpd pki --help)'],
    [['init', 'x'], 'unknown argument: x (isakmpd pki init --help)'],
    [['init', '--bit', '2048'], 'unknown argument: bit (isakmpd pki init --help)'],
    [['init', '--bits', '1024'], '--bits: "1024" is no number from 2048 to 8192 (isakmpd pki init --help)'],
    [['init', '--bits'], 'not enough arguments following: bits (isakmpd pki init --help)'],
    [
      ['init', '--ec', 'P-192'],
      'invalid values: Argument: ec, Given: "P-192", Choices: "P-256", "P-384", "P-521" (isakmpd pki init --help)',
    ],
    [
      ['init', '--ec', 'P-256', '--bits', '2048'],
      '--bits is for RSA, --ec for ECDSA: one of them (isakmpd pki init --help)',
    ],
    [['ca', '--days', '0'], '--days: "0" is no number from 1 to 36500 (isakmpd pki ca --help)'],
    [['ca', '--subject', 'me'], '--subject: "me" is no name: /C=SE/O=Company/CN=gate is one'],
    [['sign', 'x.csr'], 'not enough non-option arguments: got 1, need at least 2 (isakmpd pki sign --help)'],
    [['crl', '--force'], 'unknown argument: force (isakmpd pki crl --help)'],
    [['init', '-c', '/nowhere/isakmpd.conf'], '--config-file: there is no file /nowhere/isakmpd.conf'],
  ] as const) {
    assert.deepEqual(await said(...words), { status: 1, text: `isakmpd pki: ${text}\n` });
  }
});

test('the configuration counts as the daemon reads it', async (t) => {
  const bed = pkiBed(t);
  bed.write('open.conf', '', 0o644);
  assert.match(
    (await said('init', '-c', bed.path('open.conf'))).text,
    /^isakmpd pki: .*open\.conf is not read: group or others have access/,
  );
  bed.write('wrong.conf', '[X509-certificates]\nMinimum-RSA-bits=few\n', 0o600);
  assert.match((await said('init', '-c', bed.path('wrong.conf'))).text, /^isakmpd pki: .*Minimum-RSA-bits.*few.*\n$/);
});

test('help is there for every command', async () => {
  const { status, text } = await said('--help');
  assert.equal(status, 0);
  assert.deepEqual(await said(), { status, text });
  for (const { name, help, options } of PKI_COMMANDS) {
    assert.ok(text.includes(help), name);
    const own = await said(name, '--help');
    assert.equal(own.status, 0);
    for (const { key } of options) assert.ok(own.text.includes(`--${key} `), `${name} --${key}`);
  }
});
