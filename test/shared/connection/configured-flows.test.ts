/** Policies of configured connections: there from configuration on, blocking while there is no pair, gone with the configuration or the daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flow } from '../../../src/shared/flow.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { ConnectionPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { ConnectionBench, type QuickModeOptions } from '../../helpers/connection-bench.ts';
import { connectionPolicy } from '../../helpers/lane-pair.ts';

const net = (third: number, changes: Partial<ConnectionPolicy> = {}): ConnectionPolicy =>
  connectionPolicy({
    name: `net-${third}`,
    localId: identityFromText('10.1.0.0/255.255.0.0'),
    remoteId: identityFromText(`10.2.${third}.0/255.255.255.0`),
    ...changes,
  });
const quick = (third: number): Pick<QuickModeOptions, 'connection' | 'localSelector' | 'remoteSelector'> => ({
  connection: `net-${third}`,
  localSelector: identityFromText('10.1.0.0/255.255.0.0'),
  remoteSelector: identityFromText(`10.2.${third}.0/255.255.255.0`),
});
const benchOf = (connections: readonly ConnectionPolicy[], active: readonly string[] = []): ConnectionBench => {
  const peers = { 'peer-a': connections.map(({ name }) => name) };
  const bench = new ConnectionBench({ peers, policies: { 'peer-a': { connections } }, active });
  if (active.length === 0) bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  return bench;
};
const flowsOf = (bench: ConnectionBench): readonly Flow[] => [...bench.flows.values()];
const remotesOf = (bench: ConnectionBench): readonly string[] =>
  flowsOf(bench).map(({ remote }) => `${remote.address}/${remote.prefixLength}`);
const only = (bench: ConnectionBench): Flow => {
  const [flow, ...more] = flowsOf(bench);
  assert.ok(flow !== undefined && more.length === 0, `${more.length + 1} flows`);
  return flow;
};
/** No SA has the flow's reqid: it blocks. */
const isBlocking = (bench: ConnectionBench, { reqid }: Flow): boolean =>
  [...bench.kernel].every((spi) => bench.reqids.get(spi) !== reqid);

test('every configured connection has its policies before anything is negotiated, and they block, each with a reqid of its own', () => {
  const bench = benchOf([net(1), net(2, { activeOnly: true })]);
  assert.deepEqual(remotesOf(bench), ['10.2.1.0/24', '10.2.2.0/24']);
  assert.equal(new Set(flowsOf(bench).map(({ reqid }) => reqid)).size, 2);
  assert.ok(flowsOf(bench).every((flow) => isBlocking(bench, flow)));
  const [{ protocols, encapsulation, localAddress, remoteAddress } = only(bench)] = flowsOf(bench);
  assert.deepEqual([protocols, encapsulation, localAddress, remoteAddress], [[3], 'tunnel', '192.0.2.1', '10.0.0.1']);
});

test('a connection without IDs is the traffic between the two ISAKMP addresses', () => {
  const bench = benchOf([net(1, { localId: undefined, remoteId: undefined })]);
  const { local, remote } = only(bench);
  assert.deepEqual([local.address, local.prefixLength], ['192.0.2.1', 32]);
  assert.deepEqual([remote.address, remote.prefixLength], ['10.0.0.1', 32]);
});

test('with NAT-ID the traffic is that of the address which the peer sees', () => {
  const bench = benchOf([net(1, { natId: identityFromText('192.0.2.77') })]);
  assert.equal(only(bench).local.address, '192.0.2.77');
});

test('road warriors, and connections made for packets, have none before they are up', () => {
  const bench = benchOf([net(1, { remoteId: undefined }), net(2, { onDemand: true })]);
  assert.deepEqual(flowsOf(bench), []);
});

test('the pair of a connection takes its policy over, and when it is torn down the policy blocks again', () => {
  const bench = benchOf([net(1)], ['net-1']);
  const { id } = only(bench);
  bench.up(quick(1));
  assert.equal(only(bench).id, id);
  assert.ok(!isBlocking(bench, only(bench)));
  bench.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-1' } });
  assert.equal(only(bench).id, id);
  assert.equal(bench.kernel.size, 0);
});

test('edits add, change and remove the policies of the peers that they are about', () => {
  const bench = benchOf([net(1)]);
  const edit = (connections: readonly ConnectionPolicy[]): void => {
    bench.view.policies = { 'peer-a': { connections } };
    bench.view.peers = { 'peer-a': connections.map(({ name }) => name) };
    bench.effects.length = 0;
    bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  };
  edit([net(1), net(2)]);
  assert.deepEqual(remotesOf(bench), ['10.2.1.0/24', '10.2.2.0/24']);
  assert.equal(bench.effects.length, 1, 'what has not changed is not touched');
  edit([net(1), net(2, { remoteId: identityFromText('10.2.3.0/255.255.255.0') })]);
  assert.deepEqual(remotesOf(bench), ['10.2.1.0/24', '10.2.3.0/24']);
  edit([net(2)]);
  assert.deepEqual(remotesOf(bench), ['10.2.2.0/24']);
});

