import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Direction, MessageType, Mode, Size } from '../../../src/kernel/xfrm/layout.ts';
import { deletePolicy, type PolicySpec, putPolicy } from '../../../src/kernel/xfrm/policy-messages.ts';
import { type Fields, readDatagram, readVerdict } from '../../../src/kernel/xfrm/reader.ts';
import { allocateSpi, deleteSa, getSa, NO_LIMITS, putSa, type SaSpec } from '../../../src/kernel/xfrm/sa-messages.ts';
import { copySa, movedSa, readSa } from '../../../src/kernel/xfrm/sa-state.ts';
import { bypassOptions, udpEncapsulationOption } from '../../../src/kernel/xfrm/socket-options.ts';
import { readAcquire, readExpire, readMapping } from '../../../src/kernel/xfrm/upcall-messages.ts';
import { NO_ROUTE, type Selector } from '../../../src/shared/flow.ts';
import { answerTo, broadcasts, NEEDS_VECTORS, sentFor } from '../../helpers/xfrm-vectors.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const network = (address: string, prefixLength: number): Selector => ({ address, prefixLength, protocol: 0, port: 0 });

/** As ip(8) makes them by default. */
const SA: SaSpec = {
  id: { protocolId: 3, spi: 0x141a, destination: '10.9.0.1' },
  source: '10.9.0.2',
  reqid: 7,
  sequence: 0,
  mode: Mode.TUNNEL,
  flags: 0,
  replayWindow: 32,
  selectors: undefined,
  life: NO_LIMITS,
  softPackets: 0,
  encryption: undefined,
  authentication: undefined,
  udp: undefined,
  route: NO_ROUTE,
};
const OUTBOUND = {
  ...SA,
  id: { protocolId: 3, spi: 0x2001, destination: '10.9.0.2' },
  source: '10.9.0.1',
  encryption: { name: 'cbc(aes)', key: new Uint8Array(16).fill(0x33), icvBits: 0 },
  authentication: { name: 'hmac(sha256)', key: new Uint8Array(32).fill(0x44), icvBits: 128 },
  udp: { source: 4500, destination: 4500 },
} satisfies SaSpec;
const POLICY: PolicySpec = {
  direction: Direction.OUT,
  selectors: { source: network('10.1.0.0', 24), destination: network('10.2.0.0', 24) },
  route: NO_ROUTE,
  priority: 100,
  templates: [
    { protocol: 50, mode: Mode.TUNNEL, reqid: 7, source: '10.9.0.1', destination: '10.9.0.2', isOptional: false },
  ],
};

const payloadOf = (datagram: Uint8Array | undefined): Fields => {
  const [message] = readDatagram(datagram ?? new Uint8Array()).messages;
  assert.ok(message);
  return message.payload;
};

describe('XFRM messages are those of ip(8), byte by byte:', NEEDS_VECTORS, () => {
  it('ALLOCSPI', () => {
    assert.equal(hex(allocateSpi(SA, 0x1000, 0x1fff)), sentFor('state allocspi'));
  });

  it('UPDSA with 3DES and HMAC-SHA1', () => {
    const spec: SaSpec = {
      ...SA,
      life: { ...NO_LIMITS, softSeconds: 5, hardSeconds: 8 },
      encryption: { name: 'cbc(des3_ede)', key: new Uint8Array(24).fill(0x11), icvBits: 0 },
      authentication: { name: 'hmac(sha1)', key: new Uint8Array(20).fill(0x22), icvBits: 96 },
    };
    assert.equal(hex(putSa(MessageType.UPDSA, spec)), sentFor('state update'));
  });

  it('NEWSA with AES, HMAC-SHA2-256 and UDP encapsulation', () => {
    assert.equal(hex(putSa(MessageType.NEWSA, OUTBOUND)), sentFor('state add'));
  });

  it('GETSA and DELSA', () => {
    assert.equal(hex(getSa(OUTBOUND.id, '10.9.0.1', NO_ROUTE)), sentFor('state get'));
    assert.equal(hex(deleteSa(OUTBOUND.id, '10.9.0.1', NO_ROUTE)), sentFor('state delete'));
  });

  it('NEWPOLICY and DELPOLICY', () => {
    assert.equal(hex(putPolicy(MessageType.NEWPOLICY, POLICY)), sentFor('policy add'));
    assert.equal(hex(deletePolicy(POLICY)), sentFor('policy delete'));
  });
});

