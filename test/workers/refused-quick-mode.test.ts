/** Decisions 7: why a quick mode is refused, in the words that the operators of both sides read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AhTransform, EncapsulationMode, EspTransform, ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { GroupDescription, LifeType } from '../../src/shared/constants/oakley.ts';
import type { ConnectionPolicy } from '../../src/shared/policy/peer-policy.ts';
import { connectionPolicy, espSuite, fqdn, LanePair, mirrored, peerPolicy, subnet } from '../helpers/lane-pair.ts';
import { droppedBy, linesOf } from '../helpers/narration.ts';

const OURS = connectionPolicy();
const THEIRS = mirrored(OURS);
const WHO = 'peer peer (10.0.0.1, its ID 10.0.0.1, our ID 10.0.0.2, cookies I:R, message id M)';
const WHO_OF_NET = 'peer peer (connection net, 10.0.0.1, its ID 10.0.0.1, our ID 10.0.0.2, cookies I:R, message id M)';

/** Left begins the quick mode of its connection with a responder that has others. */
const negotiated = (left: ConnectionPolicy, right: readonly ConnectionPolicy[]): LanePair => {
  const world = new LanePair(
    peerPolicy({ connections: [left] }),
    peerPolicy({ address: '10.0.0.1', connections: right }),
  );
  world.start();
  world.quick();
  return world;
};

describe('a quick mode whose suites do not fit', () => {
  /** isakmpd's line about the attribute and the explanation. */
  const refusedOffer = (left: ConnectionPolicy, right: ConnectionPolicy): readonly string[] => {
    const [attribute, none, drop, ...explained] = linesOf(negotiated(left, [right]).right);
    assert.equal(none, 'message_negotiate_sa: no compatible proposal found');
    assert.equal(drop, droppedBy('10.0.0.1', 'NO_PROPOSAL_CHOSEN'));
    return [attribute ?? '', ...explained];
  };
  const nearest = `quick mode refused: ${WHO_OF_NET}: it offers`;

  it('in PFS is explained to both sides', () => {
    const withPfs = { ...THEIRS, suites: [espSuite({ group: GroupDescription.MODP_2048 })] };
    assert.deepEqual(refusedOffer(OURS, withPfs), [
      'attribute_unacceptable: GROUP_DESCRIPTION: got none, expected MODP_2048',
      `${nearest} ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL; nearest of ours is ESP-SUITE, which wants PFS group MODP_2048, not none; ` +
        'add QM-ESP-AES-128-SHA2-256-SUITE to [Default-quick-mode]:Suites to accept it',
    ]);
    assert.deepEqual(linesOf(negotiated(OURS, [withPfs]).left), [
      'quick mode failed: connection net: the peer answered NO_PROPOSAL_CHOSEN: we offer ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL; ' +
        "compare [Default-quick-mode]:Suites, PFS included, with the peer's proposals",
    ]);
  });

  it('in the encapsulation mode names the suite for it', () => {
    const transport = { ...OURS, suites: [espSuite({ encapsulation: EncapsulationMode.TRANSPORT })] };
    assert.deepEqual(refusedOffer(transport, THEIRS), [
      'attribute_unacceptable: ENCAPSULATION_MODE: got TRANSPORT, expected TUNNEL',
      `${nearest} ESP AES-128/HMAC_SHA2_256/no PFS/TRANSPORT; nearest of ours is ESP-SUITE, which wants ENCAPSULATION_MODE TUNNEL, ` +
        'not TRANSPORT; add QM-ESP-TRP-AES-128-SHA2-256-SUITE to [Default-quick-mode]:Suites to accept it',
    ]);
  });

  it('since they want NAT traversal is told what to offer: no name would accept it', () => {
    const encapsulated = { ...OURS, suites: [espSuite({ encapsulation: EncapsulationMode.UDP_ENCAP_TUNNEL })] };
    assert.match(
      refusedOffer(encapsulated, THEIRS)[1] ?? '',
      /wants ENCAPSULATION_MODE TUNNEL, not UDP_ENCAP_TUNNEL; let it offer ESP AES-128\/HMAC_SHA2_256\/no PFS\/TUNNEL$/,
    );
  });

  it('in the cipher names the suite for it', () => {
    const old = { ...OURS, suites: [espSuite({ transformId: EspTransform['3DES'], keyLength: undefined })] };
    assert.match(
      refusedOffer(old, THEIRS)[1] ?? '',
      /wants TRANSFORM_ID AES, not 3DES; add QM-ESP-3DES-SHA2-256-SUITE to \[Default-quick-mode\]:Suites to accept it$/,
    );
  });

  it('since it asks for AH where we have ESP names the suite for it', () => {
    const protocols = espSuite({ transformId: AhTransform.SHA2_256, keyLength: undefined }).protocols;
    const suites = [
      { name: 'AH-SUITE', protocols: protocols.map((one) => ({ ...one, protocolId: ProtocolId.IPSEC_AH })) },
    ];
    assert.deepEqual(refusedOffer({ ...OURS, suites }, THEIRS), [
      'attribute_unacceptable: PROTOCOL_ID: got IPSEC_AH, expected IPSEC_ESP',
      `${nearest} AH SHA2_256/HMAC_SHA2_256/no PFS/TUNNEL; nearest of ours is ESP-SUITE, which wants PROTOCOL_ID IPSEC_ESP, not IPSEC_AH; ` +
        'add QM-AH-SHA2-256-SUITE to [Default-quick-mode]:Suites to accept it',
    ]);
  });

  it('in the life is told where the life is written', () => {
    const lifetimes = [{ type: LifeType.SECONDS, duration: { offered: 30, least: 10, most: 60 } }];
    assert.match(
      refusedOffer({ ...OURS, suites: [espSuite({ lifetimes })] }, THEIRS)[1] ?? '',
      /wants LIFE_DURATION 60 to 86400, not 30; let LIFE_DURATION in the Life of ESP-SUITE begin at 30 to accept it$/,
    );
  });
});

