/** The log of a running daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAlone, startPair } from '../helpers/daemon-process.ts';

const WORDS = ['-d', '-v', '-n', '-K', '-4'];

test('-D and Loglevel are told when it starts, D while it runs', async (t) => {
  const { daemon } = await startAlone(t, 'Loglevel=6=30', { words: [...WORDS, '-DA=5', '-Dnonsense', '-D', '12=1'] });
  daemon.command('D 11 5');
  await daemon.saw('Default log_debug_cmd: invalid debugging class 11');
  const lines = daemon.log.map((line) => line.slice(14)).filter((line) => /log_debug_cmd|-D|starting/.test(line));
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

test('--log-format json: every line of a whole negotiation is an object with level, time, event, class and text', async (t) => {
  const [left, right] = await startPair(t, undefined, { words: [...WORDS, '-DA=99', '--log-format', 'json'] });
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  await right.saw('isakmpd: quick mode done (as responder)');
  for (const line of [...left.log, ...right.log]) {
    const record: unknown = JSON.parse(line);
    assert.ok(typeof record === 'object' && record !== null, line);
    for (const name of ['level', 'time', 'event', 'class', 'text']) assert.ok(name in record, `${name} in ${line}`);
  }
});