test('a peer section that cannot be used for a while opens no hole', () => {
  const bench = benchOf([net(1)]);
  bench.view.peer = () => undefined;
  bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  assert.equal(flowsOf(bench).length, 1);
  bench.view.peers = {};
  bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  assert.deepEqual(flowsOf(bench), []);
});

test('what is no longer configured keeps its policy while it has a pair', () => {
  const bench = benchOf([net(1)], ['net-1']);
  const { pair } = bench.up(quick(1));
  bench.view.policies = {};
  bench.view.peers = { 'peer-a': [] };
  bench.view.active = [];
  bench.tell({ kind: 'peersChanged', peers: ['peer-a'] });
  assert.ok(!isBlocking(bench, only(bench)));
  bench.peerDeletes(pair);
  assert.deepEqual(flowsOf(bench), []);
});

test('Acquire-Only takes all policies away, and its end brings them back', () => {
  const bench = benchOf([net(1)], ['net-1']);
  bench.up(quick(1));
  bench.view.isAcquireOnly = true;
  bench.tell({ kind: 'reconfigured' });
  assert.deepEqual(flowsOf(bench), []);
  assert.equal(bench.core.counts.flows, 0);
  bench.view.isAcquireOnly = false;
  bench.tell({ kind: 'reconfigured' });
  assert.ok(!isBlocking(bench, only(bench)));
});

test('a daemon that is told to quit removes its policies last, after the SAs; Block-on-exit keeps them, without Delete-SAs all stays', () => {
  const left = (blocksOnExit: boolean, deleteSas: boolean): readonly number[] => {
    const bench = benchOf([net(1)], ['net-1']);
    bench.up(quick(1));
    bench.view.blocksOnExit = blocksOnExit;
    bench.effects.length = 0;
    bench.tell({ kind: 'shutdown', deleteSas });
    bench.pass(10_000);
    const kinds = bench.effects.map(({ kind }) => kind).filter((kind) => /remove|deleteFlow|done/.test(kind));
    if (deleteSas && !blocksOnExit) assert.deepEqual(kinds, ['remove', 'deleteFlow', 'done']);
    return [bench.kernel.size, bench.flows.size];
  };
  assert.deepEqual(left(false, true), [0, 0]);
  assert.deepEqual(left(true, true), [0, 1]);
  assert.deepEqual(left(false, false), [2, 1]);
});

test('selectors that make too many policies are an error, not a flood', () => {
  const odd = '10.0.0.1-10.255.255.254';
  const bench = benchOf([net(1, { localId: identityFromText(odd), remoteId: identityFromText(odd) })]);
  assert.deepEqual(flowsOf(bench), []);
  assert.match(bench.logged.at(-1)?.text ?? '', /net-1: its selectors make 2116 policies, more than 1024/);
});

test('after a check without changes nothing has been put again, however many connections there are', () => {
  const bench = benchOf(Array.from({ length: 200 }, (_, third) => net(third)));
  assert.equal(flowsOf(bench).length, 200);
  bench.effects.length = 0;
  bench.pass(120_000);
  assert.deepEqual(
    bench.effects.filter(({ kind }) => kind === 'putFlow' || kind === 'deleteFlow'),
    [],
  );
});

test('what a predecessor left may go when all that is configured was told to the kernel, and it has taken it', () => {
  const connections = [net(1), net(2)];
  const view = { peers: { 'peer-a': ['net-1', 'net-2'] }, policies: { 'peer-a': { connections } } };
  const isRemoved = (bench: ConnectionBench): boolean => bench.effects.some(({ kind }) => kind === 'removeLeftovers');
  const configured = { kind: 'configured', connections: ['net-1', 'net-2'] } as const;

  const plain = new ConnectionBench({ ...view, active: ['net-1'] });
  assert.ok(!isRemoved(plain));
  plain.tell(configured);
  assert.ok(isRemoved(plain));

  const withTypo = new ConnectionBench({ ...view, active: ['net-1'] });
  withTypo.tell({ ...configured, connections: ['net-1', 'net-9'] });
  assert.ok(!isRemoved(withTypo), 'a section that cannot be used may be about what is left');

  const blocking = new ConnectionBench({ ...view, active: ['net-1'] });
  blocking.view.blocksOnExit = true;
  blocking.tell(configured);
  assert.ok(!isRemoved(blocking));

  const refused = new ConnectionBench({ ...view, active: ['net-1'] });
  const [{ id } = assert.fail()] = flowsOf(refused);
  refused.tell({ kind: 'flowRefused', id });
  refused.tell(configured);
  assert.ok(!isRemoved(refused), 'the kernel has not taken all flows');
  refused.pass(120_000);
  assert.ok(isRemoved(refused));
});
