/** The JSON form of a log record: what stands in its line besides level, time and text, which pino adds. */
import type { LogRecord } from '../threads/contract.ts';
import { classTag } from './classes.ts';
import { printable } from './printable.ts';

/**
 * event, class (the tag of the text form), debugLevel for debug records, and what is known of the negotiation: connection, peer, address, port,
 * localIdentity, remoteIdentity, cookies, messageId. All strings are printable.
 */
export const jsonFields = ({
  severity,
  logClass,
  level,
  event,
  fields,
}: LogRecord): Record<string, string | number> => {
  const line: Record<string, string | number> = { event, class: className(severity, logClass) };
  if (severity === 'debug') line['debugLevel'] = level;
  for (const [name, value] of Object.entries(fields)) line[name] = typeof value === 'string' ? printable(value) : value;
  return line;
};

const className = (severity: LogRecord['severity'], logClass: number): string => {
  if (severity === 'debug') return classTag(logClass).trimEnd();
  return severity === 'report' ? 'Report' : 'Default';
};

/**
 * Names that a field with a secret would have. No record has such a field; should one ever get one, its value is not written. pino's syntax, the field
 * itself and one level down.
 */
export const SECRET_PATHS: readonly string[] = [
  'authentication',
  'authenticationKey',
  'encryptionKey',
  'gxy',
  'keymat',
  'preSharedKey',
  'privateValue',
  'secret',
  'sharedSecret',
  'skeyid',
  'skeyidA',
  'skeyidD',
  'skeyidE',
].flatMap((name) => [name, `*.${name}`]);
