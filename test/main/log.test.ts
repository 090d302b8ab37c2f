import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, createWallClock, type LoggerOptions } from '../../src/main/log.ts';
import { createDebugLevels, LogClass } from '../../src/shared/log/classes.ts';
import { PEER_TRIGGERED } from '../../src/shared/log/peer-triggered.ts';
import { notice } from '../../src/shared/log/records.ts';
import type { LogRecord } from '../../src/shared/threads/contract.ts';
import { recordOf } from '../helpers/log-record.ts';

const verbose = (text: string): LogRecord => recordOf(text, { severity: 'verbose' });
const debug = (level: number): LogRecord =>
  recordOf(`level ${level}`, { severity: 'debug', logClass: LogClass.EXCHANGE, level });
const dropped = (text = 'x'): LogRecord => recordOf(text, { event: 'message-dropped' });

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
    destination: { write: (line) => lines.push(line) },
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
