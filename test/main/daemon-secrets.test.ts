/** No key ever: everything that daemons put out at debug level 99 is searched for every secret of that very run. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { PayloadType } from '../../src/shared/constants/isakmp.ts';
import { HEADER_SIZE } from '../../src/shared/wire/message.ts';
import { startPair } from '../helpers/daemon-process.ts';
import { findSecrets } from '../helpers/secret-search.ts';
import { pcapDatagrams } from '../helpers/wire-captures.ts';

const TAP = new URL('../helpers/secret-tap.js', import.meta.url).href;
/** That of the configuration files. */
const FIRST_SECRET = 'a secret of tests';

/** Everything that the daemon and its lanes ever used as a secret. */
const secretsOf = ({ runDirectory }: Daemon): readonly Uint8Array[] =>
  readdirSync(runDirectory)
    .filter((name) => name.startsWith('secrets.'))
    .flatMap((name) => readFileSync(join(runDirectory, name), 'utf8').trimEnd().split('\n'))
    .map((line) => Buffer.from(line, 'hex'));

/** Its log and every file that it has written, but for the capture. */
const outputOf = ({ runDirectory, log }: Daemon): string => {
  const files = readdirSync(runDirectory).filter(
    (name) => !/^secrets\.|\.conf$|^isakmpd\.pcap$/.test(name) && statSync(join(runDirectory, name)).isFile(),
  );
  return [...log, ...files.map((name) => readFileSync(join(runDirectory, name), 'latin1'))].join('\n');
};

/** Bodies of the HASH payloads in a capture: they are made with keys, and sent all the same. */
const hashesIn = (path: string): readonly Uint8Array[] =>
  pcapDatagrams(path).flatMap((bytes) => {
    const message = Buffer.from(bytes);
    const hashes: Uint8Array[] = [];
    let type = message.readUInt8(16);
    for (let at = HEADER_SIZE; type !== 0; at += message.readUInt16BE(at + 2)) {
      if (type === PayloadType.HASH) hashes.push(message.subarray(at + 4, at + message.readUInt16BE(at + 2)));
      type = message.readUInt8(at);
    }
    return hashes;
  });

const seen = (daemon: Daemon, text: string, times: number): Promise<unknown> =>
  until(`"${text}" for the ${times}. time`, () => daemon.count(text) >= times || undefined);

for (const format of ['text', 'json']) {
  test(`threats "no keys": nothing of a debug-99 run, log format ${format}, shows a secret of that run`, async (t) => {
    const pair = await startPair(t, undefined, {
      words: ['-d', '-v', '-n', '-K', '-4', '-DA=99', '--log-format', format],
      nodeOptions: ['--import', TAP],
    });
    const [left] = pair;
    const tell = (...lines: readonly string[]): void => {
      for (const line of lines) for (const daemon of pair) daemon.command(line);
    };
    tell('p on');
    for (const daemon of pair) await daemon.saw('starting IKE packet capture');
    // Main mode, and quick mode with PFS.
    tell('C set [quick-mode]:Suites=QM-ESP-AES-128-SHA2-256-PFS-GRP19-SUITE force');
    left.command('c tunnel');
    for (const daemon of pair) await seen(daemon, 'isakmpd: quick mode done', 1);
    // Aggressive mode with another group and another secret, told through the FIFO.
    const second = Buffer.concat([randomBytes(23), Buffer.of(1)]);
    tell(
      't main peer',
      'C set [main-mode]:EXCHANGE_TYPE=AGGRESSIVE force',
      'C set [main-mode]:Transforms=AES-128-SHA2-256-GRP14 force',
      `C set [peer]:Authentication=0x${second.toString('hex')} force`,
      'T',
    );
    await Promise.all(pair.map((daemon) => daemon.ask('C get [main-mode]:Transforms')));
    left.command('c tunnel');
    for (const daemon of pair) await seen(daemon, 'isakmpd: quick mode done', 2);
    // A negotiation that fails for a wrong secret, a command that is mistyped, and what the operator asks for.
    const third = randomBytes(24).toString('base64url');
    left.command(`C set [peer]:Authentication=${third} force`);
    left.command(`C sett [peer]:Authentication=${third}`);
    tell('t main peer', 'T');
    await Promise.all(pair.map((daemon) => daemon.ask('C get [main-mode]:Transforms')));
    left.command('c tunnel');
    await seen(left, 'phase 1 refused', 1);
    tell('r', 'D T');
    await Promise.all(pair.map((daemon) => daemon.ask('S')));
    for (const daemon of pair) daemon.signal('SIGUSR1');
    for (const { runDirectory } of pair) {
      await until('the report file', () => existsSync(join(runDirectory, 'isakmpd.report')) || undefined);
    }
    tell('Q');
    await Promise.all(pair.map(({ ended }) => ended));

    const secrets = pair.flatMap(secretsOf);
    const output = pair.map(outputOf).join('\n');
    const inHex = new Set(
      secrets.filter(({ length }) => length >= 8).map((secret) => Buffer.from(secret).toString('hex')),
    );
    for (const secret of [Buffer.from(FIRST_SECRET), second, Buffer.from(third)]) {
      assert.ok(inHex.has(secret.toString('hex')), 'the tap knows the pre-shared keys');
    }
    // Two phase 1s and quick modes with Diffie-Hellman on each side, some ten keys each.
    assert.ok(inHex.size > 80, `${inHex.size} secrets`);
    assert.ok(/Cryp|"class":"Cryp"/.test(output) && output.length > 20_000, 'it was a debug run');
    // The one from the files is made of words that log lines may have as well.
    const first = Buffer.from(FIRST_SECRET);
    const others = secrets.filter((secret) => !first.equals(secret));
    assert.match(output, /conf_report: dumping running configuration/, 'the reports are in it');
    assert.deepEqual(findSecrets(output, others), []);
    for (const { runDirectory } of pair) {
      const path = join(runDirectory, 'isakmpd.pcap');
      const hashes = hashesIn(path);
      // Two phase 1s and quick modes that came to an end, and what was deleted.
      assert.ok(hashes.length >= 14, `${hashes.length} hashes were captured`);
      const keys = secrets.filter((secret) => !hashes.some((hash) => Buffer.from(secret).equals(hash)));
      assert.ok(keys.length > 80, `${keys.length} keys`);
      assert.deepEqual(findSecrets(readFileSync(path, 'latin1'), keys), []);
    }
    for (const form of [FIRST_SECRET, first.toString('hex'), first.toString('base64').slice(0, -2)]) {
      assert.ok(!output.toLowerCase().includes(form.toLowerCase()), form);
    }
    t.diagnostic(`${inHex.size} secrets, ${output.length} characters of output`);
  });
}

test('the search finds a secret in every form, and in part', () => {
  const secret = randomBytes(32);
  const hex = secret.toString('hex');
  const part = secret.subarray(5, 21);
  const forms = [
    hex,
    hex.toUpperCase(),
    hex.replace(/(.{8})/g, '$1 '),
    part.toString('hex').replace(/(..)/g, '$1:'),
    secret.toString('base64'),
    part.toString('base64url'),
    secret.toString('latin1'),
    Array.from(part, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  ];
  for (const form of forms) assert.notDeepEqual(findSecrets(`before ${form} after`, [secret]), [], form);
  assert.deepEqual(findSecrets(`before ${randomBytes(32).toString('hex')} after`, [secret]), []);
});
