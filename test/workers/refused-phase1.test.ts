/** Decisions 7: why a phase 1 is refused, in the words that the operators of both sides read. What comes again with every retransmission stands here once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import {
  AuthenticationMethod,
  GroupDescription,
  HashAlgorithm,
  LifeType,
  OakleyAttribute,
} from '../../src/shared/constants/oakley.ts';
import type { PeerPolicy, Phase1Transform } from '../../src/shared/policy/peer-policy.ts';
import { offerPhase1 } from '../../src/shared/policy/phase1-proposal.ts';
import { ScriptedPeer } from '../helpers/ike-script.ts';
import { aes128Sha256, connectionPolicy, fqdn, LanePair, mirrored, peerPolicy } from '../helpers/lane-pair.ts';
import { droppedBy, GIVING_UP, LEFT, linesOf, RIGHT } from '../helpers/narration.ts';
import { At, patched, responder } from '../helpers/reception.ts';

const AGGRESSIVE = { exchangeType: ExchangeType.AGGRESSIVE };
const OTHER_SECRET = { preSharedKey: new TextEncoder().encode('another') };

/** Left begins, and gives up in the end. */
const negotiated = (left: Partial<PeerPolicy>, right: Partial<PeerPolicy>): LanePair => {
  const world = new LanePair(
    peerPolicy({ connections: [connectionPolicy()], ...left }),
    peerPolicy({ address: '10.0.0.1', connections: [mirrored(connectionPolicy())], ...right }),
  );
  world.start();
  world.pass(200_000);
  return world;
};

const transform = (changes: Partial<Phase1Transform>): Pick<PeerPolicy, 'transforms'> => ({
  transforms: [{ ...aes128Sha256(), ...changes }],
});

/** What the responder says besides isakmpd's two lines about an offer of which nothing fits. */
const refusedOffer = ({ right }: LanePair): readonly string[] => {
  const lines = linesOf(right);
  assert.deepEqual(lines.slice(1, 3), [
    'message_negotiate_sa: no compatible proposal found',
    droppedBy('10.0.0.1', 'NO_PROPOSAL_CHOSEN'),
  ]);
  return [...lines.slice(0, 1), ...lines.slice(3)];
};

