/** A kernel that asks, expires, loses and finds peers elsewhere; and what the connection core makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Acquire, SaUsage } from '../../../src/shared/kernel-news.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';
import { connectionPolicy } from '../../helpers/lane-pair.ts';

const net = (third: number, bits = '255.255.255.0') =>
  connectionPolicy({
    name: `net-${third}`,
    localId: identityFromText('10.1.0.0/255.255.0.0'),
    remoteId: identityFromText(`10.2.${third}.0/${bits}`),
  });
const CONNECTIONS = [net(1), net(0, '255.255.0.0')];
const onDemand = (active: readonly string[] = []): ConnectionBench => {
  const bench = new ConnectionBench({
    peers: { 'peer-a': CONNECTIONS.map(({ name }) => name) },
    policies: { 'peer-a': { connections: CONNECTIONS } },
    active,
  });
  if (active.length === 0) {
    bench.tell({ kind: 'reconfigured' });
    bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  }
  return bench;
};
const host = (address: string) => ({ address, prefixLength: 32, protocol: 6, port: 80 });
const acquireOf = (bench: ConnectionBench, changes: Partial<Acquire> = {}): Acquire => ({
  sequence: 42,
  flow: [...bench.flows.values()].find(({ remote }) => remote.address === '10.2.1.0')?.id,
  reqid: 0,
  source: '192.0.2.1',
  destination: '10.0.0.1',
  policy: undefined,
  packet: undefined,
  ...changes,
});
const ask = (bench: ConnectionBench, changes: Partial<Acquire> = {}, connection?: string): void =>
  bench.tell({ kind: 'acquire', acquire: acquireOf(bench, changes), connection });
const quick = (isakmp: string) => ({
  isakmp,
  role: 'initiator' as const,
  connection: 'net-1',
  localSelector: identityFromText('10.1.0.0/255.255.0.0'),
  remoteSelector: identityFromText('10.2.1.0/255.255.255.0'),
});
const usage = (packets: number): SaUsage => ({ bytes: packets * 100, packets, addedAt: 1, usedAt: packets && 2 });
const idOf = ({ protocols: [esp], path }: Agreement, direction: 'in' | 'out') => ({
  protocolId: 3,
  spi: (direction === 'in' ? esp?.spiIn : esp?.spiOut) ?? 0,
  destination: (direction === 'in' ? path.local : path.remote).address,
});
const addOf = (bench: ConnectionBench) =>
  bench.effects.flatMap((effect) => (effect.kind === 'add' ? [effect] : [])).at(-1);

test('a packet brings its connection up; its SAs answer the upcall, and one negotiation runs however many packets come', () => {
  const bench = onDemand();
  for (let packet = 0; packet < 100; packet++) ask(bench, { sequence: packet });
  assert.equal(bench.take('startPhase1').length, 1);
  const isakmp = bench.phase1();
  for (let packet = 0; packet < 100; packet++) ask(bench);
  bench.quickMode(quick(isakmp));
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal(addOf(bench)?.acquire, 42);
  ask(bench);
  assert.equal(bench.take('startQuickMode').length, 0, 'it is up');
});

test('an upcall that names no policy is for the most specific connection that has such traffic with that peer', () => {
  const wanted = (destination: string, outer = '10.0.0.1'): string | undefined => {
    const bench = onDemand();
    const packet = { source: host('10.1.9.9'), destination: host(destination) };
    ask(bench, { flow: undefined, packet, destination: outer });
    bench.phase1();
    return bench.take('startQuickMode')[0]?.connection;
  };
  assert.equal(wanted('10.2.1.7'), 'net-1');
  assert.equal(wanted('10.2.9.7'), 'net-0');
  assert.equal(wanted('10.3.0.1'), undefined);
  assert.equal(wanted('10.2.1.7', '10.0.0.99'), undefined);
});

test('one that no connection is for is handed out, and comes back with the connection that was made', () => {
  const bench = onDemand();
  const packet = { source: host('10.1.9.9'), destination: host('172.31.0.1') };
  ask(bench, { flow: undefined, packet, reqid: 77 });
  const demands = bench.effects.filter(({ kind }) => kind === 'demand');
  assert.equal(demands.length, 1);
  bench.view.peers = { 'peer-a': ['net-1', 'net-0', 'Connection-1'] };
  ask(bench, { flow: undefined, packet, reqid: 77 }, 'Connection-1');
  const isakmp = bench.phase1();
  const flows = bench.flows.size;
  const pair = bench.quickMode({ isakmp, role: 'initiator', connection: 'Connection-1' });
  assert.equal(bench.reqids.get(pair.protocols[0]?.spiOut ?? 0), 77, 'the policy finds SAs of its own reqid only');
  assert.equal(bench.flows.size, flows, 'the policy is somebody else’s');
  bench.peerDeletes(pair);
  bench.pass(60_000);
  const over = bench.effects.flatMap((effect) => (effect.kind === 'demandOver' ? [effect.connection] : []));
  assert.deepEqual(over, ['Connection-1']);
});

test('a demand that failed is not tried again by itself, and packets that come at once wait', () => {
  const bench = onDemand();
  ask(bench);
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  ask(bench);
  assert.equal(bench.take('startPhase1').length, 0);
  bench.pass(3000);
  bench.phase1Fails(bench.takeOne('startPhase1').request);
  bench.pass(3_600_000);
  assert.equal(bench.take('startPhase1').length, 0, 'no packet has asked since');
});

test('a quick mode that failed for a packet rests as long as it would have waited', () => {
  const bench = onDemand();
  const isakmp = bench.phase1({ role: 'responder' });
  ask(bench);
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'refused', 'net-1', isakmp);
  for (let packet = 0; packet < 50; packet++) ask(bench);
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(3000);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a passive daemon ignores packets, and so does a connection that was taken down until it is asked for', () => {
  const bench = onDemand();
  bench.tell({ kind: 'connect', name: 'net-1' });
  bench.up(quick(''));
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-1' } });
  ask(bench);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.match(bench.logged.at(-1)?.text ?? '', /gets no SA: connection net-1 was taken down/);
  bench.tell({ kind: 'connect', name: 'net-1' });
  assert.equal(bench.take('startQuickMode').length, 1);
  const passive = onDemand();
  passive.tell({ kind: 'mode', mode: 'passive' });
  ask(passive);
  passive.tell({ kind: 'mode', mode: 'active' });
  assert.equal(passive.take('startPhase1').length, 0);
  assert.equal(passive.logged.at(-1)?.severity, 'debug');
});

test('what came up for a packet is renewed at its soft lifetime if it was used, else it fades', () => {
  const atSoft = (wasUsed: boolean): number => {
    const bench = onDemand();
    ask(bench);
    const isakmp = bench.phase1();
    bench.quickMode(quick(isakmp));
    bench.pass(900_000);
    const [query, ...more] = bench.effects.flatMap((effect) => (effect.kind === 'query' ? [effect] : []));
    assert.ok(query !== undefined && more.length === 0);
    assert.equal(bench.take('startQuickMode').length, 0, 'the kernel is asked first');
    bench.tell({ kind: 'usage', of: query.of, isUsed: wasUsed, usedAt: 0 });
    return bench.take('startQuickMode').length;
  };
  assert.equal(atSoft(true), 1);
  assert.equal(atSoft(false), 0);
});

test('the kernel’s soft limit renews a pair that is ours to renew', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  bench.tell({ kind: 'expire', expire: { id: idOf(pair, 'out'), isHard: false, usage: usage(9) } });
  assert.equal(bench.take('startQuickMode').length, 1);
  bench.tell({ kind: 'expire', expire: { id: idOf(pair, 'in'), isHard: false, usage: usage(9) } });
  assert.equal(bench.take('startQuickMode').length, 0, 'once for both SAs');
});

test('when the kernel has ended an SA the pair goes, the peer hears of it, and an active connection comes back', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  bench.tell({ kind: 'expire', expire: { id: idOf(pair, 'in'), isHard: true, usage: usage(9) } });
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.kernel.size, 0);
  assert.deepEqual(bench.deletedSpis(), [pair.protocols[0]?.spiIn]);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('SAs that were lost without a word end their pairs, each once; others are not touched', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  const stranger = { protocolId: 3, spi: 0x99999, destination: '10.0.0.1' };
  bench.tell({ kind: 'lost', gone: [stranger] });
  assert.equal(bench.rows.size, 1);
  bench.tell({ kind: 'lost', gone: [idOf(pair, 'in'), idOf(pair, 'out')] });
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a peer that was heard elsewhere is followed: its SAs are moved once, then policy, table and DELETE know the place', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  const source = { address: '203.0.113.9', port: 40_000 };
  for (let packet = 0; packet < 5; packet++) bench.tell({ kind: 'mapping', mapping: { id: idOf(pair, 'in'), source } });
  const moves = bench.effects.flatMap((effect) => (effect.kind === 'move' ? [effect] : []));
  assert.equal(moves.length, 1);
  assert.deepEqual(
    moves[0]?.moves.map((move) => [move.source, move.destination]),
    [
      [source, pair.path.local],
      [pair.path.local, source],
    ],
  );
  const moved = [idOf(pair, 'in'), { ...idOf(pair, 'out'), destination: source.address }];
  bench.tell({ kind: 'moved', pair: moves[0]?.pair ?? 0, sas: moved, isDone: true });
  assert.deepEqual(bench.row(pair)?.agreement.path.remote, source);
  assert.ok([...bench.flows.values()].some(({ remoteAddress }) => remoteAddress === source.address));
  assert.match(
    bench.logged.at(-1)?.text ?? '',
    /net-1: the peer has moved from 10.0.0.1 port 500 to 203.0.113.9 port 40000/,
  );
  bench.effects.length = 0;
  bench.tell({ kind: 'expire', expire: { id: moved[1] ?? idOf(pair, 'out'), isHard: true, usage: usage(1) } });
  const removed = bench.effects.flatMap((effect) => (effect.kind === 'remove' ? effect.sas : []));
  assert.deepEqual(removed, moved);
});

test('a peer whose ISAKMP SA has moved behind its NAT takes its encapsulated SAs along', () => {
  const bench = new ConnectionBench();
  const nat = { isLocalBehind: false, isRemoteBehind: true, dialect: 'rfc' } as const;
  const isakmp = bench.phase1({ nat });
  const pair = bench.quickMode({ isakmp, nat });
  const plain = bench.quickMode({ isakmp });
  const remote = { address: '203.0.113.9', port: 40_000 };
  bench.lane({ kind: 'phase1Moved', isakmp, path: { ...pair.path, remote } });
  const moved = bench.effects.flatMap((effect) => (effect.kind === 'move' ? effect.moves : []));
  assert.deepEqual(
    moved.map(({ id }) => id.spi),
    [...pair.protocols.map(({ spiIn }) => spiIn), ...pair.protocols.map(({ spiOut }) => spiOut)],
  );
  assert.ok(moved.every(({ id }) => id.spi !== plain.protocols[0]?.spiIn));
});

test('SAs that could not be moved leave all as it was', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  bench.tell({ kind: 'mapping', mapping: { id: idOf(pair, 'in'), source: { address: '203.0.113.9', port: 1 } } });
  const [move] = bench.effects.flatMap((effect) => (effect.kind === 'move' ? [effect] : []));
  const sas = [idOf(pair, 'in'), idOf(pair, 'out')];
  bench.tell({ kind: 'moved', pair: move?.pair ?? 0, sas, isDone: false });
  assert.deepEqual(bench.row(pair)?.agreement.path.remote, pair.path.remote);
});

test('SAs whose pair went while they moved are removed under their new names', () => {
  const bench = onDemand(['net-1']);
  const { pair } = bench.up(quick(''));
  const source = { address: '203.0.113.9', port: 1 };
  bench.tell({ kind: 'mapping', mapping: { id: idOf(pair, 'in'), source } });
  const [move] = bench.effects.flatMap((effect) => (effect.kind === 'move' ? [effect] : []));
  bench.peerDeletes(pair);
  bench.effects.length = 0;
  const moved = [idOf(pair, 'in'), { ...idOf(pair, 'out'), destination: source.address }];
  bench.tell({ kind: 'moved', pair: move?.pair ?? 0, sas: moved, isDone: true });
  const removed = bench.effects.flatMap((effect) => (effect.kind === 'remove' ? effect.sas : []));
  assert.deepEqual(removed, moved);
});
