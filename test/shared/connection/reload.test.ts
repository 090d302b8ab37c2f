/** What a reload means for what is up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const reloaded = (renew: readonly string[] = [], renegotiate = false) =>
  ({ kind: 'reloaded', renew, renewIdentities: [], renegotiate }) as const;

const TWO = { peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'] }, active: ['net-a', 'net-b'] };
const bothUp = () => {
  const bench = new ConnectionBench(TWO);
  const isakmp: Record<string, string> = {};
  for (const { request, peer } of bench.take('startPhase1')) isakmp[peer] = bench.phase1({ request, peer });
  for (const { request, isakmp: sa, connection } of bench.take('startQuickMode')) {
    bench.quickMode({ role: 'initiator', request, isakmp: sa, connection, peer: connection.replace('net', 'peer') });
  }
  return { bench, isakmp };
};

/** Whatever could be said to lanes. */
const silent = (bench: ConnectionBench): void => {
  for (const kind of ['startPhase1', 'startQuickMode', 'sendDelete', 'deleteIsakmp', 'cancel'] as const) {
    assert.deepEqual(bench.take(kind), [], kind);
  }
};

test('another secret of an identity renews the peers without one of their own that have shown it or must have it', () => {
  const { bench } = bothUp();
  const secretOf = (identity: string) =>
    ({ kind: 'reloaded', renew: [], renewIdentities: [identity], renegotiate: false }) as const;
  bench.tell(secretOf('peer-c.example.org'));
  silent(bench);
  bench.view.policies = {
    'peer-a': { preSharedKey: Uint8Array.of(1) },
    'peer-b': { remoteId: identityFromText('B@example.org') },
  };
  for (const identity of ['peer-a.example.org', 'peer-b.example.org']) bench.tell(secretOf(identity));
  silent(bench);
  bench.tell(secretOf('b@example.org'));
  assert.equal(bench.takeOne('startPhase1').peer, 'peer-b');
  bench.view.policies = {};
  bench.tell(secretOf('peer-a.example.org'));
  assert.equal(bench.takeOne('startPhase1').peer, 'peer-a');
});

test('a reload that renews nobody says nothing to anybody', () => {
  const { bench } = bothUp();
  bench.tell(reloaded());
  bench.pass(10_000);
  silent(bench);
  assert.equal(bench.rows.size, 2);
});

test('a renewed peer gets a phase 1 at once and then its tunnel under it; the other peer is not touched', () => {
  const { bench, isakmp } = bothUp();
  bench.tell(reloaded(['peer-a']));
  assert.equal(bench.take('startQuickMode').length, 0, 'nothing begins under the old one');
  const { request, peer } = bench.takeOne('startPhase1');
  assert.equal(peer, 'peer-a');
  const renewed = bench.phase1({ request });
  const quick = bench.takeOne('startQuickMode');
  assert.deepEqual([quick.isakmp, quick.connection], [renewed, 'net-a']);
  assert.deepEqual(
    bench.take('deleteIsakmp').map(({ isakmp: gone }) => gone),
    [isakmp['peer-a']],
  );
  bench.quickMode({ role: 'initiator', request: quick.request, isakmp: renewed });
  bench.pass(1000);
  silent(bench);
  assert.deepEqual(
    [...bench.rows.values()].map(({ agreement, flags }) => [agreement.connection, flags & 8]),
    [
      ['net-a', 8],
      ['net-b', 0],
      ['net-a', 0],
    ],
  );
});

test('the tunnel that a peer began is made anew by us as well', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp });
  bench.tell(reloaded(['peer-a']));
  const renewed = bench.phase1({ request: bench.takeOne('startPhase1').request });
  assert.equal(bench.takeOne('startQuickMode').isakmp, renewed);
});

test('while the new phase 1 fails the old SAs stay, and it is tried again', () => {
  const { bench } = bothUp();
  bench.tell(reloaded(['peer-a']));
  bench.phase1Fails(bench.takeOne('startPhase1').request, 'refused');
  bench.pass(10_000);
  assert.equal(bench.take('startPhase1').length, 1);
  assert.equal(bench.rows.size, 2);
  assert.equal(bench.take('sendDelete').length + bench.take('deleteIsakmp').length, 0);
});

test('a phase 1 that runs under the old terms is cancelled, and one that waits for its next try begins at once', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const first = bench.takeOne('startPhase1');
  bench.tell(reloaded(['peer-a']));
  assert.equal(bench.takeOne('cancel').request, first.request);
  const second = bench.takeOne('startPhase1');
  bench.phase1Fails(second.request, 'refused');
  assert.equal(bench.take('startPhase1').length, 0);
  bench.tell(reloaded(['peer-a']));
  assert.equal(bench.take('startPhase1').length, 1);
});

