/** Pairs from the kernel to their end: installation, which one is current, lifetimes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaFlag } from '../../../src/shared/sa-table/rows.ts';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench, subnet } from '../../helpers/connection-bench.ts';

const flagsOf = (bench: ConnectionBench, pair: Agreement): number => bench.row(pair)?.flags ?? 0;
const isReplaced = (bench: ConnectionBench, pair: Agreement): boolean => (flagsOf(bench, pair) & SaFlag.REPLACED) !== 0;
const outOf = (pair: Agreement): number | undefined => pair.protocols[0]?.spiOut;
const inOf = (pair: Agreement): number => pair.protocols[0]?.spiIn ?? 0;
/** The SPI that the only flow sends with. */
const preferred = (bench: ConnectionBench): number | undefined => {
  const [flow, ...more] = bench.flows.values();
  assert.deepEqual(more, []);
  return [...bench.kernel].find((spi) => spi >= 0x20000 && bench.reqids.get(spi) === flow?.reqid);
};

test('an established pair of an active connection is READY and STAYALIVE, with the lifetimes that were agreed', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { pair } = bench.up({ lifeSeconds: 1000 });
  const row = bench.row(pair);
  assert.equal(row?.flags, SaFlag.READY | SaFlag.STAYALIVE);
  assert.equal(row?.hardAt, bench.now + 1_000_000);
  assert.equal(preferred(bench), outOf(pair));
  assert.deepEqual(bench.kernel, new Set([inOf(pair), outOf(pair)]));
});

test('a pair that the peer began is READY only', () => {
  const bench = new ConnectionBench();
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  assert.equal(flagsOf(bench, pair), SaFlag.READY);
});

test('without an agreed lifetime a pair lives eight hours, RFC 2407 section 4.5', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { pair } = bench.up({ lifeSeconds: 0 });
  assert.equal(bench.row(pair)?.hardAt, bench.now + 28_800_000);
});

test('the initiator of a pair renews at 85 to 90 % of its life, the responder at 90 to 95 %', () => {
  const shares = (role: 'initiator' | 'responder'): number[] => {
    const peers = { 'peer-a': Array.from({ length: 200 }, (_, i) => `net-${i}`) };
    const bench = new ConnectionBench({ peers });
    const isakmp = bench.phase1({ role: 'responder' });
    const pairs = peers['peer-a'].map((connection) => bench.quickMode({ isakmp, connection, role }));
    return pairs.map((pair) => ((bench.row(pair)?.softAt ?? 0) - bench.now) / 1_000_000).sort((a, b) => a - b);
  };
  const ours = shares('initiator');
  const theirs = shares('responder');
  assert.ok((ours[0] ?? 0) >= 0.85 && (ours.at(-1) ?? 1) < 0.9);
  assert.ok((theirs[0] ?? 0) >= 0.9 && (theirs.at(-1) ?? 1) < 0.95);
  assert.ok((ours.at(-1) ?? 0) - (ours[0] ?? 0) > 0.04, 'spread over the whole range');
});

test('at its soft lifetime a pair of an active connection is renewed, the successor replaces it, and it stays to its hard lifetime', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.pass(900_000);
  assert.equal(bench.row(pair)?.softAt, 0);
  const successor = bench.quickMode({ isakmp, role: 'initiator' });
  assert.equal(isReplaced(bench, pair), true);
  assert.equal(isReplaced(bench, successor), false);
  assert.equal(preferred(bench), outOf(pair), 'the peer has had no time yet to put its inbound SA in');
  bench.pass(1_000);
  assert.equal(preferred(bench), outOf(successor));
  bench.pass(98_000);
  assert.ok(bench.kernel.has(inOf(pair)));
  bench.pass(1001);
  assert.equal(bench.row(pair), undefined);
  assert.deepEqual(bench.kernel, new Set([inOf(successor), outOf(successor)]));
  assert.deepEqual(bench.deletedSpis(), [inOf(pair)]);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('when the older pair goes before its successor has settled, that one carries at once', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.pass(900_000);
  const successor = bench.quickMode({ isakmp, role: 'initiator' });
  bench.peerDeletes(pair);
  assert.equal(preferred(bench), outOf(successor));
});

test('a pair that the peer began and nobody wants active here is left to fade', () => {
  const bench = new ConnectionBench();
  const pair = bench.quickMode({ isakmp: bench.phase1({ role: 'responder' }) });
  bench.pass(960_000);
  assert.equal(flagsOf(bench, pair), SaFlag.READY | SaFlag.FADING);
  bench.pass(50_000);
  assert.equal(bench.take('startQuickMode').length, 0);
  assert.equal(bench.rows.size, 0);
});

