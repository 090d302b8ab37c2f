/** When we begin, and with what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

test('an active connection without ISAKMP SA starts a phase 1, then its quick mode under it', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const phase1 = bench.takeOne('startPhase1');
  assert.equal(phase1.peer, 'peer-a');
  assert.equal(phase1.path.remote.address, '10.0.0.1');
  assert.equal(phase1.initiatorCookie.length, 8);
  assert.equal(phase1.firstContact, true);
  assert.equal(bench.take('startQuickMode').length, 0);
  const isakmp = bench.phase1({ request: phase1.request });
  const quick = bench.takeOne('startQuickMode');
  assert.equal(quick.isakmp, isakmp);
  assert.equal(quick.connection, 'net-a');
});

test('several connections of one peer share one phase 1', () => {
  const peers = { 'peer-a': ['net-a', 'net-b', 'net-c'] };
  const bench = new ConnectionBench({ peers, active: ['net-a', 'net-b', 'net-c'] });
  bench.phase1({ request: bench.takeOne('startPhase1').request });
  assert.deepEqual(
    bench.take('startQuickMode').map(({ connection }) => connection),
    ['net-a', 'net-b', 'net-c'],
  );
});

test('a phase 1 that the peer has begun serves those who wait just as well, after a moment in which the peer may begin', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1({ role: 'responder' });
  bench.pass(999);
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(2001);
  assert.equal(bench.takeOne('startQuickMode').isakmp, isakmp);
});

test('the newest ISAKMP SA is used, wherever its lane is', () => {
  const bench = new ConnectionBench({ lanes: 3 });
  bench.phase1({ role: 'responder', lane: 0 });
  bench.phase1({ role: 'responder', lane: 2 });
  const newest = bench.phase1({ role: 'responder', lane: 1 });
  bench.tell({ kind: 'connect', name: 'net-a' });
  const quick = bench.takeOne('startQuickMode');
  assert.deepEqual([quick.isakmp, quick.lane], [newest, 1]);
});

test('there is one running quick mode per connection, however often it is asked for', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.phase1();
  bench.take('startQuickMode');
  bench.tell({ kind: 'connect', name: 'NET-A' });
  bench.pass(60_000);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('a quick mode that the peer has begun keeps us from beginning one, until it fails', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.lane({ kind: 'phase2Started', exchange: 7, isakmp, connection: 'net-a' });
  bench.tell({ kind: 'connect', name: 'net-a' });
  assert.equal(bench.take('startQuickMode').length, 0);
  const failure = { cause: 'refused', reason: 'no' } as const;
  bench.lane({ kind: 'phase2Failed', exchange: 7, request: 0, isakmp, messageId: 0, connection: 'net-a', failure });
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('our quick mode goes on when the peer begins one too', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  bench.take('startQuickMode');
  bench.lane({ kind: 'phase2Started', exchange: 7, isakmp, connection: 'net-a' });
  assert.equal(bench.take('cancel').length, 0);
});

test('a phase 1 begun by us lands on the lane that serves the peer already', () => {
  const bench = new ConnectionBench({ lanes: 4 });
  const isakmp = bench.phase1({ role: 'responder', lane: 2 });
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.take('startQuickMode');
  bench.lane({ kind: 'phase1Expiring', isakmp }, 2);
  const phase1 = bench.takeOne('startPhase1');
  assert.equal(phase1.lane, 2);
  assert.equal((phase1.initiatorCookie[0] ?? 0) % 4, 2);
});

test('new peers go to the least loaded lane', () => {
  const peers = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`peer-${name}`, [`net-${name}`]]));
  const bench = new ConnectionBench({ lanes: 4, peers, active: ['net-a', 'net-b', 'net-c', 'net-d'] });
  const lanes = bench.take('startPhase1').map(({ lane }) => lane);
  assert.deepEqual(new Set(lanes), new Set([0, 1, 2, 3]));
});

test('an unanswered quick mode makes the next attempt begin with a new phase 1, and the doubtful one is deleted then', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const doubtful = bench.phase1();
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'timeout', 'net-a', doubtful);
  bench.pass(3000);
  assert.equal(bench.take('startQuickMode').length, 0);
  const phase1 = bench.takeOne('startPhase1');
  assert.equal(phase1.firstContact, false);
  const fresh = bench.phase1({ request: phase1.request });
  assert.equal(bench.takeOne('startQuickMode').isakmp, fresh);
  assert.equal(bench.takeOne('deleteIsakmp').isakmp, doubtful);
});

test('an ISAKMP SA that the peer uses is not doubtful any more', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b'] }, active: ['net-a'] });
  const isakmp = bench.phase1();
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'timeout', 'net-a', isakmp);
  bench.quickMode({ isakmp, connection: 'net-b' });
  bench.pass(3000);
  assert.equal(bench.takeOne('startQuickMode').isakmp, isakmp);
});

test('a refused quick mode is tried again later under the same phase 1', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'refused', 'net-a', isakmp);
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(2000);
  assert.equal(bench.takeOne('startQuickMode').isakmp, isakmp);
});

test('attempts that fail come at growing distances, reset when the operator asks', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const gaps: number[] = [];
  for (let i = 0; i < 8; i++) {
    bench.phase1Fails(bench.takeOne('startPhase1').request);
    const failedAt = bench.now;
    while (bench.core.counts.running === 0) bench.pass(100);
    gaps.push(bench.now - failedAt);
  }
  assert.ok((gaps[0] ?? 0) <= 2100, `${gaps}`);
  assert.ok((gaps[7] ?? 0) >= 100_000, `${gaps}`);
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  bench.tell({ kind: 'connect', name: 'net-a' });
  assert.equal(bench.take('startPhase1').length, 1);
});

test('a failed phase 1 is one record that names peer, connections, identities and reason', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b'] }, active: ['net-a', 'net-b'] });
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  assert.equal(bench.logged.length, 1);
  const [record] = bench.logged;
  assert.equal(record?.event, 'phase1-failed');
  assert.match(
    record?.text ?? '',
    /^phase 1 failed: peer peer-a \(10\.0\.0\.1, its ID any, cookies a{16}:b{16}\): it was a timeout; net-a, net-b wait for it; next attempt in \d s$/,
  );
});

test('a failed quick mode is one record that names connection, peer, identities and reason', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'refused', 'net-a', isakmp);
  assert.equal(bench.logged.length, 1);
  assert.deepEqual(bench.logged[0]?.fields, {
    connection: 'net-a',
    peer: 'peer-a',
    address: '10.0.0.1',
    port: 500,
    localIdentity: 'us.example.org',
    remoteIdentity: 'peer-a.example.org',
    cookies: isakmp,
  });
});

test('strangers whose phase 1 fails write nothing here: the lanes ration that', () => {
  const bench = new ConnectionBench();
  bench.phase1Fails(0);
  assert.equal(bench.logged.length, 0);
});

test('a connection without address to reach its peer is said to be so and tried at a growing distance', () => {
  const bench = new ConnectionBench({ policies: { 'peer-a': { address: undefined } }, active: ['net-a'] });
  assert.match(bench.logged[0]?.text ?? '', /: \[peer-a\]:Address is missing, or stands for no address now/);
  bench.pass(600_000);
  assert.ok(bench.logged.length < 15, `${bench.logged.length} lines in ten minutes`);
  assert.equal(bench.take('startPhase1').length, 0);
});

test('a connection that is not configured is said to be so, and starts when it is', () => {
  const bench = new ConnectionBench();
  bench.tell({ kind: 'connect', name: 'net-x' });
  assert.match(bench.logged[0]?.text ?? '', /connection net-x cannot be started/);
  bench.view.peers = { 'peer-a': ['net-a', 'net-x'] };
  bench.pass(3000);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('c with the name of a peer section brings up its phase 1 alone', () => {
  const bench = new ConnectionBench();
  bench.tell({ kind: 'connect', name: 'peer-a' });
  bench.phase1({ request: bench.takeOne('startPhase1').request });
  bench.tell({ kind: 'connect', name: 'peer-a' });
  assert.equal(bench.take('startPhase1').length + bench.take('startQuickMode').length, 0);
});

test('the connection check brings back what nothing else did', () => {
  const bench = new ConnectionBench({ active: ['net-a'], checkIntervalSeconds: 30 });
  const { pair } = bench.up();
  bench.tell({ kind: 'deleteSa', cookies: pair.isakmp, messageId: pair.messageId });
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(30_000);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a passive daemon begins nothing, until it is active again', () => {
  const bench = new ConnectionBench();
  bench.tell({ kind: 'mode', mode: 'passive' });
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.pass(120_000);
  assert.equal(bench.take('startPhase1').length, 0);
  bench.tell({ kind: 'mode', mode: 'active' });
  assert.equal(bench.take('startPhase1').length, 1);
});

test('a changed list starts what is new in it and lets go what is gone, without touching the rest', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b', 'net-c'] }, active: ['net-a', 'net-b'] });
  const isakmp = bench.phase1();
  for (const { request, connection } of bench.take('startQuickMode')) {
    bench.quickMode({ isakmp, role: 'initiator', request, connection });
  }
  bench.view.peers = { 'peer-a': ['net-b', 'net-c'] };
  bench.view.active = ['net-b', 'net-c'];
  bench.tell({ kind: 'reconfigured' });
  assert.equal(bench.takeOne('startQuickMode').connection, 'net-c');
  assert.equal(bench.rows.size, 2);
  assert.match(bench.logged[0]?.text ?? '', /^connection net-a is gone from the configuration/);
  bench.pass(950_000);
  assert.deepEqual(
    bench.take('startQuickMode').map(({ connection }) => connection),
    ['net-b'],
  );
});

test('what the operator has connected by name outlives a changed list', () => {
  const bench = new ConnectionBench();
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.tell({ kind: 'reconfigured' });
  bench.phase1();
  assert.equal(bench.take('startQuickMode').length, 1);
});