describe('a quick mode whose selectors do not fit', () => {
  const PAIR = 'initiator id 10.1.1.0/255.255.255.0, responder id 10.1.2.0/255.255.255.0';
  const WISH = `quick mode refused: ${WHO}: it asks for its 10.1.1.0/255.255.255.0 to our 10.1.2.0/255.255.255.0`;

  const explanation = (right: readonly ConnectionPolicy[]): string => {
    const [ids, drop, why = '', ...more] = linesOf(negotiated(OURS, right).right);
    assert.equal(ids, `responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: ${PAIR}`);
    assert.equal(drop, droppedBy('10.0.0.1', 'INVALID_ID_INFORMATION'));
    assert.deepEqual(more, []);
    return why;
  };

  it('is explained to both sides, with the connection that comes nearest', () => {
    const far = connectionPolicy({ name: 'far', localId: subnet(172, 16, 1), remoteId: subnet(172, 16, 2) });
    const near = { ...THEIRS, remoteId: subnet(10, 9, 9) };
    assert.equal(
      explanation([far, near]),
      `${WISH}; nearest of ours is net, its 10.9.9.0/255.255.255.0 to our 10.1.2.0/255.255.255.0; let the section of [net]:Remote-ID have ` +
        "ID-type=IPV4_ADDR_SUBNET, Network=10.1.1.0, Netmask=255.255.255.0 to accept it, or correct the peer's",
    );
    assert.deepEqual(linesOf(negotiated(OURS, [far, near]).left), [
      'quick mode failed: connection net: the peer answered INVALID_ID_INFORMATION: it has no connection between our 10.1.1.0/255.255.255.0 ' +
        "and its 10.1.2.0/255.255.255.0; compare [net]:Local-ID and Remote-ID with the peer's",
    ]);
  });

  it('in both ends names both tags', () => {
    const far = connectionPolicy({ name: 'far', localId: subnet(172, 16, 1), remoteId: subnet(172, 16, 2) });
    assert.match(
      explanation([far]),
      /let the section of \[far\]:Local-ID have .*Network=10\.1\.2\.0.* and of \[far\]:Remote-ID have .*Network=10\.1\.1\.0.* to accept it/,
    );
  });

  it('an overlapping network comes nearer than a foreign one', () => {
    const foreign = connectionPolicy({ name: 'foreign', localId: subnet(172, 16, 1), remoteId: subnet(172, 16, 2) });
    const wide = { ...subnet(10, 1, 0), data: Uint8Array.of(10, 1, 0, 0, 255, 255, 0, 0) };
    const overlapping = connectionPolicy({ name: 'overlapping', localId: wide, remoteId: subnet(172, 16, 2) });
    assert.match(explanation([foreign, overlapping]), /; nearest of ours is overlapping, /);
  });

  it('in protocol and port says so', () => {
    const web = { ...THEIRS, localId: { ...subnet(10, 1, 2), protocol: 6, port: 80 } };
    assert.match(
      explanation([web]),
      /to our 10\.1\.2\.0\/255\.255\.255\.0 protocol 6 port 80; .*Netmask=255\.255\.255\.0 and no Protocol or Port to accept it/,
    );
  });

  it('since no connection belongs to the peer says what to add', () => {
    assert.equal(
      explanation([]),
      `${WISH}; no connection has ISAKMP-peer=peer: add a section that has, with Local-ID and Remote-ID of these, ` +
        'to [Phase 2]:Passive-connections to accept it; no policy is asked (-K, Use-Keynote) that could permit it without a section',
    );
  });

  it('since the connection is Active-only says so', () => {
    assert.equal(
      explanation([{ ...THEIRS, activeOnly: true }]),
      `${WISH}; nearest of ours is net, its 10.1.1.0/255.255.255.0 to our 10.1.2.0/255.255.255.0, but it has Flags=Active-only: ` +
        'remove that to accept it',
    );
  });

  it('since the section means somebody else by now says so (QM ID spoofing)', () => {
    const world = new LanePair(
      peerPolicy({ connections: [OURS] }),
      peerPolicy({ address: '10.0.0.1', connections: [THEIRS] }),
    );
    world.start();
    world.right.tell({ kind: 'peer', policy: { ...world.right.policy, remoteId: fqdn('somebody.else') } });
    world.quick();
    assert.equal(
      linesOf(world.right).at(-1),
      `${WISH}; [peer]:Remote-ID means somebody.else by now: it gets no connection before it authenticates as that`,
    );
  });
});

describe('a quick mode that the kernel does not take', () => {
  const REASON =
    'the kernel refused the SAs (unsupported): look whether it has the algorithms and who else manages its SAs';

  it('of the responder is told there, and to the initiator as a refusal', () => {
    const world = negotiated(OURS, [THEIRS]);
    world.right.clear();
    world.right.kernel = () => ({ refused: 'unsupported' });
    world.quick(3);
    assert.deepEqual(linesOf(world.right), [`quick mode abandoned: connection net: ${REASON}`]);
    assert.match(
      linesOf(world.left).at(-1) ?? '',
      /^quick mode failed: connection net: the peer answered NO_PROPOSAL_CHOSEN: /,
    );
  });

  it('of the initiator is told there', () => {
    const world = negotiated(OURS, [THEIRS]);
    world.left.kernel = () => ({ refused: 'unsupported' });
    world.quick(3);
    assert.deepEqual(linesOf(world.left), [`quick mode failed: connection net: ${REASON}`]);
  });
});
