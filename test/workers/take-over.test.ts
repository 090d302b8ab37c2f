/** A lane that died and was started again: same table, same slab, nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { NotifyType } from '../../src/shared/constants/isakmp.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { SaTable } from '../../src/shared/sa-table/sa-table.ts';
import type { LaneEffect, LaneEvent } from '../../src/shared/threads/contract.ts';
import { LaneCore } from '../../src/workers/lane-core.ts';
import { clearNotify, deleteOf, exchangeUnder, ScriptedPeer } from '../helpers/ike-script.ts';
import { type LanePair, lanePair, seededRandom } from '../helpers/lane-pair.ts';

/** Right's lane after its death: effects come out of `tell`. */
const successor = (world: LanePair, silentUntil = 0, withPolicy = true) => {
  const table = new SaTable(world.right.shared, 1);
  const core = new LaneCore({
    lane: 0,
    now: () => world.now,
    wallClock: Date.now,
    random: seededRandom('successor'),
    table,
    slab: new KeySlab(world.right.slabBuffer),
    levels: world.right.levels,
  });
  const tell = (event: LaneEvent): readonly LaneEffect[] => {
    core.handle(event);
    return core.takeEffects();
  };
  const hear = (bytes: Uint8Array): readonly LaneEffect[] => {
    const path = {
      local: { address: '10.0.0.2', port: 500 },
      remote: { address: '10.0.0.1', port: 500 },
      encapsulated: false,
    };
    return tell({ kind: 'datagram', path, peer: 'peer', firstContact: true, bytes });
  };
  if (withPolicy) tell({ kind: 'peer', policy: world.right.policy });
  const resumed = tell({ kind: 'takeOver', silentUntil });
  return { core, table, tell, hear, resumed };
};

const established = (): LanePair => {
  const world = lanePair();
  world.start();
  return world;
};

describe('a lane that takes over', () => {
  it('goes on with established ISAKMP SAs and tells main of each', () => {
    const world = established();
    const isakmp = world.isakmp();
    const bytes = exchangeUnder(world.left, isakmp).authentic([deleteOf(0x1000)]);
    const { resumed, hear, core } = successor(world);
    assert.deepEqual(resumed, [{ kind: 'phase1Resumed', isakmp }]);
    assert.deepEqual(core.counts, { isakmpSas: 1, halfOpen: 0, phase2Exchanges: 0 });
    const [retire] = hear(bytes);
    assert.deepEqual(retire, {
      kind: 'retire',
      isakmp,
      peer: 'peer',
      remoteIdentity: '10.0.0.1',
      protocolId: ProtocolId.IPSEC_ESP,
      spis: [0x1000],
    });
  });

  it('hands the keys of resumed SAs to a capture', () => {
    const { tell } = successor(established());
    const [effect, ...more] = tell({ kind: 'capture', isOn: true, withKeys: true });
    assert.ok(effect?.kind === 'captureKey' && effect.key.some((byte) => byte !== 0));
    assert.deepEqual(more, []);
  });

  it('answers a quick mode under a resumed SA', () => {
    const world = established();
    const { hear } = successor(world);
    world.bend = () => [];
    world.quick();
    const kinds = hear(world.wire.at(-1)?.bytes ?? assert.fail()).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['phase2Started', 'install']);
  });

  it('keeps soft and hard end where they were', () => {
    const world = established();
    const { core } = successor(world);
    const { softAt, hardAt } = world.right.all('phase1Established')[0] ?? assert.fail();
    world.now = softAt + 1;
    core.advance();
    assert.deepEqual(
      core.takeEffects().map(({ kind }) => kind),
      ['phase1Expiring'],
    );
    world.now = hardAt + 1;
    core.advance();
    assert.ok(core.takeEffects().some(({ kind }) => kind === 'phase1Gone'));
    assert.equal(core.remains, 0);
  });

  it('clears half-open ones away, and says nothing of unknown cookies until their peers must have given up', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 2 ? [bytes] : []);
    world.start();
    const message3 = world.wire[2]?.bytes ?? assert.fail();
    const { core, table, hear, resumed } = successor(world, world.now + 120_000);
    assert.deepEqual(resumed, []);
    assert.equal(table.size, 0);
    assert.equal(core.remains, 0);
    assert.deepEqual(hear(message3), []);
    world.now += 120_000;
    const answer = hear(message3).at(-1);
    assert.equal(clearNotify(answer?.kind === 'send' ? answer.bytes : undefined), NotifyType.INVALID_COOKIE);
  });

  it('answers new negotiations at once', () => {
    const world = lanePair();
    const { hear } = successor(world, world.now + 120_000);
    assert.deepEqual(
      hear(new ScriptedPeer().message1()).map(({ kind }) => kind),
      ['send'],
    );
  });

  it('gives up an SA whose peer section has gone meanwhile: no row and no keys stay', () => {
    const world = established();
    const { core, table, resumed } = successor(world, 0, false);
    assert.deepEqual(resumed, []);
    assert.equal(core.remains, 0);
    assert.equal(table.size, 0);
    assert.equal([...new KeySlab(world.right.slabBuffer).liveSlots()].length, 0);
  });

  it('ends one whose time ran out while nobody watched', () => {
    const world = established();
    world.now += 10_000_000;
    const { core } = successor(world);
    core.advance();
    assert.ok(core.takeEffects().some((effect) => effect.kind === 'phase1Gone' && effect.why === 'expired'));
    assert.equal(core.remains, 0);
  });
});
