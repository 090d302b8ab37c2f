/** Peers whose certificates are refused by now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const certificate = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);
const CA = certificate(0xca);

/** peer-a and peer-b have certificates of one CA, peer-c has a secret; each has an ISAKMP SA and an IPsec SA. */
const allUp = (): ConnectionBench => {
  const bench = new ConnectionBench({
    peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'], 'peer-c': ['net-c'] },
    active: ['net-a', 'net-b', 'net-c'],
  });
  const chains: Readonly<Record<string, readonly Uint8Array[]>> = {
    'peer-a': [certificate(1), CA],
    'peer-b': [certificate(2), CA],
  };
  for (const { request, peer } of bench.take('startPhase1')) bench.phase1({ request, peer, chain: chains[peer] ?? [] });
  for (const { request, isakmp, connection } of bench.take('startQuickMode')) {
    bench.quickMode({ role: 'initiator', request, isakmp, connection, peer: connection.replace('net', 'peer') });
  }
  return bench;
};
const names = (bench: ConnectionBench): string[] =>
  [...bench.rows.values()].map(({ agreement }) => agreement.connection).sort();
const idOf = (bench: ConnectionBench, first: number): string =>
  [...bench.core.proofs()].find((proof) => proof.kind === 'certificates' && proof.chain[0]?.[0] === first)?.id ??
  assert.fail();

test('a peer whose certificate is revoked loses its ISAKMP and IPsec SAs, the others keep theirs', () => {
  const bench = allUp();
  assert.deepEqual(names(bench), ['net-a', 'net-b', 'net-c']);
  assert.equal([...bench.core.proofs()].length, 2);
  bench.tell({ kind: 'distrusted', reasons: new Map([[idOf(bench, 1), 'certificate of /CN=a: revoked']]) });
  assert.deepEqual(names(bench), ['net-b', 'net-c']);
  // The peer hears of the IPsec SA while there is still an ISAKMP SA to say it under.
  assert.equal(bench.takeOne('sendDelete').spis.length, 1);
  const { isakmp, notify } = bench.takeOne('deleteIsakmp');
  assert.ok(notify);
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'deletedByUs' });
  assert.equal(bench.core.counts.isakmpSas, 2);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.match(
    bench.logged.map(({ text }) => text).join('\n'),
    /peer-a.* is no longer trusted: certificate of \/CN=a: revoked; 1 ISAKMP and 1 IPsec SAs are deleted/,
  );
});

test('an IPsec SA goes as well when the ISAKMP SA that made it has gone before', () => {
  const bench = allUp();
  const id = idOf(bench, 1);
  const isakmp = [...bench.rows.values()].find(({ agreement }) => agreement.peer === 'peer-a')?.agreement.isakmp ?? '';
  bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  assert.deepEqual(names(bench), ['net-a', 'net-b', 'net-c']);
  bench.tell({ kind: 'distrusted', reasons: new Map([[id, 'revoked']]) });
  assert.deepEqual(names(bench), ['net-b', 'net-c']);
});

test('what a peer has proved with another certificate stays', () => {
  const bench = allUp();
  const old = idOf(bench, 1);
  const isakmp = bench.phase1({ peer: 'peer-a', chain: [certificate(3), CA] });
  bench.quickMode({ isakmp, connection: 'net-a', peer: 'peer-a' });
  bench.tell({ kind: 'distrusted', reasons: new Map([[old, 'revoked']]) });
  assert.deepEqual(names(bench), ['net-a', 'net-b', 'net-c']);
  assert.equal(bench.take('deleteIsakmp').length, 1);
});

test('a connection that should be up tries again with the next check, and phase 1 decides', () => {
  const bench = allUp();
  bench.tell({ kind: 'distrusted', reasons: new Map([[idOf(bench, 1), 'revoked']]) });
  bench.lane({ kind: 'phase1Gone', isakmp: bench.takeOne('deleteIsakmp').isakmp, why: 'deletedByUs' });
  assert.equal(bench.take('startPhase1').length, 0);
  bench.pass(120_000);
  assert.deepEqual(
    bench.take('startPhase1').map(({ peer }) => peer),
    ['peer-a'],
  );
});

test('a peer whose raw key is another by now loses its SAs, one with the same key for another identity keeps them', () => {
  const bench = new ConnectionBench({ peers: { 'peer-a': ['net-a'], 'peer-b': ['net-b'] } });
  const key = certificate(7);
  for (const peer of ['peer-a', 'peer-b']) {
    const rawKey = { identity: identityFromText(`${peer}.example.org`), key };
    const isakmp = bench.phase1({ role: 'responder', peer, rawKey });
    bench.quickMode({ isakmp, peer, connection: peer.replace('peer', 'net') });
  }
  const [first, ...others] = [...bench.core.proofs()];
  assert.equal(others.length, 1);
  bench.tell({ kind: 'distrusted', reasons: new Map([[first?.id ?? '', 'another key']]) });
  assert.deepEqual(names(bench), ['net-b']);
  assert.equal(bench.take('deleteIsakmp').length, 1);
});
