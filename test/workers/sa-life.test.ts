/** Lives and ends of ISAKMP SAs on a lane, and that nothing is left of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LifeType } from '../../src/shared/constants/oakley.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { SaFlag, type SaRow } from '../../src/shared/sa-table/rows.ts';
import {
  aes128Sha256,
  connectionPolicy,
  type LaneHost,
  LanePair,
  lanePair,
  PATH,
  peerPolicy,
  seededRandom,
} from '../helpers/lane-pair.ts';

const transform = (offered: number, least = 1, most = 100_000) => ({
  ...aes128Sha256(),
  lifetimes: [{ type: LifeType.SECONDS, duration: { offered, least, most } }],
});

const liveKeys = (host: LaneHost): number => [...new KeySlab(host.slabBuffer).liveSlots()].length;

/** A lane that holds nothing: no SA under any name, no exchange, no timer, no row, no keys. */
const assertEmpty = (world: LanePair): void => {
  for (const host of world.hosts) {
    assert.equal(host.core.remains, 0);
    assert.equal(host.core.nextDeadline(), undefined);
    assert.deepEqual(host.core.counts, { isakmpSas: 0, halfOpen: 0, phase2Exchanges: 0 });
    assert.equal(host.table.size, 0);
    assert.equal(liveKeys(host), 0);
  }
};

describe('lifetime of an ISAKMP SA', () => {
  it('is renewed at 85 to 90 % of it by the initiator, at 90 to 95 % by the responder, and ends with a DELETE', () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = lanePair({ transforms: [transform(1_000)] }, [], `seed ${seed}`);
      world.start();
      const start = world.now;
      const [ours, theirs] = world.hosts.map((host) => host.all('phase1Established')[0] ?? assert.fail());
      const fraction = (softAt: number) => (softAt - start) / 1_000_000;
      assert.ok(ours !== undefined && fraction(ours.softAt) >= 0.85 && fraction(ours.softAt) < 0.9);
      assert.ok(theirs !== undefined && fraction(theirs.softAt) >= 0.9 && fraction(theirs.softAt) < 0.95);
      assert.equal(ours.hardAt - start, 1_000_000);
      if (seed > 0) continue;
      world.pass(849_000);
      assert.equal(world.left.all('phase1Expiring').length, 0);
      world.pass(51_000);
      assert.equal(world.left.all('phase1Expiring').length, 1);
      world.pass(99_999);
      assert.equal(world.left.all('phase1Gone').length, 0);
      world.pass(2);
      assert.deepEqual(
        world.left.all('phase1Gone').map(({ why }) => why),
        ['expired'],
      );
      assertEmpty(world);
    }
  });

  it('is the shorter of what was offered and what is allowed', () => {
    const world = new LanePair(
      peerPolicy({ transforms: [transform(50_000)] }),
      peerPolicy({ transforms: [transform(3_600, 60, 7_200)] }),
    );
    world.start();
    const lives = world.hosts.map((host) => (host.all('phase1Established')[0]?.hardAt ?? 0) - world.now);
    assert.deepEqual(lives, [50_000_000, 7_200_000]);
  });

  it('is 28,800 seconds where nobody says anything', () => {
    const world = lanePair({ transforms: [{ ...aes128Sha256(), lifetimes: [] }] });
    world.start();
    for (const host of world.hosts) {
      assert.equal((host.all('phase1Established')[0]?.hardAt ?? 0) - world.now, 28_800_000);
      assert.equal([...host.table.all()][0]?.row.lifeSeconds, 28_800);
    }
  });

  it('timer overflow: of "any" length neither fires at once nor throws', () => {
    const any = { ...aes128Sha256(), lifetimes: [{ type: LifeType.SECONDS, duration: 'ANY' as const }] };
    const world = new LanePair(
      peerPolicy({ transforms: [transform(0xffffffff, 1, 0xffffffff)] }),
      peerPolicy({ transforms: [any] }),
    );
    world.start();
    world.pass(1_000_000);
    for (const host of world.hosts) assert.equal(host.core.counts.isakmpSas, 1);
  });

  it('survives a clock that jumps over soft and hard end at once: each is told once', () => {
    const world = lanePair({ transforms: [transform(1_000)] });
    world.start();
    world.now += 5_000_000;
    for (const host of world.hosts) {
      host.core.advance();
      host.settle();
      assert.equal(host.all('phase1Gone').length, 1);
      assert.equal(host.all('phase1Failed').length, 0, 'the end of the exchange was due as well');
    }
  });

  it('a half-open one whose last repetition and Exchange-max-time fall due together fails once', () => {
    const world = lanePair();
    world.bend = () => [];
    world.start();
    for (let i = 0; i < 3; i++) {
      world.now += 20_000;
      world.left.core.advance();
      world.left.settle();
    }
    world.now += 1_000_000;
    world.left.core.advance();
    world.left.settle();
    assert.equal(world.left.all('phase1Failed').length, 1);
    assert.equal(world.left.core.remains, 0);
  });
});

