/** IKE fragments between two lanes, and from whoever has no business here (threats: fragmentation). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType, PayloadType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import type { GeneralPolicy, PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { fragmentsOf } from '../../src/shared/wire/fragments.ts';
import { HEADER_SIZE, type OutPayload, readHeader, readPayloads } from '../../src/shared/wire/message.ts';
import { REASSEMBLY_TIME } from '../../src/shared/wire/reassembly.ts';
import { readAnything, ScriptedPeer } from '../helpers/ike-script.ts';
import {
  aes128Sha256,
  connectionPolicy,
  espSuite,
  fqdn,
  generalPolicy,
  type LaneHost,
  LanePair,
  lanePair,
  mirrored,
  peerPolicy,
} from '../helpers/lane-pair.ts';
import { responder } from '../helpers/reception.ts';

const GROUP = GroupDescription.MODP_2048;
const connection = connectionPolicy({ suites: [espSuite({ group: GROUP })] });
/** Messages with key exchange values and such names do not fit a packet of 256 bytes. */
const name = (letter: string) => fqdn(`${letter.repeat(250)}.example`);

interface Changes {
  readonly left?: Partial<PeerPolicy>;
  readonly right?: Partial<PeerPolicy>;
  readonly general?: Partial<GeneralPolicy>;
}

const fragmentingPair = (both: Partial<PeerPolicy> = {}, { left, right, general }: Changes = {}): LanePair => {
  const common = { transforms: [aes128Sha256(GROUP)], ...both };
  const pair = new LanePair(
    peerPolicy({ ...common, localId: name('a'), remoteId: name('b'), connections: [connection], ...left }),
    peerPolicy({
      ...common,
      address: '10.0.0.1',
      localId: name('b'),
      remoteId: name('a'),
      connections: [mirrored(connection)],
      ...right,
    }),
  );
  const policy = generalPolicy({ fragmentSize: 256, ...general });
  for (const host of pair.hosts) host.tell({ kind: 'general', policy });
  return pair;
};

const kindsOf = (bytes: Uint8Array): readonly string[] => {
  const { nextPayload, length } = readHeader(bytes);
  return readPayloads(bytes, nextPayload, HEADER_SIZE, length).payloads.map(({ kind }) => kind);
};

const isFragment = (bytes: Uint8Array): boolean => readHeader(bytes).nextPayload === PayloadType.FRAGMENT;

const assertUp = (pair: LanePair): void => {
  for (const host of pair.hosts) {
    assert.equal(host.all('phase1Established').length, 1);
    assert.equal(host.all('phase2Established').length, 1);
    assert.equal(host.core.counts.halfOpen, 0);
  }
};

const MODES = [
  ['main mode', ExchangeType.ID_PROT],
  ['aggressive mode', ExchangeType.AGGRESSIVE],
] as const;

for (const [mode, exchangeType] of MODES) {
  describe(`${mode} and quick mode in fragments`, () => {
    it('no datagram after the first message is larger than what was asked for, and both sides come up', () => {
      const pair = fragmentingPair({ exchangeType });
      pair.start();
      pair.quick();
      assertUp(pair);
      const fragments = pair.wire.filter(({ bytes }) => isFragment(bytes));
      assert.ok(fragments.length >= 8);
      const [, ...later] = pair.wire;
      for (const { bytes } of later) assert.ok(bytes.length <= 256 - 28, `${bytes.length} bytes`);
      for (const host of pair.hosts) assert.deepEqual(host.notices, []);
    });

    it('heals the loss of any one datagram, and every second one twice', () => {
      const clean = fragmentingPair({ exchangeType });
      clean.start();
      clean.quick();
      for (let lost = 0; lost < clean.wire.length; lost++) {
        const pair = fragmentingPair({ exchangeType });
        pair.bend = (_from, bytes, index) => (index === lost ? [] : index % 2 === 0 ? [bytes] : [bytes, bytes]);
        pair.start();
        for (let second = 0; second < 40 && pair.isakmp() === ''; second++) pair.pass(1_000);
        pair.quick();
        pair.pass(40_000);
        assertUp(pair);
      }
    });
  });
}

