import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, createWallClock, type LoggerOptions } from '../../../src/main/log/log.ts';
import { createDebugLevels, LogClass } from '../../../src/shared/log/classes.ts';
import { PEER_TRIGGERED } from '../../../src/shared/log/peer-triggered.ts';
import { notice } from '../../../src/shared/log/records.ts';
import type { LogFields, LogRecord } from '../../../src/shared/threads/contract.ts';
import { recordOf } from '../../helpers/log-record.ts';

const verbose = (text: string): LogRecord => recordOf(text, { severity: 'verbose' });
const debug = (level: number): LogRecord =>
  recordOf(`level ${level}`, { severity: 'debug', logClass: LogClass.EXCHANGE, level });
const dropped = (text = 'x'): LogRecord => recordOf(text, { event: 'message-dropped' });

const destination = (lines: string[], form: 'stamped' | 'bare' = 'stamped', priorities: number[] = []) => ({
  form,
  write: (line: string, priority: number) => {
    lines.push(line);
    priorities.push(priority);
  },
  takeComplaint: (): LogRecord | undefined => undefined,
  close: async () => undefined,
});

/** A logger with a clock and a timer that the test moves. */
const bench = (changes: Partial<LoggerOptions> = {}) => {
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const clock = { now: new Date(2026, 0, 2, 8, 6, 39).getTime() + 809.75 };
  const logger = createLogger({
    isVerbose: () => false,
    levels: createDebugLevels(),
    peerTriggered: PEER_TRIGGERED,
    wallClock: () => clock.now,
    schedule: (_, callback) => {
      timers.push(callback);
      return () => timers.splice(0);
    },
    format: 'text',
    destination: destination(lines),
    ...changes,
  });
  return { logger, lines, timers, clock };
};

test('a notice is one text line with the local time', () => {
  const { logger, lines } = bench();
  logger.write(notice('start', 'isakmpd: starting'));
  assert.deepEqual(lines, ['080639.809750 Default isakmpd: starting\n']);
});

test('text with a percent sign is printed as it is', () => {
  const { logger, lines } = bench();
  logger.write(recordOf('100%d %s'));
  assert.deepEqual(lines, ['080639.809750 Default 100%d %s\n']);
});

test('verbose lines come with -v only', () => {
  const quiet = bench();
  quiet.logger.write(verbose('isakmpd: quick mode done'));
  assert.deepEqual(quiet.lines, []);
  const loud = bench({ isVerbose: () => true });
  loud.logger.write(verbose('isakmpd: quick mode done'));
  assert.deepEqual(loud.lines, ['080639.809750 Default isakmpd: quick mode done\n']);
});

test('debug lines follow the level of their class at the time', () => {
  const levels = createDebugLevels();
  const { logger, lines } = bench({ levels });
  logger.write(debug(10));
  levels[LogClass.EXCHANGE] = 20;
  logger.write(debug(20));
  logger.write(debug(21));
  assert.deepEqual(lines, ['080639.809750 Exch 20 level 20\n']);
});

test('lines that strangers cause are limited, each kind by itself, and the rest is counted', () => {
  const { logger, lines, timers } = bench();
  for (let i = 0; i < 1200; i++) logger.write(dropped(`dropped message ${i}`));
  assert.equal(lines.length, 200);
  logger.write(notice('phase1-no-proposal', 'message_negotiate_sa: no compatible proposal found'));
  logger.write(notice('start', 'isakmpd: starting'));
  assert.equal(lines.length, 202);
  assert.equal(timers.length, 1);
  timers[0]?.();
  assert.equal(
    lines.at(-1),
    '080639.809750 Default isakmpd: suppressed 1000 log lines of the kind "message-dropped"\n',
  );
});

test('after a flood the lines come again', () => {
  const { logger, lines, clock } = bench();
  for (let i = 0; i < 400; i++) logger.write(dropped());
  clock.now += 1000;
  for (let i = 0; i < 400; i++) logger.write(dropped());
  assert.equal(lines.length, 220);
});

test('closing the log says what was suppressed and leaves no timer', () => {
  const { logger, lines, timers } = bench();
  for (let i = 0; i < 201; i++) logger.write(dropped());
  logger.close();
  assert.match(lines.at(-1) ?? '', /suppressed 1 log lines/);
  assert.deepEqual(timers, []);
});

test('the wall clock agrees with the system’s', () => {
  const clock = createWallClock();
  assert.ok(Math.abs(clock() - Date.now()) < 20);
});

/** What a JSON line says, once it has proved to be one line without anything that a terminal could take for more than text. */
const parsed = (line: string | undefined): Record<string, unknown> => {
  assert.match(line ?? '', /^[^\p{C}\p{Zl}\p{Zp}]*\n$/u);
  const value: unknown = JSON.parse(line ?? '');
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
};

