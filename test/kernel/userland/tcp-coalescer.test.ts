import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEVICE_HEADER, TcpCoalescer } from '../../../src/kernel/userland/tcp-coalescer.ts';
import { internetChecksum, ipPacket, type PacketWish } from '../../helpers/ip-packets.ts';
import { Prng } from '../../helpers/prng.ts';

const V4: PacketWish = { source: '10.2.0.1', destination: '10.1.0.1', isDontFragment: true };
const V6: PacketWish = { source: 'fd00:2::1', destination: 'fd00:1::1' };
const ACK = 0x10;
const PSH = 0x08;
const FIN = 0x01;

interface TcpWish {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly flags?: number;
  readonly acknowledgement?: number;
  readonly port?: number;
  /** 12 bytes of options, as timestamps are. */
  readonly options?: number;
}

const tcp = (
  wish: PacketWish,
  { sequence, payload, flags = ACK, acknowledgement = 7, port = 80, options = 1 }: TcpWish,
): Uint8Array => {
  const segment = new Uint8Array(32 + payload.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, 5000);
  view.setUint16(2, port);
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledgement);
  segment[12] = 0x80;
  segment[13] = flags;
  view.setUint16(14, 500);
  segment.fill(options, 20, 32);
  segment.set(payload, 32);
  const packet = ipPacket({ ...wish, protocol: 6, body: segment });
  const ip = packet.length - segment.length;
  new DataView(packet.buffer).setUint16(ip + 16, checksumOf(packet, ip));
  return packet;
};

/** Of the segment behind the IP header, with the pseudo-header. */
const checksumOf = (packet: Uint8Array, ip: number): number => {
  const addresses = packet.subarray(ip === 20 ? 12 : 8, ip);
  const size = packet.length - ip;
  const pseudo = new Uint8Array(addresses.length + 4 + size);
  pseudo.set(addresses);
  new DataView(pseudo.buffer).setUint16(addresses.length, 6);
  new DataView(pseudo.buffer).setUint16(addresses.length + 2, size);
  pseudo.set(packet.subarray(ip), addresses.length + 4);
  return internetChecksum(pseudo);
};

/** What Linux makes of a frame when it cuts it again (or a plain packet). Identification of IPv4 is left at 0x1234. */
const cut = (frame: Uint8Array): readonly Uint8Array[] => {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const packet = frame.slice(DEVICE_HEADER);
  const ip = (packet[0] ?? 0) >> 4 === 4 ? 20 : 40;
  const [kind, headers, size] = [frame[1], view.getUint16(2, true), view.getUint16(4, true)];
  if (kind === 0) {
    assert.ok(frame.subarray(0, DEVICE_HEADER).every((byte) => byte === 0));
    return [packet];
  }
  assert.deepEqual([frame[0], kind, view.getUint16(6, true), view.getUint16(8, true)], [1, ip === 20 ? 1 : 4, ip, 16]);
  if (ip === 20) assert.equal(internetChecksum(packet.subarray(0, 20)), 0);
  // The field holds the sum of the pseudo-header: what is missing is the rest.
  const partial = new DataView(packet.buffer).getUint16(ip + 16);
  new DataView(packet.buffer).setUint16(ip + 16, 0);
  const pseudoOnly = new Uint8Array(packet.subarray(ip === 20 ? 12 : 8, ip).length + 4);
  pseudoOnly.set(packet.subarray(ip === 20 ? 12 : 8, ip));
  new DataView(pseudoOnly.buffer).setUint16(pseudoOnly.length - 4, 6);
  new DataView(pseudoOnly.buffer).setUint16(pseudoOnly.length - 2, packet.length - ip);
  assert.equal(partial, 0xffff - internetChecksum(pseudoOnly));
  const wish: PacketWish = ip === 20 ? V4 : V6;
  const segments: Uint8Array[] = [];
  const tcpView = new DataView(packet.buffer, ip);
  for (let at = headers; at < packet.length; at += size) {
    const isLast = at + size >= packet.length;
    segments.push(
      tcp(wish, {
        sequence: (tcpView.getUint32(4) + at - headers) >>> 0,
        payload: packet.subarray(at, at + size),
        flags: isLast ? (packet[ip + 13] ?? 0) : (packet[ip + 13] ?? 0) & ~PSH,
        acknowledgement: tcpView.getUint32(8),
        port: tcpView.getUint16(2),
        options: packet[ip + 20] ?? 0,
      }),
    );
  }
  return segments;
};

/** Frames that came of packets. */
const coalesced = (packets: readonly Uint8Array[]): readonly Uint8Array[] => {
  const frames: Uint8Array[] = [];
  const coalescer = new TcpCoalescer((frame) => frames.push(frame.slice()));
  for (const packet of packets) coalescer.add(packet);
  coalescer.flush();
  return frames;
};

const stream = (wish: PacketWish, count: number, size: number, change: Partial<TcpWish> = {}): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    tcp(wish, { sequence: (0xffff_f000 + index * size) >>> 0, payload: new Prng(index).bytes(size), ...change }),
  );

/** Of port 80. */
const isOfStream = (packet: Uint8Array): boolean => packet[22] === 0 && packet[23] === 80;

