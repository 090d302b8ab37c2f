/** NAT traversal (RFC 3947) between two lanes, with a NAT in between that the test can make forget. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Endpoint } from '../../src/shared/address.ts';
import { EncapsulationMode, IdType, ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, PayloadType } from '../../src/shared/constants/isakmp.ts';
import type { ConnectionPolicy, PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { SaTable } from '../../src/shared/sa-table/sa-table.ts';
import type { NatTraversal, Path } from '../../src/shared/threads/contract.ts';
import { LaneCore } from '../../src/workers/lane-core.ts';
import {
  connectionPolicy,
  espSuite,
  espTransform,
  generalPolicy,
  type LaneHost,
  LanePair,
  mirrored,
  peerPolicy,
  seededRandom,
} from '../helpers/lane-pair.ts';

const OUTSIDE = '192.0.2.9';

/** Left is behind a NAT with the address 192.0.2.9; right is not. */
class NatPair extends LanePair {
  /** Whether there is a NAT at all. */
  hasNat = true;
  /** Added to the ports of the inside: another number is another mapping of all. */
  shift = 10_000;
  readonly ports = new Set<number>();

  constructor(
    changes: { readonly both?: Partial<PeerPolicy>; readonly left?: Partial<PeerPolicy> } = {},
    connection: ConnectionPolicy = connectionPolicy(),
    ports: readonly [number | undefined, number | undefined] = [4500, 4500],
  ) {
    super(
      peerPolicy({ connections: [connection], ...changes.both, ...changes.left }),
      peerPolicy({ connections: [mirrored(connection)], ...changes.both }),
    );
    for (const [index, host] of this.hosts.entries()) {
      host.tell({ kind: 'general', policy: generalPolicy({ encapsulationPort: ports[index] }) });
    }
  }

  override deliver(from: LaneHost, bytes: Uint8Array, path: Path): void {
    this.ports.add(path.local.port).add(path.remote.port);
    if (!this.hasNat) {
      super.deliver(from, bytes, path);
      return;
    }
    if (from === this.left) super.deliver(from, bytes, { ...path, local: this.outside(path.local.port) });
    else if (path.remote.address === OUTSIDE && path.remote.port >= this.shift) {
      const inside = { address: '10.0.0.1', port: path.remote.port - this.shift };
      super.deliver(from, bytes, { ...path, remote: inside });
    }
  }

  outside(port: number): Endpoint {
    return { address: OUTSIDE, port: port + this.shift };
  }

  negotiate(): this {
    this.start();
    this.quick();
    assert.equal(this.left.all('phase2Established').length, 1, this.left.log.join('\n'));
    assert.equal(this.right.all('phase2Established').length, 1, this.right.log.join('\n'));
    return this;
  }

  nats(): readonly (NatTraversal | undefined)[] {
    return this.hosts.map((host) => host.all('phase1Established').at(-1)?.nat);
  }

  paths(): readonly (Path | undefined)[] {
    return this.hosts.map((host) => host.all('phase2Established').at(-1)?.agreement.path);
  }

  modes(): readonly (number | undefined)[] {
    return this.hosts.map((host) => host.all('install').at(-1)?.sas[0]?.encapsulation);
  }
}

/** The payload types of a message in the clear. */
const payloadsOf = (message: Uint8Array): readonly { readonly type: number; readonly at: number }[] => {
  const found: { readonly type: number; readonly at: number }[] = [];
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  for (let type = view.getUint8(16), at = 28; type !== 0 && at < message.length; ) {
    found.push({ type, at });
    type = view.getUint8(at);
    at += view.getUint16(at + 2);
  }
  return found;
};

const sent = (pair: LanePair, index: number): Uint8Array => pair.wire[index]?.bytes ?? assert.fail();
const typesIn = (pair: LanePair, index: number): readonly number[] =>
  payloadsOf(sent(pair, index)).map(({ type }) => type);

const nameOf = (document: string): string => createHash('md5').update(document).digest('hex');