describe('a fragmented message', () => {
  it('that comes again gets the same answer again, in the same fragments', () => {
    const pair = fragmentingPair();
    pair.start();
    const from = (host: LaneHost) => pair.wire.filter((sent) => sent.from === host).map(({ bytes }) => bytes);
    const message5 = from(pair.left).filter(isFragment).slice(-2);
    const message6 = from(pair.right).filter(isFragment).slice(-2);
    const before = pair.wire.length;
    for (const bytes of message5) pair.deliver(pair.left, bytes);
    pair.bend = () => [];
    pair.run();
    assert.deepEqual(
      pair.wire.slice(before).map(({ bytes }) => bytes),
      message6,
    );
  });

  it('is captured and traced as the whole that it is', () => {
    const pair = fragmentingPair();
    for (const host of pair.hosts) {
      host.tell({ kind: 'capture', isOn: true, withKeys: false });
      host.levels.fill(99);
    }
    pair.start();
    const kinds = (host: LaneHost, wanted: boolean) =>
      host.all('captured').flatMap(({ isSent, bytes }) => (isSent === wanted ? [kindsOf(bytes)] : []));
    assert.deepEqual(kinds(pair.left, true).slice(1), [
      ['KE', 'NONCE'],
      ['ID', 'HASH', 'NOTIFY'],
    ]);
    assert.deepEqual(kinds(pair.right, false), kinds(pair.left, true));
    assert.ok(pair.left.log.some((text) => text === 'message_send: in 2 fragments'));
    assert.ok(pair.right.log.some((text) => /^message_recv: reassembled: ID_PROT .* NEXT_PAYLOAD ID/.test(text)));
  });

  it('goes to whoever said that he takes it, and to nobody else', () => {
    for (const changes of [
      { left: { fragmentation: false } },
      { right: { fragmentation: false } },
      { general: { fragmentSize: 1280 } },
    ]) {
      const pair = fragmentingPair({}, changes);
      pair.start();
      pair.quick();
      assertUp(pair);
      assert.ok(pair.wire.every(({ bytes }) => !isFragment(bytes)));
    }
  });

  it('is sent to what a lane’s successor has read back', () => {
    const pair = fragmentingPair();
    pair.start();
    const rows = [...pair.left.table.own()].map(({ row }) => row.state & 64);
    assert.deepEqual(rows, [64]);
  });

  for (const [who, vendorId, takes] of [
    ['Windows, without capabilities', '4048b7d56ebce88525e7de7f00d6c2d3', true],
    ['racoon and charon', '4048b7d56ebce88525e7de7f00d6c2d380000000', true],
    ['Cisco', '4048b7d56ebce88525e7de7f00d6c2d3c0000000', true],
    ['base mode only', '4048b7d56ebce88525e7de7f00d6c2d340000000', false],
    ['another hash', '4048b7d56ebce88525e7de7f00d6c2d480000000', false],
  ] as const) {
    it(`${takes ? 'may' : 'may not'} be sent to ${who}`, () => {
      const host = responder();
      const peer = new ScriptedPeer();
      const vendor = { kind: 'VID', value: { vendorId: Buffer.from(vendorId, 'hex') } } as const;
      const [message2] = host.hear(peer.clear([peer.sa, vendor]));
      const ids = readAnything(message2 ?? assert.fail()).vendorIds.map(({ value }) => toHex(value.vendorId));
      assert.deepEqual(ids, takes ? ['4048b7d56ebce88525e7de7f00d6c2d380000000'] : []);
    });
  }
});

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('fragments from whoever has no business here', () => {
  /** A responder and a peer that has its message 2, and message 3 in fragments. */
  const begun = (extra: readonly OutPayload[] = []) => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message2] = host.hear(peer.message1());
    peer.message3(message2);
    const message3 = peer.clear([peer.ke, peer.nonce, ...extra]);
    return { host, peer, message3, pieces: fragmentsOf(message3, 100, ExchangeType.ID_PROT) };
  };

  it('CVE-2013-6076: before there is any state they leave none, and nobody is answered', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const pieces = fragmentsOf(peer.message1(), 60, ExchangeType.ID_PROT);
    for (const piece of pieces) assert.deepEqual(host.hear(piece), []);
    assert.equal(host.core.remains, 0);
    assert.match(host.log[0] ?? '', /^message_recv: fragment under unknown cookies [0-9a-f]{16} 0{16}$/);
  });

  it('of a message from another address than the negotiation’s are not taken', () => {
    const { host, pieces } = begun();
    for (const piece of pieces) assert.deepEqual(host.hear(piece, '192.0.2.9'), []);
    assert.equal(pieces.flatMap((piece) => host.hear(piece)).length, 1);
  });

  it('that hold a message of other cookies, a fragment, or rubbish are dropped, and the negotiation goes on', () => {
    const { host, peer, message3, pieces } = begun();
    const stranger = new ScriptedPeer({ seed: 'stranger' });
    stranger.responderCookie = peer.responderCookie;
    const inside = (message: Uint8Array): readonly Uint8Array[] => {
      const made = fragmentsOf(message, 60, ExchangeType.ID_PROT);
      for (const piece of made) piece.set(message3.subarray(0, 16), 0);
      return made;
    };
    const [piece = assert.fail()] = pieces;
    for (const message of [stranger.clear([stranger.ke, stranger.nonce]), piece, new Uint8Array(100)]) {
      assert.deepEqual(
        inside(message).flatMap((one) => host.hear(one)),
        [],
      );
    }
    assert.deepEqual(host.log, [
      'message_recv: fragment dropped: the message in it has other cookies',
      'message_recv: fragment dropped: the message in it is a fragment again',
      'message_recv: fragment dropped: length 0 in a datagram of 100 bytes',
    ]);
    assert.equal(pieces.flatMap((one) => host.hear(one)).length, 1);
  });

  it('of a peer with Flags=no-fragmentation are dropped with that reason', () => {
    const { host, pieces } = begun();
    host.tell({ kind: 'peer', policy: peerPolicy({ address: '10.0.0.1', fragmentation: false }) });
    const peer = new ScriptedPeer({ seed: 'another' });
    const [message2] = host.hear(peer.message1());
    peer.message3(message2);
    const [piece = assert.fail()] = fragmentsOf(peer.clear([peer.ke, peer.nonce]), 100, ExchangeType.ID_PROT);
    assert.deepEqual(host.hear(piece), []);
    assert.equal(host.log.at(-1), 'message_recv: fragment dropped: Flags=no-fragmentation');
    assert.equal(pieces.flatMap((one) => host.hear(one)).length, 1, 'what began before goes on as it began');
  });

  it('never amplify: a thousand of them are answered with nothing, logged within the ration, and gone in time', () => {
    const pair = lanePair();
    pair.start();
    const [piece = assert.fail()] = fragmentsOf(pair.wire.at(-2)?.bytes ?? assert.fail(), 60, ExchangeType.ID_PROT);
    const quiet = pair.right.core.remains;
    for (let id = 1; id <= 1_000; id++) {
      const forged = piece.slice();
      new DataView(forged.buffer).setUint16(32, id);
      pair.deliver(pair.left, forged);
      forged[34] = 200;
      pair.deliver(pair.left, forged);
    }
    assert.deepEqual(pair.right.outbox, []);
    assert.ok(pair.right.log.length < 100);
    assert.ok(pair.right.core.remains <= quiet + 2 + 1, 'two messages and the timer of their SA');
    pair.pass(REASSEMBLY_TIME);
    assert.ok(pair.right.core.remains <= quiet);
  });

  it('go with their SA', () => {
    const { host, pieces } = begun();
    host.hear(pieces[0] ?? assert.fail());
    const { isakmp } = host.all('phase1Failed')[0] ?? { isakmp: toHex((pieces[0] ?? assert.fail()).subarray(0, 16)) };
    host.tell({ kind: 'deleteIsakmp', isakmp, notify: false });
    assert.equal(host.core.remains, 0);
  });
});
