import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { type OutPayload, readHeader } from '../../src/shared/wire/message.ts';
import { clearNotify, notifyOf, readAnything, ScriptedPeer } from '../helpers/ike-script.ts';
import { aes128Sha256, fqdn, generalPolicy, LaneHost, lanePair, peerPolicy } from '../helpers/lane-pair.ts';

const AGGRESSIVE = { exchangeType: ExchangeType.AGGRESSIVE } as const;

const responder = (changes: Partial<PeerPolicy> = {}): LaneHost => {
  const host = new LaneHost('10.0.0.2', 'aggressive mode', () => 1_000);
  host.tell({ kind: 'peer', policy: peerPolicy({ address: '10.0.0.1', ...AGGRESSIVE, ...changes }) });
  return host;
};

/** Message 1; `payloads` in whatever order. */
const offerOf = (peer: ScriptedPeer, payloads = [peer.sa, peer.ke, peer.nonce, peer.id]): Uint8Array =>
  peer.clear(payloads, AGGRESSIVE);

const NAT_D: OutPayload = { kind: 'NAT_D', value: { hash: new Uint8Array(20).fill(4) } };
const VENDOR: OutPayload = { kind: 'VID', value: { vendorId: new Uint8Array(16).fill(9) } };

describe('aggressive mode', () => {
  it('takes three messages and leaves both sides with one ISAKMP SA of the same cookies', () => {
    const world = lanePair({ ...AGGRESSIVE, localId: fqdn('gate.example') });
    world.start();
    assert.deepEqual(
      world.wire.map(({ bytes }) => readHeader(bytes).flags),
      [0, 0, 1], // HDR, SA, KE, Ni, IDii; HDR, SA, KE, Nr, IDir, HASH_R; HDR*, HASH_I
    );
    const [ours] = world.left.all('phase1Established');
    assert.equal(ours?.isakmp, world.right.all('phase1Established')[0]?.isakmp);
    assert.equal(ours?.remoteIdentity, 'gate.example');
  });

  it('says so in isakmpd’s words on both sides', () => {
    const world = lanePair(AGGRESSIVE);
    world.start();
    const ids = 'initiator id 10.0.0.1, responder id 10.0.0.2';
    assert.deepEqual(world.left.log, [`isakmpd: phase 1 done: ${ids}, src: 10.0.0.1 dst: 10.0.0.2`]);
    assert.deepEqual(world.right.log, [`isakmpd: phase 1 done (as responder): ${ids}, src: 10.0.0.2 dst: 10.0.0.1`]);
  });

  it('carries quick modes afterwards', () => {
    const world = lanePair(AGGRESSIVE);
    world.start();
    world.quick();
    assert.equal(world.left.all('phase2Established').length, 1);
    assert.equal(world.right.all('phase2Established').length, 1);
  });

  it('finds the secret in the section named after the peer’s identity', () => {
    const world = lanePair({ ...AGGRESSIVE, preSharedKey: undefined, localId: fqdn('Road.Example') });
    const identitySecrets = new Map([['road.example', new TextEncoder().encode('by name')]]);
    for (const host of world.hosts) {
      host.tell({
        kind: 'general',
        policy: generalPolicy({ identitySecrets }),
      });
    }
    world.start();
    assert.equal(world.right.all('phase1Established').length, 1);
  });

  it('says INITIAL-CONTACT in the encrypted message 3', () => {
    const world = lanePair(AGGRESSIVE);
    world.start(1, true);
    assert.equal(world.right.all('phase1Established')[0]?.initialContact, true);
  });

  it('CVE-2007-1841: believes no INITIAL-CONTACT in message 2, which is in the clear and whose hash does not cover it', () => {
    const world = lanePair(AGGRESSIVE);
    world.bend = (from, bytes) => {
      if (from === world.left) return [bytes];
      const { header } = readAnything(bytes);
      const peer = new ScriptedPeer();
      const [claim] = [peer.clear([notifyOf(NotifyType.INITIAL_CONTACT)], AGGRESSIVE).subarray(28)];
      // The chain's last payload (HASH, 36 bytes) gets a successor.
      const longer = new Uint8Array(bytes.length + claim.length);
      longer.set(bytes);
      longer.set(claim, bytes.length);
      longer[bytes.length - 36] = 11;
      new DataView(longer.buffer).setUint32(24, header.length + claim.length);
      return [longer];
    };
    world.start();
    assert.equal(world.left.all('phase1Established')[0]?.initialContact, false);
  });

  it('takes messages as charon and pluto order them: HASH last or in the middle, NAT-D around it', () => {
    for (const order of [
      (hash: OutPayload) => [hash, NAT_D, NAT_D],
      (hash: OutPayload) => [NAT_D, NAT_D, hash],
      (hash: OutPayload) => [VENDOR, hash],
    ]) {
      const host = responder();
      const peer = new ScriptedPeer();
      const [message2] = host.hear(offerOf(peer, [VENDOR, peer.id, peer.sa, peer.nonce, peer.ke]));
      peer.learnKeys(message2, ExchangeType.AGGRESSIVE);
      host.hear(peer.sealed(order(peer.hashPayload('initiator'))));
      assert.equal(host.core.counts.isakmpSas, 1);
    }
  });

  it('takes message 3 in the clear, which RFC 2409 §5.4 allows', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.learnKeys(host.hear(offerOf(peer))[0], ExchangeType.AGGRESSIVE);
    host.hear(peer.clear([peer.hashPayload('initiator'), notifyOf(NotifyType.INITIAL_CONTACT)], AGGRESSIVE));
    assert.deepEqual(
      host.all('phase1Established').map(({ initialContact }) => initialContact),
      [false],
    );
  });

  it('chooses a transform whose group fits the public value that is there already', () => {
    const host = responder({ transforms: [aes128Sha256(GroupDescription.MODP_2048), aes128Sha256()] });
    const peer = new ScriptedPeer({ transforms: [aes128Sha256(GroupDescription.MODP_2048), aes128Sha256()] });
    const [message2] = host.hear(offerOf(peer));
    assert.equal(readAnything(message2 ?? assert.fail()).ke?.value.keyExchangeData.length, 64);
  });

  it('offers only transforms of the first one’s group: the public value is fixed by message 1', () => {
    const world = lanePair({ ...AGGRESSIVE, transforms: [aes128Sha256(), aes128Sha256(GroupDescription.MODP_2048)] });
    world.start();
    const { sa } = readAnything(world.wire[0]?.bytes ?? assert.fail());
    assert.equal(sa?.value.proposals[0]?.transforms.length, 1);
    assert.equal(world.right.all('phase1Established').length, 1);
  });
});

