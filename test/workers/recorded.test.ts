/** Messages of the original isakmpd and hostile ones of others, as recorded, at a live lane; and its log lines in isakmpd's order. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import { readAnything, ScriptedPeer } from '../helpers/ike-script.ts';
import {
  aes128Sha256,
  connectionPolicy,
  espSuite,
  LaneHost,
  lanePair,
  PATH,
  peerPolicy,
  subnet,
} from '../helpers/lane-pair.ts';
import { sharedPath } from '../helpers/shared-folder.ts';
import { asOutPayload, fromHex } from '../helpers/wire-bytes.ts';
import { pcapDatagrams } from '../helpers/wire-captures.ts';

const ABSENT = 'shared/vectors is absent';
const GROUP = GroupDescription.MODP_2048;

/** What the recorded pair was configured for, from the responder's end. */
const policy = (changes: Partial<PeerPolicy> = {}): PeerPolicy =>
  peerPolicy({
    transforms: [{ ...aes128Sha256(GROUP), keyLength: { offered: 128, least: 128, most: 256 } }],
    connections: [
      connectionPolicy({
        localId: { ...subnet(192, 168, 22), data: Uint8Array.of(192, 168, 22, 0, 255, 255, 255, 0) },
        remoteId: subnet(192, 168, 11),
        suites: [espSuite({ group: GROUP })],
      }),
    ],
    ...changes,
  });

const hostWith = (told: PeerPolicy, seed = 'recorded'): LaneHost => {
  const host = new LaneHost('10.0.0.2', seed, () => 1_000);
  host.tell({ kind: 'peer', policy: told });
  return host;
};

/** The capture of the initiator's side: MM1-MM6, QM1-QM3 and DELETEs, all in the clear. */
const recorded = (t: TestContext): readonly Uint8Array[] | undefined => {
  const path = sharedPath('vectors', 'isakmpd-output', 'pair', 'left', 'isakmpd.pcap');
  if (path === undefined) t.skip(ABSENT);
  return path === undefined ? undefined : pcapDatagrams(path);
};

const withCookies = (bytes: Uint8Array, initiatorCookie: Uint8Array, responderCookie: Uint8Array): Uint8Array => {
  const copy = bytes.slice();
  copy.set(initiatorCookie, 0);
  copy.set(responderCookie, 8);
  return copy;
};

describe('the original isakmpd as recorded', () => {
  it('messages 1 and 3 are answered', (t) => {
    const [message1, , message3] = recorded(t) ?? [];
    if (message1 === undefined || message3 === undefined) return;
    const host = hostWith(policy());
    const [message2] = host.hear(message1);
    const { header, sa, vendorIds } = readAnything(message2 ?? assert.fail());
    assert.equal(sa?.value.proposals[0]?.transforms[0]?.transformNumber, 0);
    assert.equal(vendorIds.length, 1, 'of its five vendor ids we know DPD');
    const [message4] = host.hear(withCookies(message3, header.initiatorCookie, header.responderCookie));
    assert.equal(readAnything(message4 ?? assert.fail()).ke?.value.keyExchangeData.length, 256);
  });

  it('message 2 is taken as the answer to our own offer', (t) => {
    const [, message2] = recorded(t) ?? [];
    if (message2 === undefined) return;
    const host = hostWith(policy());
    const initiatorCookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    host.tell({ kind: 'startPhase1', request: 1, peer: 'peer', path: PATH, initiatorCookie, firstContact: true });
    host.outbox.length = 0;
    const [message3] = host.hear(withCookies(message2, initiatorCookie, new Uint8Array(8).fill(9)), '10.0.0.2');
    assert.ok(readAnything(message3 ?? assert.fail()).ke);
  });

  it('the first message of its quick mode is answered', (t) => {
    const quick = recorded(t)?.find((bytes) => readHeader(bytes).exchangeType === ExchangeType.QUICK_MODE);
    if (quick === undefined) return;
    const host = hostWith(policy());
    const transforms = [aes128Sha256(GROUP)];
    const peer = new ScriptedPeer({ transforms, group: GROUP }).mainMode(host);
    const { sa, nonce, ke, id, secondId } = readAnything(quick);
    const payloads = [sa, nonce, ke, id, secondId].map((one) => asOutPayload(one ?? assert.fail()));
    const script = peer.exchange(ExchangeType.QUICK_MODE);
    const [message2] = host.hear(script.authentic(payloads));
    const answer = script.read(message2);
    assert.deepEqual(answer.id?.value, id?.value);
    assert.deepEqual(answer.sa?.value.proposals[0]?.transforms, sa?.value.proposals[0]?.transforms);
    assert.equal(host.all('install')[0]?.agreement.lifeSeconds, 1_200);
  });
});

