/** Log records with texts of the test's own, which the event registry does not have. */
import type { LogRecord } from '../../src/shared/threads/contract.ts';

export const recordOf = (text: string, changes: Partial<LogRecord> = {}): LogRecord => ({
  severity: 'notice',
  logClass: 0,
  level: 0,
  text,
  event: 'start',
  fields: {},
  ...changes,
});
