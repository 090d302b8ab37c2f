/** Policies: what they apply to, and which pair they lead to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flow, NO_ROUTE } from '../../../src/shared/flow.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench, type QuickModeOptions, subnet } from '../../helpers/connection-bench.ts';
import { connectionPolicy } from '../../helpers/lane-pair.ts';

const netA = (): Pick<QuickModeOptions, 'localSelector' | 'remoteSelector'> => ({
  localSelector: identityFromText('10.1.0.0/255.255.0.0'),
  remoteSelector: identityFromText('10.2.0.0/255.255.0.0'),
});
const NET_A = connectionPolicy({
  name: 'net-a',
  localId: identityFromText('10.1.0.0/255.255.0.0'),
  remoteId: identityFromText('10.2.0.0/255.255.0.0'),
});

const flowsOf = (bench: ConnectionBench): readonly Flow[] => [...bench.flows.values()];
const onlyFlow = (bench: ConnectionBench): Flow => {
  const [flow, ...more] = flowsOf(bench);
  assert.ok(flow !== undefined && more.length === 0, `${more.length + 1} flows`);
  return flow;
};
const reqidOf = (bench: ConnectionBench, { protocols: [esp] }: Agreement): number | undefined =>
  bench.reqids.get(esp?.spiOut ?? 0);

test('the flow of an established pair has its selectors, its outer addresses, its protocol and its reqid', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { pair } = bench.up({ remoteSelector: subnet(7) });
  const { id, ...flow } = onlyFlow(bench);
  assert.ok(id > 0);
  assert.deepEqual(flow, {
    local: { address: '172.16.0.1', prefixLength: 32, protocol: 0, port: 0 },
    remote: { address: '10.9.7.0', prefixLength: 24, protocol: 0, port: 0 },
    localAddress: '192.0.2.1',
    remoteAddress: pair.path.remote.address,
    protocols: [3],
    encapsulation: 'tunnel',
    reqid: reqidOf(bench, pair),
    route: { mark: 0, markMask: 0, interfaceId: 0 },
  });
});

test('connections that differ in mark or interface only have flows of their own', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const routes = [
    { mark: 0, markMask: 0, interfaceId: 1 },
    { mark: 0, markMask: 0, interfaceId: 2 },
    { mark: 1, markMask: 0xff, interfaceId: 2 },
  ];
  routes.forEach((route, i) => {
    bench.quickMode({ isakmp, connection: `net-${i}`, route });
  });
  assert.deepEqual(
    flowsOf(bench).map(({ route }) => route),
    routes,
  );
});

test('both SAs of a pair have one reqid, and no two living pairs the same', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const pairs = Array.from({ length: 50 }, () => bench.quickMode({ isakmp, nonce: 1 }));
  for (const { protocols } of pairs)
    for (const { spiIn, spiOut } of protocols) assert.equal(bench.reqids.get(spiIn), bench.reqids.get(spiOut));
  const living = [...bench.kernel].map((spi) => bench.reqids.get(spi));
  assert.equal(new Set(living).size, living.length / 2);
});

test('a successor takes the flow over, and when it goes the pair before it has the flow again', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const first = bench.quickMode({ isakmp });
  const second = bench.quickMode({ isakmp });
  assert.equal(onlyFlow(bench).reqid, reqidOf(bench, second));
  bench.peerDeletes(second);
  assert.equal(onlyFlow(bench).reqid, reqidOf(bench, first));
  bench.peerDeletes(first);
  assert.deepEqual(flowsOf(bench), []);
});

test('a flow leads elsewhere before the SAs that it led to are removed', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp });
  const second = bench.quickMode({ isakmp });
  bench.effects.length = 0;
  bench.peerDeletes(second);
  const kinds = bench.effects.map(({ kind }) => kind).filter((kind) => kind === 'putFlow' || kind === 'remove');
  assert.deepEqual(kinds, ['putFlow', 'remove']);
});

test('a range is as many flows as it has prefixes, and all of them go with the pair', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const pair = bench.quickMode({ isakmp, remoteSelector: identityFromText('10.0.0.1-10.0.0.6') });
  assert.deepEqual(
    flowsOf(bench).map(({ remote }) => `${remote.address}/${remote.prefixLength}`),
    ['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/31', '10.0.0.6/32'],
  );
  bench.peerDeletes(pair);
  assert.deepEqual(flowsOf(bench), []);
});

test('two connections with the same selectors share a flow: the one that came last has it, the other gets it back', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a', 'net-b'] } });
  const isakmp = bench.phase1({ role: 'responder' });
  const a = bench.quickMode({ isakmp, connection: 'net-a' });
  const b = bench.quickMode({ isakmp, connection: 'net-b' });
  assert.equal(onlyFlow(bench).reqid, reqidOf(bench, b));
  bench.peerDeletes(b);
  assert.equal(onlyFlow(bench).reqid, reqidOf(bench, a));
});

test('a flow that the kernel refused is put again after a check interval, unless it is not wanted any more', () => {
  const bench = new ConnectionBench({ checkIntervalSeconds: 60 });
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  const { id } = onlyFlow(bench);
  bench.tell({ kind: 'flowRefused', id });
  bench.flows.clear();
  bench.pass(59_000);
  assert.equal(bench.flows.size, 0);
  bench.pass(1000);
  assert.equal(onlyFlow(bench).id, id);
  bench.tell({ kind: 'flowRefused', id });
  bench.peerDeletes(pair);
  bench.tell({ kind: 'flowRefused', id });
  bench.pass(60_000);
  assert.deepEqual(flowsOf(bench), []);
});

test('without a reqid left a quick mode is refused, and the next pair that goes makes room', () => {
  const bench = new ConnectionBench({ reqids: 3 });
  const isakmp = bench.phase1({ role: 'responder' });
  const first = bench.quickMode({ isakmp, remoteSelector: subnet(1) });
  bench.quickMode({ isakmp, remoteSelector: subnet(2) });
  const [sa] = bench.install(bench.agreement({ isakmp, remoteSelector: subnet(3) }), 99);
  assert.match(bench.takeOne('refused').reason, /no number left/);
  assert.ok(sa?.encryptionKey.every((byte) => byte === 0));
  bench.peerDeletes(first);
  bench.take('installed');
  bench.install(bench.agreement({ isakmp, remoteSelector: subnet(3) }), 100);
  assert.equal(bench.take('installed').length, 1);
});

test('what a predecessor left is not given out again, and its policies lead where they did until there is a pair', () => {
  const local = { address: '10.1.0.0', prefixLength: 16, protocol: 0, port: 0 };
  const remote = { address: '10.2.0.0', prefixLength: 16, protocol: 0, port: 0 };
  const policies = { 'peer-a': { connections: [NET_A] } };
  const inherited = { reqids: [1001, 1002], flows: [{ local, remote, reqid: 1001, route: NO_ROUTE }] };
  const bench = new ConnectionBench({ policies, active: ['net-a'], inherited });
  assert.equal(onlyFlow(bench).reqid, 1001);
  const { pair } = bench.up(netA());
  assert.equal(onlyFlow(bench).reqid, reqidOf(bench, pair));
  assert.ok(reqidOf(bench, pair) !== 1001 && reqidOf(bench, pair) !== 1002);
});
