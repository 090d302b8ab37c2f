/** The SA table in one thread: handles, growth, sharing between writers, takeover. Real threads are in sa-table-threads.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { MOST_SLOTS, type SaHandle } from '../../../src/shared/sa-table/handles.ts';
import { SA_ROW, SaFlag, type SaRow } from '../../../src/shared/sa-table/rows.ts';
import { createSaTable, type SaEntry, SaTable, type SharedSaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { CHUNK_SLOTS } from '../../../src/shared/sa-table/slots.ts';
import { sampleRow } from './sample-row.ts';

const allocate = (table: SaTable, row: SaRow): SaHandle => table.allocate(row) ?? assert.fail('the table is full');
const rowsOf = (entries: Iterable<{ readonly row: SaRow }>): SaRow[] => [...entries].map(({ row }) => row);

/** What a writer leaves that is killed after `written` words of the copy nobody reads: garbage there, no flip. */
const cutWriteShort = (shared: SharedSaTable, { slot }: SaHandle, written: number): void => {
  const words = new Int32Array(shared.rows);
  const copy = SA_ROW.stride / 4;
  const base = slot * (1 + 2 * copy);
  const idle = base + 1 + (((words[base] ?? 0) + 1) & 1) * copy;
  words.fill(-0x5a5a, idle, idle + written);
};

test('a row reads back for its writer and for every other', () => {
  const shared = createSaTable({ writers: 3, maxRows: 1000 });
  const [lane, main] = [new SaTable(shared, 1), new SaTable(shared, 0)];
  const handle = allocate(lane, sampleRow(12345));
  assert.deepEqual([lane.read(handle), main.read(handle)], [sampleRow(12345), sampleRow(12345)]);
  assert.deepEqual([...main.all()], [{ handle, row: sampleRow(12345) }]);
  assert.deepEqual([lane.size, main.size], [1, 1]);
});

test('the shared part can be posted to a worker', () => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const posted = structuredClone(shared);
  const handle = allocate(new SaTable(shared, 1), sampleRow(1));
  assert.deepEqual(new SaTable(posted, 0).read(handle), sampleRow(1));
});

test('an update replaces the whole row and keeps its handle', () => {
  const table = new SaTable(createSaTable({ writers: 1, maxRows: 10 }), 0);
  const handle = allocate(table, sampleRow(1));
  assert.equal(table.update(handle, sampleRow(2)), true);
  assert.deepEqual([table.read(handle), table.size], [sampleRow(2), 1]);
});

test('an update of the flags leaves everything else', () => {
  const table = new SaTable(createSaTable({ writers: 1, maxRows: 10 }), 0);
  const handle = allocate(table, sampleRow(1));
  assert.equal(table.updateFlags(handle, SaFlag.READY | SaFlag.FADING), true);
  assert.deepEqual(table.read(handle), { ...sampleRow(1), flags: 0x11 });
});

test('threats.md, SAB table torn reads / index reuse: a stale handle reads, changes and frees nothing', () => {
  const table = new SaTable(createSaTable({ writers: 1, maxRows: 10 }), 0);
  const old = allocate(table, sampleRow(1));
  assert.equal(table.free(old), true);
  assert.equal(table.read(old), undefined);
  const young = allocate(table, sampleRow(2));
  assert.equal(young.slot, old.slot, 'the slot is used again');
  assert.notEqual(young.generation, old.generation);
  assert.deepEqual(
    [table.read(old), table.update(old, sampleRow(3)), table.updateFlags(old, 0), table.free(old)],
    [undefined, false, false, false],
  );
  assert.deepEqual([table.read(young), table.size], [sampleRow(2), 1]);
});

test('handles of slots that no one has claimed read nothing', () => {
  const table = new SaTable(createSaTable({ writers: 1, maxRows: 10 }), 0);
  for (const slot of [-1, 0, 5, CHUNK_SLOTS, MOST_SLOTS, Number.NaN])
    assert.equal(table.read({ slot, generation: 1 }), undefined);
});

test('the table grows to its size and then refuses, whoever asks', () => {
  const maxRows = 2 * CHUNK_SLOTS + 10;
  const shared = createSaTable({ writers: 2, maxRows });
  const [one, two] = [new SaTable(shared, 0), new SaTable(shared, 1)];
  const bytes = shared.rows.byteLength;
  allocate(two, sampleRow(0));
  const handles = Array.from({ length: maxRows - 1 }, (_, n) => allocate(one, sampleRow(n)));
  assert.ok(bytes < shared.rows.byteLength);
  assert.deepEqual([one.allocate(sampleRow(0)), two.allocate(sampleRow(0)), one.size], [undefined, undefined, maxRows]);
  one.free(handles[100] ?? assert.fail());
  assert.notEqual(two.allocate(sampleRow(1)), undefined, 'a row freed by one writer makes room for another');
  assert.equal(rowsOf(one.all()).length, maxRows);
});

