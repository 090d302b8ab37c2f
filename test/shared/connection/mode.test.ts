/** Active and passive mode. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const passive = { kind: 'mode', mode: 'passive' } as const;
const active = { kind: 'mode', mode: 'active' } as const;

const posts = (bench: ConnectionBench): readonly string[] =>
  bench.effects.flatMap((effect) => (effect.kind === 'post' ? [effect.event.kind] : []));

test('E17: a connection that is due in passive mode is a debug line and nothing else', () => {
  const bench = new ConnectionBench();
  bench.tell(passive);
  bench.view.active = ['net-a'];
  bench.tell({ kind: 'reconfigured' });
  bench.pass(120_000);
  assert.deepEqual(posts(bench), []);
  const text = 'exchange_establish: connection net-a is due, but the daemon is passive';
  assert.deepEqual(
    bench.logged.map(({ severity, text }) => [severity, text]),
    Array.from({ length: 3 }, () => ['debug', text]),
  );
});

test('M active brings up at once what should be up', () => {
  const bench = new ConnectionBench();
  bench.tell(passive);
  bench.view.active = ['net-a'];
  bench.tell({ kind: 'reconfigured' });
  bench.tell(active);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('M passive cancels what runs; M active begins it again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { request } = bench.takeOne('startPhase1');
  bench.tell(passive);
  assert.equal(bench.takeOne('cancel').request, request);
  bench.phase1Fails(request, 'cancelled');
  bench.pass(600_000);
  assert.equal(bench.take('startPhase1').length, 0);
  bench.tell(active);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('fifo-clients sasyncd: passive mode stops DELETEs that would be repeated, and says none for what expires or is torn down', () => {
  const bench = new ConnectionBench({ active: ['net-a'], peers: { 'peer-a': ['net-a', 'net-b'] } });
  const { isakmp } = bench.up();
  bench.quickMode({ isakmp, role: 'initiator', connection: 'net-b' });
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-b' } });
  assert.equal(bench.take('sendDelete').length, 1);
  bench.tell(passive);
  bench.pass(2_000_000);
  assert.equal(bench.rows.size, 0, 'SAs and their clocks go on');
  assert.equal(bench.take('sendDelete').length, 0);
});

test('SAs stay through passive mode; what became due meanwhile is renewed when the daemon is active again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up({ lifeSeconds: 1000 });
  bench.tell(passive);
  bench.pass(950_000);
  assert.equal(bench.rows.size, 1);
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.tell(active);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a phase 1 that neared its end meanwhile is renewed', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up({ lifeSeconds: 10_000 });
  bench.tell(passive);
  bench.pass(3_100_000);
  bench.lane({ kind: 'phase1Expiring', isakmp });
  assert.equal(bench.take('startPhase1').length, 0);
  bench.tell(active);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('c in passive mode is remembered, not done', () => {
  const bench = new ConnectionBench();
  bench.tell(passive);
  bench.tell({ kind: 'connect', name: 'net-a' });
  bench.pass(1000);
  assert.deepEqual(posts(bench), []);
  bench.tell(active);
  assert.equal(bench.take('startPhase1').length, 1);
});

test('a passive daemon that ends says nothing and leaves the kernel alone', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up();
  bench.tell(passive);
  bench.tell({ kind: 'shutdown', deleteSas: true });
  assert.equal(bench.isDone, true);
  assert.equal(bench.take('sendDelete').length + bench.take('deleteIsakmp').length, 0);
  assert.equal(bench.kernel.size, 2);
});
