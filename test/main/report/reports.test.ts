import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReports } from '../../../src/main/report/reports.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import type { ReportSources } from '../../../src/shared/report/report.ts';
import { SaFlag, type SaRow } from '../../../src/shared/sa-table/rows.ts';
import type { LogRecord } from '../../../src/shared/threads/contract.ts';
import { NO_REPORT_SOURCES } from '../../helpers/no-report-sources.ts';
import { sampleRow } from '../../shared/sa-table/sample-row.ts';

/** A report of nothing but these SAs. */
const sourcesOf = (rows: readonly SaRow[]): ReportSources => ({
  ...NO_REPORT_SOURCES,
  sas: rows.map((row, slot) => ({ handle: { slot, generation: 1 }, row })),
});

const bench = (rows: readonly SaRow[], writeResult?: (text: string) => Promise<void>) => {
  const written: string[] = [];
  const logged: LogRecord[] = [];
  const reports = createReports({
    rows: () => rows,
    now: () => 0,
    wallClock: () => 0,
    sources: async () => sourcesOf(rows),
    writeReport: writeResult ?? (async (text) => void written.push(text)),
    writeResult: writeResult ?? (async (text) => void written.push(text)),
    log: (record) => logged.push(record),
  });
  return { reports, written, logged };
};

test('E21: without SAs the listing is an empty file', async () => {
  const { reports, written } = bench([]);
  await reports.listSas();
  assert.deepEqual(written, ['']);
});

test('a listing of many SAs is one file, and the event loop turns while it is made', async () => {
  const rows = Array.from(
    { length: 2000 },
    (_, i): SaRow => ({ ...sampleRow(0), flags: SaFlag.READY, name: `peer-${i}` }),
  );
  const { reports, written } = bench(rows);
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (written.length === 0) setImmediate(count);
  };
  setImmediate(count);
  await reports.listSas();
  assert.ok(turns >= 3, `${turns} turns`);
  assert.equal(written.length, 1);
  assert.deepEqual(
    [...(written[0] ?? '').matchAll(/^SA name: (\S+)/gm)].map((match) => match[1]),
    rows.map((row) => row.name),
  );
});

test('an answer is the value and a newline, or an empty file where there is none', async () => {
  const { reports, written } = bench([]);
  await reports.writeAnswer('a,b');
  await reports.writeAnswer(undefined);
  assert.deepEqual(written, ['a,b\n', '']);
});

test('a result file that cannot be written is a log line', async () => {
  const { reports, logged } = bench([], () => Promise.reject(new SystemError('cannot write x: ENOSPC')));
  await reports.writeAnswer('a');
  assert.deepEqual(
    logged.map(({ text }) => text),
    ['ui_open_result: fopen() failed', 'cannot write x: ENOSPC'],
  );
});

test('r puts the report into the log line by line, and the event loop turns while it is made', async () => {
  const rows = Array.from({ length: 400 }, (): SaRow => ({ ...sampleRow(0), phase: 1, protocols: [] }));
  const { reports, logged } = bench(rows);
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await reports.toLog();
  isDone = true;
  assert.ok(turns >= 4, `${turns} turns`);
  assert.ok(logged.every(({ severity, event }) => severity === 'report' && event === 'report'));
  assert.equal(logged.filter(({ text }) => text.startsWith('sa_report: 0x')).length, 400);
  assert.equal(logged.at(-1)?.text, 'conf_report: dumping running configuration');
});

test('SIGUSR1 twice while a report is made is one report more, not two', async () => {
  const { reports, written } = bench([]);
  await Promise.all([reports.toFile(), reports.toFile(), reports.toFile()]);
  assert.equal(written.length, 1);
  await reports.toFile();
  assert.equal(written.length, 2);
  assert.match(written[1] ?? '', /^\d{6}\.\d{6} Report> conf_report: dumping running configuration\n$/);
});

test('a report file that cannot be written is one error line', async () => {
  const { reports, logged } = bench([], () => Promise.reject(new SystemError('cannot write y: ENOSPC')));
  await reports.toFile();
  assert.deepEqual(
    logged.map(({ severity, text }) => [severity, text]),
    [['error', 'report: cannot write y: ENOSPC']],
  );
});