describe('aggressive mode that loses messages', () => {
  it('heals a lost message 3 by repeating it, and the initiator’s SA stays', () => {
    const world = lanePair(AGGRESSIVE);
    world.bend = (_from, bytes, index) => (index === 2 || index === 3 ? [] : [bytes]);
    world.start();
    assert.equal(world.left.core.counts.isakmpSas, 1);
    assert.equal(world.right.core.counts.isakmpSas, 0);
    world.pass(10_000);
    assert.equal(world.right.core.counts.isakmpSas, 1);
    assert.deepEqual(world.left.all('phase1Failed'), []);
  });

  it('repeats message 3 no more often than Retransmits says, and gives up without ending the SA', () => {
    const world = lanePair(AGGRESSIVE);
    world.bend = (_from, bytes, index) => (index < 2 ? [bytes] : []);
    world.start();
    world.pass(110_000);
    assert.equal(world.wire.length, 2 + 1 + 3);
    assert.equal(world.left.core.counts.isakmpSas, 1);
    assert.deepEqual(world.left.notices, []);
  });

  it('stops repeating message 3 with the first authentic message of the peer', () => {
    const world = lanePair(AGGRESSIVE);
    world.start();
    world.quick();
    const { length } = world.wire;
    world.pass(60_000);
    assert.equal(world.wire.length, length);
  });

  it('heals a quick mode that overtook message 3', () => {
    const world = lanePair(AGGRESSIVE);
    world.bend = (_from, bytes, index) => (index === 2 ? [] : [bytes]);
    world.start();
    world.quick();
    assert.deepEqual(world.right.notices, [], 'an encrypted message that nobody can read yet is no news');
    world.pass(20_000);
    assert.equal(world.right.all('phase2Established').length, 1);
  });

  it('a first message again, even after the end, costs no Diffie-Hellman', () => {
    const world = lanePair(AGGRESSIVE);
    world.start();
    const spent = world.right.core.diffieHellman;
    for (let i = 0; i < 5; i++) world.deliver(world.left, world.wire[0]?.bytes ?? assert.fail());
    assert.equal(world.right.core.diffieHellman, spent);
    assert.deepEqual(world.right.core.counts, { isakmpSas: 1, halfOpen: 0, phase2Exchanges: 0 });
  });
});

