/** DELETE: what peers' do to us, and how ours get through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const inOf = (pair: Agreement): number => pair.protocols[0]?.spiIn ?? 0;
const outOf = (pair: Agreement): number => pair.protocols[0]?.spiOut ?? 0;
const tearDown = (bench: ConnectionBench, name = 'net-a'): void =>
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name } });

test('a DELETE is said five times within half a minute, since nobody acknowledges it (behaviour P20)', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up();
  tearDown(bench);
  const times: number[] = [];
  const start = bench.now;
  for (let i = 0; i < 400; i++) {
    if (bench.take('sendDelete').length > 0) times.push(bench.now - start);
    bench.pass(100);
  }
  assert.deepEqual(times, [0, 1000, 3000, 8000, 30_000]);
  assert.equal(bench.core.counts.deletes, 0);
});

test('it is not repeated when the ISAKMP SA has gone', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up();
  tearDown(bench);
  bench.take('sendDelete');
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  bench.pass(20_000);
  assert.equal(bench.take('sendDelete').length + bench.take('startPhase1').length, 0);
});

test('but a phase 1 that comes within two minutes carries it again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  tearDown(bench);
  bench.take('sendDelete');
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  bench.pass(100_000);
  bench.phase1({ role: 'responder' });
  assert.deepEqual(bench.takeOne('sendDelete').spis, [inOf(pair)]);
});

test('without ISAKMP SA one is made for it (behaviour P20)', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  tearDown(bench);
  const fresh = bench.phase1({ request: bench.takeOne('startPhase1').request });
  const { isakmp: under, spis } = bench.takeOne('sendDelete');
  assert.deepEqual([under, spis], [fresh, [inOf(pair)]]);
});

test('a DELETE for which no phase 1 can be made is given up', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up();
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  tearDown(bench);
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  bench.pass(600_000);
  assert.equal(bench.take('startPhase1').length, 0);
});

test('a pair that nobody uses any more is deleted once when it expires, and no phase 1 is made for that', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const old = bench.quickMode({ isakmp });
  bench.pass(500_000);
  bench.quickMode({ isakmp, lifeSeconds: 5000 });
  bench.pass(560_000);
  assert.deepEqual(bench.deletedSpis(), [inOf(old)]);
});

test('what one event deletes goes out in one message per peer and protocol', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b', 'net-c'] } });
  const isakmp = bench.phase1({ role: 'responder' });
  const pairs = ['net-a', 'net-b', 'net-c'].map((connection) => bench.quickMode({ isakmp, connection }));
  bench.tell({ kind: 'teardownAll' });
  assert.deepEqual(bench.takeOne('sendDelete').spis, pairs.map(inOf));
});

test('a DELETE of the peer removes the pair and starts the active connection again at once (behaviour P17)', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { pair } = bench.up();
  bench.peerDeletes(pair);
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.take('sendDelete').length, 0);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a peer that deletes every new pair is not hammered (operators rank 9)', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  let attempts = 0;
  const end = bench.now + 3_600_000;
  while (bench.now < end) {
    for (const { request } of bench.take('startQuickMode')) {
      attempts++;
      bench.peerDeletes(bench.quickMode({ isakmp, role: 'initiator', request }));
    }
    bench.pass(100);
  }
  assert.ok(attempts < 30, `${attempts} attempts in an hour`);
});

test('a DELETE that no active connection minds starts nothing', () => {
  const bench = new ConnectionBench();
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  bench.peerDeletes(pair);
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('a DELETE of another peer, identity or protocol touches nothing (threats: foreign DELETE)', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'] } });
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  bench.phase1({ role: 'responder', peer: 'peer-b' });
  bench.peerDeletes(pair, { peer: 'peer-b', remoteIdentity: 'peer-b.example.org' });
  bench.peerDeletes(pair, { remoteIdentity: 'somebody.else' });
  bench.peerDeletes(pair, { protocolId: 2 });
  bench.peerDeletes(pair, { spis: [inOf(pair)] });
  assert.equal(bench.rows.size, 1);
});

test('known SPIs are deleted even when others in the list are unknown (behaviour P19)', () => {
  const bench = new ConnectionBench();
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  bench.peerDeletes(pair, { spis: [1, outOf(pair), 2] });
  assert.equal(bench.rows.size, 0);
});

test('a DELETE under another ISAKMP SA of the same peer counts', () => {
  const bench = new ConnectionBench();
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  bench.peerDeletes(pair, { isakmp: bench.phase1({ role: 'responder' }) });
  assert.equal(bench.rows.size, 0);
});

test('the line of isakmpd is said for a live SA, as long as its soft lifetime lasts', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.peerDeletes(bench.quickMode({ isakmp }));
  assert.equal(bench.logged[0]?.severity, 'verbose');
  assert.equal(
    bench.logged[0]?.text,
    'isakmpd: Peer 10.0.0.1 made us delete live SA net-a for proto 3, initiator id: peer-a.example.org, responder id: us.example.org',
  );
  const old = bench.quickMode({ isakmp });
  bench.pass(960_000);
  bench.peerDeletes(old);
  assert.equal(bench.logged.length, 1);
});

test('it is said for an ISAKMP SA as well, with protocol 1', () => {
  const bench = new ConnectionBench();
  bench.lane({ kind: 'phase1Gone', isakmp: bench.phase1({ role: 'responder' }), why: 'deletedByPeer' });
  assert.equal(
    bench.logged[0]?.text,
    'isakmpd: Peer 10.0.0.1 made us delete live SA peer-a for proto 1, initiator id: peer-a.example.org, responder id: us.example.org',
  );
});

test('a pair that the peer deletes while we are still completing it does not come up', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  const agreement = bench.agreement({ isakmp, role: 'initiator' });
  bench.install(agreement, 9);
  bench.peerDeletes(agreement);
  bench.lane({ kind: 'phase2Established', exchange: 9, request, agreement });
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.take('startQuickMode').length, 1);
});
