/** The SA table between real threads: no reader ever sees a torn row, and a killed writer leaves whole ones. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { directoryBuffer } from '../../../src/shared/sa-table/directory.ts';
import { KernelCounters } from '../../../src/shared/sa-table/kernel-counters.ts';
import { createSaTable, type SaEntry, SaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { sampleRow } from './sample-row.ts';
import type { Task, WorkerData } from './worker.ts';

interface RunningTask {
  readonly worker: Worker;
  /** Whether that many rounds were done since the start. */
  readonly reached: (rounds: number) => boolean;
  readonly stop: () => Promise<void>;
}

/** `progress` as in WorkerData; tasks that start together share one. */
const start = async (t: TestContext, task: Task, progress = new SharedArrayBuffer(12)): Promise<RunningTask> => {
  const words = new Int32Array(progress);
  // The same file, before or after compilation.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  const workerData: WorkerData = { task, progress };
  const worker = new Worker(entry, { workerData });
  t.after(() => worker.terminate());
  await once(worker, 'online');
  return {
    worker,
    reached: (rounds) => Atomics.load(words, 0) >= rounds,
    stop: async () => {
      const exit = once(worker, 'exit');
      Atomics.store(words, 1, 1);
      await exit;
    },
  };
};

/** Every field of a sample row follows from its message id. */
const assertWhole = ({ row }: SaEntry): void => assert.deepEqual(row, sampleRow(row.messageId));

/** Reads until that many different things were seen; false if that would take for ever. A writer that gets no processor is given ours. */
const readUnderFire = (wanted: number, read: () => Iterable<number>): boolean => {
  const seen = new Set<number>();
  for (let turns = 0; turns < 20_000 && seen.size < wanted; turns++) {
    for (let reads = 0; reads < 1_000 && seen.size < wanted; reads++) for (const what of read()) seen.add(what);
    if (seen.size < wanted) Atomics.wait(NOBODY_WAKES, 0, 0, 1);
  }
  return seen.size >= wanted;
};
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

const wholeRows = (table: SaTable): number[] =>
  [...table.all()].map((entry) => {
    assertWhole(entry);
    return entry.row.messageId;
  });

test('threats.md, SAB table torn reads / index reuse: readers see whole rows while a thread updates one without pause', async (t) => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const reader = new SaTable(shared, 0);
  const writer = await start(t, { kind: 'rows', shared, writer: 1, rows: 1, replaces: false });
  const hasSeen = readUnderFire(2_000, () => wholeRows(reader));
  await writer.stop();
  assert.ok(hasSeen);
});

test('threats.md, SAB table torn reads / index reuse: readers see whole rows while slots change hands', async (t) => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const reader = new SaTable(shared, 0);
  const writer = await start(t, { kind: 'rows', shared, writer: 1, rows: 2, replaces: true });
  const hasSeen = readUnderFire(2_000, () => wholeRows(reader));
  await writer.stop();
  assert.ok(hasSeen);
  for (const { handle, row } of reader.all()) {
    assert.equal(reader.read({ slot: handle.slot, generation: handle.generation - 2 }), undefined);
    assert.deepEqual(reader.read(handle), row);
  }
});

test('threats.md, SAB table torn reads: readers see whole counters while main writes them without pause', async (t) => {
  const { counters } = createSaTable({ writers: 1, maxRows: 10 });
  const reader = new KernelCounters(counters);
  const handle = { slot: 3, generation: 1 };
  const writer = await start(t, { kind: 'counters', counters, handle });
  const hasSeen = readUnderFire(10_000, () => {
    const read = reader.read(handle);
    if (read === undefined) return [];
    assert.ok(
      Object.values(read).every((counter) => counter === read.lastUseAt),
      JSON.stringify(read),
    );
    return [read.lastUseAt];
  });
  await writer.stop();
  assert.ok(hasSeen);
});

test('threads that claim chunks at the same moment never get the same one', async (t) => {
  const maxChunks = 5_000;
  const directory = directoryBuffer(maxChunks, 2);
  const progress = new SharedArrayBuffer(12);
  new Int32Array(progress)[2] = 2;
  const lists = await Promise.all(
    [0, 1].map(async (writer) => {
      const { worker } = await start(t, { kind: 'chunks', directory, maxChunks, writer }, progress);
      const [claimed]: number[][] = await once(worker, 'message');
      return claimed ?? [];
    }),
  );
  assert.ok(lists.every((claimed) => claimed.length > 0));
  const all = lists.flat();
  assert.deepEqual([all.length, new Set(all).size], [maxChunks, maxChunks]);
});

test('threads that fill the table at the same time share it, each with rows of its own', async (t) => {
  const shared = createSaTable({ writers: 3, maxRows: 4000 });
  const writers = await Promise.all(
    [1, 2].map((writer) => start(t, { kind: 'rows', shared, writer, rows: 1500, replaces: false })),
  );
  while (!writers.every((writer) => writer.reached(3000))) await new Promise(setImmediate);
  for (const writer of writers) await writer.stop();
  const reader = new SaTable(shared, 0);
  assert.deepEqual([wholeRows(reader).length, reader.size], [3000, 3000]);
  for (const writer of [1, 2]) assert.equal([...new SaTable(shared, writer).own()].length, 1500);
});

test('threats.md, SAB table torn reads: a writer killed in its work leaves whole rows, and its successor goes on with them', async (t) => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const reader = new SaTable(shared, 0);
  for (const rounds of [100, 2_000, 500, 5_000, 1_000]) {
    const task = { kind: 'rows', shared, writer: 1, rows: 3, replaces: rounds % 1000 === 0 } as const;
    const { worker, reached } = await start(t, task);
    while (!reached(rounds)) reader.all().next();
    await worker.terminate();
    const left = [...reader.all()];
    left.forEach(assertWhole);
    assert.ok(left.length === 2 || left.length === 3, `${left.length} rows`);
    const successor = new SaTable(shared, 1);
    assert.deepEqual([...successor.own()], left);
    for (const { handle } of left) assert.equal(successor.update(handle, sampleRow(rounds)), true);
    for (const { handle } of left) assert.deepEqual(reader.read(handle), sampleRow(rounds));
  }
});