describe('aggressive mode between hostile messages', () => {
  it('the initiator tells of a wrong pre-shared key and goes on waiting for a better message 2', () => {
    const world = lanePair(AGGRESSIVE);
    world.right.tell({
      kind: 'peer',
      policy: peerPolicy({ ...AGGRESSIVE, preSharedKey: new TextEncoder().encode('another') }),
    });
    world.start();
    assert.equal(world.left.log.length, 1);
    assert.match(world.left.log[0] ?? '', /probably a wrong pre-shared key/);
    assert.equal(world.left.core.counts.halfOpen, 1);
    world.pass(60_000);
    const [failed] = world.left.all('phase1Failed');
    assert.match(
      failed?.failure.reason ?? '',
      /its last message was refused: the hash does not fit, probably a wrong pre-shared key/,
    );
  });

  it('the responder tells of a wrong pre-shared key when message 3 does not decrypt', () => {
    const host = responder();
    const peer = new ScriptedPeer({ preSharedKey: 'another' });
    peer.learnKeys(host.hear(offerOf(peer))[0], ExchangeType.AGGRESSIVE);
    host.hear(peer.sealed([peer.hashPayload('initiator')]));
    assert.match(host.log.at(-1) ?? '', /probably a wrong pre-shared key/);
    assert.equal(host.core.counts.isakmpSas, 0);
  });

  it('the responder tells of a wrong pre-shared key when the peer answers message 2 as charon or pluto does', () => {
    const refusal = notifyOf(NotifyType.INVALID_HASH_INFORMATION);
    for (const flags of [0, 1]) {
      const host = responder();
      const peer = new ScriptedPeer();
      peer.responderCookie = readHeader(host.hear(offerOf(peer))[0] ?? assert.fail()).responderCookie;
      const info = peer.clear([refusal], { exchangeType: ExchangeType.INFO, messageId: flags });
      info[19] = flags;
      for (let i = 0; i < 3; i++) assert.deepEqual(host.hear(info), []);
      assert.equal(host.notices.length, 1);
      assert.match(host.notices[0] ?? '', /probably a wrong pre-shared key; compare \[peer\]:Authentication/);
      assert.equal(host.core.counts.halfOpen, 1, 'anybody may have said it');
    }
  });

  it('CVE-2002-1623: does not tell which identities there are: all fail as with a wrong secret', () => {
    const identitySecrets = new Map([
      ['known.example', new TextEncoder().encode('of known')],
      ['wanted.example', new TextEncoder().encode('of wanted')],
    ]);
    /** What a stranger without the secret sees: sizes and flags of message 2 and of what its message 3 gets, by then encrypted or still clear. */
    const seenBy = (identity: string, isEncrypted: boolean, changes: Partial<PeerPolicy> = {}): readonly unknown[] => {
      const host = responder({ preSharedKey: undefined, ...changes });
      host.tell({ kind: 'general', policy: generalPolicy({ identitySecrets }) });
      const peer = new ScriptedPeer({ identity: fqdn(identity), preSharedKey: 'guess' });
      const [message2, ...more] = host.hear(offerOf(peer));
      peer.learnKeys(message2, ExchangeType.AGGRESSIVE);
      const proof = [peer.hashPayload('initiator')];
      const answers = host.hear(isEncrypted ? peer.sealed(proof) : peer.clear(proof, AGGRESSIVE));
      assert.equal(host.core.counts.isakmpSas, 0);
      return [
        readAnything(message2 ?? assert.fail()).header.length,
        more.length,
        answers.map((bytes) => [bytes.length, readHeader(bytes).flags, clearNotify(bytes)]),
        host.core.diffieHellman,
        host.core.counts,
      ];
    };
    for (const isEncrypted of [true, false]) {
      const known = seenBy('known.example', isEncrypted);
      assert.deepEqual(seenBy('other.example', isEncrypted), known);
      assert.deepEqual(seenBy('known.example', isEncrypted, { remoteId: fqdn('wanted.example') }), known);
    }
  });

  it('CVE-2015-4171: who is not whom Remote-ID wants gets no SA, though it has the secret', () => {
    const host = responder({ remoteId: fqdn('right.example') });
    const peer = new ScriptedPeer({ identity: fqdn('right.example.evil') });
    peer.learnKeys(host.hear(offerOf(peer))[0], ExchangeType.AGGRESSIVE);
    assert.equal(host.log[0], 'ike_phase_1_recv_ID: received remote ID other than expected right.example');
    assert.match(host.log.join(), /is answered as if only its secret were wrong/);
    host.hear(peer.sealed([peer.hashPayload('initiator')]));
    host.hear(peer.clear([peer.hashPayload('initiator')], AGGRESSIVE));
    assert.deepEqual([host.core.counts.isakmpSas, host.all('phase1Established')], [0, []]);
  });

  it('an identity without secret, where nobody has one by identity, gets isakmpd’s line and no answer', () => {
    const host = responder({ preSharedKey: undefined });
    assert.deepEqual(host.hear(offerOf(new ScriptedPeer({ identity: fqdn('nobody.example') }))), []);
    assert.equal(host.log[0], 'ike_auth_get_key: no key found for peer "peer" or local ID "10.0.0.2"');
    assert.equal(host.core.diffieHellman, 0);
  });

  it('decisions 3.11: first messages have a budget of their own, since each costs a Diffie-Hellman', () => {
    const host = responder();
    const message1 = offerOf(new ScriptedPeer());
    for (let i = 0; i < 1_000; i++) {
      const copy = message1.slice();
      copy.set([i >> 8, i & 255], 0);
      host.hear(copy, `10.${i >> 8}.${i & 255}.1`);
    }
    assert.equal(host.core.diffieHellman, 400, 'two for each of 200');
    assert.equal(host.core.counts.halfOpen, 200);
    // Peers of main mode are not in that queue.
    host.tell({ kind: 'peer', policy: peerPolicy({ name: 'other' }) });
    const peer = new ScriptedPeer({ seed: 'other' });
    assert.equal(host.hear(peer.message1(), '10.200.0.1', 500, { peer: 'other' }).length, 1);
  });

  it('DoS, CPU: identities that nobody has cost no more than that budget', () => {
    const host = responder({ preSharedKey: undefined });
    const identitySecrets = new Map([['known.example', new TextEncoder().encode('of known')]]);
    host.tell({ kind: 'general', policy: generalPolicy({ identitySecrets }) });
    const message1 = offerOf(new ScriptedPeer({ identity: fqdn('stranger.example') }));
    for (let i = 0; i < 1_000; i++) {
      const copy = message1.slice();
      copy.set([i >> 8, i & 255], 0);
      host.hear(copy, `10.${i >> 8}.${i & 255}.1`);
    }
    assert.equal(host.core.diffieHellman, 400, 'two for each of 200');
    assert.deepEqual([host.core.counts.halfOpen, host.core.counts.isakmpSas], [200, 0]);
  });

  it('CVE-2016-5361: the answer is less than three times the question, duplicates included, and nothing comes by timer', () => {
    let now = 1_000;
    const host = new LaneHost('10.0.0.2', 'amplification', () => now);
    host.tell({ kind: 'peer', policy: peerPolicy({ ...AGGRESSIVE, localId: fqdn(`${'x'.repeat(60)}.example`) }) });
    const message1 = offerOf(new ScriptedPeer());
    let out = 0;
    for (let i = 0; i < 20; i++) for (const bytes of host.hear(message1)) out += bytes.length;
    assert.ok(out <= 3 * 20 * message1.length);
    host.clear();
    for (now = 2_000; now < 200_000; now += 1_000) host.core.advance();
    host.settle();
    assert.equal(host.all('send').length, 0);
  });
});
