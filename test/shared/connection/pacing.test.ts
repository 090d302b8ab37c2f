/** Ten thousand connections at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const peersOf = (count: number, connections: number): Record<string, readonly string[]> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `peer-${i}`,
      Array.from({ length: connections }, (_, j) => `net-${i}-${j}`),
    ]),
  );

test('starts leave at most 50 per tick of 100 ms', () => {
  const peers = peersOf(500, 1);
  const bench = new ConnectionBench({ peers, active: Object.values(peers).flat() });
  const counts: number[] = [];
  for (let tick = 0; tick < 10; tick++) {
    counts.push(bench.take('startPhase1').length);
    bench.pass(100);
  }
  assert.deepEqual(counts, new Array(10).fill(50));
});

test('at most a thousand phase 1 attempts of ours run at once; answers make room', () => {
  const peers = peersOf(1200, 1);
  const bench = new ConnectionBench({ peers, active: Object.values(peers).flat() });
  bench.pass(4000);
  const started = bench.take('startPhase1');
  assert.equal(started.length, 1000);
  for (const { request, peer } of started.slice(0, 120)) bench.phase1({ request, peer });
  bench.pass(400);
  assert.equal(bench.take('startPhase1').length, 120);
});

test('ten thousand connections of five thousand peers come up, with a cost per event that does not grow', () => {
  const peers = peersOf(5000, 2);
  const bench = new ConnectionBench({ peers, active: Object.values(peers).flat() });
  const began = process.cpuUsage();
  for (let tick = 0; tick < 600 && bench.rows.size < 10_000; tick++) {
    for (const { request, peer } of bench.take('startPhase1')) bench.phase1({ request, peer });
    for (const { request, isakmp, connection } of bench.take('startQuickMode')) {
      const peer = connection.replace(/^net-(\d+)-\d$/, 'peer-$1');
      bench.quickMode({ role: 'initiator', request, isakmp, connection, peer });
    }
    bench.pass(100);
  }
  // Of this process alone: the machine may be busy with others.
  const { user, system } = process.cpuUsage(began);
  const elapsed = (user + system) / 1000;
  assert.equal(bench.rows.size, 10_000);
  assert.equal(bench.core.counts.running, 0);
  assert.ok(elapsed < 10_000, `${Math.round(elapsed)} ms for 15,000 exchanges`);
});
