/** What the severities of log records are to syslog. */
import type { LogRecord } from '../threads/contract.ts';

/** RFC 5424 section 6.2.1, as isakmpd(8) logs: ordinary lines NOTICE, errors ERR, fatal ones CRIT, the report ALERT, debugging INFO. */
export const syslogPriority = (severity: LogRecord['severity']): number => PRIORITY[severity];

const PRIORITY: Readonly<Record<LogRecord['severity'], number>> = {
  report: 1,
  fatal: 2,
  error: 3,
  notice: 5,
  verbose: 5,
  debug: 6,
};
