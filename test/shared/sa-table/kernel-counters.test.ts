/** Kernel counters beside the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelCounters } from '../../../src/shared/sa-table/kernel-counters.ts';
import { createSaTable, SaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { CHUNK_SLOTS } from '../../../src/shared/sa-table/slots.ts';
import { sampleRow } from './sample-row.ts';

const counters = (n: number) => ({
  bytesIn: n,
  bytesOut: 2 ** 52 + n,
  packetsIn: 3 * n,
  packetsOut: 4 * n,
  lastUseAt: n + 0.5,
});

test('counters written by main are read by every thread', () => {
  const shared = createSaTable({ writers: 2, maxRows: 10 });
  const handle = { slot: 3, generation: 1 };
  const [main, lane] = [new KernelCounters(shared.counters), new KernelCounters(shared.counters)];
  assert.equal(lane.read(handle), undefined);
  assert.equal(main.write(handle, counters(5)), true);
  assert.deepEqual(lane.read(handle), counters(5));
});

test('threats.md, SAB index reuse: the counters of a former SA are not those of its successor in the slot', () => {
  const shared = createSaTable({ writers: 1, maxRows: 10 });
  const [table, kernel] = [new SaTable(shared, 0), new KernelCounters(shared.counters)];
  const old = table.allocate(sampleRow(1)) ?? assert.fail();
  kernel.write(old, counters(9));
  table.free(old);
  const young = table.allocate(sampleRow(2)) ?? assert.fail();
  assert.equal(young.slot, old.slot);
  assert.equal(kernel.read(young), undefined);
  kernel.write(young, counters(0));
  assert.deepEqual([kernel.read(old), kernel.read(young)], [undefined, counters(0)]);
});

test('there is room for the counters of every slot of the table, and of no other', () => {
  const kernel = new KernelCounters(createSaTable({ writers: 1, maxRows: 2 * CHUNK_SLOTS }).counters);
  assert.equal(kernel.write({ slot: 2 * CHUNK_SLOTS - 1, generation: 1 }, counters(1)), true);
  assert.equal(kernel.write({ slot: 2 * CHUNK_SLOTS, generation: 1 }, counters(1)), false);
});
