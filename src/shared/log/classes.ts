/** The debug classes of isakmpd(8), their tags in log lines, and the rule which debug records are printed. */

/** Number of each debug class, as `-D class=level` and the FIFO command `D` name them. */
export const LogClass = {
  MISC: 0,
  TRANSPORT: 1,
  MESSAGE: 2,
  CRYPTO: 3,
  TIMER: 4,
  SYSDEP: 5,
  SA: 6,
  EXCHANGE: 7,
  NEGOTIATION: 8,
  POLICY: 9,
  UI: 10,
} as const;

export const LAST_LOG_CLASS = LogClass.UI;
export const LAST_LOG_LEVEL = 99;

/** The four characters that stand for a class in a log line. An unknown class is an ordinary one's fault and prints as Misc. */
export const classTag = (logClass: number): string => TAGS[logClass] ?? TAGS[LogClass.MISC];

/** Levels of all classes, 0 = silent, in memory that lanes can share. */
export const createDebugLevels = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(TAGS.length * Int32Array.BYTES_PER_ELEMENT));

/** A debug record is printed when its class is switched on at all, and at its level or higher. */
export const isPrinted = (levels: Int32Array, logClass: number, level: number): boolean => {
  const limit = levels[logClass] ?? 0;
  return limit > 0 && level <= limit;
};

const TAGS = ['Misc', 'Trpt', 'Mesg', 'Cryp', 'Timr', 'Sdep', 'SA  ', 'Exch', 'Negt', 'Plcy', 'UI  '] as const;
