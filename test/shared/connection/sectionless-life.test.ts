/** The life of a pair that the policy alone has permitted, from its quick mode to the end of its policies; docs/adr/0016. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const INTERVAL = 30_000;
const NAT = { isLocalBehind: false, isRemoteBehind: true, dialect: 'rfc' } as const;
const HOME = { address: '198.51.100.1', port: 4500 };
const HOTEL = { address: '203.0.113.9', port: 40_000 };

interface Up {
  readonly bench: ConnectionBench;
  readonly isakmp: string;
  readonly pair: Agreement;
}

/** A road warrior is up behind a NAT; nobody has a connection section. */
const up = (): Up => {
  const bench = new ConnectionBench({ peers: { anyone: [] }, policies: { anyone: { address: undefined } } });
  bench.view.deadPeerSeconds = INTERVAL / 1000;
  bench.tell({ kind: 'reconfigured' });
  const party = { peer: 'anyone', identity: 'alice', nat: NAT, remote: HOME } as const;
  const isakmp = bench.phase1({ ...party, role: 'responder' });
  const pair = bench.quickMode({
    ...{ ...party, isakmp, peerChose: 'both', connection: '[anyone]10.1.0.0/255.255.0.0-10.9.9.9' },
    localSelector: identityFromText('10.1.0.0/255.255.0.0'),
    remoteSelector: identityFromText('10.9.9.9'),
  });
  bench.effects.length = 0;
  return { bench, isakmp, pair };
};

const policies = ({ flows }: ConnectionBench) =>
  [...flows.values()].map(({ local, remote, remoteAddress }) => [local.address, remote.address, remoteAddress]);

const HAS_ALL = [['10.1.0.0', '10.9.9.9', HOME.address]];

const assertGone = (bench: ConnectionBench): void => {
  assert.deepEqual([bench.rows.size, bench.kernel.size, bench.core.counts.pairs], [0, 0, 0]);
  assert.deepEqual(policies(bench), []);
};

/** Nothing of it is begun by us, however long we wait. */
const assertNothingBegun = (bench: ConnectionBench): void => {
  bench.pass(3_600_000);
  assert.deepEqual([bench.take('startPhase1'), bench.take('startQuickMode')], [[], []]);
  assert.equal(bench.core.counts.running, 0);
};

const movesOf = ({ effects }: ConnectionBench) => effects.flatMap((effect) => (effect.kind === 'move' ? [effect] : []));

describe('a pair without a connection section', () => {
  it('stays as it is when its lane dies, and has the life that it had', () => {
    const { bench, isakmp, pair } = up();
    const before = bench.row(pair);
    assert.ok(before);
    bench.tell({ kind: 'laneLost', lane: 0 });
    bench.lane({ kind: 'phase1Resumed', isakmp });
    assert.deepEqual(bench.row(pair), before);
    assert.deepEqual([bench.kernel.size, policies(bench)], [2, HAS_ALL]);
    assert.deepEqual(bench.core.statusOf(pair.connection).pairs.length, 1);
    bench.pass(pair.lifeSeconds * 1000 - 1);
    assert.deepEqual(policies(bench), HAS_ALL);
    bench.pass(1);
    assertGone(bench);
    assertNothingBegun(bench);
  });

  it('keeps what it has from others when its lane dies', () => {
    const { bench, isakmp } = up();
    bench.tell({ kind: 'laneLost', lane: 0 });
    bench.lane({ kind: 'phase1Resumed', isakmp });
    const other = { peer: 'anyone', identity: 'mallory' };
    const theirs = bench.agreement({
      ...{ ...other, isakmp: bench.phase1({ ...other, role: 'responder' }), peerChose: 'both' },
      localSelector: identityFromText('10.1.0.0/255.255.0.0'),
      remoteSelector: identityFromText('10.9.9.9'),
    });
    bench.install(theirs, 77);
    assert.match(bench.takeOne('denied').reason, /that is traffic of alice \(peer anyone\)/);
  });

  it('goes with its policies when the peer is dead, and nothing is begun anew', () => {
    const { bench, isakmp } = up();
    bench.pass(INTERVAL);
    bench.tell({ kind: 'usage', of: { kind: 'isakmp', isakmp }, isUsed: false, usedAt: 0 });
    assert.equal(bench.takeOne('probe').isakmp, isakmp);
    bench.lane({ kind: 'peerDead', isakmp });
    assertGone(bench);
    assert.deepEqual(
      bench.take('deleteIsakmp').map((event) => [event.isakmp, event.notify]),
      [[isakmp, false]],
    );
    bench.lane({ kind: 'phase1Gone', isakmp, why: 'deletedByUs' });
    assertNothingBegun(bench);
  });

  it('is not renewed with its ISAKMP SA, and outlives it', () => {
    const { bench, isakmp, pair } = up();
    bench.lane({ kind: 'phase1Expiring', isakmp });
    assert.deepEqual(bench.take('startPhase1'), []);
    bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
    assert.ok(bench.row(pair));
    assert.deepEqual(policies(bench), HAS_ALL);
  });

  for (const [what, hear] of [
    [
      'an authenticated IKE message',
      ({ bench, isakmp, pair }: Up) =>
        bench.lane({ kind: 'phase1Moved', isakmp, path: { ...pair.path, remote: HOTEL } }),
    ],
    [
      'an authenticated ESP packet',
      ({ bench, pair }: Up) => bench.tell({ kind: 'mapping', mapping: { id: inbound(pair), source: HOTEL } }),
    ],
  ] as const) {
    it(`follows its peer to where ${what} comes from, once the kernel has moved its SAs`, () => {
      const world = up();
      const { bench, pair } = world;
      hear(world);
      const [move, ...more] = movesOf(bench);
      assert.ok(move !== undefined && more.length === 0);
      assert.deepEqual(policies(bench), HAS_ALL, 'the kernel has not moved them yet');
      const sas = move.moves.map(({ id, destination }) => ({ ...id, destination: destination.address }));
      bench.tell({ kind: 'moved', pair: move.pair, sas, isDone: true });
      assert.deepEqual(bench.row(pair)?.agreement.path.remote, HOTEL);
      assert.deepEqual(policies(bench), [['10.1.0.0', '10.9.9.9', HOTEL.address]]);
      bench.pass(pair.lifeSeconds * 1000);
      assert.deepEqual(policies(bench), []);
      assertNothingBegun(bench);
    });
  }

  it('takes its policies along when the kernel has ended one of its SAs', () => {
    const { bench, pair } = up();
    const usage = { bytes: 0, packets: 0, addedAt: 1, usedAt: 0 };
    bench.tell({ kind: 'expire', expire: { id: inbound(pair), isHard: true, usage } });
    assert.deepEqual(policies(bench), []);
    assertNothingBegun(bench);
  });
});

const inbound = ({ path, protocols }: Agreement) => ({
  protocolId: 3,
  spi: protocols[0]?.spiIn ?? 0,
  destination: path.local.address,
});
