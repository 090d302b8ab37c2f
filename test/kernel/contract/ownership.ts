/** The contract: what is ours, whoever made it, and what is not. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Place } from './place.ts';
import { addPair, assertCarries, backOf, outward, putFlow } from './traffic.ts';
import { flowOf, IPV6_HOSTS, idOf, mirrored, NEIGHBOUR_POLICY, net, saOf } from './wishes.ts';

export const testOwnership = (place: Place): void => {
  it('purges what is ours and leaves alone what is not', async () => {
    const { here } = place.ends;
    place.makeForeign();
    const before = place.show();
    assert.notEqual(before.trim(), '');
    await here.purgeOwn();
    assert.equal(place.show(), before);
    await addPair(place, { spi: 0x5000 });
    await putFlow(place);
    await assertCarries(place, { spi: 0x5000 });
    await here.putFlow(flowOf({ id: 2, remote: net('10.3.0.0', 16) }));
    assert.notEqual(place.show(), before);
    await here.purgeOwn();
    assert.deepEqual(await here.listOwn(), { sas: [], policies: 0 });
    assert.equal(place.show(), before);
    // As often as one likes.
    await here.purgeOwn();
  });

  it('leaves SAs and flows where they are when it closes', async () => {
    await addPair(place, { spi: 0x5100 });
    await putFlow(place);
    const before = place.show();
    await place.close();
    if (place.implementation.outlivesProcess) assert.equal(place.show(), before);
    await assert.rejects(place.ends.here.addSa(...saOf('out', { spi: 0x5110 })), { reason: 'failed' });
    await assert.rejects(place.ends.here.listOwn(), { reason: 'failed' });
    await place.close();
  });

  it('knows what a predecessor left that has crashed: it can be used, replaced and purged', async () => {
    const wish = { spi: 0x5200 };
    await addPair(place, wish);
    await putFlow(place);
    await assertCarries(place, wish);
    place.makeForeign();
    const here = await place.crash();
    const { outlivesProcess } = place.implementation;
    const { sas, policies } = await here.listOwn();
    assert.equal(policies, outlivesProcess ? 1 : 0);
    if (outlivesProcess) {
      assert.equal(await outward(place, 3), 3);
    } else {
      // Nothing leaves in clear: the other end would hear it now.
      await place.ends.there.deleteFlow(1);
      assert.equal(await outward(place, 3), 0);
    }
    const names = [
      { id: idOf(wish), source: '10.9.0.1', reqid: 1001 },
      { id: idOf(backOf(wish)), source: '10.9.0.2', reqid: 1001 },
    ];
    assert.deepEqual(
      sas.map((sa) => JSON.stringify(sa)).sort(),
      (outlivesProcess ? names : []).map((sa) => JSON.stringify(sa)).sort(),
    );
    // The flow of a new daemon has another number and another pair.
    await here.putFlow(flowOf({ id: 9, reqid: 1005 }));
    assert.equal((await here.listOwn()).policies, 1);
    await place.ends.there.putFlow(mirrored(flowOf({ reqid: 1005 })));
    await addPair(place, { spi: 0x5210, reqid: 1005 });
    await assertCarries(place, { spi: 0x5210, reqid: 1005 });
    await here.purgeOwn();
    assert.deepEqual(await here.listOwn(), { sas: [], policies: 0 });
  });

  it('removes what a predecessor left and no flow has taken over, and nothing else', async () => {
    place.makeForeign();
    const before = place.show();
    const wanted = flowOf({ id: 1 });
    const other = flowOf({ id: 2, remote: net('10.3.0.0', 16) });
    for (const flow of [wanted, other, flowOf({ ...IPV6_HOSTS, id: 3 })]) await place.ends.here.putFlow(flow);
    const here = await place.crash();
    // What userland leaves it can remove; what flows they were it does not know.
    assert.equal((await here.listOwn()).policies, place.implementation.outlivesProcess ? 3 : 0);
    await here.putFlow({ ...wanted, id: 8, reqid: 1005 });
    // One is wanted while the others go.
    const again = { ...other, id: 9, reqid: 1006 };
    const [removed] = await Promise.all([here.removeLeftovers(), here.putFlow(again)]);
    assert.ok(removed === 1 || removed === 2, `${removed} are removed`);
    assert.equal((await here.listOwn()).policies, 2);
    assert.doesNotMatch(place.show(), NEIGHBOUR_POLICY);
    assert.equal(await here.removeLeftovers(), 0);
    await here.deleteFlow(8);
    await here.deleteFlow(9);
    assert.equal((await here.listOwn()).policies, 0);
    assert.equal(place.show(), before);
  });

  it("refuses a flow where somebody else's policy is, and leaves that one", async (t) => {
    if (!place.implementation.sharesPolicies) {
      t.skip('it has no policies that others could have as well');
      return;
    }
    place.makeForeign();
    const before = place.show();
    for (const [local, remote] of [
      ['10.98.0.0', '10.99.0.0'],
      ['10.97.0.0', '10.96.0.0'],
    ] as const) {
      const flow = flowOf({ local: net(local, 16), remote: net(remote, 16) });
      await assert.rejects(place.ends.here.putFlow(flow), { reason: 'exists' });
      assert.equal(place.show(), before);
      assert.equal((await place.ends.here.listOwn()).policies, 0);
    }
  });
};