interface Hostile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const hostile = (t: TestContext): readonly Hostile[] => {
  const path = sharedPath('vectors', 'malformed', 'packets.json');
  if (path === undefined) {
    t.skip(ABSENT);
    return [];
  }
  const file: { readonly packets: readonly { readonly name: string; readonly udpPayload: string }[] } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  return file.packets.map(({ name, udpPayload }) => ({ name, bytes: fromHex(udpPayload) }));
};

const assertNoFault = (host: LaneHost, name: string): void =>
  assert.ok(!host.log.some((line) => line.startsWith('fault')), `${name}: ${host.log.join('\n')}`);

/** Accepts whatever we can do. */
const anything = (exchangeType: number): PeerPolicy =>
  peerPolicy({
    exchangeType,
    transforms: [
      { ...aes128Sha256(), encryption: 'ANY', keyLength: undefined, hash: 'ANY', group: 'ANY', lifetimes: [] },
    ],
  });

describe('hostile datagrams of known CVEs', () => {
  it('leave no state with a responder, but for a good offer of a scanner, which is answered as configuration says', (t) => {
    const counts = { silent: 0, notified: 0, answered: 0 };
    const packets = hostile(t);
    const outcome = (host: LaneHost, { name, bytes }: Hostile, exchangeType: number): keyof typeof counts => {
      const answers = host.hear(bytes).map((answer) => readHeader(answer).exchangeType);
      assertNoFault(host, name);
      if (answers.includes(exchangeType)) return 'answered';
      assert.equal(host.core.remains, 0, name);
      return answers.length > 0 ? 'notified' : 'silent';
    };
    for (const exchangeType of [ExchangeType.ID_PROT, ExchangeType.AGGRESSIVE]) {
      for (const packet of packets) {
        const found = outcome(hostWith(anything(exchangeType)), packet, exchangeType);
        assert.ok(found !== 'answered' || packet.name.startsWith('ikescan-'), packet.name);
        counts[found] += 1;
      }
    }
    const { silent, notified, answered } = counts;
    t.diagnostic(
      `${packets.length} packets at 2 kinds of responder: ${silent} silence, ${notified} notified, ${answered} answered`,
    );
  });

  it('do not disturb an initiator that waits, aimed at its cookie or not', (t) => {
    for (const { name, bytes } of hostile(t)) {
      const world = lanePair();
      world.bend = () => [];
      world.start();
      const { initiatorCookie } = readHeader(world.wire[0]?.bytes ?? assert.fail());
      const aimed = bytes.length < 16 ? bytes : withCookies(bytes, initiatorCookie, new Uint8Array(8).fill(1));
      for (const one of [bytes, aimed]) world.left.hear(one, '10.0.0.2');
      assert.equal(world.left.core.counts.halfOpen, 1, name);
      assertNoFault(world.left, name);
      world.bend = (_from, sent) => [sent];
      world.pass(20_000);
      assert.equal(world.left.all('phase1Established').length, 1, name);
    }
  });

  it('do not disturb an established SA, aimed at its cookies or not', (t) => {
    for (const { name, bytes } of hostile(t)) {
      const world = lanePair();
      world.start();
      const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
      const aimed = bytes.length < 16 ? bytes : withCookies(bytes, initiatorCookie, responderCookie);
      for (const host of world.hosts) for (const one of [bytes, aimed]) host.hear(one, '10.0.0.1');
      world.quick();
      const done = world.hosts.map((host) => host.all('phase2Established').length);
      assert.deepEqual(done, [1, 1], name);
      assertNoFault(world.right, name);
    }
  });
});
