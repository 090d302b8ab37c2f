/** Short ways to make log records: of registered events, with texts that the registry has (events.ts). */
import type { LogFields, LogRecord } from '../threads/contract.ts';
import { EVENTS, type EventOf, type Texts } from './events.ts';

/** An ordinary line, or one for -v. `event` is the stable name of what happened. */
export const notice = <E extends EventOf<'notice' | 'verbose'>>(
  event: E,
  text: Texts[E],
  fields: LogFields = {},
): LogRecord => ({ severity: EVENTS[event].severity, logClass: 0, level: 0, text, event, fields });

/** Something failed on our side or the system's. */
export const failure = <E extends EventOf<'error'>>(event: E, text: Texts[E], fields: LogFields = {}): LogRecord => ({
  severity: 'error',
  logClass: 0,
  level: 0,
  text,
  event,
  fields,
});

/** A debug line of a class (LogClass) and level. */
export const debug = <E extends EventOf<'debug'>>(
  logClass: number,
  level: number,
  event: E,
  text: Texts[E],
  fields: LogFields = {},
): LogRecord => ({ severity: 'debug', logClass, level, text, event, fields });

/** One line of the report. */
export const reportLine = (text: string): LogRecord => ({
  severity: 'report',
  logClass: 0,
  level: 0,
  text,
  event: 'report',
  fields: {},
});

/** What the daemon ends of. */
export const fatal = <E extends EventOf<'fatal'>>(event: E, text: Texts[E]): LogRecord => ({
  severity: 'fatal',
  logClass: 0,
  level: 0,
  text,
  event,
  fields: {},
});