test('when the string area is full, rows with new strings are refused and nothing is lost', () => {
  const shared = createSaTable({ writers: 1, maxRows: CHUNK_SLOTS });
  const table = new SaTable(shared, 0);
  const text = (n: number, letter: string): string => `${n}:`.padEnd(1024, letter);
  const wide = (n: number): SaRow => ({ ...sampleRow(0), messageId: n, name: text(n, 'n'), peerName: text(n, 'p') });
  const handles: SaHandle[] = [];
  for (let handle = table.allocate(wide(0)); handle !== undefined; handle = table.allocate(wide(handles.length)))
    handles.push(handle);
  assert.ok(handles.length > 100 && handles.length < CHUNK_SLOTS, `${handles.length} rows`);
  const [first, second] = [handles[0] ?? assert.fail(), handles[1] ?? assert.fail()];
  assert.equal(table.update(first, wide(1000)), false);
  assert.deepEqual(table.read(first), wide(0));
  assert.equal(table.free(second), true);
  assert.equal(table.update(first, wide(1000)), true);
  assert.deepEqual([table.read(first), table.size], [wide(1000), handles.length - 1]);
});

test('a row of impossible sizes is refused and costs neither slot nor strings', () => {
  const table = new SaTable(createSaTable({ writers: 1, maxRows: 2 }), 0);
  for (let i = 0; i < 1000; i++) {
    assert.throws(() => table.allocate({ ...sampleRow(i), initiatorCookie: new Uint8Array(3) }), InvariantError);
  }
  const handle = allocate(table, sampleRow(1));
  assert.throws(() => table.update(handle, { ...sampleRow(2), family: 0 }), InvariantError);
  assert.deepEqual([handle.slot, table.read(handle)], [0, sampleRow(1)]);
});

test('only its writer changes a row', () => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const [one, two] = [new SaTable(shared, 0), new SaTable(shared, 1)];
  const handle = allocate(one, sampleRow(1));
  for (const change of [
    () => two.update(handle, sampleRow(2)),
    () => two.updateFlags(handle, 0),
    () => two.free(handle),
  ]) {
    assert.throws(change, InvariantError);
  }
  assert.deepEqual(two.read(handle), sampleRow(1));
});

test('there are as many writers as the table was made for, and no more rows than a handle can name', () => {
  assert.throws(() => new SaTable(createSaTable({ writers: 2, maxRows: 10 }), 2), InvariantError);
  assert.throws(() => createSaTable({ writers: 1, maxRows: MOST_SLOTS + 1 }), InvariantError);
});

test('each writer sees its own rows apart, and frees them while looking', () => {
  const shared = createSaTable({ writers: 2, maxRows: 2000 });
  const [one, two] = [new SaTable(shared, 0), new SaTable(shared, 1)];
  for (let n = 0; n < 600; n++) allocate(n % 2 === 0 ? one : two, sampleRow(n));
  assert.ok(rowsOf(one.own()).every((row) => row.messageId % 2 === 0));
  for (const { handle, row } of one.own()) if (row.messageId % 4 === 0) one.free(handle);
  assert.deepEqual(
    [rowsOf(one.own()).length, rowsOf(two.own()).length, rowsOf(two.all()).length, two.size],
    [150, 300, 450, 450],
  );
});

test('a successor takes over rows, free slots and strings of its number, and nobody else does', () => {
  const shared = createSaTable({ writers: 2, maxRows: 1000 });
  const [dead, other] = [new SaTable(shared, 1), new SaTable(shared, 0)];
  const handles = Array.from({ length: 300 }, (_, n) => allocate(dead, sampleRow(n)));
  const foreign = allocate(other, sampleRow(5000));
  for (const [n, handle] of handles.entries()) if (n % 3 === 0) dead.free(handle);
  const successor = new SaTable(shared, 1);
  const kept = Array.from({ length: 300 }, (_, n) => n).filter((n) => n % 3 !== 0);
  assert.deepEqual(rowsOf(successor.own()), kept.map(sampleRow));
  assert.deepEqual(
    [...successor.own()].map(({ handle }) => handle),
    kept.map((n) => handles[n]),
  );
  const bytes = [shared.rows.byteLength, shared.strings[1]?.byteLength];
  for (let n = 0; n < 100; n++) allocate(successor, sampleRow(n * 3));
  assert.deepEqual(
    [shared.rows.byteLength, shared.strings[1]?.byteLength],
    bytes,
    'free slots and strings are used again',
  );
  assert.deepEqual(
    kept.map((n) => successor.read(handles[n] ?? assert.fail())),
    kept.map(sampleRow),
  );
  assert.deepEqual([successor.read(foreign), successor.size], [sampleRow(5000), 301]);
});

