/** Short ways to make log records of the main thread. */
import type { LogFields, LogRecord } from '../threads/contract.ts';

/** An ordinary line. `event` is the stable name of what happened. */
export const notice = (event: string, text: string, fields: LogFields = {}): LogRecord => ({
  severity: 'notice',
  logClass: 0,
  level: 0,
  text,
  event,
  fields,
});

/** Something failed on our side or the system's. */
export const failure = (event: string, text: string, fields: LogFields = {}): LogRecord => ({
  ...notice(event, text, fields),
  severity: 'error',
});
