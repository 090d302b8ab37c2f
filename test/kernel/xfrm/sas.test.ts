import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Attribute, MessageType, SaField } from '../../../src/kernel/xfrm/layout.ts';
import { FakeXfrmKernel } from '../../helpers/fake-xfrm-kernel.ts';
import {
  inboundSa,
  keyOf,
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

describe('XFRM: what the kernel has', () => {
  it('is found by trying, and nothing is left behind', async () => {
    const kernel = new FakeXfrmKernel();
    for (const name of ['cbc(cast5)', 'hmac(rmd160)', 'rfc4543(gcm(aes))']) kernel.lacks.add(name);
    const { backend } = await openWith(kernel);
    const { espTransforms, ahTransforms, authentications, lastUse, routes } = backend.capabilities;
    assert.deepEqual([...espTransforms].sort(compare), [2, 3, 7, 11, 12, 13, 20]);
    assert.deepEqual([...ahTransforms].sort(compare), [2, 3, 5, 6, 7]);
    assert.deepEqual([...authentications].sort(compare), [1, 2, 5, 6, 7]);
    assert.deepEqual([lastUse, routes, kernel.sas.size], [false, true, 0]);
  });

  it('has told the last use of an SA since Linux 6.2', async () => {
    const releases = ['6.2.0', '6.18.44-fc', '7.0', '6.1.99', '5.10.0', 'unknown'];
    const told = await Promise.all(releases.map((release) => openWith(new FakeXfrmKernel(), release)));
    assert.deepEqual(
      told.map(({ backend }) => backend.capabilities.lastUse),
      [true, true, true, false, false, false],
    );
  });

  it('is not enough without ESP', async () => {
    const kernel = new FakeXfrmKernel();
    kernel.lacks.add('hmac(sha1)');
    for (const name of ['rfc4106(gcm(aes))', 'rfc4543(gcm(aes))']) kernel.lacks.add(name);
    await assert.rejects(openWith(kernel), refusedAs('unsupported', /takes no ESP SA: .*ENOSYS/));
    assert.throws(() => kernel.events, RangeError);
  });
});

describe('XFRM: SAs', () => {
  it('reserves the SPI of an inbound SA first; one that is taken is refused', async () => {
    const { kernel, backend } = await world();
    kernel.received.length = 0;
    await backend.addSa(inboundSa(), saContext());
    assert.deepEqual(kernel.received, [MessageType.ALLOCSPI, MessageType.UPDSA]);
    await assert.rejects(backend.addSa(inboundSa(), saContext()), refusedAs('exists', /00001001 .*the SPI is taken/));
    await backend.addSa(outboundSa(), saContext());
    await assert.rejects(backend.addSa(outboundSa(), saContext()), refusedAs('exists'));
  });

  it('leaves no reservation where the SA itself is refused', async () => {
    const { kernel, backend } = await world();
    kernel.lacks.add('cbc(aes)');
    await assert.rejects(backend.addSa(inboundSa(), saContext()), refusedAs('unsupported'));
    assert.equal(kernel.sas.size, 0);
    await assert.rejects(backend.addSa(inboundSa({ transformId: 5 }), saContext()), refusedAs('unsupported', /5/));
  });

  it('answers an acquire with the outbound SA, which alone has the mark', async () => {
    const { kernel, backend } = await world();
    const context = saContext({ acquire: 77, route: { mark: 5, markMask: 0xff, interfaceId: 9 } });
    await backend.addSa(inboundSa(), context);
    await backend.addSa(outboundSa(), context);
    const [inbound, outbound] = [kernel.fields(0x1001), kernel.fields(0x2001)];
    assert.deepEqual(
      [inbound.info, outbound.info].map((info) => info.u32(SaField.SEQUENCE)),
      [0, 77],
    );
    assert.deepEqual(kernel.sa(0x1001)?.route, { mark: 0, markMask: 0, interfaceId: 9 });
    assert.deepEqual(kernel.sa(0x2001)?.route, context.route);
    assert.equal((await backend.querySa(OUT)).packets, 0);
    await backend.deleteSa(OUT);
    assert.equal(kernel.sa(0x2001), undefined);
  });

  it('gives selectors, life, UDP ports and window as they are', async () => {
    const { kernel, backend } = await world();
    const selectors = { source: network('10.2.0.0', 16), destination: network('10.1.0.0', 16) };
    const life = { softSeconds: 80, hardSeconds: 100, softBytes: 800, hardBytes: 1000 };
    await backend.addSa(
      inboundSa({ replayWindow: 4096 }),
      saContext({ selectors, life, udp: { source: 1025, destination: 4500 } }),
    );
    const { info, attributes } = kernel.fields(0x1001);
    assert.deepEqual(kernel.sa(0x1001)?.selectors, selectors);
    const limits = [0, 8, 32, 40].map((at) => info.u64(SaField.LIFETIME + at));
    assert.deepEqual([limits, info.u8(SaField.FLAGS)], [[800, 1000, 80, 100], 0]);
    assert.deepEqual(
      [attributes.get(Attribute.ENCAP)?.networkU16(2), attributes.get(Attribute.ENCAP)?.u16(0)],
      [1025, 2],
    );
    assert.equal(attributes.get(Attribute.REPLAY_ESN_VAL)?.u32(20), 4096);
  });

  it('says softly when the sequence numbers of an outbound SA come to their end, and asks for no window there', async () => {
    const { kernel, backend } = await world();
    await backend.addSa(outboundSa({ replayWindow: 64 }), saContext());
    const { info, attributes } = kernel.fields(0x2001);
    assert.equal(info.u64(SaField.LIFETIME + 16), 0xe000_0000);
    assert.deepEqual([attributes.has(Attribute.REPLAY_ESN_VAL), info.u8(SaField.REPLAY_WINDOW)], [false, 0]);
    // AF_UNSPEC: without selectors it carries either family.
    assert.equal(info.u8(SaField.FLAGS), 32);
  });

  it('cuts HMAC-SHA2-256 to 96 bits for peers that want it, and no other hash', async () => {
    const { kernel, backend } = await world();
    const context = saContext({ sha2Truncation96: true });
    await backend.addSa(inboundSa(), context);
    await backend.addSa(inboundSa({ spi: 0x1002, authentication: 7, authenticationKey: keyOf(64) }), context);
    await backend.addSa(inboundSa({ spi: 0x1003 }), saContext());
    const icvBits = [0x1001, 0x1002, 0x1003].map((spi) =>
      kernel.fields(spi).attributes.get(Attribute.ALG_AUTH_TRUNC)?.u32(68),
    );
    assert.deepEqual(icvBits, [96, 256, 128]);
  });

  it('has AH protect the tunnel that ESP of the same pair makes', async () => {
    const { kernel, backend } = await world();
    const ah = { protocolId: 2, transformId: 5, encryptionKey: keyOf(0) };
    await backend.addSa(outboundSa(), saContext());
    await backend.addSa(outboundSa({ ...ah, spi: 0x2002 }), saContext());
    await backend.addSa(outboundSa({ ...ah, spi: 0x2003 }), saContext({ reqid: 1002 }));
    const modes = [0x2001, 0x2002, 0x2003].map((spi) => kernel.fields(spi).info.u8(SaField.MODE));
    assert.deepEqual(modes, [1, 0, 1]);
  });

  it('knows what is missing', async () => {
    const { backend } = await world();
    await assert.rejects(backend.deleteSa(OUT), refusedAs('missing'));
    await assert.rejects(backend.querySa(OUT), refusedAs('missing'));
    await assert.rejects(backend.moveSa(OUT, END, END), refusedAs('missing'));
    await assert.rejects(backend.deleteFlow(1), refusedAs('missing'));
  });

  it('removes an SA whose acknowledgement is lost, for it may be there', async () => {
    const { kernel, backend } = await world();
    kernel.losing = 1;
    const added = backend.addSa(outboundSa(), saContext());
    kernel.events.overrun();
    await assert.rejects(added, refusedAs('failed', /lost/));
    assert.equal(kernel.sas.size, 0);
  });

  it("leaves somebody else's SA where the lost answer said that it has the SPI", async () => {
    for (const [direction, sa, reqid] of [
      ['in', inboundSa(), 7],
      ['out', outboundSa(), 7],
      // Another pair of ours.
      ['in', inboundSa(), 1002],
      ['out', outboundSa(), 1002],
    ] as const) {
      const kernel = new FakeXfrmKernel();
      const other = await openWith(kernel);
      await other.backend.addSa(sa, saContext({ reqid }));
      const before = kernel.sas.size;
      const { backend } = await openWith(kernel);
      kernel.losing = 1;
      const added = backend.addSa(sa, saContext());
      kernel.events.overrun();
      await assert.rejects(added, refusedAs('failed', /lost/));
      assert.equal(kernel.sas.size, before, `${direction} ${reqid}`);
    }
  });
});

describe('XFRM: an SA whose peer moved', () => {
  const udp = { source: 4500, destination: 4500 };

  it('gets new ports in place', async () => {
    const { kernel, backend } = await world();
    await backend.addSa(inboundSa(), saContext({ udp }));
    kernel.received.length = 0;
    assert.deepEqual(await backend.moveSa(IN, { address: '10.9.0.2', port: 1025 }, END), IN);
    assert.deepEqual(kernel.received, [MessageType.GETSA, MessageType.UPDSA]);
    assert.equal(kernel.fields(0x1001).attributes.get(Attribute.ENCAP)?.networkU16(2), 1025);
  });

  it('is made anew under its name where the source is another', async () => {
    const { kernel, backend } = await world();
    await backend.addSa(inboundSa(), saContext({ udp }));
    kernel.received.length = 0;
    assert.deepEqual(await backend.moveSa(IN, { address: '10.9.0.5', port: 1025 }, END), IN);
    assert.deepEqual(kernel.received, [MessageType.GETSA, MessageType.DELSA, MessageType.NEWSA]);
    assert.equal(kernel.sa(0x1001)?.source, '10.9.0.5');
    await backend.deleteSa(IN);
  });

  it('is made before the old one goes where its name is another', async () => {
    const { kernel, backend } = await world();
    await backend.addSa(outboundSa(), saContext({ udp, route: { mark: 5, markMask: 0xff, interfaceId: 0 } }));
    kernel.received.length = 0;
    const moved = await backend.moveSa(OUT, END, { address: '10.9.0.5', port: 1025 });
    assert.deepEqual(kernel.received, [MessageType.GETSA, MessageType.NEWSA, MessageType.DELSA]);
    assert.deepEqual(moved, { ...OUT, destination: '10.9.0.5' });
    const { attributes } = kernel.fields(0x2001);
    assert.deepEqual([kernel.sas.size, attributes.get(Attribute.ALG_CRYPT)?.bytes.subarray(68)], [1, keyOf(16)]);
    await assert.rejects(backend.querySa(OUT), refusedAs('missing'));
    await backend.querySa(moved);
  });

  it('stays where it was if the new name is taken', async () => {
    const { kernel, backend } = await world();
    await backend.addSa(outboundSa(), saContext());
    await backend.addSa(outboundSa({ destination: '10.9.0.5' }), saContext());
    await assert.rejects(backend.moveSa(OUT, END, { address: '10.9.0.5', port: 0 }), refusedAs('exists'));
    assert.equal(kernel.sas.size, 2);
    await backend.deleteSa(OUT);
  });

  it('carries what goes between its own addresses, in transport mode', async () => {
    const { kernel, backend } = await world();
    const selectors = { source: network('10.9.0.2', 32), destination: network('10.9.0.1', 32) };
    await backend.addSa(inboundSa({ encapsulation: 4 }), saContext({ selectors, udp }));
    await backend.moveSa(IN, { address: '10.9.0.5', port: 1025 }, END);
    assert.deepEqual(kernel.sa(0x1001)?.selectors, { ...selectors, source: network('10.9.0.5', 32) });
  });
});

const compare = (a: number, b: number): number => a - b;
