import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, KernelError } from '../../../src/kernel/backend.ts';
import { AuthenticationAlgorithm, EspTransform, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { sealedSize } from '../../../src/shared/esp/packet.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import { EngineSide, EPOCH } from '../../helpers/esp-engines.ts';
import { ipPacket, type PacketWish } from '../../helpers/ip-packets.ts';

const LEFT = '192.0.2.1';
const RIGHT = '192.0.2.2';
const OUT: PacketWish = { source: '10.1.0.5', destination: '10.2.0.6', sourcePort: 1000, destinationPort: 2000 };

const net = (address: string, prefixLength = 16, protocol = 0, port = 0): Flow['local'] => ({
  address,
  prefixLength,
  protocol,
  port,
});

const flow = (id: number, change: Partial<Flow> = {}): Flow => ({
  id,
  local: net('10.1.0.0'),
  remote: net('10.2.0.0'),
  localAddress: LEFT,
  remoteAddress: RIGHT,
  protocols: [ProtocolId.IPSEC_ESP],
  encapsulation: 'tunnel',
  reqid: 7,
  route: NO_ROUTE,
  ...change,
});

const mirrored = (one: Flow): Flow => ({
  ...one,
  local: one.remote,
  remote: one.local,
  localAddress: one.remoteAddress,
  remoteAddress: one.localAddress,
});

/** Two engines with one flow between them. */
const pair = (): { readonly left: EngineSide; readonly right: EngineSide } => {
  const [left, right] = [new EngineSide(LEFT), new EngineSide(RIGHT)];
  left.engine.putFlow(flow(1));
  right.engine.putFlow(mirrored(flow(1)));
  return { left, right };
};

describe('userland ESP engine', () => {
  it('carries a packet from one side to the other, and counts it', () => {
    const { left, right } = pair();
    const slot = left.addSaTo(right, { spi: 0x1001 });
    left.pass(5);
    const packet = ipPacket({ ...OUT, payload: new Uint8Array(100), trafficClass: 0xb8, isDontFragment: true });
    left.engine.outbound(packet);
    const [sent] = left.sent;
    assert.deepEqual([sent?.trafficClass, sent?.isDontFragment], [0xb8, true]);
    right.receive(left.takeSent()[0]);
    assert.deepEqual(right.delivered, [packet]);
    const used = { bytes: 128, packets: 1, addedAt: EPOCH, usedAt: EPOCH + 5 };
    assert.deepEqual(left.counters.usage(slot), used);
    assert.deepEqual(right.counters.usage(0), { ...used, usedAt: EPOCH });
  });

  it('drops what no flow is for, in either direction', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    left.engine.outbound(ipPacket({ ...OUT, destination: '10.3.0.1' }));
    left.engine.outbound(Uint8Array.of(1, 2, 3));
    assert.deepEqual(left.drops, ['noFlow', 'malformed']);
    assert.equal(left.sent.length, 0);
    left.engine.outbound(ipPacket(OUT));
    right.engine.deleteFlow(1);
    right.receive(left.takeSent()[0]);
    assert.deepEqual(right.drops, ['noFlow']);
    assert.equal(right.delivered.length, 0);
  });

  it('asks for an SA once, holds one packet, and sends it when the SA is there', () => {
    const { left, right } = pair();
    const first = ipPacket({ ...OUT, payload: Uint8Array.of(1) });
    left.engine.outbound(first);
    left.engine.outbound(ipPacket({ ...OUT, payload: Uint8Array.of(2) }));
    assert.equal(left.sent.length, 0);
    assert.deepEqual(left.acquires, [
      {
        sequence: 1,
        flow: 1,
        reqid: 7,
        source: LEFT,
        destination: RIGHT,
        policy: { source: net('10.1.0.0'), destination: net('10.2.0.0') },
        packet: { source: net('10.1.0.5', 32, 17, 1000), destination: net('10.2.0.6', 32, 17, 2000) },
      },
    ]);
    left.addSaTo(right, { spi: 0x1001 });
    right.receive(left.takeSent()[0]);
    assert.deepEqual(right.delivered, [first]);
    assert.deepEqual(left.drops, ['noSa']);
  });

  it('asks again when nobody has answered for 30 seconds, and forgets what it held', () => {
    const { left, right } = pair();
    left.engine.outbound(ipPacket(OUT));
    left.pass(29);
    left.engine.outbound(ipPacket(OUT));
    assert.equal(left.acquires.length, 1);
    left.pass(2);
    left.engine.outbound(ipPacket(OUT));
    assert.deepEqual(
      left.acquires.map(({ sequence }) => sequence),
      [1, 2],
    );
    left.pass(31);
    left.addSaTo(right, { spi: 0x1001 });
    assert.equal(left.sent.length, 0);
    left.engine.outbound(ipPacket(OUT));
    assert.equal(left.sent.length, 1);
  });

  it('sends what it held when the flow is given the reqid of an SA', () => {
    const { left, right } = pair();
    left.engine.outbound(ipPacket(OUT));
    left.addSaTo(right, { spi: 0x1001, reqid: 8 });
    assert.equal(left.sent.length, 0);
    left.engine.putFlow(flow(1, { reqid: 8 }));
    assert.equal(left.sent.length, 1);
  });

  it('uses the newest SA of the pair, and none beyond its soft limit while there is another', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    left.addSaTo(right, { spi: 0x1002, life: { softSeconds: 10, hardSeconds: 20 } });
    left.addSaTo(right, { spi: 0x1003, reqid: 9 });
    const spi = (): number | undefined => {
      left.engine.outbound(ipPacket(OUT));
      return left.sent.at(-1)?.sa.spi;
    };
    assert.equal(spi(), 0x1002);
    left.pass(11);
    assert.equal(spi(), 0x1001);
    left.engine.sas.remove(left.engine.sas.get({ protocolId: 3, spi: 0x1001, destination: RIGHT }));
    assert.equal(spi(), 0x1002);
    left.pass(10);
    assert.equal(spi(), 0x1002);
    assert.equal(left.acquires.length, 1);
  });

  it('tells the soft limit once and ends the SA at the hard one, by time', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001, life: { softSeconds: 10, hardSeconds: 20 } });
    assert.ok((left.engine.nextDeadline ?? 0) <= 10_000);
    left.pass(10);
    left.pass(9);
    const id = { protocolId: ProtocolId.IPSEC_ESP, spi: 0x1001, destination: RIGHT };
    const usage = { bytes: 0, packets: 0, addedAt: EPOCH, usedAt: 0 };
    assert.deepEqual(left.expires, [{ id, isHard: false, usage }]);
    left.pass(1);
    assert.deepEqual(left.expires.slice(1), [{ id, isHard: true, usage }]);
    assert.throws(() => left.engine.sas.get(id), KernelError);
    assert.equal(left.engine.nextDeadline, undefined);
    right.pass(20);
    assert.equal(right.expires.length, 2);
  });

  it('tells the soft limit once and ends the SA at the hard one, by bytes of what is inside', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001, life: { softBytes: 300, hardBytes: 1000 } });
    const packet = ipPacket({ ...OUT, payload: new Uint8Array(84 - 28) });
    for (let i = 0; i < 13; i++) left.engine.outbound(packet);
    const told = (side: EngineSide): unknown => side.expires.map(({ isHard, usage }) => [isHard, usage.bytes]);
    const expected = [
      [false, 336],
      [true, 1008],
    ];
    assert.deepEqual(told(left), expected);
    assert.equal(left.sent.length, 12);
    assert.equal(left.acquires.length, 1);
    for (const one of left.takeSent()) right.receive(one);
    assert.deepEqual(told(right), expected);
    assert.equal(right.delivered.length, 12);
  });

  it('never uses a sequence number twice: it warns while there are some left, and ends the SA with the last one', () => {
    const { left, right } = pair();
    const slot = left.addSaTo(right, { spi: 0x1001 });
    const words = new Int32Array(left.counters.memory);
    const sequenceWord = slot * 10 + 8;
    words[sequenceWord] = 0xf0000000 - 2;
    for (let i = 0; i < 3; i++) left.engine.outbound(ipPacket(OUT));
    assert.deepEqual(
      left.expires.map(({ isHard }) => isHard),
      [false],
    );
    words[sequenceWord] = -3;
    for (let i = 0; i < 4; i++) left.engine.outbound(ipPacket(OUT));
    const sequences = left.takeSent().map((packet) => new DataView(packet.buffer).getUint32(4));
    assert.deepEqual(sequences, [0xefffffff, 0xf0000000, 0xf0000001, 0xfffffffe, 0xffffffff]);
    assert.deepEqual(
      left.expires.map(({ isHard }) => isHard),
      [false, true],
    );
    assert.equal(left.acquires.length, 1);
  });

  it('drops what was seen before, what is forged, and what belongs to no SA', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    for (let i = 0; i < 70; i++) left.engine.outbound(ipPacket(OUT));
    const packets = left.takeSent();
    const forged = packets[69]?.slice() ?? new Uint8Array(0);
    forged[20] = (forged[20] ?? 0) ^ 1;
    for (const packet of [packets[68], packets[68], packets[4], packets[5], forged, packets[69], packets[69]]) {
      right.receive(packet);
    }
    const stranger = packets[0]?.slice() ?? new Uint8Array(0);
    stranger[0] = 0xff;
    right.receive(stranger);
    right.receive(Uint8Array.of(1, 2, 3));
    // 69 is the 70th: the window of 64 begins at 6, then at 7.
    assert.deepEqual(right.drops, ['replayed', 'replayed', 'forged', 'replayed', 'noSa', 'noSa']);
    assert.equal(right.delivered.length, 3);
  });

  it('lets nothing through an SA that it was not made for', () => {
    const { left, right } = pair();
    const wide = flow(2, { local: net('0.0.0.0', 0), remote: net('0.0.0.0', 0) });
    left.engine.putFlow(wide);
    right.engine.putFlow(mirrored(wide));
    const selectors = { source: net('10.1.0.0'), destination: net('10.2.0.6', 32, 17, 2000) };
    left.addSaTo(right, { spi: 0x1001, selectors });
    const hostile: readonly PacketWish[] = [
      { ...OUT, source: '10.9.0.1' },
      { ...OUT, destination: '10.2.0.7' },
      { ...OUT, destinationPort: 2001 },
      { ...OUT, protocol: 6, body: new Uint8Array(20) },
    ];
    // A peer that seals what it likes.
    left.engine.sas.remove(left.engine.sas.get({ protocolId: 3, spi: 0x1001, destination: RIGHT }));
    left.addOutbound(right, { spi: 0x1001 });
    for (const wish of [...hostile, OUT]) left.engine.outbound(ipPacket(wish));
    for (const packet of left.takeSent()) right.receive(packet);
    assert.deepEqual(right.drops, ['outsideSa', 'outsideSa', 'outsideSa', 'outsideSa']);
    assert.deepEqual(right.delivered, [ipPacket(OUT)]);
  });

  it('does not send through an SA what it was not made for', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001, selectors: { source: net('10.1.0.0'), destination: net('10.2.0.6', 32) } });
    left.engine.outbound(ipPacket({ ...OUT, destination: '10.2.0.7' }));
    assert.equal(left.sent.length, 0);
    assert.equal(left.acquires.length, 1);
  });

  it("drops what another peer sends for a flow: peer A has no say in peer B's networks", () => {
    const { right } = pair();
    const other = new EngineSide('192.0.2.99');
    other.engine.putFlow(flow(1, { localAddress: other.outer, reqid: 50 }));
    other.addSaTo(right, { spi: 0x5001, reqid: 50 });
    other.engine.outbound(ipPacket(OUT));
    right.receive(other.takeSent()[0]);
    assert.deepEqual(right.drops, ['noFlow']);
  });

  it('takes packets through any SA of the peer', () => {
    const { left, right } = pair();
    left.engine.putFlow(flow(1, { reqid: 8 }));
    left.addSaTo(right, { spi: 0x1001, reqid: 8 });
    left.engine.outbound(ipPacket(OUT));
    right.receive(left.takeSent()[0]);
    assert.equal(right.delivered.length, 1);
  });

  it('tells once where the peer has moved, by authentic and newest packets only', () => {
    const { left, right } = pair();
    const udp = { source: 4500, destination: 4500 };
    left.addSaTo(right, { spi: 0x1001, udp });
    for (let i = 0; i < 6; i++) left.engine.outbound(ipPacket(OUT));
    const [a, b, c, d, e, f] = left.takeSent();
    const here = { address: LEFT, port: 4500 };
    const there = { address: '198.51.100.7', port: 61000 };
    right.receive(b, here);
    right.receive(a, there);
    const forged = c?.slice() ?? new Uint8Array(0);
    forged[30] = (forged[30] ?? 0) ^ 1;
    right.receive(forged, there);
    assert.deepEqual(right.mappings, []);
    right.receive(c, there);
    right.receive(d, there);
    assert.deepEqual(right.mappings, [
      { id: { protocolId: ProtocolId.IPSEC_ESP, spi: 0x1001, destination: RIGHT }, source: there },
    ]);
    right.receive(e, here);
    right.receive(f, there);
    assert.equal(right.mappings.length, 2);
    right.receive(f);
    assert.deepEqual(right.drops, ['forged', 'otherEncapsulation']);
    assert.equal(right.delivered.length, 6);
  });

  it('answers what is too big for the path, and tries larger packets again after ten minutes', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    const big = ipPacket({ ...OUT, payload: new Uint8Array(1372), isDontFragment: true });
    left.pathMtu = 1300;
    left.engine.outbound(big);
    left.pathMtu = 0;
    left.engine.outbound(big);
    assert.equal(left.sent.length, 0);
    const [answer] = left.delivered;
    const mtu = ((answer?.[26] ?? 0) << 8) | (answer?.[27] ?? 0);
    assert.equal(left.delivered.length, 2);
    left.engine.outbound(ipPacket({ ...OUT, payload: new Uint8Array(mtu - 28), isDontFragment: true }));
    const [sent] = left.sent;
    assert.ok(sent !== undefined && 20 + sent.packet.length <= 1300 && 20 + sealedSize(sent.sa.suite, mtu + 1) > 1300);
    left.engine.outbound(ipPacket({ ...OUT, payload: new Uint8Array(1372) }));
    assert.deepEqual([left.sent.length, left.sent[1]?.isDontFragment], [2, false]);
    left.pass(601);
    left.engine.outbound(big);
    assert.equal(left.sent.length, 3);
  });

  it('fragments its own packets rather than ask IPv6 for less than 1280 bytes', () => {
    const left = new EngineSide(LEFT);
    const right = new EngineSide(RIGHT);
    left.engine.putFlow(flow(1, { local: net('fd00:1::', 32), remote: net('fd00:2::', 32) }));
    left.addSaTo(right, { spi: 0x1001 });
    const wish: PacketWish = { source: 'fd00:1::1', destination: 'fd00:2::1' };
    left.pathMtu = 1280;
    left.engine.outbound(ipPacket({ ...wish, payload: new Uint8Array(1300) }));
    left.pathMtu = 0;
    const view = new DataView(left.delivered[0]?.buffer ?? new ArrayBuffer(50));
    assert.equal(view.getUint32(44), 1280);
    left.engine.outbound(ipPacket({ ...wish, payload: new Uint8Array(1232) }));
    assert.deepEqual([left.sent.length, left.sent[0]?.isDontFragment], [1, false]);
  });

  it('brings congestion marks inside, and drops what cannot carry them', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    left.engine.outbound(ipPacket({ ...OUT, trafficClass: 2 }));
    left.engine.outbound(ipPacket({ ...OUT, trafficClass: 0 }));
    for (const packet of left.takeSent()) right.receive(packet, undefined, 3);
    assert.equal(right.delivered[0]?.[1], 3);
    assert.deepEqual(right.drops, ['congestion']);
  });

  it('refuses an SPI, a name or selectors that are taken', () => {
    const { left, right } = pair();
    left.addSaTo(right, { spi: 0x1001 });
    assert.throws(() => left.addSaTo(right, { spi: 0x1001 }), KernelError);
    assert.throws(() => left.addOutbound(right, { spi: 0x1001 }), KernelError);
    assert.throws(() => left.engine.putFlow(flow(2)), KernelError);
    left.engine.putFlow(flow(1, { remoteAddress: '192.0.2.3' }));
    assert.throws(() => left.engine.deleteFlow(2), KernelError);
    assert.equal(left.engine.flows, 1);
  });

  it('gives a later fragment to the flow of the first one where only that has ports', () => {
    const [left, right] = [new EngineSide(LEFT), new EngineSide(RIGHT)];
    const narrow = flow(1, { local: net('10.1.0.0', 16, 17), remote: net('10.2.0.0', 16, 17, 2000) });
    left.engine.putFlow(narrow);
    right.engine.putFlow(mirrored(narrow));
    const selectors = { source: narrow.local, destination: narrow.remote };
    left.addSaTo(right, {
      spi: 0x1001,
      authentication: AuthenticationAlgorithm.HMAC_SHA,
      transformId: EspTransform.AES,
      selectors,
    });
    left.engine.outbound(ipPacket({ ...OUT, hasMoreFragments: true, payload: new Uint8Array(64) }));
    left.engine.outbound(ipPacket({ ...OUT, fragmentOffset: 9, body: new Uint8Array(40) }));
    left.engine.outbound(ipPacket({ ...OUT, destinationPort: 2001 }));
    for (const packet of left.takeSent()) right.receive(packet);
    assert.equal(right.delivered.length, 2);
    assert.deepEqual(left.drops, ['noFlow']);
  });
});