test('threats.md, SAB table torn reads: a write cut short at any word leaves the row, for readers and for the successor', () => {
  for (let written = 1; written <= SA_ROW.stride / 4; written++) {
    const shared = createSaTable({ writers: 2, maxRows: 10 });
    const [lane, main] = [new SaTable(shared, 1), new SaTable(shared, 0)];
    const [one, two] = [allocate(lane, sampleRow(1)), allocate(lane, sampleRow(2))];
    lane.update(one, sampleRow(written));
    cutWriteShort(shared, one, written);
    const successor = new SaTable(shared, 1);
    assert.deepEqual([main.read(one), successor.read(one)], [sampleRow(written), sampleRow(written)]);
    assert.deepEqual(rowsOf(main.all()), [sampleRow(written), sampleRow(2)]);
    assert.equal(successor.update(one, sampleRow(99)), true);
    assert.deepEqual([main.read(one), main.read(two)], [sampleRow(99), sampleRow(2)]);
  }
});

test('threats.md, SAB table torn reads: an allocation cut short leaves a free slot', () => {
  const shared = createSaTable({ writers: 1, maxRows: 10 });
  const dead = new SaTable(shared, 0);
  const handle = allocate(dead, sampleRow(1));
  dead.free(handle);
  cutWriteShort(shared, handle, SA_ROW.stride / 4);
  const successor = new SaTable(shared, 0);
  assert.deepEqual([rowsOf(successor.all()), successor.size], [[], 0]);
  assert.equal(allocate(successor, sampleRow(2)).slot, handle.slot);
});

interface ModelEntry extends SaEntry {
  readonly writer: number;
}

interface Step {
  readonly kind: 'allocate' | 'update' | 'flags' | 'free' | 'takeover';
  readonly writer: number;
  readonly which: number;
  readonly n: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('allocate', 'allocate', 'update', 'flags', 'free', 'takeover'),
  writer: fc.nat(1),
  which: fc.nat(20),
  n: fc.nat(0xffff_ffff),
});

/** The entry that a step is about. */
const targetOf = (model: readonly ModelEntry[], { kind, writer, which }: Step): ModelEntry | undefined =>
  kind === 'allocate' ? undefined : model.filter((entry) => entry.writer === writer)[which];

/** Does a step to the table; answers the entry that should be there afterwards in place of `entry`. */
const apply = (table: SaTable, { kind, writer, n }: Step, entry: ModelEntry | undefined): ModelEntry | undefined => {
  if (kind === 'allocate') return { handle: allocate(table, sampleRow(n)), row: sampleRow(n), writer };
  if (entry === undefined) return undefined;
  const { handle, row } = entry;
  if (kind === 'update') assert.equal(table.update(handle, sampleRow(n)), true);
  if (kind === 'update') return { handle, row: sampleRow(n), writer };
  if (kind === 'flags') assert.equal(table.updateFlags(handle, n), true);
  if (kind === 'flags') return { handle, row: { ...row, flags: n }, writer };
  assert.equal(table.free(handle), true);
  return undefined;
};

test('the table does what a list does, over takeovers and between writers', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const shared = createSaTable({ writers: 2, maxRows: 1000 });
      const tables = [new SaTable(shared, 0), new SaTable(shared, 1)];
      let model: ModelEntry[] = [];
      for (const action of steps) {
        const { kind, writer } = action;
        if (kind === 'takeover') tables[writer] = new SaTable(shared, writer);
        else {
          const old = targetOf(model, action);
          const entry = apply(tables[writer] ?? assert.fail(), action, old);
          model = [...model.filter((other) => other !== old), ...(entry === undefined ? [] : [entry])];
        }
      }
      const expected = model.map(({ handle, row }) => ({ handle, row })).sort((a, b) => a.handle.slot - b.handle.slot);
      for (const table of tables) assert.deepEqual([[...table.all()], table.size], [expected, model.length]);
    }),
  );
});