describe('a phase 1 whose transforms do not fit', () => {
  it('is explained to both sides', () => {
    const changes = { name: 'AES-128-SHA2-256-GRP14', group: GroupDescription.MODP_2048 };
    const world = negotiated({}, transform(changes));
    assert.deepEqual(refusedOffer(world), [
      'attribute_unacceptable: GROUP_DESCRIPTION: got ECP_256, expected MODP_2048',
      `phase 1 refused: ${LEFT}: it offers AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256; nearest of ours is AES-128-SHA2-256-GRP14, ` +
        'which wants GROUP_DESCRIPTION MODP_2048, not ECP_256; add AES-128-SHA2-256-GRP19 to [Default-phase-1-configuration]:Transforms to accept it',
    ]);
    assert.deepEqual(linesOf(world.left), [
      `phase 1 refused by ${RIGHT}: it answers NO_PROPOSAL_CHOSEN, unauthenticated: we offer AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256; ` +
        "compare [Default-phase-1-configuration]:Transforms with the peer's proposals, and our address and ID with its peers",
      GIVING_UP,
      'phase 1 failed: peer peer (10.0.0.2, its ID any, cookies I:R): no response from peer 10.0.0.2:500 ' +
        '(it had answered NO_PROPOSAL_CHOSEN, unauthenticated)',
    ]);
  });

  it('in several attributes is told all of them, and what the peer could offer instead', () => {
    const keyLength = { offered: 256, least: 256, most: 256 };
    const changes = {
      name: 'AES-256-SHA-GRP14',
      hash: HashAlgorithm.SHA,
      group: GroupDescription.MODP_2048,
      keyLength,
    };
    assert.equal(
      refusedOffer(negotiated({}, transform(changes)))[1],
      `phase 1 refused: ${LEFT}: it offers AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256; nearest of ours is AES-256-SHA-GRP14, ` +
        'which wants HASH_ALGORITHM SHA, not SHA2_256; GROUP_DESCRIPTION MODP_2048, not ECP_256; KEY_LENGTH 256, not 128; ' +
        'add AES-128-SHA2-256-GRP19 to [Default-phase-1-configuration]:Transforms to accept it, or let it offer AES_CBC-256/SHA/PRE_SHARED/MODP_2048',
    );
  });

  it('in their life only is told where the life is written', () => {
    const lifetimes = [{ type: LifeType.SECONDS, duration: { offered: 30, least: 10, most: 60 } }];
    assert.deepEqual(refusedOffer(negotiated(transform({ lifetimes }), {})), [
      'attribute_unacceptable: LIFE_DURATION: got 30, expected 60 to 86400',
      `phase 1 refused: ${LEFT}: it offers AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256; nearest of ours is AES-128-SHA2-256, ` +
        'which wants LIFE_DURATION 60 to 86400, not 30; let LIFE_DURATION in the Life of AES-128-SHA2-256 begin at 30 to accept it',
    ]);
  });

  it('since they are weak is told that it takes Legacy-crypto as well', () => {
    const world = negotiated({ ...transform({ group: GroupDescription.MODP_768 }), legacyCrypto: true }, {});
    assert.match(
      refusedOffer(world)[1] ?? '',
      /; add AES-128-SHA2-256-GRP1 to \[Default-phase-1-configuration\]:Transforms and Legacy-crypto=yes to \[peer\] to accept it$/,
    );
  });

  it('since a section of the operator’s has the name and means something else is told so', () => {
    const group = GroupDescription.MODP_2048;
    const world = negotiated({}, transform({ name: 'AES-128-SHA2-256-GRP19', group }));
    assert.match(
      refusedOffer(world)[1] ?? '',
      /; let \[AES-128-SHA2-256-GRP19\] mean what its name says to accept it$/,
    );
  });

  it('since they want certificates is told what to offer, and the name that would accept it', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const value = offerPhase1([aes128Sha256()]) ?? assert.fail();
    const wish = { type: OakleyAttribute.AUTHENTICATION_METHOD, value: AuthenticationMethod.RSA_SIG };
    const proposals = value.proposals.map((proposal) => ({
      ...proposal,
      transforms: proposal.transforms.map((one) => ({
        ...one,
        attributes: one.attributes.map((attribute) => (attribute.type === wish.type ? wish : attribute)),
      })),
    }));
    host.hear(peer.clear([{ kind: 'SA', value: { ...value, proposals } }]));
    assert.match(
      linesOf(host).at(-1) ?? '',
      /wants AUTHENTICATION_METHOD PRE_SHARED, not RSA_SIG; add AES-128-SHA2-256-GRP19-RSA_SIG to \[Default-phase-1-configuration\]:Transforms to accept it/,
    );
  });
});