test('a pair that we began is renewed although its connection is not in the active list', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  bench.quickMode({ isakmp, role: 'initiator' });
  bench.pass(900_000);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a current pair that expires without successor is deleted at the peer and its active connection started at once', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.pass(899_000);
  bench.quickModeFails(bench.takeOne('startQuickMode').request, 'refused', 'net-a', isakmp);
  bench.pass(200);
  while (bench.row(pair) !== undefined) {
    for (const { request } of bench.take('startQuickMode')) bench.quickModeFails(request, 'refused', 'net-a', isakmp);
    bench.pass(1000);
  }
  assert.deepEqual(bench.deletedSpis().slice(0, 1), [inOf(pair)]);
  bench.pass(120_000);
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('of two simultaneous pairs the winner is used at once, and the loser that we began is deleted ten seconds later', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  const startedAt = bench.now;
  bench.pass(500);
  const theirs = bench.quickMode({ isakmp, startedAt: startedAt + 300, nonce: 9 });
  bench.pass(500);
  const ours = bench.quickMode({ isakmp, role: 'initiator', request, startedAt, nonce: 2 });
  assert.deepEqual([isReplaced(bench, theirs), isReplaced(bench, ours)], [false, true]);
  assert.equal(preferred(bench), outOf(theirs));
  bench.pass(9999);
  assert.ok(bench.row(ours));
  bench.pass(1);
  assert.equal(bench.row(ours), undefined);
  assert.deepEqual(bench.deletedSpis(), [inOf(ours)]);
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('a loser that the peer began is left to the peer, and is not renewed', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  const startedAt = bench.now;
  bench.pass(500);
  const theirs = bench.quickMode({ isakmp, startedAt, nonce: 1 });
  bench.quickMode({ isakmp, role: 'initiator', request, startedAt, nonce: 2, lifeSeconds: 5000 });
  bench.pass(990_000);
  assert.equal(isReplaced(bench, theirs), true);
  assert.equal(bench.deletedSpis().length + bench.take('startQuickMode').length, 0);
});

test('our own pair counts as begun when it was decided on, not when the lane came to it', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  bench.pass(100);
  const theirs = bench.quickMode({ isakmp, startedAt: bench.now - 50, nonce: 9 });
  bench.pass(100);
  bench.quickMode({ isakmp, role: 'initiator', request, startedAt: bench.now - 20, nonce: 2 });
  assert.equal(isReplaced(bench, theirs), false);
});

test('when the peer deletes the current pair and an older one lives, that one is current again', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.pass(1000);
  const newer = bench.quickMode({ isakmp });
  assert.equal(isReplaced(bench, pair), true);
  bench.peerDeletes(newer);
  assert.equal(isReplaced(bench, pair), false);
  assert.equal(preferred(bench), outOf(pair));
  assert.equal(bench.take('startQuickMode').length, 0);
});

test('a losing pair that is needed again is not deleted any more', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const isakmp = bench.phase1();
  const { request } = bench.takeOne('startQuickMode');
  const startedAt = bench.now;
  bench.pass(10);
  const theirs = bench.quickMode({ isakmp, startedAt, nonce: 9 });
  const ours = bench.quickMode({ isakmp, role: 'initiator', request, startedAt, nonce: 1 });
  bench.pass(5000);
  bench.peerDeletes(theirs);
  bench.pass(60_000);
  assert.equal(isReplaced(bench, ours), false);
  assert.equal(bench.deletedSpis().length, 0);
});

test('an old pair that becomes current after its soft lifetime is renewed at once', () => {
  const bench = new ConnectionBench({ active: ['net-a'] });
  const { isakmp, pair } = bench.up();
  bench.pass(900_000);
  const newer = bench.quickMode({ isakmp, role: 'initiator' });
  bench.peerDeletes(newer);
  assert.ok(bench.row(pair));
  assert.equal(bench.take('startQuickMode').length, 1);
});

test('a peer that renews without end has eight pairs of one connection at most (operators rank 12)', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const pairs = Array.from({ length: 20 }, () => {
    bench.pass(10);
    return bench.quickMode({ isakmp });
  });
  assert.equal(bench.rows.size, 8);
  assert.equal(bench.kernel.size, 16);
  assert.deepEqual(bench.deletedSpis().slice(0, 12), pairs.slice(0, 12).map(inOf));
});

