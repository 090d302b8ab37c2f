/** What the other thread of the thread tests does, without pause, until it is told to stop, is done, or is killed. */
import { parentPort, workerData } from 'node:worker_threads';
import { Directory } from '../../../src/shared/sa-table/directory.ts';
import type { SaHandle } from '../../../src/shared/sa-table/handles.ts';
import { KernelCounters } from '../../../src/shared/sa-table/kernel-counters.ts';
import { SaTable, type SharedSaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { sampleRow } from './sample-row.ts';

export type Task =
  /** Keeps `rows` rows in the table; frees and allocates them in turn, or updates them in place. */
  | {
      readonly kind: 'rows';
      readonly shared: SharedSaTable;
      readonly writer: number;
      readonly rows: number;
      readonly replaces: boolean;
    }
  | { readonly kind: 'counters'; readonly counters: SharedArrayBuffer; readonly handle: SaHandle }
  /** Claims chunks until there are none, and posts a list of them. */
  | {
      readonly kind: 'chunks';
      readonly directory: SharedArrayBuffer;
      readonly maxChunks: number;
      readonly writer: number;
    };

export interface WorkerData {
  readonly task: Task;
  /** [rounds done, stop flag, threads still to come before all start] */
  readonly progress: SharedArrayBuffer;
}

const { task, progress }: WorkerData = workerData;
const words = new Int32Array(progress);

/** Runs `round` with rising numbers. */
const repeat = (first: number, round: (n: number) => void): void => {
  for (let n = first; Atomics.load(words, 1) === 0; n++) {
    round(n);
    Atomics.add(words, 0, 1);
  }
};

const changeRows = ({ shared, writer, rows, replaces }: Extract<Task, { kind: 'rows' }>): void => {
  const table = new SaTable(shared, writer);
  const handles: (SaHandle | undefined)[] = [...table.own()].map(({ handle }) => handle);
  while (handles.length < rows) handles.push(table.allocate(sampleRow(handles.length)));
  repeat(rows, (n) => {
    const handle = handles[n % rows];
    if (handle !== undefined && !replaces) table.update(handle, sampleRow(n));
    else {
      if (handle !== undefined) table.free(handle);
      handles[n % rows] = table.allocate(sampleRow(n));
    }
  });
};

const countUp = ({ counters, handle }: Extract<Task, { kind: 'counters' }>): void => {
  const kernel = new KernelCounters(counters);
  repeat(1, (n) => kernel.write(handle, { bytesIn: n, bytesOut: n, packetsIn: n, packetsOut: n, lastUseAt: n }));
};

const claimChunks = ({ directory, maxChunks, writer }: Extract<Task, { kind: 'chunks' }>): void => {
  const claims = new Directory(directory, maxChunks);
  const claimed: number[] = [];
  // All threads start at once.
  Atomics.sub(words, 2, 1);
  while (Atomics.load(words, 2) > 0);
  for (let chunk = claims.claim(writer, () => true); chunk !== undefined; chunk = claims.claim(writer, () => true)) {
    claimed.push(chunk);
  }
  parentPort?.postMessage(claimed);
};

switch (task.kind) {
  case 'rows':
    changeRows(task);
    break;
  case 'counters':
    countUp(task);
    break;
  case 'chunks':
    claimChunks(task);
    break;
}
