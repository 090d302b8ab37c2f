import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const INTERVAL = 30_000;

/** peer-a and net-a are up, and DPD-check-interval is 30. */
const watched = (): { readonly bench: ConnectionBench; readonly isakmp: string } => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.view.deadPeerSeconds = INTERVAL / 1000;
  bench.tell({ kind: 'reconfigured' });
  const { isakmp } = bench.up();
  bench.effects.length = 0;
  return { bench, isakmp };
};

/** What the kernel was asked, and on behalf of which ISAKMP SA. */
const queries = ({ effects }: ConnectionBench) =>
  effects.flatMap((effect) =>
    effect.kind === 'query' && effect.of.kind === 'isakmp' ? [{ isakmp: effect.of.isakmp, sas: effect.sas }] : [],
  );

const told = (bench: ConnectionBench, isakmp: string, usedAt: number): void =>
  bench.tell({ kind: 'usage', of: { kind: 'isakmp', isakmp }, isUsed: usedAt > 0, usedAt });

test('after DPD-check-interval the kernel is asked when the inbound SAs were used last', () => {
  const { bench, isakmp } = watched();
  bench.pass(INTERVAL - 1);
  assert.equal(queries(bench).length, 0);
  bench.pass(1);
  const [query, ...more] = queries(bench);
  assert.deepEqual(more, []);
  assert.equal(query?.isakmp, isakmp);
  assert.deepEqual(
    query?.sas.map(({ destination }) => destination),
    ['192.0.2.1'],
  );
});

test('a peer that has sent packets is not asked before it has been silent for the interval', () => {
  const { bench, isakmp } = watched();
  bench.pass(INTERVAL);
  told(bench, isakmp, bench.now - 10_000);
  assert.deepEqual(bench.take('probe'), []);
  bench.pass(INTERVAL - 10_001);
  assert.equal(queries(bench).length, 1);
  bench.pass(1);
  assert.equal(queries(bench).length, 2);
});

test('a silent peer is asked, and left alone for another interval when it answers', () => {
  const { bench, isakmp } = watched();
  bench.pass(INTERVAL);
  told(bench, isakmp, 0);
  assert.deepEqual(bench.takeOne('probe'), { kind: 'probe', isakmp, lane: 0, quietSince: bench.now - INTERVAL });
  bench.pass(2_000);
  bench.lane({ kind: 'peerAlive', isakmp, heardAt: bench.now });
  bench.pass(INTERVAL - 1);
  assert.equal(queries(bench).length, 1);
  bench.pass(1);
  assert.equal(queries(bench).length, 2);
});

test('a dead peer loses all SAs without a word, and what should be up is begun anew', () => {
  const { bench, isakmp } = watched();
  bench.pass(INTERVAL);
  told(bench, isakmp, 0);
  bench.lane({ kind: 'peerDead', isakmp });
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.core.counts.pairs, 0);
  assert.deepEqual(
    bench.take('deleteIsakmp').map((event) => [event.isakmp, event.notify]),
    [[isakmp, false]],
  );
  assert.deepEqual(bench.take('sendDelete'), []);
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'deletedByUs' });
  bench.pass(100);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('only the newest ISAKMP SA of a peer is watched, and none while the daemon is passive', () => {
  const { bench, isakmp } = watched();
  const second = bench.phase1();
  bench.tell({ kind: 'mode', mode: 'passive' });
  bench.pass(INTERVAL);
  assert.equal(queries(bench).length, 0);
  bench.tell({ kind: 'mode', mode: 'active' });
  bench.pass(INTERVAL);
  assert.deepEqual(
    queries(bench).map((query) => query.isakmp),
    [second],
  );
  assert.notEqual(second, isakmp);
});

test('a lane that dies with the question on its lips does not end the watch', () => {
  const { bench, isakmp } = watched();
  bench.pass(INTERVAL);
  told(bench, isakmp, 0);
  bench.take('probe');
  bench.pass(INTERVAL);
  assert.equal(queries(bench).length, 2);
});

test('with DPD-check-interval=0 nobody is asked', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up();
  bench.pass(10 * INTERVAL);
  assert.equal(queries(bench).length, 0);
});
