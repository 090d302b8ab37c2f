/** Threats, DoS: what strangers can leave with us, and what they can make us do before they have proved anything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serialize } from 'node:v8';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import { LifeType } from '../../src/shared/constants/oakley.ts';
import type { PeerPolicy, Phase1Transform } from '../../src/shared/policy/peer-policy.ts';
import type { OutPayload } from '../../src/shared/wire/message.ts';
import { HalfOpenLimit } from '../../src/workers/half-open-limit.ts';
import { type IsakmpSa, noTimers } from '../../src/workers/isakmp-sa.ts';
import { clearNotify, notifyOf, ScriptedPeer } from '../helpers/ike-script.ts';
import { aes128Sha256, LaneHost, lanePair, peerPolicy } from '../helpers/lane-pair.ts';

const responder = (now = () => 1_000, changes: Partial<PeerPolicy> = {}): LaneHost => {
  const host = new LaneHost('10.0.0.2', 'half-open', now);
  host.tell({ kind: 'peer', policy: peerPolicy({ address: undefined, ...changes }) });
  return host;
};

const FIRST = new ScriptedPeer().message1();

/** A first message with the cookie `number`. */
const numbered = (number: number): Uint8Array => {
  const copy = FIRST.slice();
  new DataView(copy.buffer).setUint32(0, number + 1);
  return copy;
};

describe('half-open flood', () => {
  it('from one network takes the places of that network only', () => {
    const host = responder();
    const victim = new ScriptedPeer({ seed: 'victim' });
    const [message2] = host.hear(victim.message1(), '192.0.2.1');
    for (let i = 0; i < 3_000; i++) host.hear(numbered(i), `10.9.9.${i & 255}`);
    assert.equal(host.core.counts.halfOpen, 1_024 + 1);
    assert.equal(host.hear(victim.message3(message2), '192.0.2.1').length, 1);
  });

  it('from everywhere is bounded by 8192, and a peer that goes on has its place as long as it is younger than that', () => {
    const limit = new HalfOpenLimit();
    const policy = peerPolicy();
    const sa = (i: number): IsakmpSa => ({
      initiatorCookie: new Uint8Array(8),
      responderCookie: new Uint8Array(8),
      role: 'responder',
      request: 0,
      startedAt: 0,
      policy,
      credentials: undefined,
      path: {
        local: { address: '10.0.0.2', port: 500 },
        remote: { address: `${1 + (i >> 14)}.${(i >> 7) & 127}.${i & 127}.1`, port: 500 },
        encapsulated: false,
      },
      takesFragments: false,
      conversation: undefined,
      established: undefined,
      hearsay: undefined,
      refusal: undefined,
      row: undefined,
      slabSlot: -1,
      timers: noTimers(),
    });
    const all = Array.from({ length: 20_000 }, (_, i) => sa(i));
    const left: IsakmpSa[] = [];
    const [honest] = all;
    for (const [i, one] of all.entries()) {
      left.push(...limit.admit(one, 200));
      if (i === 8_000 && honest !== undefined) limit.prove(honest);
    }
    assert.equal(limit.size, 8_192);
    assert.equal(left.length, 20_000 - 8_192);
    assert.ok(honest !== undefined && !left.includes(honest), 'whoever has shown its address stays');
    for (const one of all) limit.release(one);
    assert.equal(limit.size, 0);
  });

  it('of peers that do complete message 3 is bounded too: their addresses are theirs, the memory is ours', () => {
    const host = responder();
    let latest: ScriptedPeer | undefined;
    for (let i = 0; i < 1_100; i++) {
      const peer = new ScriptedPeer({ seed: `zombie ${i}` });
      peer.message3(host.hear(peer.message1(), '10.9.9.9')[0]);
      host.hear(peer.clear([peer.ke, peer.nonce]), '10.9.9.9');
      latest = peer;
    }
    assert.equal(host.core.counts.halfOpen, 1_024);
    assert.ok(latest);
  });

  it('leaves established peers alone', () => {
    const world = lanePair();
    world.start();
    for (let i = 0; i < 2_000; i++) world.right.hear(numbered(i), `10.9.${i >> 8}.${i & 255}`);
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 1);
  });

  it('is told to main only as often as strangers may be heard', () => {
    let now = 1_000;
    const host = responder(() => now);
    for (let i = 0; i < 3_000; i++) host.hear(numbered(i), `10.9.9.${i & 255}`);
    now += 200_000;
    host.core.advance();
    host.settle();
    assert.ok(host.all('phase1Failed').length <= 200, `${host.all('phase1Failed').length} failures told`);
    assert.ok(host.log.some((line) => /^phase 1 abandoned: .*: too many negotiations are half-open/.test(line)));
    assert.ok(host.log.length <= 200, `${host.log.length} lines`);
    assert.equal(host.core.remains, 0);
    assert.equal(host.table.size, 0);
  });

  it('that fills the SA table is refused with a line, and established peers stay (decisions 2)', () => {
    const host = responder();
    const peer = new ScriptedPeer({ seed: 'early' }).mainMode(host, '192.0.2.7');
    for (let i = 0; i < 5_000; i++) host.hear(numbered(i), `10.${i >> 8}.${i & 255}.1`);
    assert.ok(
      host.notices.some((line) =>
        /^phase 1 dropped: peer peer .*: the SA table is full; give the daemon more memory$/.test(line),
      ),
    );
    assert.equal(host.core.counts.isakmpSas, 1);
    host.hear(peer.exchange().authentic([notifyOf(NotifyType.INITIAL_CONTACT)]), '192.0.2.7');
    assert.equal(host.all('initialContact').length, 1);
  });
});

