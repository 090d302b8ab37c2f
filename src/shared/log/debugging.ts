/** Debug records. Whoever makes one asks first whether it would be printed (isPrinted): most of the time nobody wants any. */
import type { LogFields, LogRecord } from '../threads/contract.ts';
import { LogClass } from './classes.ts';
import { debug } from './records.ts';

/** One of LogClass. */
export type LogClassNumber = (typeof LogClass)[keyof typeof LogClass];

/** A record of a class, at a level from 0 to 99: the original's levels are 10 for what happens once a negotiation and 90 for what is in every packet. */
export const debugRecord = (logClass: LogClassNumber, level: number, text: string, fields?: LogFields): LogRecord =>
  debug(logClass, level, EVENT_OF[logClass], text, fields);

const EVENT_OF = {
  [LogClass.MISC]: 'debug-misc',
  [LogClass.TRANSPORT]: 'debug-transport',
  [LogClass.MESSAGE]: 'debug-message',
  [LogClass.CRYPTO]: 'debug-crypto',
  [LogClass.TIMER]: 'debug-timer',
  [LogClass.SYSDEP]: 'debug-kernel',
  [LogClass.SA]: 'debug-sa',
  [LogClass.EXCHANGE]: 'debug-exchange',
  [LogClass.NEGOTIATION]: 'debug-negotiation',
  [LogClass.POLICY]: 'debug-policy',
  [LogClass.UI]: 'debug-ui',
} as const;
