import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageType, SaField, Size } from '../../../src/kernel/xfrm/layout.ts';
import { openXfrmBackend } from '../../../src/kernel/xfrm/xfrm-backend.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NO_ROUTE, type Selector } from '../../../src/shared/flow.ts';
import { FakeXfrmKernel } from '../../helpers/fake-xfrm-kernel.ts';
import { virtualTimers } from '../../helpers/virtual-timers.ts';
import { broadcasts, NEEDS_VECTORS } from '../../helpers/xfrm-vectors.ts';
import {
  Ear,
  flow,
  inboundSa,
  network,
  openWith,
  outboundSa,
  refusedAs,
  saContext,
  world,
} from '../../helpers/xfrm-world.ts';

const IN = { protocolId: 3, spi: 0x1001, destination: '10.9.0.1' };
const OUT = { protocolId: 3, spi: 0x2001, destination: '10.9.0.2' };
const END = { address: '10.9.0.1', port: 4500 };

describe('XFRM: flows', () => {
  it('are three policies each, of which only the outbound one is bound to a pair', async () => {
    const { kernel, backend } = await world();
    await backend.putFlow(flow({ protocols: [3, 2] }));
    const policies = [...kernel.policies.values()].map(({ spec }) => spec);
    assert.deepEqual(
      policies.map(({ direction, templates }) => [direction, ...templates.map(({ reqid, mode }) => [reqid, mode])]),
      [
        [1, [1001, 1], [1001, 0]],
        [0, [0, 1], [0, 0]],
        [2, [0, 1], [0, 0]],
      ],
    );
    assert.deepEqual(policies[1]?.selectors, { source: network('10.2.0.0', 16), destination: network('10.1.0.0', 16) });
    await backend.deleteFlow(1);
    assert.equal(kernel.policies.size, 0);
    await assert.rejects(backend.deleteFlow(1), refusedAs('missing'));
  });

  it('are replaced by their number: in place, or the new policies before the old ones go', async () => {
    const { kernel, backend } = await world();
    await backend.putFlow(flow());
    await backend.putFlow(flow({ reqid: 1002 }));
    const reqids = (): readonly (number | undefined)[] =>
      [...kernel.policies.values()].map(({ spec }) => spec.templates[0]?.reqid);
    assert.deepEqual(reqids(), [1002, 0, 0]);
    await backend.putFlow(flow({ reqid: 1003, remote: network('10.3.0.0', 16) }));
    assert.deepEqual(reqids(), [1003, 0, 0]);
    await backend.putFlow(flow({ id: 2 }));
    assert.equal(kernel.policies.size, 6);
  });

  it('are refused where somebody else has such a policy in any direction, and leave nothing behind', async () => {
    const { kernel, backend } = await world();
    await backend.putFlow(flow());
    const [, inbound] = [...kernel.policies.entries()];
    await backend.deleteFlow(1);
    assert.ok(inbound);
    kernel.policies.set(...inbound);
    await assert.rejects(backend.putFlow(flow()), refusedAs('exists', /policy in 10\.2\.0\.0\/16 > 10\.1\.0\.0\/16/));
    assert.deepEqual([...kernel.policies.keys()], [inbound[0]]);
    kernel.policies.clear();
    await backend.putFlow(flow());
    await assert.rejects(backend.putFlow(flow({ id: 2 })), refusedAs('exists', /flow 1/));
    assert.equal(kernel.policies.size, 3);
  });

  it('take over what a predecessor left for the same selectors', async () => {
    const kernel = new FakeXfrmKernel();
    const before = await openWith(kernel);
    await before.backend.putFlow(flow({ reqid: 1099 }));
    await before.backend.close();
    const { backend } = await openWith(kernel);
    await backend.putFlow(flow());
    assert.equal(kernel.policies.size, 3);
    await backend.deleteFlow(1);
    assert.equal(kernel.policies.size, 0);
  });
});

describe('XFRM: what is ours', () => {
  it('is listed and removed whoever made it, and nothing else', async () => {
    const kernel = new FakeXfrmKernel();
    const before = await openWith(kernel);
    await before.backend.addSa(inboundSa(), saContext());
    const route = { mark: 5, markMask: 0xff, interfaceId: 0 };
    await before.backend.addSa(outboundSa(), saContext({ route }));
    await before.backend.putFlow(flow());
    await before.backend.addSa(outboundSa({ spi: 0x3001 }), saContext({ reqid: 999 }));
    await before.backend.addSa(outboundSa({ spi: 0x3002 }), saContext({ reqid: 1100 }));
    await before.backend.putFlow(flow({ id: 2, remote: network('10.7.0.0', 16), reqid: 7 }));
    await before.backend.close();
    const { backend } = await openWith(kernel);
    const own = await backend.listOwn();
    assert.deepEqual(own, {
      sas: [
        { id: IN, source: '10.9.0.2', reqid: 1001 },
        { id: OUT, source: '10.9.0.1', reqid: 1001 },
      ],
      policies: [{ local: network('10.1.0.0', 16), remote: network('10.2.0.0', 16), reqid: 1001, route: NO_ROUTE }],
    });
    // Found only by its mark.
    await backend.querySa(OUT);
    await backend.purgeOwn();
    assert.deepEqual(await backend.listOwn(), { sas: [], policies: [] });
    assert.deepEqual(
      [...kernel.sas.values()].map(({ state }) => state.id.spi),
      [0x3001, 0x3002],
    );
    assert.equal(kernel.policies.size, 3);
  });
});

