/** What the daemon writes about itself: the listing of all SAs and single answers into the result file, the report into the log or its file. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SystemError } from '../../shared/errors.ts';
import { failure, reportLine } from '../../shared/log/records.ts';
import { textLine } from '../../shared/log/text-format.ts';
import { type ReportSources, reportLines } from '../../shared/report/report.ts';
import { saListing } from '../../shared/report/sa-list.ts';
import type { SaRow } from '../../shared/sa-table/rows.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { localTime } from '../log/log.ts';

/** None of them ever rejects: what could not be written is logged. */
export interface Reports {
  /** `S`: every SA. */
  readonly listSas: () => Promise<void>;
  /** `C get`: the value, or an empty file where there is none. */
  readonly writeAnswer: (value: string | undefined) => Promise<void>;
  /** `r` */
  readonly toLog: () => Promise<void>;
  /** SIGUSR1. Whoever asks while a report waits to begin gets that one. */
  readonly toFile: () => Promise<void>;
}

export interface ReportOptions {
  /** All rows of the SA table, from the beginning. */
  readonly rows: () => Iterable<SaRow>;
  /** ms on the daemon's monotonic clock. */
  readonly now: () => number;
  /** ms since 1970, with a fraction. */
  readonly wallClock: () => number;
  /** What there is to report at this moment (ms). */
  readonly sources: (now: number) => Promise<ReportSources>;
  readonly writeResult: (text: string) => Promise<void>;
  readonly writeReport: (text: string) => Promise<void>;
  readonly log: (record: LogRecord) => void;
}

export const createReports = (options: ReportOptions): Reports => ({
  listSas: async () => writeResult(options, await listing(options)),
  writeAnswer: (value) => writeResult(options, value === undefined ? '' : `${value}\n`),
  toLog: () => eachLine(options, (line) => options.log(reportLine(line))),
  toFile: oneAtATime(() => writeReport(options)),
});

const writeResult = async ({ writeResult: write, log }: ReportOptions, text: string): Promise<void> => {
  try {
    await write(text);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    log(failure('result-failed', 'ui_open_result: fopen() failed'));
    log(failure('result-failed', fault.message));
  }
};

const listing = async ({ rows, now }: ReportOptions): Promise<string> => {
  const parts: string[] = [];
  for (const row of rows()) {
    parts.push(saListing(row, now()));
    // Datagrams and timers get their turn while a large table is listed.
    if (parts.length % PARTS_A_TURN === 0) await nextTurn();
  }
  return parts.join('');
};

const writeReport = async (options: ReportOptions): Promise<void> => {
  const { wallClock, log } = options;
  const lines: string[] = [];
  await eachLine(options, (line) => lines.push(textLine(localTime(wallClock()), reportLine(line))));
  try {
    await options.writeReport(lines.join(''));
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    log(failure('report-failed', `report: ${fault.message}`));
  }
};

/** Others get their turn while a long report is made. */
const eachLine = async ({ sources, now }: ReportOptions, use: (line: string) => void): Promise<void> => {
  let count = 0;
  for (const line of reportLines(await sources(now()))) {
    use(line);
    count++;
    if (count % PARTS_A_TURN === 0) await nextTurn();
  }
};

const oneAtATime = (work: () => Promise<void>): (() => Promise<void>) => {
  let running = Promise.resolve();
  let isWaiting = false;
  return () => {
    if (isWaiting) return running;
    isWaiting = true;
    running = running.then(() => {
      isWaiting = false;
      return work();
    });
    return running;
  };
};

const PARTS_A_TURN = 500;
