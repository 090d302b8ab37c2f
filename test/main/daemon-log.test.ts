/** The log of a running daemon. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { startAlone, startPair, testFolder } from '../helpers/daemon-process.ts';

const WORDS = ['-d', '-v', '-n', '-K', '-4'];

test('-D and Loglevel are told when it starts, D while it runs', async (t) => {
  const { daemon } = await startAlone(t, 'Loglevel=6=30', { words: [...WORDS, '-DA=5', '-Dnonsense', '-D', '12=1'] });
  daemon.command('D 11 5');
  await daemon.saw('Default log_debug_cmd: invalid debugging class 11');
  const lines = daemon.log.map((line) => line.slice(14)).filter((line) => /log_debug_cmd| -D |starting/.test(line));
  assert.deepEqual(lines, [
    ...Array.from({ length: 11 }, (_, i) => `Default log_debug_cmd: log level changed from 0 to 5 for class ${i}`),
    'Default parse_args: -D argument unparseable: nonsense (it is class=level or A=level, class 0 to 10, level 0 to 99)',
    'Default log_debug_cmd: invalid debugging class 12',
    'Default log_debug_cmd: log level changed from 5 to 30 for class 6',
    'Default isakmpd: starting',
    'Default log_debug_cmd: invalid debugging class 11',
  ]);
});

test('a log that nobody reads any more does not stop it', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.closeLog();
  for (let i = 0; i < 50; i++) daemon.command(`D 3 ${1 + (i % 2)}`);
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
  daemon.command('Q');
  assert.equal(await daemon.ended, 0);
});

/** The lines of a JSON log, each proved to be an object with what every line has. */
const parsedLog = ({ log }: Daemon): readonly Readonly<Record<string, unknown>>[] =>
  log.map((line) => {
    const record: unknown = JSON.parse(line);
    assert.ok(typeof record === 'object' && record !== null, line);
    for (const name of ['level', 'time', 'event', 'class', 'text']) assert.ok(name in record, `${name} in ${line}`);
    return Object.fromEntries(Object.entries(record));
  });

/** What every line about a negotiation names; those about a quick mode its connection and message id as well. */
const WHO = ['peer', 'address', 'port', 'localIdentity', 'remoteIdentity', 'cookies'];
const WHO_OF_QUICK_MODE = [...WHO, 'connection', 'messageId'];

/** Asserts that there are lines of this event and that each has these fields. */
const assertNamed = (daemon: Daemon, event: string, names: readonly string[]): void => {
  const lines = parsedLog(daemon).filter((line) => line['event'] === event);
  assert.ok(lines.length > 0, `no ${event} of ${daemon.name}`);
  for (const line of lines)
    assert.deepEqual([names.filter((name) => !(name in line)), line['text']], [[], line['text']]);
};

test('--log-format json: the lines of a negotiation name connection, peer, address, identities, cookies and message id', async (t) => {
  const words = [...WORDS, '-DA=99', '--log-format', 'json'];
  const [left, right] = await startPair(t, undefined, { words });
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  await right.saw('isakmpd: quick mode done (as responder)');
  for (const daemon of [left, right]) {
    assertNamed(daemon, 'phase1-established', WHO);
    assertNamed(daemon, 'phase2-established', WHO_OF_QUICK_MODE);
    const tags = new Set(parsedLog(daemon).flatMap((line) => (line['level'] === 'debug' ? [line['class']] : [])));
    assert.deepEqual(
      [...tags].sort(),
      DEBUG_TAGS.filter((tag) => tag !== 'UI' || daemon === left),
    );
  }
});

const DEBUG_TAGS = ['Cryp', 'Exch', 'Mesg', 'Misc', 'Negt', 'Plcy', 'SA', 'Sdep', 'Timr', 'Trpt', 'UI'];

test('--log-format json: so do the lines of negotiations that fail', async (t) => {
  const [left, right] = await startPair(t, undefined, { words: [...WORDS, '--log-format', 'json'] });
  // The responder wants another suite, then has another secret.
  right.command('C set [quick-mode]:Suites=QM-ESP-AES-256-SHA2-256-SUITE force');
  await right.caughtUp();
  await right.ask('C get [quick-mode]:Suites');
  left.command('c tunnel');
  await left.saw('phase2-failed');
  await right.saw('phase2-no-proposal');
  assertNamed(left, 'phase2-failed', WHO_OF_QUICK_MODE);
  assertNamed(right, 'phase2-no-proposal', WHO_OF_QUICK_MODE);
  const refusals = right.count('"event":"refusal"');
  right.command('C set [peer]:Authentication=another force');
  await right.caughtUp();
  await right.ask('C get [peer]:Authentication');
  for (const line of ['t quick tunnel', 't main peer', 'c tunnel']) left.command(line);
  await until('another refusal', () => right.count('"event":"refusal"') > refusals || undefined);
  assertNamed(
    right,
    'refusal',
    WHO.filter((name) => name !== 'remoteIdentity'),
  );
  assertNamed(
    right,
    'message-dropped',
    WHO.filter((name) => name !== 'remoteIdentity'),
  );
});

test('D reaches the lanes of a running daemon', async (t) => {
  const [left] = await startPair(t);
  left.command('D 7 40');
  left.command('c tunnel');
  await left.saw('Exch 40 exchange_run: peer');
  await left.saw('isakmpd: quick mode done');
  assert.equal(left.count(' Mesg '), 0);
  left.command('D T');
  await left.saw('log level changed from 40 to 0 for class 7');
  const before = left.count(' Exch ');
  for (const line of ['T', 't main peer', 'c tunnel']) left.command(line);
  await until('a second quick mode', () => left.count('isakmpd: quick mode done') > 1 || undefined);
  assert.equal(left.count(' Exch '), before);
});

test('D 4 10: the timers of lanes and connections are told, with what they are for', async (t) => {
  const [left] = await startPair(t);
  left.command('D 4 10');
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  await left.saw('Timr 10 timer_add_event: event sa_hard_expire(tunnel) added, expiration in 1200.0s');
  await left.saw('Timr 10 timer_add_event: event repeat of');
});

test('below systemd every line has its priority in front and leaves time and tag to the journal', (t) => {
  // The stream is what systemd says it is: here standard error itself.
  const script = 'JOURNAL_STREAM=$(stat -Lc %d:%i /dev/fd/2); export JOURNAL_STREAM; exec "$@"';
  const argv = ['-d', '-n', '-K', '-c', '/nowhere', '-D', '3=40', '--run-dir', join(testFolder(t), 'absent')];
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, 'bin/isakmpd', ...argv], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 1);
  const [first, ...others] = stderr.trimEnd().split('\n');
  assert.equal(first, '<5>log_debug_cmd: log level changed from 0 to 40 for class 3');
  assert.match(others.at(-1) ?? '', /^<2>[^<].*absent/);
});
