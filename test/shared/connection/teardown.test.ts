/** What the operator takes down, and shutdown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const two = { peers: { 'peer-a': ['net-a', 'net-b'], 'peer-b': ['net-c'] }, active: ['net-a', 'net-b', 'net-c'] };
const allUp = (): ConnectionBench => {
  const bench = new ConnectionBench(two);
  for (const { request, peer } of bench.take('startPhase1')) bench.phase1({ request, peer });
  for (const { request, isakmp, connection } of bench.take('startQuickMode')) {
    const peer = connection === 'net-c' ? 'peer-b' : 'peer-a';
    bench.quickMode({ role: 'initiator', request, isakmp, connection, peer });
  }
  return bench;
};
const names = (bench: ConnectionBench): string[] =>
  [...bench.rows.values()].map(({ agreement }) => agreement.connection);

test('t name takes down one connection, whatever the case, and keeps it down', () => {
  const bench = allUp();
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'NET-A' } });
  assert.deepEqual(names(bench), ['net-b', 'net-c']);
  bench.pass(120_000);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal(bench.core.counts.isakmpSas, 2);
});

test('t cancels the quick mode that runs (behaviour O2), and a pair that comes up all the same is deleted', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-a' } });
  assert.equal(bench.takeOne('cancel').request, request);
  const pair = bench.quickMode({ isakmp, role: 'initiator', request });
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.kernel.size, 0);
  assert.deepEqual(bench.deletedSpis(), [pair.protocols[0]?.spiIn]);
});

test('a quick mode that the peer had begun before t does not bring the connection back, a later one does', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const startedAt = bench.now;
  bench.lane({ kind: 'phase2Started', exchange: 99, isakmp, connection: 'net-a' });
  bench.pass(10);
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-a' } });
  bench.quickMode({ isakmp, startedAt });
  assert.equal(bench.rows.size, 0);
  bench.pass(10);
  bench.quickMode({ isakmp });
  assert.equal(bench.rows.size, 1);
});

test('t stops an attempt that waits for a phase 1, and one that waits for its next try', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { request } = bench.takeOne('startPhase1');
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-a' } });
  bench.phase1Fails(request);
  bench.pass(600_000);
  assert.equal(bench.take('startPhase1').length, 0);
});

test('t address takes down the connections of that peer (behaviour O1)', () => {
  const bench = allUp();
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'address', address: '10.0.0.1' } });
  assert.deepEqual(names(bench), ['net-c']);
  bench.pass(120_000);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('t main name and t main address delete ISAKMP SAs and leave IPsec SAs', () => {
  for (const target of [
    { kind: 'name', name: 'Peer-A' },
    { kind: 'address', address: '10.0.0.1' },
  ] as const) {
    const bench = allUp();
    bench.tell({ kind: 'teardown', phase: 1, target });
    const deleted = bench.takeOne('deleteIsakmp');
    assert.equal(deleted.notify, true);
    bench.lane({ kind: 'phase1Gone', isakmp: deleted.isakmp, why: 'deletedByUs' });
    assert.equal(bench.rows.size, 3);
    assert.equal(bench.core.counts.isakmpSas, 1);
  }
});

test('t main cancels a phase 1 that runs; the connection check tries again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { request } = bench.takeOne('startPhase1');
  bench.tell({ kind: 'teardown', phase: 1, target: { kind: 'name', name: 'peer-a' } });
  assert.equal(bench.takeOne('cancel').request, request);
  bench.phase1Fails(request, 'cancelled');
  assert.equal(bench.logged.length, 0);
  bench.pass(60_000);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('a phase 1 that is complete just when it is cancelled is deleted', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { request } = bench.takeOne('startPhase1');
  bench.tell({ kind: 'teardown', phase: 1, target: { kind: 'name', name: 'peer-a' } });
  const isakmp = bench.phase1({ request });
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, isakmp);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('T takes down every IPsec SA, none comes back, ISAKMP SAs stay (E26)', () => {
  const bench = allUp();
  bench.tell({ kind: 'teardownAll' });
  assert.equal(bench.rows.size, 0);
  bench.pass(300_000);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal(bench.core.counts.isakmpSas, 2);
});

test('d deletes one pair, by the ISAKMP SA and message id that made it, or one ISAKMP SA', () => {
  const bench = allUp();
  const [facts] = bench.rows.values();
  const { isakmp, messageId } = facts?.agreement ?? { isakmp: '', messageId: 0 };
  bench.tell({ kind: 'deleteSa', cookies: isakmp, messageId });
  assert.equal(bench.rows.size, 2);
  bench.tell({ kind: 'deleteSa', cookies: isakmp, messageId: 0 });
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, isakmp);
});

test('shutdown deletes IPsec SAs, then ISAKMP SAs, each said once, and is done when the lanes have sent it all', () => {
  const bench = allUp();
  bench.tell({ kind: 'shutdown', deleteSas: true });
  const said = bench.effects
    .flatMap((effect) => (effect.kind === 'post' ? [effect.event.kind] : []))
    .filter((kind) => kind === 'sendDelete' || kind === 'deleteIsakmp');
  assert.deepEqual(said, ['sendDelete', 'sendDelete', 'deleteIsakmp', 'deleteIsakmp']);
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.isDone, false);
  for (const { isakmp } of bench.take('deleteIsakmp')) bench.lane({ kind: 'phase1Gone', isakmp, why: 'deletedByUs' });
  assert.equal(bench.isDone, true);
  bench.take('sendDelete');
  bench.pass(600_000);
  assert.equal(bench.take('sendDelete').length + bench.take('startPhase1').length, 0);
  assert.equal(bench.core.counts.timers, 0);
});

test('shutdown of many peers is spread: 200 messages per 100 ms', () => {
  const peers = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`peer-${i}`, [`net-${i}`]]));
  const bench = new ConnectionBench({ peers });
  for (const peer of Object.keys(peers)) {
    const isakmp = bench.phase1({ role: 'responder', peer });
    bench.quickMode({ isakmp, peer, connection: peer.replace('peer', 'net') });
  }
  bench.tell({ kind: 'shutdown', deleteSas: true });
  assert.equal(bench.take('sendDelete').length, 200);
  bench.pass(100);
  assert.deepEqual([bench.take('sendDelete').length, bench.take('deleteIsakmp').length], [100, 100]);
  bench.pass(100);
  assert.equal(bench.take('deleteIsakmp').length, 200);
});

test('shutdown with 5,000 peers up has told them all within five seconds, never more than 1000 messages per 100 ms', () => {
  const count = 5000;
  const peers = Object.fromEntries(Array.from({ length: count }, (_, i) => [`peer-${i}`, [`net-${i}`]]));
  const bench = new ConnectionBench({ peers });
  for (const peer of Object.keys(peers)) {
    const isakmp = bench.phase1({ role: 'responder', peer });
    bench.quickMode({ isakmp, peer, connection: peer.replace('peer', 'net') });
    bench.take('installed');
  }
  const begun = bench.now;
  const [pairs, isakmpSas] = [new Set<number>(), new Set<string>()];
  bench.tell({ kind: 'shutdown', deleteSas: true });
  while (!bench.isDone) {
    const [deletes, ends] = [bench.take('sendDelete'), bench.take('deleteIsakmp')];
    assert.ok(deletes.length + ends.length <= 1000);
    for (const { spis } of deletes) for (const spi of spis) pairs.add(spi);
    for (const { isakmp } of ends) {
      isakmpSas.add(isakmp);
      bench.lane({ kind: 'phase1Gone', isakmp, why: 'deletedByUs' });
    }
    if (!bench.isDone) bench.pass(100);
  }
  assert.deepEqual([pairs.size, isakmpSas.size], [count, count]);
  assert.ok(bench.now - begun <= 5000, `${bench.now - begun} ms`);
});

test('shutdown does not wait for ever for a lane that does not answer', () => {
  const bench = allUp();
  bench.tell({ kind: 'shutdown', deleteSas: true });
  bench.pass(5000);
  assert.equal(bench.isDone, true);
});

test('shutdown without deletion says nothing and leaves the kernel alone (E24)', () => {
  const bench = allUp();
  bench.tell({ kind: 'shutdown', deleteSas: false });
  assert.equal(bench.isDone, true);
  assert.equal(bench.take('sendDelete').length + bench.take('deleteIsakmp').length, 0);
  assert.equal(bench.kernel.size, 6);
});

test('during shutdown nothing new is installed or started', () => {
  const bench = allUp();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.tell({ kind: 'shutdown', deleteSas: true });
  bench.install(bench.agreement({ isakmp }), 50);
  assert.equal(bench.takeOne('refused').reason, 'shutting down');
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.tell({ kind: 'reconfigured' });
  bench.pass(60_000);
  assert.equal(bench.take('startQuickMode').length + bench.take('startPhase1').length, 0);
});