describe('TCP segments for the host', () => {
  for (const wish of [V4, V6]) {
    it(`of one connection become one packet, which Linux can cut again (IPv${wish === V4 ? 4 : 6})`, () => {
      const packets = stream(wish, 20, 1300);
      const frames = coalesced(packets);
      assert.equal(frames.length, 1);
      assert.deepEqual(frames.flatMap(cut), packets);
    });
  }

  it('of one connection stay together while others come and go', () => {
    const packets = stream(V4, 20, 100);
    const short = (port: number): Uint8Array =>
      tcp(V4, { sequence: 1, payload: new Uint8Array(10), flags: ACK | PSH, port });
    const others = Array.from({ length: 20 }, (_, i) => [
      tcp(V4, { sequence: 1, payload: new Uint8Array(20), port: 1000 + (i % 3) }),
      tcp(V4, { sequence: 21, payload: new Uint8Array(5), flags: ACK | PSH, port: 1000 + (i % 3) }),
      short(2000),
    ]);
    const frames = coalesced(packets.flatMap((packet, i) => [packet, ...(others[i] ?? [])]));
    const sizes = frames.map((frame) => cut(frame)).filter(([first]) => first !== undefined && isOfStream(first));
    assert.deepEqual(
      sizes.map((segments) => segments.length),
      [20],
    );
  });

  it('are never more than an IP packet holds', () => {
    const packets = stream(V4, 100, 1348);
    const frames = coalesced(packets);
    assert.ok(frames.length === 3 && frames.every((frame) => frame.length <= DEVICE_HEADER + 65_535));
    assert.deepEqual(frames.flatMap(cut), packets);
  });

  it('end with one that is shorter or pushed, and stay in order with what cannot be joined', () => {
    const [a, b] = stream(V4, 2, 100);
    const short = tcp(V4, { sequence: 0xffff_f000 + 200, payload: new Uint8Array(10) });
    const next = tcp(V4, { sequence: 0xffff_f000 + 210, payload: new Uint8Array(100) });
    const pushed = tcp(V4, { sequence: 0xffff_f000 + 310, payload: new Uint8Array(100), flags: ACK | PSH });
    const bare = tcp(V4, { sequence: 0xffff_f000 + 410, payload: new Uint8Array(0) });
    const last = tcp(V4, { sequence: 0xffff_f000 + 410, payload: new Uint8Array(5), flags: ACK | FIN });
    const packets = [a, b, short, next, pushed, bare, last].filter((packet) => packet !== undefined);
    const frames = coalesced(packets);
    assert.deepEqual(
      frames.map((frame) => cut(frame).length),
      [3, 2, 1, 1],
    );
    assert.deepEqual(frames.flatMap(cut), packets);
  });

  it('are left alone where one is damaged: the host has to see that itself', () => {
    const packets = stream(V4, 3, 1000).map((packet) => packet.slice());
    for (const damaged of [0, 1, 2]) {
      const copy = packets.map((packet) => packet.slice());
      const victim = copy[damaged];
      if (victim !== undefined) victim[500] = (victim[500] ?? 0) ^ 1;
      const seen = coalesced(copy).flatMap((frame) => (frame[1] === 0 ? [frame.slice(DEVICE_HEADER)] : cut(frame)));
      assert.deepEqual(seen, copy);
    }
  });

  it('are left alone where an IP header is damaged: the host drops that one', () => {
    for (const damaged of [0, 1, 2]) {
      const copy = stream(V4, 3, 1000).map((packet) => packet.slice());
      const victim = copy[damaged];
      if (victim !== undefined) victim[11] = (victim[11] ?? 0) ^ 1;
      const seen = coalesced(copy).flatMap((frame) => (frame[1] === 0 ? [frame.slice(DEVICE_HEADER)] : cut(frame)));
      assert.deepEqual(seen, copy);
    }
  });

  it('leave everything else as it is', () => {
    const others = [
      ipPacket({ ...V4, payload: new Uint8Array(50) }),
      ipPacket({ ...V4, protocol: 6, fragmentOffset: 5, body: new Uint8Array(50) }),
      ipPacket({ ...V4, protocol: 6, body: new Uint8Array(5) }),
      ipPacket({ ...V6, protocol: 58, body: new Uint8Array(8) }),
    ];
    assert.deepEqual(
      coalesced(others).map((frame) => frame.slice(DEVICE_HEADER)),
      others,
    );
  });

  it('come out as they went in, connection by connection, whatever is mixed', () => {
    const step = fc.record({
      port: fc.integer({ min: 1, max: 12 }),
      size: fc.constantFrom(0, 1, 7, 100, 100, 100, 101),
      flags: fc.constantFrom(ACK, ACK, ACK, ACK, ACK | PSH, ACK | FIN),
      gap: fc.constantFrom(0, 0, 0, 0, 1, -5),
      options: fc.constantFrom(1, 1, 1, 2),
      isV6: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const sequences = new Map<number, number>();
        const packets = steps.map(({ port, size, flags, gap, options, isV6 }) => {
          const key = port * 2 + Number(isV6);
          const sequence = ((sequences.get(key) ?? 1000) + gap) >>> 0;
          sequences.set(key, sequence + size);
          return tcp(isV6 ? V6 : V4, { sequence, payload: new Prng(sequence).bytes(size), flags, port, options });
        });
        const byConnection = (all: readonly Uint8Array[]): ReadonlyMap<string, readonly Uint8Array[]> => {
          const groups = new Map<string, Uint8Array[]>();
          for (const packet of all) {
            const ip = (packet[0] ?? 0) >> 4 === 4 ? 20 : 40;
            const name = `${ip} ${packet[ip + 3]}`;
            groups.set(name, [...(groups.get(name) ?? []), packet]);
          }
          return new Map([...groups].sort());
        };
        assert.deepEqual(byConnection(coalesced(packets).flatMap(cut)), byConnection(packets));
      }),
      { numRuns: 500 },
    );
  });
});