describe('a phase 1 that does not authenticate', () => {
  it('for another secret in main mode is explained to both sides', () => {
    const { left, right } = negotiated({}, OTHER_SECRET);
    assert.deepEqual(linesOf(right), [
      'message_parse_payloads: reserved field non-zero: XX',
      droppedBy('10.0.0.1', 'PAYLOAD_MALFORMED'),
      `phase 1 refused: ${LEFT}: its authentication failed (reserved field non-zero: XX), probably a wrong pre-shared key; ` +
        "compare [peer]:Authentication with the peer's",
      `phase 1 abandoned: ${LEFT}: it stopped after our message 4 (key exchange) ` +
        '(its last message was refused: reserved field non-zero: XX, probably a wrong pre-shared key)',
    ]);
    assert.deepEqual(linesOf(left), [
      `phase 1 refused by ${RIGHT}: it answers PAYLOAD_MALFORMED, unauthenticated: it cannot read or verify our message, ` +
        "probably a wrong pre-shared key; compare [peer]:Authentication with the peer's",
      GIVING_UP,
      'phase 1 failed: peer peer (10.0.0.2, its ID any, cookies I:R): no response from peer 10.0.0.2:500 to our message 5 (authentication), ' +
        "probably a wrong pre-shared key, or it expects another ID than ours; compare [peer]:Authentication and [peer]:ID with the peer's " +
        '(it had answered PAYLOAD_MALFORMED, unauthenticated)',
    ]);
  });

  it('for another secret in aggressive mode is seen by the initiator first', () => {
    const { left, right } = negotiated(AGGRESSIVE, { ...AGGRESSIVE, ...OTHER_SECRET });
    assert.deepEqual(linesOf(left), [
      `phase 1 refused: ${RIGHT}: its authentication failed (the hash does not fit), probably a wrong pre-shared key; ` +
        "compare [peer]:Authentication with the peer's",
      GIVING_UP,
      'phase 1 failed: peer peer (10.0.0.2, its ID any, cookies I:R): no response from peer 10.0.0.2:500 ' +
        '(its last message was refused: the hash does not fit, probably a wrong pre-shared key)',
    ]);
    assert.deepEqual(linesOf(right), [
      `phase 1 abandoned: ${LEFT}: it stopped after our message 2 (authentication), probably a wrong pre-shared key; ` +
        "compare [peer]:Authentication with the peer's, and our ID",
    ]);
  });

  it('for a missing secret is told where one was looked for', () => {
    const { right } = negotiated(
      { ...AGGRESSIVE, localId: fqdn('west.example.com') },
      { ...AGGRESSIVE, preSharedKey: undefined },
    );
    assert.deepEqual(linesOf(right), [
      'ike_auth_get_key: no key found for peer "peer" or local ID "10.0.0.2"',
      'phase 1 refused: peer peer (connection net, 10.0.0.1, its ID west.example.com, our ID 10.0.0.2, cookies I:R): no pre-shared key for it, ' +
        'neither in its section nor for its ID; add [peer]:Authentication or [west.example.com]:Authentication',
    ]);
  });

  it('as Remote-ID wants is explained to both sides', () => {
    const { left, right } = negotiated({}, { remoteId: fqdn('west.example.com') });
    assert.deepEqual(linesOf(right), [
      'ike_phase_1_recv_ID: received remote ID other than expected west.example.com',
      droppedBy('10.0.0.1', 'INVALID_ID_INFORMATION'),
      'phase 1 refused: peer peer (connection net, 10.0.0.1, its ID 10.0.0.1, our ID 10.0.0.2, cookies I:R): it calls itself 10.0.0.1, ' +
        '[peer]:Remote-ID wants west.example.com; let the section that Remote-ID names have ID-type=IPV4_ADDR, Address=10.0.0.1 to accept it, ' +
        "or correct the peer's own ID",
      'phase 1 abandoned: peer peer (connection net, 10.0.0.1, its ID west.example.com, our ID 10.0.0.2, cookies I:R): ' +
        'it stopped after our message 4 (key exchange) (its last message was refused: another identity than the configured Remote-ID)',
    ]);
    assert.equal(
      linesOf(left)[0],
      `phase 1 refused by ${RIGHT}: it answers INVALID_ID_INFORMATION, unauthenticated: it expects another ID than our 10.0.0.1; ` +
        'compare [peer]:ID with what the peer is configured for',
    );
  });

  it('as the initiator’s Remote-ID wants ends with why', () => {
    const { left } = negotiated({ remoteId: fqdn('west.example.com') }, {});
    assert.equal(
      linesOf(left).at(-1),
      'phase 1 failed: peer peer (10.0.0.2, its ID west.example.com, cookies I:R): no response from peer 10.0.0.2:500 ' +
        'to our message 5 (authentication) (its last message was refused: another identity than the configured Remote-ID)',
    );
  });

  it('since there is no ID in message 5 is told so', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.learnKeys(host.hear(peer.message3(host.hear(peer.message1())[0]))[0]);
    host.hear(peer.sealed([peer.hashPayload('initiator')]));
    assert.deepEqual(linesOf(host), [
      'exchange_run: exchange_validate failed',
      droppedBy('10.0.0.1', 'PAYLOAD_MALFORMED'),
      `phase 1 refused: ${LEFT}: its authentication failed (no ID payload in this message), probably a wrong pre-shared key; ` +
        "compare [peer]:Authentication with the peer's",
    ]);
  });

  it('since its Diffie-Hellman value is unsound is told so (CVE-2015-3240)', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.responderCookie = host.hear(peer.message1())[0]?.slice(8, 16) ?? assert.fail();
    host.hear(peer.clear([{ kind: 'KE', value: { keyExchangeData: new Uint8Array(64) } }, peer.nonce]));
    assert.match(
      linesOf(host).at(-1) ?? '',
      /^message refused: peer peer \(.*\): the public value .*; its key exchange value is unsound: a fault of the peer, or an attack$/,
    );
  });
});

