/** What a lane answers when a report asks for its exchanges. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import type { LaneExchange } from '../../src/shared/threads/contract.ts';
import { lanePair } from '../helpers/lane-pair.ts';

const shown = ({ phase, role, exchangeType, step }: LaneExchange) => [phase, role, exchangeType, step];

describe('the exchanges of a lane', () => {
  it('are listed with the messages that they have come to, and with their timers', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 2 ? [bytes] : []);
    world.start();
    const [left = assert.fail()] = world.left.core.exchanges().exchanges;
    assert.deepEqual(shown(left), [1, 'initiator', ExchangeType.ID_PROT, 3]);
    assert.ok(left.repeatsAt > 0 && left.endsAt > left.repeatsAt);
    assert.deepEqual(world.right.core.exchanges().exchanges.map(shown), [[1, 'responder', ExchangeType.ID_PROT, 2]]);
  });

  it('stay listed when they are finished, until they need not answer duplicates any more', () => {
    const world = lanePair();
    world.start();
    world.quick();
    const [phase1 = assert.fail(), phase2 = assert.fail()] = world.left.core.exchanges().exchanges;
    assert.deepEqual(shown(phase1), [1, 'initiator', ExchangeType.ID_PROT, 6]);
    assert.deepEqual(shown(phase2), [2, 'initiator', ExchangeType.QUICK_MODE, 3]);
    assert.deepEqual([phase2.name, phase2.cookies, phase2.repeatsAt], ['net', world.isakmp(), 0]);
    assert.deepEqual(
      world.right.core.exchanges().exchanges.map(({ step }) => step),
      [6, 3],
    );
    world.pass(121_000);
    assert.deepEqual(world.left.core.exchanges(), { exchanges: [], omitted: 0 });
  });
});