test('a phase 1 that the peer began before the reload is no renewal: nothing begins under it', () => {
  const { bench } = bothUp();
  const startedAt = bench.now - 50;
  bench.tell(reloaded(['peer-a']));
  const { request } = bench.takeOne('startPhase1');
  bench.phase1({ role: 'responder', startedAt });
  bench.pass(10_000);
  assert.equal(bench.take('startQuickMode').length, 0);
  const renewed = bench.phase1({ request });
  assert.equal(bench.takeOne('startQuickMode').isakmp, renewed);
  assert.equal(bench.take('deleteIsakmp').length, 2);
});

test('a renewed peer that is somebody else now replaces the tunnel of before, and that is all', () => {
  const { bench } = bothUp();
  bench.tell(reloaded(['peer-a']));
  const isakmp = bench.phase1({ request: bench.takeOne('startPhase1').request, identity: 'new.example.org' });
  const { request } = bench.takeOne('startQuickMode');
  bench.quickMode({ role: 'initiator', request, isakmp, identity: 'new.example.org' });
  bench.pass(5000);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal([...bench.rows.values()].filter(({ flags }) => (flags & 8) === 0).length, 2);
});

test('selectors that were changed count from the renewal on, which is one quick mode and not one after the other', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up({ lifeSeconds: 100 });
  bench.pass(95_000);
  const { request } = bench.takeOne('startQuickMode');
  const other = { type: 1, protocol: 0, port: 0, data: Uint8Array.of(10, 1, 1, 1) };
  bench.quickMode({ role: 'initiator', request, isakmp, remoteSelector: other, lifeSeconds: 100 });
  assert.equal(bench.take('startQuickMode').length, 0);
  bench.pass(5000);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal(bench.rows.size, 1);
});

test('when that successor goes before its predecessor, the connection is down and comes back', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up({ lifeSeconds: 100 });
  bench.pass(95_000);
  const { request } = bench.takeOne('startQuickMode');
  const other = { type: 1, protocol: 0, port: 0, data: Uint8Array.of(10, 1, 1, 1) };
  bench.peerDeletes(bench.quickMode({ role: 'initiator', request, isakmp, remoteSelector: other }));
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a peer without an address is not called: its next negotiation counts', () => {
  const bench = new ConnectionBench({ policies: { 'peer-a': { address: undefined } } });
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp });
  bench.tell(reloaded(['peer-a']));
  bench.pass(10_000);
  silent(bench);
});

test('a connection that is gone is not renewed and lives to its hard expiry, and neither is its phase 1', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  bench.up({ lifeSeconds: 1000 });
  bench.view.active = [];
  bench.view.peers = {};
  bench.tell(reloaded());
  bench.pass(990_000);
  assert.equal(bench.rows.size, 1);
  assert.equal(bench.logged.length, 0);
  bench.lane({ kind: 'phase1Expiring', isakmp: [...bench.rows.values()][0]?.agreement.isakmp ?? '' });
  bench.pass(20_000);
  assert.equal(bench.rows.size, 0);
  assert.equal(bench.take('startQuickMode').length + bench.take('startPhase1').length, 0);
});

test('Renegotiate-on-HUP makes every tunnel anew under the ISAKMP SA that is there, in an even flow', () => {
  const peers = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`peer-${i}`, [`net-${i}`]]));
  const bench = new ConnectionBench({ peers, active: Object.values(peers).flat() });
  bench.pass(1000);
  for (const { request, peer } of bench.take('startPhase1')) bench.phase1({ request, peer });
  bench.pass(1000);
  for (const { request, isakmp, connection } of bench.take('startQuickMode')) {
    bench.quickMode({ role: 'initiator', request, isakmp, connection, peer: connection.replace('net', 'peer') });
  }
  assert.equal(bench.rows.size, 120);
  bench.tell(reloaded([], true));
  assert.equal(bench.take('startQuickMode').length, 50);
  bench.pass(200);
  assert.equal(bench.take('startQuickMode').length, 70);
  assert.equal(bench.take('startPhase1').length, 0);
});

test('Renegotiate-on-HUP leaves alone what is negotiated just now, and what is not ours to renew', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp } = bench.up();
  bench.lane({ kind: 'phase2Started', exchange: 99, isakmp, connection: 'net-a' });
  bench.tell(reloaded([], true));
  bench.pass(1000);
  assert.equal(bench.take('startQuickMode').length, 0);
  const other = new ConnectionBench();
  other.quickMode({ isakmp: other.phase1({ role: 'responder' }) });
  other.tell(reloaded([], true));
  other.pass(1000);
  silent(other);
});
