import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KernelBackend, KernelError } from '../../../src/kernel/backend.ts';
import { TrafficCounters } from '../../../src/main/kernel/traffic-counters.ts';
import type { SaId } from '../../../src/shared/connection/events.ts';
import { createSaTable, SaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { sampleRow } from '../../shared/sa-table/sample-row.ts';

/** Ours is 192.0.2.1; of each number of the rows there are an inbound and an outbound SA. */
const filled = (rows: number) => {
  const shared = createSaTable({ writers: 1, maxRows: rows + 2 });
  const table = new SaTable(shared, 0);
  const [addresses, keys] = [
    { family: 4, localAddress: Uint8Array.of(192, 0, 2, 1), remoteAddress: Uint8Array.of(192, 0, 2, 2) } as const,
    { encryptionKeyBytes: 16, authenticationKeyBytes: 0 },
  ];
  table.allocate({ ...sampleRow(0), ...addresses });
  for (let i = 0; i < rows; i++) {
    const sa = { protocolId: 3, transformId: 20, authentication: 0, keyLength: 128, encapsulation: 1, ...keys };
    table.allocate({ ...sampleRow(1), ...addresses, protocols: [{ ...sa, spiIn: 0x1000 + i, spiOut: 0x9000 + i }] });
  }
  return { shared, table };
};

const entriesOf = (table: SaTable) => [...table.all()].filter(({ row }) => row.phase === 2);

test('counters of both directions are brought into the table, and no more is asked at once than a socket takes', async () => {
  const { shared, table } = filled(100);
  let [running, most] = [0, 0];
  const querySa = async ({ spi, destination }: SaId) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    const isIn = destination === '192.0.2.1';
    assert.equal(isIn, spi < 0x9000);
    return { bytes: isIn ? spi : 2 * spi, packets: isIn ? 1 : 2, addedAt: 0, usedAt: isIn ? 0 : 1000 };
  };
  const kernel: Pick<KernelBackend, 'name' | 'querySa'> = { name: 'xfrm', querySa };
  const traffic = new TrafficCounters({
    kernel,
    memory: shared.counters,
    now: () => 50_000,
    wallClock: () => 1_004_000,
  });
  await traffic.refresh(table.all());
  for (const entry of entriesOf(table)) {
    const [{ spiIn, spiOut } = assert.fail()] = entry.row.protocols;
    const expected = { bytesIn: spiIn, bytesOut: 2 * spiOut, packetsIn: 1, packetsOut: 2, lastUseAt: 46_000 };
    assert.deepEqual(traffic.read(entry), expected);
  }
  assert.ok(most <= 64, `${most} at once`);
});

test('an SA that the kernel does not know has no counters, and no kernel is asked where there is none', async () => {
  const { shared, table } = filled(1);
  const options = { memory: shared.counters, now: () => 0, wallClock: () => 0 };
  const querySa = () => Promise.reject(new KernelError('missing', 'gone'));
  const traffic = new TrafficCounters({ ...options, kernel: { name: 'pfkey', querySa } });
  await traffic.refresh(table.all());
  const [entry = assert.fail()] = entriesOf(table);
  assert.equal(traffic.read(entry), undefined);
  const none = new TrafficCounters({ ...options, kernel: { name: 'none', querySa: () => assert.fail() } });
  await none.refresh(table.all());
});
