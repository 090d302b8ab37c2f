/** The contract: flows, and which SA their packets get. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Flow } from '../../../src/kernel/backend.ts';
import type { Place } from './place.ts';
import { addPair, addSa, assertCarries, inward, outward, PORT, packetsOf, putFlow } from './traffic.ts';
import { flowOf, IPV6_HOSTS, idOf, mirrored, NEIGHBOUR_POLICY, net, UDP } from './wishes.ts';

export const testFlows = (place: Place): void => {
  it('puts, replaces and deletes a flow', async () => {
    const { here } = place.ends;
    await here.putFlow(flowOf());
    await here.putFlow(flowOf({ reqid: 1002 }));
    await here.putFlow(flowOf({ reqid: 1002, remote: net('10.2.1.0', 24) }));
    assert.equal((await here.listOwn()).policies, 1);
    await here.putFlow(flowOf({ id: 2 }));
    assert.equal((await here.listOwn()).policies, 2);
    await here.deleteFlow(1);
    await assert.rejects(here.deleteFlow(1), { reason: 'missing' });
    await here.deleteFlow(2);
    await assert.rejects(here.deleteFlow(3), { reason: 'missing' });
    assert.equal((await here.listOwn()).policies, 0);
  });

  it('refuses the selectors of another flow', async () => {
    const { here } = place.ends;
    await here.putFlow(flowOf());
    await assert.rejects(here.putFlow(flowOf({ id: 2, reqid: 1002 })), { reason: 'exists' });
    await here.putFlow(flowOf({ id: 2, remote: net('10.3.0.0', 16) }));
    await assert.rejects(here.putFlow(flowOf({ id: 2, reqid: 1002 })), { reason: 'exists' });
    assert.equal((await here.listOwn()).policies, 2);
    await here.deleteFlow(1);
    await here.putFlow(flowOf({ id: 2, reqid: 1002 }));
  });

  it('lets nothing pass in clear, neither out, in nor through', async () => {
    const { here, there, behind } = place.ends;
    const inside = { address: '10.2.5.1', port: PORT };
    await behind.listen(inside);
    const throughTo = async (): Promise<number> => {
      await here.send({ address: '10.1.0.1', port: 0 }, inside, 1, 10);
      return behind.received(inside, 1);
    };
    // The way is there.
    assert.deepEqual([await outward(place, 1), await inward(place, 1), await throughTo()], [1, 1, 1]);
    await here.putFlow(flowOf());
    assert.deepEqual([await outward(place, 1), await inward(place, 1), await throughTo()], [0, 0, 0]);
    await here.deleteFlow(1);
    await there.putFlow(mirrored(flowOf()));
    assert.deepEqual([await outward(place, 1), await inward(place, 1), await throughTo()], [0, 0, 0]);
    // What waits for an SA is forgotten with its flow.
    await there.deleteFlow(1);
    await putFlow(place);
    await addPair(place, { spi: 0x3000 });
    assert.deepEqual([await outward(place, 1), await inward(place, 1), await throughTo()], [1, 1, 1]);
    assert.deepEqual(await packetsOf(place, { spi: 0x3000 }), [2]);
  });

  it('lets IPv6 hosts on one link find each other without an SA, and nothing else pass', async (t) => {
    if (place.implementation.bypass === undefined) {
      t.skip('it holds back no neighbour discovery');
      return;
    }
    const { here, there } = place.ends;
    // The second flow covers these hosts, and all others.
    const flows = [
      flowOf(IPV6_HOSTS),
      flowOf({ ...IPV6_HOSTS, id: 2, local: net('::', 0), remote: net('::', 0), reqid: 1002 }),
    ];
    for (const flow of flows)
      for (const [end, own] of [
        [here, flow],
        [there, mirrored(flow)],
      ] as const)
        await end.putFlow(own);
    for (const { id } of flows) {
      assert.match(place.show(), NEIGHBOUR_POLICY);
      assert.ok(await place.findsNeighbour('fd09::1', 'fd09::2'), `with flow ${id}`);
      assert.equal(await outward(place, 1, 'fd09::2', 'fd09::1'), 0);
      assert.ok(!place.pings('fd09::1', 'fd09::2'));
      assert.equal((await here.listOwn()).policies, flows.length + 1 - id);
      await here.deleteFlow(id);
      await there.deleteFlow(id);
    }
    assert.ok(place.pings('fd09::1', 'fd09::2'));
    assert.doesNotMatch(place.show(), NEIGHBOUR_POLICY);
    await here.putFlow(flowOf(IPV6_HOSTS));
    await here.purgeOwn();
    assert.doesNotMatch(place.show(), NEIGHBOUR_POLICY);
  });

  it('sends through the pair that the flow names, and hears both while they last', async () => {
    await addPair(place, { spi: 0x3100 });
    await addPair(place, { spi: 0x3110, reqid: 1002 });
    await putFlow(place);
    await assertCarries(place, { spi: 0x3100 });
    await place.ends.here.putFlow(flowOf({ reqid: 1002 }));
    assert.equal(await outward(place, 3), 3);
    assert.equal(await inward(place, 2), 2);
    assert.deepEqual(
      await packetsOf(place, { spi: 0x3100 }, { spi: 0x3110 }, { spi: 0x3101, destination: '10.9.0.1' }),
      [5, 3, 6],
    );
    await place.ends.here.deleteSa(idOf({ spi: 0x3100 }));
    assert.equal(await outward(place, 2), 2);
  });

  it('uses the most specific of overlapping flows, in whatever order they came', async () => {
    const { here } = place.ends;
    const [wide, host, port] = [0x3200, 0x3210, 0x3220].map((spi, i) => ({ spi, reqid: 1001 + i }));
    assert.ok(wide !== undefined && host !== undefined && port !== undefined);
    for (const wish of [wide, host, port]) await addSa(place, wish);
    const flows = [
      flowOf({ id: 1, reqid: 1001 }),
      flowOf({ id: 2, reqid: 1002, remote: net('10.2.0.1', 32) }),
      flowOf({ id: 3, reqid: 1003, local: net('10.1.0.0', 16, UDP), remote: net('10.2.0.1', 32, UDP, PORT + 1) }),
    ];
    await place.ends.there.putFlow(mirrored(flowOf()));
    const counted = [0, 0, 0];
    for (const order of orders(flows)) {
      for (const flow of order) await here.putFlow(flow);
      assert.equal(await outward(place, 4, '10.2.0.2'), 4);
      assert.equal(await outward(place, 3, '10.2.0.1'), 3);
      assert.equal(await outward(place, 2, '10.2.0.1', '10.1.0.1', PORT + 1), 2);
      [4, 3, 2].forEach((count, i) => {
        counted[i] = (counted[i] ?? 0) + count;
      });
      assert.deepEqual(await packetsOf(place, wide, host, port), counted, `${order.map(({ id }) => id)}`);
      // Where the inner ones go, the outer one has their packets again.
      await here.deleteFlow(3);
      await here.deleteFlow(2);
      assert.equal(await outward(place, 1, '10.2.0.1'), 1);
      counted[0] = (counted[0] ?? 0) + 1;
      assert.deepEqual(await packetsOf(place, wide, host, port), counted);
      await here.deleteFlow(1);
    }
  });
};

const orders = (flows: readonly Flow[]): readonly (readonly Flow[])[] =>
  flows.length <= 1
    ? [flows]
    : flows.flatMap((first) => orders(flows.filter((one) => one !== first)).map((rest) => [first, ...rest]));
