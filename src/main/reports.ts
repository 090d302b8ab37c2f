/** What the daemon writes about itself into files: for now the listing of all SAs and single answers, both in the result file. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SystemError } from '../shared/errors.ts';
import { failure } from '../shared/log/records.ts';
import { saListing } from '../shared/report/sa-list.ts';
import type { SaRow } from '../shared/sa-table/rows.ts';
import type { LogRecord } from '../shared/threads/contract.ts';

export interface Reports {
  /** `S`: every SA. */
  readonly listSas: () => Promise<void>;
  /** `C get`: the value, or an empty file where there is none. */
  readonly writeAnswer: (value: string | undefined) => Promise<void>;
}

export interface ReportSources {
  /** All rows of the SA table, from the beginning. */
  readonly rows: () => Iterable<SaRow>;
  /** ms on the daemon's monotonic clock. */
  readonly now: () => number;
  readonly writeResult: (text: string) => Promise<void>;
  readonly log: (record: LogRecord) => void;
}

/** The reports never reject: what could not be written is logged. */
export const createReports = (sources: ReportSources): Reports => {
  const write = async (text: string): Promise<void> => {
    try {
      await sources.writeResult(text);
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      sources.log(failure('result-failed', 'ui_open_result: fopen() failed'));
      sources.log(failure('result-failed', fault.message));
    }
  };
  return {
    listSas: async () => write(await listing(sources)),
    writeAnswer: (value) => write(value === undefined ? '' : `${value}\n`),
  };
};

const listing = async (sources: ReportSources): Promise<string> => {
  const parts: string[] = [];
  for (const row of sources.rows()) {
    parts.push(saListing(row, sources.now()));
    // Datagrams and timers get their turn while a large table is listed.
    if (parts.length % ROWS_A_TURN === 0) await nextTurn();
  }
  return parts.join('');
};

const ROWS_A_TURN = 500;