describe('What the kernel said is read:', NEEDS_VECTORS, () => {
  it('the answer to ALLOCSPI', () => {
    const sa = readSa(payloadOf(answerTo('state allocspi')));
    assert.deepEqual(sa?.id, SA.id);
    assert.deepEqual([sa?.source, sa?.reqid, sa?.usage.packets], ['10.9.0.2', 7, 0]);
  });

  it('an acknowledgement', () => {
    const [message] = readDatagram(answerTo('state update')).messages;
    assert.ok(message);
    assert.deepEqual(readVerdict(message), { errno: 0, text: '' });
  });

  it('an SA, of which the same SA elsewhere can be made', () => {
    const sa = copySa(payloadOf(answerTo('state get')));
    assert.ok(sa);
    const place = { source: '10.9.0.1', destination: '10.9.0.9', udp: { source: 4500, destination: 4501 } };
    const moved = payloadOf(movedSa(MessageType.NEWSA, sa, place, true));
    const read = readSa(moved);
    assert.deepEqual(read?.id, { ...OUTBOUND.id, destination: '10.9.0.9' });
    assert.deepEqual([read?.source, read?.reqid, read?.usage.addedAt], ['10.9.0.1', 7, 0x6b03f3d2]);
    const text = hex(moved.bytes);
    for (const part of [
      '33'.repeat(16),
      '44'.repeat(32),
      '1c0004000200119411950000',
      '10000a00000001000000000000000000',
    ]) {
      assert.ok(text.includes(part), part);
    }
    sa.forget();
    assert.ok(sa.info.bytes.every((byte) => byte === 0));
  });

  it('ACQUIRE, with what an ICMP packet has in place of ports left out', () => {
    const acquire = readAcquire(payloadOf(broadcasts(MessageType.ACQUIRE)[0]));
    const host = (address: string): Selector => ({ address, prefixLength: 32, protocol: 1, port: 0 });
    assert.deepEqual(acquire, {
      sequence: 1,
      reqid: 7,
      source: '10.9.0.1',
      destination: '10.9.0.2',
      packet: { source: host('10.1.0.1'), destination: host('10.2.0.1') },
      policy: POLICY,
    });
  });

  it('EXPIRE: soft and hard, and for bytes', () => {
    const expires = broadcasts(MessageType.EXPIRE).map((bytes) => readExpire(payloadOf(bytes)));
    assert.deepEqual(
      expires.map((expire) => [expire?.sa.id.spi, expire?.isHard, expire?.sa.usage.bytes, expire?.sa.usage.packets]),
      [
        [0x141a, false, 0, 0],
        [0x141a, true, 0, 0],
        [0x6002, false, 168, 2],
      ],
    );
  });

  it('MAPPING', () => {
    assert.deepEqual(readMapping(payloadOf(broadcasts(MessageType.MAPPING)[0])), {
      id: { protocolId: 3, spi: 0x6002, destination: '10.9.0.1' },
      source: { address: '10.9.0.2', port: 4501 },
    });
  });
});

describe('XFRM messages', () => {
  it('give windows of more than 32 packets as a bitmap of their own, without extended sequence numbers', () => {
    const { bytes } = payloadOf(putSa(MessageType.NEWSA, { ...SA, replayWindow: 33 }));
    assert.equal(bytes[215], 0);
    assert.equal(hex(bytes.subarray(Size.SA)), `24001700${'02000000'}${'00'.repeat(16)}${'21000000'}${'00'.repeat(8)}`);
  });

  it('take a window of 4096 packets and the longest keys', () => {
    const widest = putSa(MessageType.NEWSA, {
      ...OUTBOUND,
      replayWindow: 4096,
      encryption: { name: 'cbc(blowfish)', key: new Uint8Array(56), icvBits: 0 },
      authentication: { name: 'hmac(sha512)', key: new Uint8Array(64), icvBits: 256 },
      route: { mark: 1, markMask: 1, interfaceId: 1 },
    });
    assert.ok(widest.length > 1000);
  });

  it('give marks and interfaces of route-based tunnels', () => {
    const route = { mark: 0x10, markMask: 0xff, interfaceId: 5 };
    const { bytes } = payloadOf(deleteSa(SA.id, undefined, route));
    assert.equal(hex(bytes.subarray(Size.SA_ID)), '0c00150010000000ff000000');
    const policy = payloadOf(putPolicy(MessageType.NEWPOLICY, { ...POLICY, route }));
    assert.equal(hex(policy.bytes.subarray(-20)), '0c00150010000000ff00000008001f0005000000');
  });

  it('tell the kernel to let IKE pass: a policy without templates in each direction', () => {
    const [inbound, outbound] = bypassOptions(4);
    assert.deepEqual([inbound?.level, inbound?.option, inbound?.value.length], [0, 17, 168]);
    assert.deepEqual([inbound?.value[160], outbound?.value[160]], [0, 1]);
    assert.deepEqual([inbound?.value[40], bypassOptions(6)[0]?.value[40]], [2, 10]);
    assert.deepEqual([bypassOptions(6)[0]?.level, bypassOptions(6)[0]?.option], [41, 35]);
    const { level, option, value } = udpEncapsulationOption();
    assert.deepEqual([level, option, hex(value)], [17, 100, '02000000']);
  });
});
