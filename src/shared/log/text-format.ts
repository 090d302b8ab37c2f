/** The text form of a log record: one line as the original isakmpd writes it to stderr. */
import type { LogRecord } from '../threads/contract.ts';
import { classTag } from './classes.ts';
import { printable } from './printable.ts';

/** Local wall clock time of day. */
export interface LocalTime {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly microseconds: number;
}

/**
 * `HHMMSS.uuuuuu Default text`, `HHMMSS.uuuuuu Tag LL text` for a debug record, `HHMMSS.uuuuuu Report> text` for the report, with newline. No length limit. The original's ` [priv]`
 * marks lines of its privileged process; with one process no line carries it, as in the recorded runs.
 */
export const textLine = (time: LocalTime, record: LogRecord): string =>
  `${digits(time.hours, 2)}${digits(time.minutes, 2)}${digits(time.seconds, 2)}.${digits(time.microseconds, 6)} ${tag(record)} ${recordText(record)}\n`;

/** The text of a record, fit for a terminal. Lines of the report keep their tabs: `tag=<TAB>value` is the original's form. */
export const recordText = ({ severity, text }: LogRecord): string =>
  severity === 'report' ? text.split('\t').map(printable).join('\t') : printable(text);

const tag = ({ severity, logClass, level }: LogRecord): string => {
  if (severity === 'debug') return `${classTag(logClass)} ${digits(level, 2)}`;
  return severity === 'report' ? 'Report>' : 'Default';
};

const digits = (value: number, width: number): string => String(value).padStart(width, '0');
