import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { classTag, createDebugLevels, isPrinted, LogClass } from '../../../src/shared/log/classes.ts';
import { printable } from '../../../src/shared/log/printable.ts';
import { textLine } from '../../../src/shared/log/text-format.ts';
import { TokenBucket } from '../../../src/shared/log/token-bucket.ts';
import type { LogRecord } from '../../../src/shared/threads/contract.ts';
import { recordOf } from '../../helpers/log-record.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const TIME = { hours: 8, minutes: 6, seconds: 3, microseconds: 42 };
const debug = (logClass: number, level: number, text: string): LogRecord => ({
  ...recordOf(text),
  severity: 'debug',
  logClass,
  level,
});

test('ordinary, verbose and error lines carry the tag Default', () => {
  assert.equal(textLine(TIME, recordOf('isakmpd: starting')), '080603.000042 Default isakmpd: starting\n');
  assert.equal(textLine(TIME, recordOf('broken', { severity: 'error' })), '080603.000042 Default broken\n');
  assert.equal(textLine(TIME, { ...recordOf('done'), severity: 'verbose' }), '080603.000042 Default done\n');
});

test('debug lines carry class and level', () => {
  assert.equal(textLine(TIME, debug(LogClass.SA, 5, 'sa_create: x')), '080603.000042 SA   05 sa_create: x\n');
  assert.equal(textLine(TIME, debug(LogClass.TRANSPORT, 95, 'x')), '080603.000042 Trpt 95 x\n');
});

test('lines of the report carry the tag Report>', () => {
  const line = textLine(TIME, {
    ...recordOf('conf_report: dumping running configuration'),
    severity: 'report',
  });
  assert.equal(line, '080603.000042 Report> conf_report: dumping running configuration\n');
});

test('text longer than the 200 characters of the original is not cut', () => {
  assert.equal(textLine(TIME, recordOf('y'.repeat(1000))), `080603.000042 Default ${'y'.repeat(1000)}\n`);
});

test('threats "log injection": a record is one line without control or bidirectional characters', () => {
  const text = 'id a\nfake \u001b[31m\u202eevil\u2028\u0085\ufeff end';
  assert.equal(
    textLine(TIME, recordOf(text)),
    '080603.000042 Default id a\\x0afake \\x1b[31m\\u{202e}evil\\u{2028}\\x85\\u{feff} end\n',
  );
});

test('threats "log injection": whatever the text, the line has one newline, at its end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.match(textLine(TIME, recordOf(text)), /^[^\p{C}\p{Zl}\p{Zp}]*\n$/u);
    }),
  );
});

test('printable text is not changed, and making text printable twice is making it printable once', () => {
  assert.equal(printable('Büro \\x0a 日本'), 'Büro \\x0a 日本');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => printable(printable(text)) === printable(text)));
});

test('a debug record is printed up to the level of its class, and never at level 0', () => {
  const levels = createDebugLevels();
  assert.equal(levels.length, 11);
  assert.ok(!isPrinted(levels, LogClass.SA, 0));
  levels[LogClass.SA] = 50;
  assert.deepEqual(
    [0, 50, 51].map((level) => isPrinted(levels, LogClass.SA, level)),
    [true, true, false],
  );
  assert.ok(!isPrinted(levels, LogClass.UI, 1));
  assert.ok(!isPrinted(levels, 99, 0));
});

test('a token bucket lets a burst pass and then its rate', () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 });
  const passed = (now: number, tries: number): number =>
    Array.from({ length: tries }, () => bucket.take(now)).filter((taken) => taken).length;
  assert.equal(passed(1000, 10), 3);
  assert.equal(passed(1400, 10), 0);
  assert.equal(passed(1500, 10), 1);
  assert.equal(passed(500, 10), 0);
  assert.equal(passed(100_000, 10), 3);
});

test('every line of the recorded logs is printed byte for byte from what it says', (t) => {
  const folder = sharedPath('vectors', 'isakmpd-output');
  if (folder === undefined) return t.skip('shared/vectors is absent');
  const files = [
    ...readdirSync(join(folder, 'cases'))
      .filter((name) => name.endsWith('.log'))
      .map((name) => join('cases', name)),
    join('pair', 'left', 'log'),
    join('pair', 'right', 'log'),
    join('key-schedule', 'initiator.log'),
  ];
  let lines = 0;
  for (const line of files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))) {
    // The original prints a vendor id with the newline that is in it; the rest after it is no line.
    if (!/^[0-9]{6}\.[0-9]{6} /.test(line)) continue;
    assert.equal(textLine(timeOf(line), recordIn(line)), `${line}\n`);
    lines += 1;
  }
  assert.ok(lines > 100, `only ${lines} lines`);
});

const timeOf = (line: string): typeof TIME => ({
  hours: Number(line.slice(0, 2)),
  minutes: Number(line.slice(2, 4)),
  seconds: Number(line.slice(4, 6)),
  microseconds: Number(line.slice(7, 13)),
});

const recordIn = (line: string): LogRecord => {
  const rest = line.slice(14);
  if (rest.startsWith('Default ')) return recordOf(rest.slice(8));
  const logClass = Array.from({ length: 11 }, (_, i) => i).find((i) => classTag(i) === rest.slice(0, 4)) ?? -1;
  return debug(logClass, Number(rest.slice(5, 7)), rest.slice(8));
};