/** An offer of `count` transforms, of which the last one suits. */
const manyTransforms = (count: number): readonly Phase1Transform[] =>
  Array.from({ length: count }, (_, i) => ({
    ...aes128Sha256(),
    lifetimes: [{ type: LifeType.SECONDS, duration: { offered: i < count - 1 ? 1 : 3_600, least: 1, most: 86_400 } }],
  }));

describe('memory of a half-open main mode', () => {
  /** What is kept of the peer's message and of ours: state and conversation, without what all of them share. */
  const keptBytes = (transforms: readonly Phase1Transform[]): number => {
    const limits: number[] = [];
    const admit = HalfOpenLimit.prototype.admit;
    HalfOpenLimit.prototype.admit = function (sa, bytes) {
      const conversation = sa.conversation ?? assert.fail();
      const snapshot = conversation.exchange.snapshot();
      assert.ok(typeof snapshot === 'object' && snapshot !== null && 'saBody' in snapshot && 'choice' in snapshot);
      const { saBody, choice } = snapshot;
      const { seen, lastSent, initiatorCookie, responderCookie } = conversation;
      limits.push(
        serialize({ saBody, choice, seen, lastSent, initiatorCookie, responderCookie, path: sa.path }).length,
      );
      assert.ok(bytes >= (lastSent?.length ?? 0) + (saBody instanceof Uint8Array ? saBody.length : 0));
      return admit.call(this, sa, bytes);
    };
    try {
      responder().hear(new ScriptedPeer({ transforms }).message1());
    } finally {
      HalfOpenLimit.prototype.admit = admit;
    }
    return limits[0] ?? assert.fail();
  };

  it('decisions 3.11: is less than 1 kB for an offer of one transform, and of pluto’s eight', (t) => {
    for (const count of [1, 8]) {
      const bytes = keptBytes(manyTransforms(count));
      t.diagnostic(`${count} transforms: ${bytes} bytes`);
      assert.ok(bytes <= 1_024, `${bytes} bytes`);
    }
  });

  it('is on average less than 1 kB for each of those that are allowed, however large their offers are', () => {
    const host = responder();
    const message1 = new ScriptedPeer({ transforms: manyTransforms(200) }).message1();
    assert.ok(message1.length > 5_000);
    for (let i = 0; i < 1_000; i++) {
      const copy = message1.slice();
      new DataView(copy.buffer).setUint32(0, i + 1);
      host.hear(copy, '10.9.9.9');
    }
    assert.ok(host.core.counts.halfOpen * message1.length <= 1_024 * 1_024);
    assert.ok(host.core.counts.halfOpen > 100);
  });

  it('a vendor id of 60 kB is not kept', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const vendor: OutPayload = { kind: 'VID', value: { vendorId: new Uint8Array(60_000) } };
    assert.ok((host.hear(peer.clear([peer.sa, vendor]))[0]?.length ?? 0) < 300, 'nor sent back');
  });
});

