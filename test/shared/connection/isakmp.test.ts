/** ISAKMP SAs as main sees them: renewal, INITIAL-CONTACT, lanes that die. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

test('the newest ISAKMP SA of a peer with an active connection is renewed', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up();
  bench.lane({ kind: 'phase1Expiring', isakmp });
  assert.equal(bench.takeOne('startPhase1').firstContact, false);
});

test('an older one is marked as replaced while there is a newer one of the same identity, and no longer', () => {
  const bench = new ConnectionBench();
  const marks = () => bench.take('replaced').map(({ isakmp, isReplaced }) => [isakmp, isReplaced]);
  const [first, second, other] = ['us', 'us', 'them'].map((identity) => bench.phase1({ role: 'responder', identity }));
  assert.ok(first !== undefined && second !== undefined && other !== undefined);
  assert.deepEqual(marks(), [[first, true]]);
  const third = bench.phase1({ role: 'responder', identity: 'us' });
  assert.deepEqual(marks(), [[second, true]]);
  bench.lane({ kind: 'phase1Gone', isakmp: third, why: 'deletedByPeer' });
  assert.deepEqual(marks(), [[second, false]]);
  bench.lane({ kind: 'phase1Gone', isakmp: second, why: 'deletedByPeer' });
  assert.deepEqual(marks(), [[first, false]]);
});

test('it is renewed for a pair that we began, too', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp, role: 'initiator' });
  bench.lane({ kind: 'phase1Expiring', isakmp });
  assert.equal(bench.take('startPhase1').length, 1);
});

test('older ones, and those that nobody needs, are left to expire', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'] }, active: ['net-a'] });
  const { isakmp } = bench.up();
  bench.phase1({ role: 'responder' });
  bench.lane({ kind: 'phase1Expiring', isakmp });
  bench.lane({ kind: 'phase1Expiring', isakmp: bench.phase1({ role: 'responder', peer: 'peer-b' }) });
  assert.equal(bench.take('startPhase1').length, 0);
});

test('while a renewal fails the old one serves, and the renewal is tried again', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b'] }, active: ['net-a'] });
  const { isakmp } = bench.up();
  bench.lane({ kind: 'phase1Expiring', isakmp });
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  bench.tell({ kind: 'connect', name: 'net-b' });
  assert.equal(bench.takeOne('startQuickMode').isakmp, isakmp);
  bench.pass(2000);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('INITIAL-CONTACT removes what the same identity had from the same place before, and tells the peer', () => {
  const bench = new ConnectionBench();
  const old = bench.phase1({ role: 'responder' });
  const pair = bench.quickMode({ isakmp: old });
  bench.pass(1000);
  bench.phase1({ role: 'responder', initialContact: true });
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, old);
  // The peer may know the pair after all: when its first message was the late one of two simultaneous starts.
  assert.deepEqual(bench.deletedSpis(), [pair.protocols[0]?.spiIn]);
});

test('INITIAL-CONTACT spares what is younger than the exchange that carries it: both sides have started at once', () => {
  const bench = new ConnectionBench();
  const startedAt = bench.now;
  bench.pass(100);
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp });
  bench.phase1({ role: 'responder', initialContact: true, startedAt });
  assert.equal(bench.rows.size, 1);
  assert.equal(bench.take('deleteIsakmp').length, 0);
});

test('INITIAL-CONTACT spares other identities, addresses and ports (operators rank 14)', () => {
  const bench = new ConnectionBench();
  const address = '203.0.113.9';
  const places = [
    { identity: 'other', remote: { address: '10.0.0.1', port: 500 } },
    { identity: 'me', remote: { address, port: 4500 } },
    { identity: 'me', remote: { address: '203.0.113.8', port: 500 } },
  ];
  for (const place of places) {
    const isakmp = bench.phase1({ role: 'responder', ...place });
    bench.quickMode({ isakmp, ...place });
  }
  bench.pass(1000);
  bench.phase1({ role: 'responder', initialContact: true, identity: 'me', remote: { address, port: 500 } });
  assert.equal(bench.rows.size, 3);
});

test('INITIAL-CONTACT in an informational exchange counts from the beginning of its ISAKMP SA', () => {
  const bench = new ConnectionBench();
  const old = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp: old });
  bench.pass(1000);
  const isakmp = bench.phase1({ role: 'responder' });
  bench.pass(10);
  const young = bench.quickMode({ isakmp });
  bench.lane({ kind: 'initialContact', isakmp });
  assert.equal(bench.rows.size, 1);
  assert.ok(bench.row(young));
});

test('Unique=never and Unique=keep pay no heed to INITIAL-CONTACT', () => {
  for (const unique of ['never', 'keep'] as const) {
    const bench = new ConnectionBench({ policies: { 'peer-a': { unique } } });
    bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
    bench.pass(1000);
    bench.phase1({ role: 'responder', initialContact: true });
    assert.equal(bench.rows.size, 1);
  }
});

test('Unique=keep refuses a second ISAKMP SA of an identity from another place, and says so', () => {
  const bench = new ConnectionBench({ policies: { 'peer-a': { unique: 'keep' } } });
  bench.phase1({ role: 'responder', remote: { address: '203.0.113.8', port: 500 } });
  const second = bench.phase1({ role: 'responder', remote: { address: '203.0.113.9', port: 500 } });
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, second);
  assert.equal(bench.logged[0]?.event, 'second-sa-refused');
  bench.phase1({ role: 'responder', remote: { address: '203.0.113.8', port: 500 } });
  assert.equal(bench.take('deleteIsakmp').length, 0);
});

test('a peer that has restarted begins its connections itself; ours wait a moment', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up();
  bench.pass(1000);
  bench.phase1({ role: 'responder', initialContact: true });
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(3000);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a peer that begins phase 1 again and again has its oldest ISAKMP SAs deleted', () => {
  const bench = new ConnectionBench();
  const isakmps = Array.from({ length: 18 }, () => bench.phase1({ role: 'responder' }));
  assert.equal(bench.take('deleteIsakmp')[0]?.isakmp, isakmps[0]);
});

test('first contact is what has no SA of either phase', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isFirst = (): boolean => bench.core.isFirstContact('PEER-A', '10.0.0.1');
  assert.equal(isFirst(), true);
  const { isakmp, pair } = bench.up();
  assert.equal(isFirst(), false);
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  assert.equal(isFirst(), false);
  bench.peerDeletes(pair);
  assert.equal(isFirst(), true);
});

test('a lost lane takes our running requests with it: they are started again at once', () => {
  const bench = new ConnectionBench({
    peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'] },
    active: ['net-a', 'net-b'],
  });
  const requests = bench.take('startPhase1');
  const isakmp = bench.phase1({ request: requests.find(({ peer }) => peer === 'peer-a')?.request ?? 0 });
  bench.take('startQuickMode');
  bench.tell({ kind: 'laneLost', lane: 0 });
  assert.equal(bench.takeOne('startPhase1').peer, 'peer-b');
  assert.equal(bench.takeOne('startQuickMode').isakmp, isakmp);
  assert.equal(bench.core.counts.running, 2);
});

test('larval pairs go with their lane, and the peer hears of it; established pairs and ISAKMP SAs stay', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b'] } });
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp });
  const larval = bench.agreement({ isakmp, connection: 'net-b' });
  bench.install(larval, 9);
  bench.tell({ kind: 'laneLost', lane: 0 });
  assert.deepEqual([bench.core.counts.larval, bench.rows.size, bench.core.counts.isakmpSas], [0, 1, 1]);
  assert.equal(bench.kernel.size, 2);
  assert.deepEqual(bench.deletedSpis(), [larval.protocols[0]?.spiIn]);
});

test('what a lost lane was doing for a peer does not keep us from beginning', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.lane({ kind: 'phase2Started', exchange: 3, isakmp, connection: 'net-a' });
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.tell({ kind: 'laneLost', lane: 0 });
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('resumed ISAKMP SAs are renewed over the next ten minutes, not at once and not all together', () => {
  const peers = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`peer-${i}`, [`net-${i}`]]));
  const bench = new ConnectionBench({ peers, active: Object.values(peers).flat() });
  const isakmps = bench.take('startPhase1').map(({ request, peer }) => bench.phase1({ request, peer }));
  bench.tell({ kind: 'laneLost', lane: 0 });
  for (const isakmp of isakmps) bench.lane({ kind: 'phase1Resumed', isakmp });
  bench.pass(59_000);
  assert.equal(bench.take('startPhase1').length, 0);
  const perMinute = Array.from({ length: 10 }, () => {
    bench.pass(60_000);
    return bench.take('startPhase1').length;
  });
  assert.equal(
    perMinute.reduce((sum, count) => sum + count, 0),
    50,
  );
  assert.ok(Math.max(...perMinute) <= 15, `${perMinute}`);
});

test('a resumed ISAKMP SA that nobody needs is not renewed', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.tell({ kind: 'laneLost', lane: 0 });
  bench.lane({ kind: 'phase1Resumed', isakmp });
  bench.pass(700_000);
  assert.equal(bench.take('startPhase1').length, 0);
  assert.equal(bench.core.counts.isakmpSas, 1);
});

test('an ISAKMP SA that the successor could not read back is forgotten', () => {
  const bench = new ConnectionBench();
  bench.phase1({ role: 'responder' });
  bench.tell({ kind: 'laneLost', lane: 0 });
  bench.pass(30_000);
  assert.equal(bench.core.counts.isakmpSas, 0);
});

test('an ISAKMP SA that the successor has and we never heard of is deleted', () => {
  const bench = new ConnectionBench();
  bench.lane({ kind: 'phase1Resumed', isakmp: 'f'.repeat(32) });
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, 'f'.repeat(32));
});

test('an ISAKMP SA that a dead lane should have deleted is deleted by its successor', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.tell({ kind: 'deleteSa', cookies: isakmp, messageId: 0 });
  bench.take('deleteIsakmp');
  bench.tell({ kind: 'laneLost', lane: 0 });
  bench.lane({ kind: 'phase1Resumed', isakmp });
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, isakmp);
});
