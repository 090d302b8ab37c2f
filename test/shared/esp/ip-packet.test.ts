import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { takeOuterEcn } from '../../../src/shared/esp/ecn.ts';
import { IpPacket, readIpPacket } from '../../../src/shared/esp/ip-packet.ts';
import { selectorsOf } from '../../../src/shared/esp/selector.ts';
import { tooBigAnswer } from '../../../src/shared/esp/too-big.ts';
import { internetChecksum, ipPacket, type PacketWish } from '../../helpers/ip-packets.ts';

const V4: PacketWish = { source: '10.1.0.1', destination: '10.2.0.1', sourcePort: 7, destinationPort: 53 };
const V6: PacketWish = { ...V4, source: 'fd00::1', destination: 'fd00::2' };

const parsed = (bytes: Uint8Array): IpPacket => {
  const packet = new IpPacket();
  assert.ok(readIpPacket(packet, bytes, 0, bytes.length));
  return packet;
};

const isRead = (bytes: Uint8Array): boolean => readIpPacket(new IpPacket(), bytes, 0, bytes.length);

describe('inner IP packets', () => {
  it('tells addresses, protocol, ports and flags of both families', () => {
    for (const wish of [V4, V6]) {
      const bytes = ipPacket({ ...wish, trafficClass: 0xb9, isDontFragment: true });
      const packet = parsed(bytes);
      const { source, destination } = selectorsOf(packet, bytes);
      const bits = wish === V4 ? 32 : 128;
      assert.deepEqual(source, { address: wish.source, prefixLength: bits, protocol: 17, port: 7 });
      assert.deepEqual(destination, { address: wish.destination, prefixLength: bits, protocol: 17, port: 53 });
      assert.equal(packet.trafficClass, 0xb9);
      assert.ok(packet.isDontFragment);
      assert.equal(packet.end, bytes.length);
    }
    assert.ok(!parsed(ipPacket(V4)).isDontFragment);
  });

  it('leaves padding behind the packet out', () => {
    for (const wish of [V4, V6]) {
      const bytes = ipPacket(wish);
      const padded = new Uint8Array(bytes.length + 100);
      padded.set(bytes);
      assert.equal(parsed(padded).end, bytes.length);
    }
  });

  it('walks the extension headers of IPv6', () => {
    const extension = (next: number, length: number): number[] => [
      next,
      length,
      ...Array<number>(6 + 8 * length).fill(0),
    ];
    const body = Uint8Array.from([
      ...extension(60, 0),
      ...extension(51, 1),
      ...[17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      0,
      9,
      0,
      10,
    ]);
    const packet = parsed(ipPacket({ ...V6, protocol: 0, body }));
    assert.deepEqual([packet.protocol, packet.sourcePort, packet.destinationPort], [17, 9, 10]);
    const cut = ipPacket({ ...V6, protocol: 0, body: body.subarray(0, 20) });
    assert.ok(!isRead(cut));
    const endless = Uint8Array.from(Array.from({ length: 20 }, () => extension(60, 0)).flat());
    assert.ok(!isRead(ipPacket({ ...V6, protocol: 60, body: endless })));
  });

  it('knows fragments', () => {
    for (const wish of [V4, V6]) {
      const first = parsed(ipPacket({ ...wish, hasMoreFragments: true }));
      assert.ok(first.hasPorts && !first.isLaterFragment);
      const later = parsed(ipPacket({ ...wish, fragmentOffset: 3 }));
      assert.ok(!later.hasPorts && later.isLaterFragment);
      assert.equal(later.protocol, 17);
    }
  });

  it('refuses what is no whole packet', () => {
    for (const wish of [V4, V6]) {
      const bytes = ipPacket(wish);
      for (let size = 0; size < bytes.length; size++) assert.ok(!isRead(bytes.slice(0, size)), `${size} bytes`);
    }
    assert.ok(!isRead(Uint8Array.of(0x55, ...Array<number>(60).fill(0))));
    const short = ipPacket(V4);
    short[0] = 0x44;
    assert.ok(!isRead(short));
  });

  it('stays within the bytes it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0x45, 0x4f, 0x60), (bytes, first) => {
        bytes[0] = first;
        const packet = new IpPacket();
        if (readIpPacket(packet, bytes, 0, bytes.length)) assert.ok(packet.end <= bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('ECN through a tunnel', () => {
  it('follows the table of RFC 6040 §4.2', () => {
    // Rows: inner Not-ECT, ECT(1), ECT(0), CE in the numbers of the field 0, 1, 2, 3; columns: outer, likewise.
    const table: readonly (readonly (number | undefined)[])[] = [
      [0, 0, 0, undefined],
      [1, 1, 1, 3],
      [2, 1, 2, 3],
      [3, 3, 3, 3],
    ];
    for (const wish of [V4, V6]) {
      table.forEach((row, inner) => {
        row.forEach((expected, outer) => {
          const bytes = ipPacket({ ...wish, trafficClass: 0x88 | inner });
          const packet = parsed(bytes);
          assert.equal(takeOuterEcn(packet, bytes, 0x40 | outer), expected !== undefined, `${inner} ${outer}`);
          if (expected === undefined) return;
          assert.equal(parsed(bytes).trafficClass, 0x88 | expected);
          assert.equal(packet.trafficClass, 0x88 | expected);
          if (wish === V4) assert.equal(internetChecksum(bytes.subarray(0, 20)), 0);
        });
      });
    }
  });
});

describe('answers to packets that are too big', () => {
  it('quotes the packet to its sender, with the size that fits', () => {
    const bytes = ipPacket({ ...V4, payload: new Uint8Array(1400).fill(7) });
    const answer = tooBigAnswer(parsed(bytes), bytes, 1322) ?? new Uint8Array(0);
    const { source, destination } = selectorsOf(parsed(answer), answer);
    assert.deepEqual([source.address, destination.address, source.protocol], ['10.2.0.1', '10.1.0.1', 1]);
    assert.equal(answer.length, 576);
    assert.deepEqual([answer[20], answer[21], (answer[26] ?? 0) * 256 + (answer[27] ?? 0)], [3, 4, 1322]);
    assert.deepEqual(answer.subarray(28), bytes.subarray(0, 548));
    assert.equal(internetChecksum(answer.subarray(0, 20)), 0);
    assert.equal(internetChecksum(answer.subarray(20)), 0);
  });

  it('does so for IPv6', () => {
    const bytes = ipPacket({ ...V6, payload: new Uint8Array(1401).fill(7) });
    const answer = tooBigAnswer(parsed(bytes), bytes, 1300) ?? new Uint8Array(0);
    const { source, destination } = selectorsOf(parsed(answer), answer);
    assert.deepEqual([source.address, destination.address, source.protocol], ['fd00::2', 'fd00::1', 58]);
    assert.equal(answer.length, 1280);
    assert.equal(answer[40], 2);
    assert.equal(new DataView(answer.buffer).getUint32(44), 1300);
    const pseudo = new Uint8Array(40 + answer.length - 40);
    pseudo.set(answer.subarray(8, 40));
    new DataView(pseudo.buffer).setUint32(32, answer.length - 40);
    pseudo[39] = 58;
    pseudo.set(answer.subarray(40), 40);
    assert.equal(internetChecksum(pseudo), 0);
  });

  it('is silent about errors, groups and later fragments, not about echo', () => {
    const icmp = (type: number): Uint8Array => Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0);
    const cases: readonly (readonly [PacketWish, boolean])[] = [
      [{ ...V4, protocol: 1, body: icmp(8) }, true],
      [{ ...V4, protocol: 1, body: icmp(3) }, false],
      [{ ...V6, protocol: 58, body: icmp(128) }, true],
      [{ ...V6, protocol: 58, body: icmp(2) }, false],
      [{ ...V4, destination: '224.0.0.1' }, false],
      [{ ...V4, source: '0.0.0.0' }, false],
      [{ ...V6, destination: 'ff02::1' }, false],
      [{ ...V6, source: '::' }, false],
      [{ ...V4, fragmentOffset: 10 }, false],
    ];
    for (const [wish, isAnswered] of cases) {
      const bytes = ipPacket(wish);
      assert.equal(tooBigAnswer(parsed(bytes), bytes, 1300) !== undefined, isAnswered, JSON.stringify(wish));
    }
  });
});
