import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../../loadtest/daemon.ts';
import { schedule } from '../../../src/main/clock.ts';
import { Syslog, type SyslogOptions } from '../../../src/main/log/syslog.ts';
import { testFolder } from '../../helpers/daemon-process.ts';

/** A shell script instead of logger(1); `$OUT` in it is a file of this test's. */
const bench = (t: TestContext, script: string, changes: Partial<SyslogOptions> = {}) => {
  const out = join(testFolder(t), 'out');
  const fallen: string[] = [];
  const restarts: { readonly milliseconds: number; readonly callback: () => void }[] = [];
  const clock = { now: 0 };
  const syslog = new Syslog({
    pid: 4242,
    fallback: (line) => fallen.push(line),
    now: () => clock.now,
    schedule: (milliseconds, callback) => {
      restarts.push({ milliseconds, callback });
      return () => undefined;
    },
    command: ['sh', '-c', script.replaceAll('$OUT', out), 'logger'],
    ...changes,
  });
  t.after(() => syslog.close());
  const written = () => (existsSync(out) ? readFileSync(out, 'utf8') : '');
  return { syslog, out, fallen, restarts, clock, written };
};

test('logger(1) gets ident, pid, and each line with facility daemon and its priority', async (t) => {
  const { syslog, written } = bench(t, 'printf "%s\\n" "$*" >$OUT; exec cat >>$OUT');
  syslog.write('isakmpd: starting\n', 5);
  syslog.write('broken\n', 3);
  await syslog.close();
  const [words, ...lines] = written().split('\n');
  assert.equal(words, '-t isakmpd --id=4242 --prio-prefix --size 64KiB --socket-errors=on');
  assert.deepEqual(lines, ['<29>isakmpd: starting', '<27>broken', '']);
});

test('the real logger(1) makes of it ident[pid] and the priority, and cuts nothing', async (t) => {
  if (spawnSync('logger', ['--version']).status !== 0) return t.skip('logger(1) of util-linux is not there');
  const script = 'exec logger "$@" --socket-errors=off --no-act --stderr 2>$OUT';
  const { syslog, written } = bench(t, script, { schedule });
  const long = 'x'.repeat(20_000);
  syslog.write('isakmpd: starting\n', 5);
  syslog.write(`${long}\n`, 1);
  await syslog.close();
  const [first, second] = written().split('\n');
  assert.match(first ?? '', /^<29>.* isakmpd\[4242\]: isakmpd: starting$/);
  assert.match(second ?? '', /^<25>.* isakmpd\[4242\]: x{20000}$/);
});

test('a logger that dies at once has its lines said elsewhere, and is started again with growing pauses', async (t) => {
  const { syslog, fallen, restarts } = bench(t, 'exit 1');
  syslog.write('isakmpd: starting\n', 5);
  await until('the first end', () => restarts[0]);
  assert.deepEqual(fallen, ['isakmpd: starting\n']);
  syslog.write('while it is away\n', 5);
  assert.equal(fallen.at(-1), 'while it is away\n');
  restarts[0]?.callback();
  await until('the second end', () => restarts[1]);
  assert.deepEqual(
    restarts.map(({ milliseconds }) => milliseconds),
    [1000, 2000],
  );
});

test('a program that cannot be started is like one that dies', async (t) => {
  const { syslog, restarts } = bench(t, '', { command: ['/nowhere/logger'] });
  await until('the end', () => restarts[0]);
  assert.equal(syslog.takeComplaint(), undefined);
  restarts[0]?.callback();
  assert.equal(
    syslog.takeComplaint()?.text,
    'isakmpd: logger(1) has ended (spawn /nowhere/logger ENOENT): 0 log lines did not reach syslog',
  );
});

test('the next logger is told of how many lines it has missed', async (t) => {
  const { syslog, out, restarts, written } = bench(t, 'test -e $OUT && exec cat >>$OUT; exit 1');
  syslog.write('one\n', 5);
  await until('the end', () => restarts[0]);
  syslog.write('two\n', 5);
  writeFileSync(out, '');
  restarts[0]?.callback();
  assert.equal(
    syslog.takeComplaint()?.text,
    'isakmpd: logger(1) has ended (status 1): 2 log lines did not reach syslog',
  );
  assert.equal(syslog.takeComplaint(), undefined);
  syslog.write('three\n', 5);
  await syslog.close();
  assert.equal(written(), '<29>three\n');
});

test('a logger that does not read costs lines, not memory or time, and they are counted', async (t) => {
  const { syslog, out, written } = bench(t, 'while ! test -e $OUT; do sleep 0.05; done; exec cat >>$OUT', { schedule });
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 5000; i++) syslog.write(line, 5);
  writeFileSync(out, '');
  await until('it to catch up', () => written().length > 1_000_000 || undefined);
  const [count] = /\d+/.exec(syslog.takeComplaint()?.text ?? '') ?? [];
  syslog.write('after\n', 5);
  await syslog.close();
  const lines = written().split('\n').slice(0, -1);
  assert.ok(lines.length < 2000, `${lines.length} lines were kept`);
  assert.equal(lines.length - 1 + Number(count), 5000);
  assert.equal(lines.at(-1), '<29>after');
});