describe('what is public of an ISAKMP SA', () => {
  it('is a row from the first message on, complete when it is established', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 1 ? [bytes] : []);
    world.start();
    const half = [...world.right.table.all()][0]?.row ?? assert.fail();
    assert.deepEqual([half.name, half.flags, half.phase, half.lifeSeconds], ['', 0, 1, 3_600]);
    world.bend = (_from, bytes) => [bytes];
    world.pass(20_000);
    const row = [...world.right.table.all()][0]?.row ?? assert.fail();
    assert.deepEqual([row.name, row.flags, row.lifeSeconds], ['peer', SaFlag.READY, 3_600]);
    assert.deepEqual([row.localIdentity, row.remoteIdentity], ['10.0.0.2', '10.0.0.1']);
    assert.equal(
      Buffer.from(row.initiatorCookie).toString('hex') + Buffer.from(row.responderCookie).toString('hex'),
      world.isakmp(),
    );
  });

  it('says who began it by the flag STAYALIVE, and when the soft timer is gone', () => {
    const world = lanePair();
    world.start();
    const rowOf = (lane: typeof world.left): SaRow => [...lane.table.all()][0]?.row ?? assert.fail();
    assert.deepEqual([rowOf(world.left).flags, rowOf(world.right).flags], [0x3, 0x1]);
    assert.ok(rowOf(world.left).softAt > 0);
    world.pass(3_450_000);
    assert.equal(rowOf(world.left).softAt, 0);
  });

  it('says that a newer SA is used in its place as long as main says so, and keeps its other flags', () => {
    const world = lanePair();
    world.start();
    const flags = (): number => [...world.left.table.all()][0]?.row.flags ?? assert.fail();
    const tell = (isReplaced: boolean): void =>
      world.left.tell({ kind: 'replaced', isakmp: world.isakmp(), isReplaced });
    tell(true);
    assert.equal(flags(), SaFlag.READY | SaFlag.STAYALIVE | SaFlag.REPLACED);
    tell(false);
    assert.equal(flags(), SaFlag.READY | SaFlag.STAYALIVE);
    world.left.tell({ kind: 'replaced', isakmp: 'f'.repeat(32), isReplaced: true });
    assert.equal(flags(), SaFlag.READY | SaFlag.STAYALIVE);
  });

  it('has the responder cookie as soon as an initiator knows it', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 2 ? [bytes] : []);
    world.start();
    const row = [...world.left.table.all()][0]?.row ?? assert.fail();
    assert.notDeepEqual(row.responderCookie, new Uint8Array(8));
  });
});

describe('what is asked of a lane', () => {
  it('cancel of a phase 1 under way ends it without a word', () => {
    const world = lanePair();
    world.bend = () => [];
    world.start();
    world.left.tell({ kind: 'cancel', request: 1 });
    assert.deepEqual(
      world.left.all('phase1Failed').map(({ request, failure }) => [request, failure.cause]),
      [[1, 'cancelled']],
    );
    assert.equal(world.left.core.remains, 0);
    world.left.tell({ kind: 'cancel', request: 1 });
    assert.equal(world.left.all('phase1Failed').length, 1);
  });

  it('deleteIsakmp of a half-open one fails it', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 2 ? [bytes] : []);
    world.start();
    const row = [...world.left.table.all()][0]?.row ?? assert.fail();
    const isakmp = Buffer.from([...row.initiatorCookie, ...row.responderCookie]).toString('hex');
    world.left.tell({ kind: 'deleteIsakmp', isakmp, notify: true });
    assert.equal(world.left.all('phase1Failed')[0]?.failure.reason, 'deleted by the operator');
    assert.equal(world.left.core.remains, 0);
  });

  it('a phase 1 with a peer that it was not told of fails at once', () => {
    const world = lanePair();
    world.left.tell({ kind: 'peerGone', name: 'peer' });
    world.start();
    assert.equal(
      world.left.all('phase1Failed')[0]?.failure.reason,
      'peer section peer is not there or cannot be used; see isakmpd --check',
    );
  });

  it('decisions 13: a peer section that has gone leaves its SAs as they are, and its new negotiations unanswered', () => {
    const world = lanePair();
    world.start();
    world.right.tell({ kind: 'peerGone', name: 'peer' });
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 1);
    world.start(9);
    assert.equal(world.right.all('phase1Established').length, 1);
  });

  it('a second phase 1 of the same peer stands beside the first', () => {
    const world = lanePair();
    world.start(1);
    world.start(2);
    for (const host of world.hosts) {
      assert.equal(host.core.counts.isakmpSas, 2);
      assert.equal(new Set(host.all('phase1Established').map(({ isakmp }) => isakmp)).size, 2);
    }
    world.quick();
    assert.equal(world.left.all('phase2Established').length, 1);
  });

  it('the end of an ISAKMP SA ends its quick modes, those that are settled without a failure', () => {
    const world = lanePair({}, [connectionPolicy(), connectionPolicy({ name: 'second' })]);
    world.start();
    world.quick();
    world.bend = () => [];
    world.quick(3, 'second');
    world.left.tell({ kind: 'deleteIsakmp', isakmp: world.isakmp(), notify: false });
    assert.deepEqual(
      world.left.all('phase2Failed').map(({ request }) => request),
      [3],
    );
    assert.equal(world.left.core.remains, 0);
  });
});

describe('leaks (CVE-2004-0222)', () => {
  it('after everything has ended a lane holds nothing', () => {
    const world = lanePair({ transforms: [transform(600)] });
    // Good ones, one that loses everything after each message, and refused ones.
    for (let request = 1; request <= 14; request++) {
      const start = world.wire.length;
      world.bend = (_from, bytes, index) => (index - start >= request ? [] : [bytes]);
      world.left.tell({
        kind: 'startPhase1',
        request,
        peer: 'peer',
        path: PATH,
        initiatorCookie: seededRandom(`leak ${request}`)(8),
        firstContact: true,
      });
      world.run();
      if (world.left.core.counts.isakmpSas > 0) world.quick(100 + request);
    }
    world.bend = (_from, bytes) => [bytes];
    world.pass(1_500_000);
    assertEmpty(world);
  });
});
