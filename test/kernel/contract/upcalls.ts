/** The contract: what the kernel says unasked, and SAs that move because of it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Expire } from '../../../src/kernel/backend.ts';
import { EncapsulationMode, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import type { Place } from './place.ts';
import { addPair, addSa, assertCarries, backOf, inward, outward, PORT, packetsOf, putFlow, SIZE } from './traffic.ts';
import { flowOf, idOf, net, saOf } from './wishes.ts';

export const testUpcalls = (place: Place): void => {
  it('asks once for an SA, however many packets want it, and sends when it has one', async () => {
    const { here, there } = place.ends;
    await putFlow(place, { id: 7 });
    const [from, to] = [
      { address: '10.1.0.1', port: 0 },
      { address: '10.2.0.1', port: PORT },
    ];
    await here.send(from, to, STORM, SIZE);
    const { sequence, flow, source, destination, packet } = await here.heard.acquire.next();
    assert.deepEqual({ flow, source, destination }, { flow: 7, source: '10.9.0.1', destination: '10.9.0.2' });
    if (packet !== undefined) assert.equal(packet.destination.address, '10.2.0.1');
    await here.send(from, to, STORM, SIZE);
    await here.elapse(0);
    assert.equal(here.heard.acquire.waiting, 0, 'one acquire until it is answered');
    const wish = { spi: 0x4000, acquire: sequence };
    await there.addSa(...saOf('in', { spi: 0x4000 }));
    await there.addSa(...saOf('out', backOf({ spi: 0x4000 })));
    await here.addSa(...saOf('in', backOf(wish)));
    await here.addSa(...saOf('out', wish));
    await here.elapse(0);
    await there.listen(to);
    await there.received(to, 1);
    await assertCarries(place, { spi: 0x4000 });
    assert.equal(here.heard.acquire.waiting, 0);
    // What waited has its SA now: the kernel asks again when that is gone.
    await here.deleteSa(idOf({ spi: 0x4000 }));
    await here.send(from, to, STORM, SIZE);
    const again = await here.heard.acquire.next();
    await here.elapse(0);
    assert.deepEqual([again.flow, again.sequence === sequence, here.heard.acquire.waiting], [7, false, 0]);
  });

  it('asks for AH as well', async (t) => {
    if (place.capabilities?.ahTransforms.size === 0) {
      t.skip('it says it has no AH');
      return;
    }
    const { here } = place.ends;
    await here.putFlow(flowOf({ id: 5, protocols: [ProtocolId.IPSEC_AH] }));
    await here.send({ address: '10.1.0.1', port: 0 }, { address: '10.2.0.1', port: PORT }, 1, SIZE);
    assert.equal((await here.heard.acquire.next()).flow, 5);
  });

  it('asks for each flow by its number', async () => {
    const { here } = place.ends;
    const flows = [1, 2, 3].map((id) => flowOf({ id, reqid: 1000 + id, remote: net(`10.2.${id}.0`, 24) }));
    for (const flow of flows) await here.putFlow(flow);
    for (const id of [3, 1, 2]) {
      await here.send({ address: '10.1.0.1', port: 0 }, { address: `10.2.${id}.1`, port: PORT }, 3, 10);
      assert.equal((await here.heard.acquire.next()).flow, id);
    }
    await here.elapse(0);
    assert.equal(here.heard.acquire.waiting, 0);
  });

  it('says softly, then hard, that the bytes of an SA are used up', async () => {
    const { here } = place.ends;
    const wish = { spi: 0x4100 };
    await place.ends.there.addSa(...saOf('in', wish));
    await here.addSa(...saOf('out', { ...wish, life: { softBytes: 400, hardBytes: 1500 } }));
    await putFlow(place);
    const arrived = await outward(place, 20);
    assert.ok(arrived >= 3 && arrived < 15, `${arrived} of 20 arrived`);
    const [soft, hard] = [await here.heard.expire.next(), await here.heard.expire.next()];
    assert.deepEqual([soft.id, soft.isHard, hard.id, hard.isHard], [idOf(wish), false, idOf(wish), true]);
    assert.ok(soft.usage.bytes >= 400 && soft.usage.bytes < 1500, `soft at ${soft.usage.bytes} bytes`);
    assert.ok(hard.usage.bytes >= soft.usage.bytes && hard.usage.packets >= soft.usage.packets);
    await assert.rejects(here.querySa(idOf(wish)), { reason: 'missing' });
    assert.deepEqual((await here.listOwn()).sas, []);
    assert.equal((await here.heard.acquire.next()).flow, 1);
    assert.equal(here.heard.expire.waiting, 0);
  });

  it('says softly, then hard, that the time of an SA is over; one without limits stays', async () => {
    const { here } = place.ends;
    const [inbound, outbound] = [backOf({ spi: 0x4200 }), { spi: 0x4200 }];
    const life = { softSeconds: 1, hardSeconds: 2 };
    await here.addSa(...saOf('in', { ...inbound, life }));
    await here.addSa(...saOf('out', { ...outbound, life }));
    await here.addSa(...saOf('out', { spi: 0x4210 }));
    const heard: Expire[] = [];
    while (heard.length < 4) heard.push(await here.heard.expire.next());
    for (const wish of [inbound, outbound]) {
      const own = heard.filter(({ id }) => id.spi === wish.spi);
      assert.deepEqual(
        own.map(({ id, isHard }) => ({ id, isHard })),
        [
          { id: idOf(wish), isHard: false },
          { id: idOf(wish), isHard: true },
        ],
      );
      await assert.rejects(here.querySa(idOf(wish)), { reason: 'missing' });
    }
    assert.deepEqual(
      (await here.listOwn()).sas.map(({ id }) => id.spi),
      [0x4210],
    );
  });

  it('says once that a peer behind NAT has another port, and the SAs move there', async () => {
    const { here, there } = place.ends;
    const [ours, theirs, moved] = [
      { address: '10.9.0.1', port: 4500 },
      { address: '10.9.0.2', port: 4500 },
      { address: '10.9.0.2', port: 4501 },
    ];
    await here.encapsulate(ours);
    await there.encapsulate(theirs);
    await there.encapsulate(moved);
    const wish = {
      spi: 0x4300,
      encapsulation: EncapsulationMode.UDP_ENCAP_TUNNEL,
      udp: { source: 4500, destination: 4500 },
    };
    await addPair(place, wish);
    await putFlow(place);
    await assertCarries(place, wish);
    await here.elapse(0);
    assert.equal(here.heard.mapping.waiting, 0);
    const back = idOf(backOf(wish));
    assert.deepEqual(await there.moveSa(back, moved, ours), back);
    assert.equal(await inward(place, 10), 10);
    assert.deepEqual(await here.heard.mapping.next(), { id: back, source: moved });
    await here.elapse(0);
    assert.equal(here.heard.mapping.waiting, 0, 'one mapping for ten packets');
    const before = await here.querySa(back);
    assert.deepEqual(await here.moveSa(back, moved, ours), back);
    assert.deepEqual(await here.moveSa(idOf(wish), ours, moved), idOf(wish));
    assert.deepEqual(await here.querySa(back), before);
    assert.deepEqual(await there.moveSa(idOf(wish), ours, moved), idOf(wish));
    await assertCarries(place, wish);
    await here.elapse(0);
    assert.equal(here.heard.mapping.waiting, 0);
    assert.deepEqual(await packetsOf(place, wish, backOf(wish)), [10, 18]);
  });

  it('moves SAs to another address with keys, counters and sequence numbers', async () => {
    const { here, there } = place.ends;
    const wish = { spi: 0x4400 };
    await addPair(place, wish);
    await putFlow(place);
    await assertCarries(place, wish);
    const [ours, theirs] = [
      { address: '10.9.0.1', port: 0 },
      { address: '10.9.0.3', port: 0 },
    ];
    const moved = { ...wish, destination: theirs.address };
    const before = await here.querySa(idOf(wish));
    for (const end of [here, there]) {
      assert.deepEqual(await end.moveSa(idOf(wish), ours, theirs), idOf(moved));
      assert.deepEqual(await end.moveSa(idOf(backOf(wish)), theirs, ours), idOf(backOf(wish)));
    }
    assert.deepEqual(await here.querySa(idOf(moved)), before);
    await assert.rejects(here.querySa(idOf(wish)), { reason: 'missing' });
    assert.deepEqual((await here.listOwn()).sas.map(({ id, source }) => `${id.spi} ${source}`).sort(), [
      `${0x4400} 10.9.0.1`,
      `${0x4401} 10.9.0.3`,
    ]);
    await putFlow(place, { remoteAddress: theirs.address });
    await assertCarries(place, moved);
    assert.deepEqual(await packetsOf(place, moved, backOf(wish)), [10, 8]);
  });

  it('ends an SA by its bytes wherever it has moved', async () => {
    const { here } = place.ends;
    const wish = { spi: 0x4500 };
    await addSa(place, { ...wish, life: { softBytes: 1200, hardBytes: 100_000 } });
    await putFlow(place);
    assert.equal(await outward(place, 5), 5);
    const destination = { address: '10.9.0.3', port: 0 };
    const moved = await here.moveSa(idOf(wish), { address: '10.9.0.1', port: 0 }, destination);
    await here.putFlow(flowOf({ remoteAddress: destination.address }));
    await here.elapse(0);
    assert.equal(here.heard.expire.waiting, 0);
    await outward(place, 10);
    const { id, isHard } = await here.heard.expire.next();
    assert.deepEqual({ id, isHard }, { id: moved, isHard: false });
  });
};

/** Packets. */
const STORM = 10_000;
