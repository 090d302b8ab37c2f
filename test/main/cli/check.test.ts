import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkConfiguration } from '../../../src/main/cli/check.ts';
import { ecKey, privatePem, rsaKey } from '../../helpers/credential-keys.ts';
import { testFolder } from '../../helpers/daemon-process.ts';
import { EXAMPLE } from '../../shared/config/store-of.ts';

const TOP = new URL('../../../../', import.meta.url);
const TEN_MISTAKES = fileURLToPath(new URL('test/main/cli/ten-mistakes.conf', TOP));

const check = async (path: string): Promise<{ readonly status: number; readonly lines: readonly string[] }> => {
  let output = '';
  const status = await checkConfiguration(path, { write: (text) => (output += text) });
  assert.ok(output === '' || output.endsWith('\n'));
  return {
    status,
    lines: output
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace(path, 'FILE')),
  };
};

const fileOf = (t: TestContext, text: string, mode = 0o600): string => {
  const path = join(testFolder(t), 'isakmpd.conf');
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};

test('a file with ten different mistakes is told all of them, by line, with what to write instead', async (t) => {
  const path = fileOf(t, '');
  copyFileSync(TEN_MISTAKES, path);
  chmodSync(path, 0o600);
  const { status, lines } = await check(path);
  assert.deepEqual(lines, [
    'FILE:2: error: the line belongs to no section and is ignored: write the [section] above it',
    'FILE:5: warning: [General]:Default-phase1-lifetime is unknown and has no effect: did you mean Default-phase-1-lifetime?',
    'FILE:6: error: [General]:Exchange-max-time cannot be "soon": it is a number of seconds from 1 to 2147483',
    'FILE:8: warning: [General]:Check-interval is there already: its first value counts, this one is ignored',
    'FILE:14: error: [Phase 2]:Connections names "nort-net", but there is no such section: did you mean north-net?',
    'FILE:17: warning: [west] allows weak algorithms: 3DES, HMAC_SHA, MODP_1024; take AES, SHA2_256 and MODP_2048 or better as soon as the peer can',
    'FILE:28: error: [east]:Authentication is missing: it is the pre-shared key',
    'FILE:34: error: [main-mode]:Transforms names "AES-128-SHA2-256-GPR14", but there is no such section: did you mean AES-128-SHA2-256-GRP14?',
    'FILE:51: warning: [north-net] is listed in neither [Phase 2]:Connections nor :Passive-connections: only the command c starts it',
    'FILE:69: error: connection west-net is not used: [net-west]:Netmask cannot be "255.0.255.0": its ones have to come before its zeros',
    'FILE:80: warning: [net-north]:Port has no effect without Protocol: add Protocol=tcp, udp or another one',
    'FILE:83: warning: [net-south] is named by no other section: it has no effect',
  ]);
  assert.equal(status, 1);
});

test('a sound file is told nothing, status 0', async (t) => {
  assert.deepEqual(await check(fileOf(t, EXAMPLE)), { status: 0, lines: [] });
});

test('a peer that wants signatures is told that there is no private key of our identity, until there is one', async (t) => {
  const folder = testFolder(t);
  const signing = EXAMPLE.replace(/^Authentication=.*\n/m, '').replace(
    /^Transforms=.*/m,
    'Transforms=AES-128-SHA2-256-GRP19-RSA_SIG',
  );
  const path = fileOf(t, `${signing}[X509-certificates]\nPrivate-key-directory=${folder}/\n`);
  const { status, lines } = await check(path);
  assert.equal(status, 2);
  assert.match(
    lines.join('\n'),
    /warning: \[.*\] wants signatures \(RSA_SIG\), and there is no private key of .* to make them: isakmpd pki init/,
  );
  for (const [key, expected] of [
    [ecKey('check', 'prime256v1'), 2],
    [rsaKey('check'), 0],
  ] as const) {
    writeFileSync(join(folder, '10.1.0.2'), privatePem(key), { mode: 0o600 });
    assert.equal((await check(path)).status, expected);
  }
});

test('warnings alone are status 2', async (t) => {
  const { status, lines } = await check(fileOf(t, `${EXAMPLE}[General]\nXyzzy=1\n`));
  assert.equal(status, 2);
  assert.equal(lines.length, 1, lines.join('\n'));
});

test('names of hosts are not looked up, and that is said without being held against the file', async (t) => {
  const peers = Array.from({ length: 12 }, (_, i) => `[p${i}]\nPhase=1\nAddress=gate${i}.example.net\n`).join('');
  const { status, lines } = await check(fileOf(t, EXAMPLE.replace(/^Address=\t.*/m, 'Address=\tgate.example.net')));
  assert.deepEqual(lines, ['FILE: note: names of hosts are not looked up here: gate.example.net']);
  assert.equal(status, 0);
  const many = await check(fileOf(t, `${EXAMPLE}${peers}`));
  assert.match(many.lines.at(-1) ?? '', /: gate0\.example\.net, .*gate9\.example\.net and 2 more$/);
});

test('a file that others may read is checked, and told to be closed to them', async (t) => {
  const { status, lines } = await check(fileOf(t, `${EXAMPLE}[General]\nXyzzy=1\n`, 0o644));
  assert.equal(status, 1);
  assert.match(lines[0] ?? '', /^FILE: error: .*(group|others)/);
  assert.equal(lines.length, 2);
});

test('a file that is not there is an error', async (t) => {
  assert.deepEqual(await check(join(testFolder(t), 'none.conf')), {
    status: 1,
    lines: ['FILE: error: there is no such file'],
  });
});

test('the program checks without touching its run directory, and prints to standard output alone', (t) => {
  const folder = testFolder(t);
  const run = join(folder, 'run');
  mkdirSync(run);
  const path = join(folder, 'isakmpd.conf');
  writeFileSync(path, '[General]\nRetransmits=many\u001b[2J\n', { mode: 0o600 });
  const program = fileURLToPath(new URL('bin/isakmpd', TOP));
  assert.ok(existsSync(program));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, '--check', '-K', '-c', path, '--run-dir', run],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(stderr, '');
  assert.equal(
    stdout,
    `${path}:2: error: [General]:Retransmits cannot be "many\\x1b[2J": it is a number from 0 to 100\n`,
  );
  assert.equal(status, 1);
  assert.deepEqual(readdirSync(run), []);
});