describe('a first message that configuration has no use for', () => {
  it('of the other mode is told which tag decides', () => {
    const { left, right } = negotiated(AGGRESSIVE, {});
    assert.deepEqual(linesOf(right), [
      'exchange_setup_p1: expected exchange type ID_PROT got AGGRESSIVE',
      `phase 1 refused: ${LEFT}: it begins with AGGRESSIVE, we want ID_PROT; set [Default-phase-1-configuration]:EXCHANGE_TYPE=AGGRESSIVE ` +
        'to accept it (its pre-shared key can then be guessed at), or let it use ID_PROT',
    ]);
    assert.equal(
      linesOf(left).at(-1),
      'phase 1 failed: peer peer (10.0.0.2, its ID any, cookies I:R): no response from peer 10.0.0.2:500; nothing has come from it at all: ' +
        'check [peer]:Address, the route, firewalls both ways, and that it takes aggressive mode from our ID',
    );
  });

  it('from an unknown address is told what to add', () => {
    const host = responder();
    assert.deepEqual(host.hear(new ScriptedPeer().message1(), '10.0.0.9', 500, { peer: '' }), []);
    assert.deepEqual(linesOf(host), [
      'exchange_setup_p1: no "Default" tag in [Phase 1] section',
      'phase 1 refused: peer at 10.0.0.9 (cookies I:R): [Phase 1] has neither its address nor a Default; ' +
        'add 10.0.0.9=<peer section> to [Phase 1] to accept it',
    ]);
  });

  it('for a section with an error says so, not that it is unknown', () => {
    const host = responder();
    assert.deepEqual(host.hear(new ScriptedPeer().message1(), '10.0.0.9', 500, { peer: 'broken' }), []);
    assert.deepEqual(linesOf(host), [
      'phase 1 refused: peer broken (10.0.0.9, its ID any, cookies I:R): its section cannot be used as it is written; see isakmpd --check',
    ]);
  });

  it('of IKEv2 says so', () => {
    const host = responder();
    host.hear(patched(new ScriptedPeer().message1(), { [At.version]: 0x20 }));
    assert.deepEqual(linesOf(host), [
      'message_recv: invalid version major 2',
      droppedBy('10.0.0.1', 'INVALID_MAJOR_VERSION'),
      'message refused: peer peer (10.0.0.1, its ID any, cookies I:R): it speaks IKE version 2, this daemon IKEv1 only; set it to IKEv1',
    ]);
  });

  it('with the cookies of an SA that is not here says so', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.responderCookie = new Uint8Array(8).fill(3);
    host.hear(peer.clear([peer.ke, peer.nonce]), '10.0.0.1', 500, { peer: '' });
    assert.deepEqual(linesOf(host), [
      'message_recv: invalid cookie(s) I R',
      droppedBy('10.0.0.1', 'INVALID_COOKIE'),
      'message refused: peer at 10.0.0.1 (cookies I:R): it uses an ISAKMP SA that is not here (any more); ' +
        'it begins anew when it notices, or when its SA is deleted',
    ]);
  });
});