test('--log-format json is one object a line: level, time in UTC, event, class, text, and all fields', () => {
  const { logger, lines, clock } = bench({ format: 'json' });
  clock.now = Date.UTC(2026, 0, 2, 8, 6, 39) + 809.75;
  const fields = {
    connection: 'tunnel',
    peer: 'west',
    address: '192.0.2.1',
    port: 500,
    localIdentity: 'east.example',
    remoteIdentity: 'west.example',
    cookies: '0123456789abcdeffedcba9876543210',
    messageId: '0badcafe',
  };
  logger.write(recordOf('not so', { event: 'refusal', fields }));
  assert.deepEqual(parsed(lines[0]), {
    level: 'notice',
    time: '2026-01-02T08:06:39.809750Z',
    event: 'refusal',
    class: 'Default',
    ...fields,
    text: 'not so',
  });
});

test('a JSON debug record has its class and its level', () => {
  const levels = createDebugLevels();
  levels[LogClass.EXCHANGE] = 99;
  const { logger, lines } = bench({ format: 'json', levels });
  logger.write(debug(20));
  const { level, class: tag, debugLevel } = parsed(lines[0]);
  assert.deepEqual([level, tag, debugLevel], ['debug', 'Exch', 20]);
});

test('every severity has its name in JSON and its priority in syslog', () => {
  for (const [severity, expected] of [
    ['report', 1],
    ['fatal', 2],
    ['error', 3],
    ['notice', 5],
    ['verbose', 5],
  ] as const) {
    const [lines, priorities]: [string[], number[]] = [[], []];
    const to = destination(lines, 'bare', priorities);
    const { logger } = bench({ format: 'json', destination: to, isVerbose: () => true });
    logger.write(recordOf('y', { severity }));
    assert.deepEqual([parsed(lines[0])['level'], priorities], [severity, [expected]]);
  }
});

test('syslog gets the bare text: it adds time and tag itself', () => {
  const [lines, priorities]: [string[], number[]] = [[], []];
  const levels = createDebugLevels();
  levels[LogClass.EXCHANGE] = 99;
  const { logger } = bench({ destination: destination(lines, 'bare', priorities), levels });
  logger.write(notice('start', 'isakmpd: starting'));
  logger.write(debug(20));
  assert.deepEqual(
    [lines, priorities],
    [
      ['isakmpd: starting\n', 'level 20\n'],
      [5, 6],
    ],
  );
});

const HOSTILE = 'a\nfake \r\u001b[31m\u0000\u202eevil\u2066\u2028\u0085"\\ \ud800 end';
const HARMLESS = 'a\\x0afake \\x0d\\x1b[31m\\x00\\u{202e}evil\\u{2066}\\u{2028}\\x85"\\ \\u{d800} end';

test('threats "log injection": what a peer says about itself is one harmless line in text, syslog and JSON', () => {
  const record = recordOf(HOSTILE, { event: 'refusal', fields: { remoteIdentity: HOSTILE, connection: HOSTILE } });
  const text = bench();
  text.logger.write(record);
  assert.deepEqual(text.lines, [`080639.809750 Default ${HARMLESS}\n`]);
  const syslog: string[] = [];
  bench({ destination: destination(syslog, 'bare') }).logger.write(record);
  assert.deepEqual(syslog, [`${HARMLESS}\n`]);
  const json = bench({ format: 'json' });
  json.logger.write(record);
  const said = parsed(json.lines[0]);
  assert.deepEqual([said['text'], said['remoteIdentity'], said['connection']], [HARMLESS, HARMLESS, HARMLESS]);
});

test('a field that no record has, and that would hold a secret, is not written', () => {
  const { logger, lines } = bench({ format: 'json' });
  const fields: LogFields & Record<string, string> = { peer: 'west', preSharedKey: 'mekmitas', skeyidD: 'digoat' };
  logger.write(recordOf('y', { fields }));
  assert.match(lines[0] ?? '', /west/);
  assert.doesNotMatch(lines[0] ?? '', /mekmitas|digoat/);
});

test('debug records are limited too, each class by itself: whoever can send packets can cause them', () => {
  const levels = createDebugLevels().fill(99);
  const { logger, lines, timers } = bench({ levels });
  for (let i = 0; i < 6000; i++) logger.write(debug(20));
  logger.write({ ...debug(20), logClass: LogClass.SA });
  assert.equal(lines.length, 5001);
  timers[0]?.();
  assert.match(lines.at(-1) ?? '', /suppressed 1000 log lines of the kind "debug Exch"$/m);
});

test('what the log itself has suffered is told before the next line, in the form of the others', () => {
  const complaints = [recordOf('3 lines were lost', { severity: 'error', event: 'log-lost' })];
  const lines: string[] = [];
  const to = { ...destination(lines), takeComplaint: () => complaints.shift() };
  const { logger } = bench({ format: 'json', destination: to });
  logger.write(recordOf('one'));
  logger.write(recordOf('two'));
  assert.deepEqual(
    lines.map((line) => parsed(line)['text']),
    ['3 lines were lost', 'one', 'two'],
  );
});