/** Makes every vendor id of that hash unknown to whoever receives it. */
const without =
  (...hashes: readonly string[]): LanePair['bend'] =>
  (_from, bytes) => {
    const changed = Buffer.from(bytes);
    for (const hash of hashes) {
      const at = changed.indexOf(Buffer.from(hash, 'hex'));
      if (at >= 0) changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
    }
    return [new Uint8Array(changed)];
  };

describe('without a NAT', () => {
  it('both ends find none, and all stays on port 500', () => {
    const pair = new NatPair();
    pair.hasNat = false;
    pair.negotiate();
    assert.deepEqual(pair.nats(), [undefined, undefined]);
    assert.deepEqual([...pair.ports], [500]);
    assert.deepEqual(pair.modes(), [EncapsulationMode.TUNNEL, EncapsulationMode.TUNNEL]);
  });

  it('the vendor ids of RFC 3947 and of drafts 02 and 03 are offered and answered, and NAT-D payloads go with the keys', () => {
    const pair = new NatPair();
    pair.hasNat = false;
    pair.start();
    const documents = ['RFC 3947', 'draft-ietf-ipsec-nat-t-ike-03'];
    const draft = 'draft-ietf-ipsec-nat-t-ike-02';
    for (const message of [sent(pair, 0), sent(pair, 1)]) {
      const text = Buffer.from(message).toString('hex');
      for (const name of [...documents, `${draft}\n`, draft]) assert.ok(text.includes(nameOf(name)), name);
    }
    for (const index of [2, 3])
      assert.equal(typesIn(pair, index).filter((type) => type === PayloadType.NAT_D).length, 2);
  });

  it('with -T there is nothing of it in any message', () => {
    for (const ports of [[undefined, 4500] as const, [4500, undefined] as const]) {
      const pair = new NatPair({}, connectionPolicy(), ports);
      pair.negotiate();
      assert.deepEqual(pair.nats(), [undefined, undefined]);
      for (const index of [2, 3]) assert.ok(!typesIn(pair, index).includes(PayloadType.NAT_D));
      assert.deepEqual(
        [...pair.ports].filter((port) => port === 4500),
        [],
      );
    }
  });

  it('Flags=force-encap pretends one', () => {
    const pair = new NatPair({ left: { forceEncapsulation: true } });
    pair.hasNat = false;
    pair.negotiate();
    assert.deepEqual(pair.nats(), [
      { isLocalBehind: true, isRemoteBehind: false, dialect: 'rfc' },
      { isLocalBehind: false, isRemoteBehind: true, dialect: 'rfc' },
    ]);
    assert.deepEqual(pair.modes(), [EncapsulationMode.UDP_ENCAP_TUNNEL, EncapsulationMode.UDP_ENCAP_TUNNEL]);
  });
});

const LEFT_BEHIND = [
  { isLocalBehind: true, isRemoteBehind: false, dialect: 'rfc' },
  { isLocalBehind: false, isRemoteBehind: true, dialect: 'rfc' },
] as const;