describe('XFRM: what the kernel says', () => {
  it('about an SA of ours is told, and about others is not', NEEDS_VECTORS, async () => {
    const kernel = new FakeXfrmKernel();
    const ear = new Ear();
    const { schedule } = virtualTimers();
    const options = { open: kernel.open, schedule, upcalls: ear, range: { first: 7, count: 2 }, release: '6.1' };
    const backend = await openXfrmBackend(options);
    const [soft = [], hard = []] = broadcasts(MessageType.EXPIRE);
    const say = (type: number, bytes: ArrayLike<number>): void =>
      kernel.say(type, Uint8Array.from(bytes).slice(Size.HEADER));
    say(MessageType.EXPIRE, soft);
    assert.deepEqual(ear.expires, []);
    await backend.addSa(inboundSa({ spi: 0x141a }), saContext({ reqid: 7 }));
    say(MessageType.EXPIRE, soft);
    say(MessageType.EXPIRE, hard);
    say(MessageType.EXPIRE, hard);
    const id = { protocolId: 3, spi: 0x141a, destination: '10.9.0.1' };
    const usage = { bytes: 0, packets: 0, addedAt: 0x6b03f3d0, usedAt: 0 };
    assert.deepEqual(ear.expires, [
      { id, isHard: false, usage },
      { id, isHard: true, usage },
    ]);
  });

  it('about a peer that moved is told once per place', NEEDS_VECTORS, async () => {
    const { kernel, backend, ear } = await world();
    await backend.addSa(inboundSa({ spi: 0x6002 }), saContext({ udp: { source: 4500, destination: 4500 } }));
    const [mapping = new Uint8Array()] = broadcasts(MessageType.MAPPING);
    const say = (port: number): void => {
      const payload = mapping.slice(Size.HEADER);
      new DataView(payload.buffer).setUint16(62, port);
      kernel.say(MessageType.MAPPING, payload);
    };
    for (const port of [4501, 4501, 4501, 4502, 4502]) say(port);
    assert.deepEqual(
      ear.mappings.map(({ id, source }) => [id.spi, source.port]),
      [
        [0x6002, 4501],
        [0x6002, 4502],
      ],
    );
    const id = { protocolId: 3, spi: 0x6002, destination: '10.9.0.1' };
    await backend.moveSa(id, { address: '10.9.0.2', port: 4502 }, END);
    say(4503);
    assert.equal(ear.mappings.length, 3);
  });

  it('about a packet without SA names the flow; a foreign policy has none', NEEDS_VECTORS, async () => {
    const kernel = new FakeXfrmKernel();
    const ear = new Ear();
    const { schedule } = virtualTimers();
    const options = { open: kernel.open, schedule, upcalls: ear, range: { first: 7, count: 2 }, release: '6.1' };
    const backend = await openXfrmBackend(options);
    const [acquire = new Uint8Array()] = broadcasts(MessageType.ACQUIRE);
    kernel.say(MessageType.ACQUIRE, acquire.slice(Size.HEADER));
    await backend.putFlow(flow({ id: 3, reqid: 7, local: network('10.1.0.0', 24), remote: network('10.2.0.0', 24) }));
    kernel.say(MessageType.ACQUIRE, acquire.slice(Size.HEADER));
    assert.deepEqual(
      ear.acquires.map(({ flow: id }) => id),
      [undefined, 3],
    );
    const host = (address: string): Selector => ({ address, prefixLength: 32, protocol: 1, port: 0 });
    assert.deepEqual(ear.acquires[1], {
      sequence: 1,
      flow: 3,
      reqid: 7,
      source: '10.9.0.1',
      destination: '10.9.0.2',
      policy: { source: network('10.1.0.0', 24), destination: network('10.2.0.0', 24) },
      packet: { source: host('10.1.0.1'), destination: host('10.2.0.1') },
    });
  });

  it('and was lost is found by looking: SAs that are gone, packets that still wait', async () => {
    const { kernel, backend, ear } = await world();
    await backend.putFlow(flow());
    await backend.addSa(inboundSa(), saContext());
    await backend.addSa(outboundSa(), saContext());
    const [gone] = [...kernel.sas.keys()];
    const larval = kernel.fields(0x2001).info.bytes.slice(0, Size.SA);
    new DataView(larval.buffer).setUint32(SaField.SPI, 0);
    new DataView(larval.buffer).setUint32(SaField.SEQUENCE, 33, true);
    kernel.keep(larval);
    kernel.sas.delete(gone ?? '');
    kernel.events.overrun();
    kernel.events.overrun();
    await turn();
    assert.deepEqual(ear.losses, [[IN], []]);
    assert.deepEqual(
      ear.acquires.map(({ sequence, flow: id }) => [sequence, id]),
      [[33, 1]],
    );
    await assert.rejects(backend.deleteSa(IN), refusedAs('missing'));
  });

  it('ends with its socket', async () => {
    const { kernel, backend, ear } = await world();
    kernel.events.failed(new SystemError('recv: ENOTCONN'));
    assert.deepEqual(ear.failures, ['recv: ENOTCONN']);
    await assert.rejects(backend.addSa(outboundSa(), saContext()), refusedAs('failed', /ENOTCONN/));
  });
});
