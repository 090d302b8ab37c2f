import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DescriptorLog, isJournal } from '../../../src/main/log/log-destination.ts';
import { testFolder } from '../../helpers/daemon-process.ts';

/** A file as the descriptor. */
const bench = (t: TestContext, form: 'stamped' | 'bare') => {
  const file = join(testFolder(t), 'log');
  const descriptor = openSync(file, 'w');
  t.after(() => closeSync(descriptor));
  const other: string[] = [];
  const log = new DescriptorLog(descriptor, form, () => ({
    form: 'bare',
    write: (line, priority) => other.push(`${priority} ${line}`),
    takeComplaint: () => undefined,
    close: async () => void other.push('closed'),
  }));
  return { log, descriptor, other, written: () => readFileSync(file, 'utf8') };
};

test('standard error gets the lines as they are, at once', (t) => {
  const { log, written } = bench(t, 'stamped');
  log.write('080639.809750 Default isakmpd: starting\n', 5);
  assert.equal(written(), '080639.809750 Default isakmpd: starting\n');
});

test('the journal gets the priority in front', (t) => {
  const { log, written } = bench(t, 'bare');
  log.write('isakmpd: starting\n', 5);
  log.write('broken\n', 3);
  assert.equal(written(), '<5>isakmpd: starting\n<3>broken\n');
});

test('the journal is recognised by device and inode of the stream', (t) => {
  const { descriptor } = bench(t, 'bare');
  const { dev, ino } = fstatSync(descriptor);
  assert.ok(isJournal(descriptor, `${dev}:${ino}`));
  assert.ok(!isJournal(descriptor, `${dev}:${ino + 1}`));
  assert.ok(!isJournal(descriptor, undefined));
  assert.ok(!isJournal(9999, `${dev}:${ino}`));
});

test('a descriptor that takes nothing any more is replaced for good, and no line is lost', async () => {
  // Every write to this device fails with ENOSPC.
  const descriptor = openSync('/dev/full', 'w');
  const other: string[] = [];
  const log = new DescriptorLog(descriptor, 'stamped', () => ({
    form: 'bare',
    write: (line, priority) => other.push(`${priority} ${line}`),
    takeComplaint: () => undefined,
    close: async () => void other.push('closed'),
  }));
  log.write('one\n', 5);
  closeSync(descriptor);
  assert.equal(log.takeComplaint()?.text, 'isakmpd: cannot write the log (ENOSPC): it goes to syslog from here on');
  assert.equal(log.takeComplaint(), undefined);
  log.write('two\n', 3);
  await log.close();
  assert.deepEqual(other, ['5 one\n', '3 two\n', 'closed']);
});

test('a reader who does not keep up costs lines, which are counted, and nothing waits for him', (t) => {
  const pipe = join(testFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(descriptor));
  const log = new DescriptorLog(descriptor, 'stamped', () => assert.fail('it is not broken'));
  const line = `${'x'.repeat(999)}\n`;
  for (let i = 0; i < 200; i++) log.write(line, 5);
  assert.equal(log.takeComplaint(), undefined);
  let read = readSync(descriptor, Buffer.alloc(300_000));
  log.write(line, 5);
  const [count] = /\d+/.exec(log.takeComplaint()?.text ?? '') ?? [];
  read += readSync(descriptor, Buffer.alloc(300_000));
  assert.equal(read, 1000 * (201 - Number(count)));
});