describe('behind a NAT', () => {
  it('main mode moves to the NAT-T ports with message 5, and ESP goes in UDP', () => {
    const pair = new NatPair().negotiate();
    assert.deepEqual(pair.nats(), LEFT_BEHIND);
    assert.deepEqual(pair.modes(), [EncapsulationMode.UDP_ENCAP_TUNNEL, EncapsulationMode.UDP_ENCAP_TUNNEL]);
    const [left, right] = pair.paths();
    const inside = { address: '10.0.0.1', port: 4500 };
    const peer = { address: '10.0.0.2', port: 4500 };
    assert.deepEqual(left, { local: inside, remote: peer, encapsulated: true });
    assert.deepEqual(right, { local: peer, remote: pair.outside(4500), encapsulated: true });
    const outbound = pair.right
      .all('install')
      .at(-1)
      ?.sas.find(({ direction }) => direction === 'out');
    assert.equal(outbound?.destination, OUTSIDE);
    assert.match(
      pair.right.log.join('\n'),
      /NAT traversal: peer peer \(.*\): its end is behind a NAT, ESP goes in UDP/,
    );
    assert.match(pair.left.log.join('\n'), /: our end is behind a NAT/);
  });

  it('aggressive mode moves with message 3', () => {
    const pair = new NatPair({ both: { exchangeType: ExchangeType.AGGRESSIVE } });
    pair.negotiate();
    assert.deepEqual(pair.nats(), LEFT_BEHIND);
    assert.deepEqual(pair.right.all('phase1Established').at(-1)?.path.remote, pair.outside(4500));
    assert.deepEqual(pair.modes(), [EncapsulationMode.UDP_ENCAP_TUNNEL, EncapsulationMode.UDP_ENCAP_TUNNEL]);
  });

  it('with a peer that knows only the drafts their numbers are used', () => {
    const pair = new NatPair();
    pair.bend = without(nameOf('RFC 3947'));
    pair.negotiate();
    assert.deepEqual(
      pair.nats(),
      LEFT_BEHIND.map((nat) => ({ ...nat, dialect: 'draft' })),
    );
    for (const index of [2, 3])
      assert.equal(typesIn(pair, index).filter((type) => type === PayloadType.NAT_D_DRAFT).length, 2);
    const mode = pair.left.all('phase2Established').at(-1)?.agreement.protocols[0]?.encapsulation;
    // What the kernel is told does not depend on the dialect.
    assert.equal(mode, EncapsulationMode.UDP_ENCAP_TUNNEL);
  });

  it('transport mode is between the addresses that the packets have', () => {
    const host = (address: readonly number[]) => ({
      type: IdType.IPV4_ADDR,
      protocol: 17,
      port: 1701,
      data: Uint8Array.from(address),
    });
    const connection = {
      ...connectionPolicy({ localId: host([10, 0, 0, 1]), remoteId: host([10, 0, 0, 2]) }),
      suites: [espSuite({ encapsulation: EncapsulationMode.TRANSPORT })],
    };
    const pair = new NatPair({}, connection);
    // Whoever is outside knows the other end by the address of the NAT.
    const outside = { ...mirrored(connection), remoteId: host([192, 0, 2, 9]) };
    pair.right.tell({ kind: 'peer', policy: peerPolicy({ connections: [outside] }) });
    pair.negotiate();
    assert.deepEqual(pair.modes(), [EncapsulationMode.UDP_ENCAP_TRANSPORT, EncapsulationMode.UDP_ENCAP_TRANSPORT]);
    const agreed = pair.right.all('phase2Established').at(-1)?.agreement;
    assert.deepEqual(agreed?.remoteSelector, host([192, 0, 2, 9]));
    assert.deepEqual(agreed?.localSelector, host([10, 0, 0, 2]));
  });

  it('AH is not even offered: it covers the addresses', () => {
    const ah = { name: 'AH', protocolId: ProtocolId.IPSEC_AH, transforms: [espTransform()], replayWindow: 64 };
    const connection = { ...connectionPolicy(), suites: [{ name: 'AH-SUITE', protocols: [ah] }] };
    const pair = new NatPair({}, connection);
    pair.start();
    pair.quick();
    assert.equal(
      pair.left.all('phase2Failed').at(-1)?.failure.reason,
      'no suite of [Default-quick-mode]:Suites can be offered: AH does not pass the NAT, take ESP',
    );
  });

  it('Check-suites=no takes the modes in UDP, and not the plain ones', () => {
    const pair = new NatPair({ both: { checkSuites: false } }).negotiate();
    assert.deepEqual(pair.modes(), [EncapsulationMode.UDP_ENCAP_TUNNEL, EncapsulationMode.UDP_ENCAP_TUNNEL]);
  });

  it('what comes on port 500 after the move is not heard', () => {
    const pair = new NatPair();
    const held: Uint8Array[] = [];
    pair.bend = (from, bytes, index) => {
      if (index < 5) return [bytes];
      if (from === pair.right) held.push(bytes);
      return from === pair.right ? [] : [bytes];
    };
    pair.start();
    const [answer] = held;
    assert.ok(answer !== undefined);
    pair.left.hear(answer, '10.0.0.2', 500);
    assert.equal(pair.left.all('phase1Established').length, 0);
    pair.left.hear(answer, '10.0.0.2', 4500, {
      path: {
        local: { address: '10.0.0.1', port: 4500 },
        remote: { address: '10.0.0.2', port: 4500 },
        encapsulated: true,
      },
    });
    assert.equal(pair.left.all('phase1Established').length, 1);
  });

  it('an SA goes on behind its NAT after the death of its lane', () => {
    const pair = new NatPair().negotiate();
    const before = pair.right.all('phase1Established').at(-1);
    const successor = new LaneCore({
      lane: 0,
      now: () => pair.now,
      wallClock: Date.now,
      random: seededRandom('successor'),
      table: new SaTable(pair.right.shared, 1),
      slab: new KeySlab(pair.right.slabBuffer),
      levels: pair.right.levels,
    });
    successor.handle({ kind: 'peer', policy: pair.right.policy });
    successor.handle({ kind: 'takeOver', silentUntil: 0 });
    successor.handle({ kind: 'startQuickMode', request: 9, isakmp: before?.isakmp ?? '', connection: 'net' });
    const message = successor.takeEffects().find((effect) => effect.kind === 'send');
    assert.deepEqual(message?.path, before?.path);
  });
});