describe('CVE-2016-5361, amplification', () => {
  it('main mode answers with less than it got, duplicates included, until message 3', () => {
    let now = 1_000;
    const host = responder(() => now);
    for (const message1 of [FIRST, new ScriptedPeer({ transforms: manyTransforms(18) }).message1()]) {
      let got = 0;
      let sent = 0;
      for (let i = 0; i < 50; i++) {
        got += message1.length;
        for (const bytes of host.hear(message1)) sent += bytes.length;
      }
      assert.ok(sent <= got, `${sent} bytes for ${got}`);
    }
    host.clear();
    for (now = 2_000; now < 200_000; now += 500) host.core.advance();
    host.settle();
    assert.equal(host.all('send').length, 0, 'nothing by timer');
  });

  it('vendor ids are sent only to whoever sent them', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [plain] = host.hear(peer.message1());
    const dpd = Uint8Array.from(Buffer.from('afcad71368a1f1c96b8696fc77570100', 'hex'));
    const other = new ScriptedPeer({ seed: 'dpd' });
    const [withVendor] = host.hear(other.clear([other.sa, { kind: 'VID', value: { vendorId: dpd } }]));
    assert.equal((withVendor?.length ?? 0) - (plain?.length ?? 0), 20);
  });

  it('no notify is more than three times the message that it refuses', () => {
    const host = responder();
    const header = FIRST.slice(0, 28);
    new DataView(header.buffer).setUint32(24, 28);
    for (const [at, value] of [
      [17, 0x20],
      [17, 0x11],
      [18, 7],
      [19, 8],
      [8, 1],
    ] as const) {
      const odd = header.slice();
      odd[at] = value;
      const [answer] = host.hear(odd);
      assert.ok(answer !== undefined && answer.length <= 3 * odd.length);
    }
  });
});

describe('huge proposals', () => {
  it('cost in proportion to their size: 15 proposals of 255 transforms', () => {
    const host = responder(() => 1_000);
    const transforms = Array.from({ length: 255 }, (_, transformNumber) => ({
      transformNumber,
      transformId: 1,
      attributes: Array.from({ length: 2 }, (_unused, type) => ({ type: 100 + type, value: 1 })),
    }));
    const proposals = Array.from({ length: 15 }, () => ({
      proposalNumber: 1,
      protocolId: 1,
      spi: new Uint8Array(0),
      transforms,
    }));
    const peer = new ScriptedPeer();
    const bytes = peer.clear([{ kind: 'SA', value: { doi: 1, situation: 1, proposals } }]);
    assert.ok(bytes.length > 60_000);
    const started = performance.now();
    assert.equal(clearNotify(host.hear(bytes)[0]), NotifyType.NO_PROPOSAL_CHOSEN);
    assert.ok(performance.now() - started < 500, 'some 5 ms are usual');
    assert.ok(host.log.length <= 11, 'eight differences, and what was made of them');
  });

  it('64 payloads are the most that a message may have (threats: 1000 CERTREQs)', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const request: OutPayload = { kind: 'CERTREQ', value: { certificateType: 4, authority: new Uint8Array(0) } };
    assert.equal(host.hear(peer.clear([peer.sa, ...Array<OutPayload>(63).fill(request)])).length, 1);
    const other = new ScriptedPeer({ seed: 'more' });
    const answers = host.hear(other.clear([other.sa, ...Array<OutPayload>(1_000).fill(request)]));
    assert.equal(clearNotify(answers[0]), NotifyType.PAYLOAD_MALFORMED);
  });
});

describe('a lane that weighs its events', () => {
  it('DoS, CPU: counts everything that strangers can make costly as slow, and nothing else', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const datagram = (bytes: Uint8Array) => {
      const path = {
        local: { address: '10.0.0.2', port: 500 },
        remote: { address: '10.0.0.1', port: 500 },
        encapsulated: false,
      };
      return { kind: 'datagram', path, peer: 'peer', firstContact: true, bytes } as const;
    };
    assert.equal(host.core.weigh(datagram(peer.message1())), 'slow');
    const aggressive = peer.clear([peer.sa], { exchangeType: ExchangeType.AGGRESSIVE });
    assert.equal(host.core.weigh(datagram(aggressive)), 'slow');
    assert.equal(host.core.weigh(datagram(peer.clear([], { exchangeType: ExchangeType.QUICK_MODE }))), 'fast');
    assert.equal(host.core.weigh(datagram(new Uint8Array(3))), 'fast');
    assert.equal(host.core.weigh({ kind: 'cancel', request: 1 }), 'fast');
  });
});
