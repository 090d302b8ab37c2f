/** What the connection core answers about its connections, and the news that it tells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const timedOut = { cause: 'timeout', reason: 'it was a timeout' } as const;

test('a connection that nobody begins is passive, one on its way is connecting, one with a pair is up', () => {
  const bench = new ConnectionBench();
  assert.deepEqual([bench.core.statusOf('net-a').state, bench.core.statusOf('net-a').pairs], ['passive', []]);
  bench.tell({ kind: 'connect', name: 'net-a' });
  assert.equal(bench.core.statusOf('NET-A').state, 'connecting');
  const isakmp = bench.phase1();
  bench.pass(5000);
  bench.quickMode({ isakmp, role: 'initiator' });
  const { state, since, pairs, isActive } = bench.core.statusOf('net-a');
  assert.deepEqual([state, since, isActive], ['up', bench.now, true]);
  assert.deepEqual(
    pairs.map(({ isCurrent, protocols }) => [isCurrent, protocols.length]),
    [[true, 1]],
  );
});

test('after a failed phase 1 the connection is down and says why, when, and when it is tried again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { request } = bench.takeOne('startPhase1');
  bench.pass(3000);
  const failedAt = bench.now;
  bench.phase1Fails(request);
  const { state, lastFailure, nextAttemptAt = 0 } = bench.core.statusOf('net-a');
  assert.deepEqual([state, lastFailure], ['down', { ...timedOut, at: failedAt }]);
  assert.ok(nextAttemptAt > failedAt && nextAttemptAt <= failedAt + 2000);
  const [status] = [...bench.core.activeStatus()];
  assert.equal(status?.nextAttemptAt, nextAttemptAt);
  assert.ok((bench.core.nextCheckAt ?? 0) > bench.now);
});

test('a passive connection tells why the peer’s own attempt failed, as long as it is configured', () => {
  const bench = new ConnectionBench();
  bench.phase1Fails(0, 'refused');
  bench.tell({ kind: 'reconfigured' });
  bench.pass(200_000);
  assert.equal(bench.core.statusOf('net-a').lastFailure?.reason, 'it was a refused');
});

test('ups, downs and failures are told as they happen, each once', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const first = bench.takeOne('startQuickMode').request;
  bench.quickModeFails(first, 'timeout', 'net-a', isakmp);
  bench.pass(3000);
  const again = bench.phase1();
  bench.quickMode({ isakmp: again, role: 'initiator' });
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-a' } });
  bench.lane({ kind: 'phase1Gone', isakmp: again, why: 'deletedByPeer' });
  const told = bench.effects.flatMap((effect) => (effect.kind === 'news' ? [effect.news] : []));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['reconfigured', 'phase1Up', 'phase2Failed', 'phase1Up', 'phase2Up', 'phase2Down', 'phase1Down'],
  );
  const failed = told.find((news) => news.kind === 'phase2Failed');
  assert.deepEqual(
    failed?.kind === 'phase2Failed' && [failed.connection, failed.peer, failed.failure, typeof failed.retryMs],
    ['net-a', 'peer-a', timedOut, 'number'],
  );
});