describe('when the NAT forgets', () => {
  const moved = (): NatPair => {
    const pair = new NatPair().negotiate();
    pair.shift = 20_000;
    return pair;
  };

  it('the SA follows the first authenticated message from another port, and says so once', () => {
    const pair = moved();
    pair.left.tell({ kind: 'sendDelete', isakmp: pair.isakmp(), protocolId: ProtocolId.IPSEC_ESP, spis: [1] });
    pair.run();
    const path = { ...pair.paths()[1], remote: { address: OUTSIDE, port: 24_500 } };
    assert.deepEqual(pair.right.all('phase1Moved'), [{ kind: 'phase1Moved', isakmp: pair.isakmp(pair.right), path }]);
    const lines = pair.right.log.filter((line) => line.startsWith('NAT mapping'));
    assert.deepEqual(lines, [
      'NAT mapping changed: peer peer is at 192.0.2.9 port 24500 now, was at 192.0.2.9 port 14500',
    ]);
    pair.quick(3, 'net', pair.right);
    assert.equal(pair.right.all('phase2Established').length, 2, 'what right begins arrives again');
    assert.equal(pair.right.all('phase2Established').at(-1)?.agreement.path.remote.port, 24_500);
  });

  it('threats: nothing moves for a forged message, nor for one that was sent before', () => {
    const pair = new NatPair().negotiate();
    const first = pair.wire.length;
    pair.left.tell({ kind: 'sendDelete', isakmp: pair.isakmp(), protocolId: ProtocolId.IPSEC_ESP, spis: [1] });
    pair.run();
    const genuine = sent(pair, first);
    const path = pair.paths()[1] ?? assert.fail();
    const elsewhere = { ...path, remote: { address: '198.51.100.66', port: 4500 } };
    const forged = genuine.slice();
    forged.set([0xde, 0xad, 0xbe, 0xef], 20);
    for (const bytes of [genuine, forged]) pair.right.hear(bytes, '', 0, { path: elsewhere });
    assert.deepEqual(pair.right.all('phase1Moved'), []);
    pair.quick(3, 'net', pair.right);
    assert.equal(pair.right.all('phase2Established').length, 2);
  });

  it('an end that is behind no NAT is not followed', () => {
    const pair = new NatPair().negotiate();
    const first = pair.wire.length;
    pair.right.tell({
      kind: 'sendDelete',
      isakmp: pair.isakmp(pair.right),
      protocolId: ProtocolId.IPSEC_ESP,
      spis: [1],
    });
    pair.bend = () => [];
    pair.run();
    const path = pair.paths()[0] ?? assert.fail();
    pair.left.hear(sent(pair, first), '', 0, { path: { ...path, remote: { address: '10.0.0.77', port: 4500 } } });
    assert.deepEqual(pair.left.all('phase1Moved'), []);
    assert.equal(pair.left.all('retire').length, 1, 'it is heard all the same');
  });
});