test('clients of one road warrior section have pairs side by side', () => {
  const bench = new ConnectionBench();
  const one = bench.quickMode({ isakmp: bench.phase1({ role: 'responder', identity: 'one' }), identity: 'one' });
  const isakmp = bench.phase1({ role: 'responder', identity: 'two' });
  const two = bench.quickMode({ isakmp, identity: 'two' });
  const other = bench.quickMode({ isakmp, identity: 'two', remoteSelector: subnet(7) });
  assert.deepEqual(
    [one, two, other].map((pair) => isReplaced(bench, pair)),
    [false, false, false],
  );
});

test('an inbound SPI that is taken is refused, and its keys are zeroed', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const first = bench.quickMode({ isakmp });
  bench.take('installed');
  const agreement = bench.agreement({ isakmp, spiIn: inOf(first) });
  const sas = bench.install(agreement, 77);
  assert.deepEqual(bench.takeOne('refused'), { kind: 'refused', exchange: 77, reason: 'exists', lane: 0 });
  assert.ok(sas.every(({ encryptionKey }) => encryptionKey.every((byte) => byte === 0)));
  assert.equal(bench.core.counts.larval, 0);
});

test('an exchange whose SPI was taken may ask again with another', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const first = bench.quickMode({ isakmp });
  bench.install(bench.agreement({ isakmp, spiIn: inOf(first) }), 77);
  bench.take('installed');
  bench.install(bench.agreement({ isakmp }), 77);
  assert.equal(bench.takeOne('installed').exchange, 77);
});

test('what the kernel refuses fails the exchange and leaves nothing behind', () => {
  const bench = new ConnectionBench({ slowKernel: true });
  const isakmp = bench.phase1({ role: 'responder' });
  const agreement = bench.agreement({ isakmp });
  bench.install(agreement, 5);
  const add = bench.effects.find((effect) => effect.kind === 'add');
  assert.ok(add?.kind === 'add');
  bench.tell({ kind: 'refused', pair: add.pair, reason: 'unsupported' });
  assert.equal(bench.takeOne('refused').reason, 'unsupported');
  assert.equal(bench.core.counts.larval, 0);
});

test('when the kernel refuses a responder its outbound SA, the inbound one goes too, and the peer hears of it', () => {
  const bench = new ConnectionBench({ slowKernel: true });
  const isakmp = bench.phase1({ role: 'responder' });
  const agreement = bench.agreement({ isakmp });
  for (const direction of ['in', 'out'] as const) {
    const sas = bench.sas(agreement).filter((sa) => sa.direction === direction);
    bench.lane({ kind: 'install', exchange: 5, agreement, sas });
    const add = bench.effects.findLast((effect) => effect.kind === 'add');
    assert.ok(add?.kind === 'add');
    if (direction === 'in') bench.kernelAdds(add);
    else bench.tell({ kind: 'refused', pair: add.pair, reason: 'failed' });
  }
  assert.equal(bench.kernel.size, 0);
  assert.deepEqual(bench.deletedSpis(), [inOf(agreement)]);
});

test('a failed quick mode takes back what it installed, also while the kernel is still at work', () => {
  const bench = new ConnectionBench({ slowKernel: true });
  const isakmp = bench.phase1({ role: 'responder' });
  bench.install(bench.agreement({ isakmp }), 5);
  const add = bench.effects.find((effect) => effect.kind === 'add');
  assert.ok(add?.kind === 'add');
  const failure = { cause: 'timeout', reason: 'no answer' } as const;
  bench.lane({ kind: 'phase2Failed', exchange: 5, request: 0, isakmp, messageId: 0, connection: 'net-a', failure });
  bench.kernelAdds(add);
  assert.equal(bench.kernel.size, 0);
  assert.equal(bench.take('installed').length, 0);
});

test('a responder whose quick mode fails after message 2 tells the peer, which may think it complete', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ role: 'responder' });
  const agreement = bench.agreement({ isakmp });
  bench.lane({ kind: 'phase2Started', exchange: 5, isakmp, connection: 'net-a' });
  bench.install(agreement, 5);
  const failure = { cause: 'timeout', reason: 'no message 3' } as const;
  bench.lane({ kind: 'phase2Failed', exchange: 5, request: 0, isakmp, messageId: 0, connection: 'net-a', failure });
  assert.deepEqual(bench.deletedSpis(), [inOf(agreement)]);
  assert.equal(bench.kernel.size, 0);
});

test('with delete-children the pairs of an ISAKMP SA end with it, otherwise they survive it', () => {
  const outcomes = [true, false].map((deleteChildren) => {
    const bench = new ConnectionBench({ policies: { 'peer-a': { deleteChildren } } });
    const isakmp = bench.phase1({ role: 'responder' });
    bench.quickMode({ isakmp });
    bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
    return bench.rows.size;
  });
  assert.deepEqual(outcomes, [0, 1]);
});
