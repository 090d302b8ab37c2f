import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
} from '../../src/shared/constants/oakley.ts';
import type { Phase1Transform } from '../../src/shared/policy/peer-policy.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import { clearNotify, notifyOf, readAnything, ScriptedPeer } from '../helpers/ike-script.ts';
import { aes128Sha256, fqdn, LaneHost, lanePair, PATH, peerPolicy, seededRandom } from '../helpers/lane-pair.ts';

const responder = (): LaneHost => {
  const host = new LaneHost('10.0.0.2', 'main mode', () => 1_000);
  host.tell({ kind: 'peer', policy: peerPolicy({ address: '10.0.0.1' }) });
  return host;
};

/** An initiator that has sent message 1, and a script that plays the responder by turning its cookies round. */
const initiator = (): { readonly host: LaneHost; readonly message1: Uint8Array } => {
  const host = new LaneHost('10.0.0.1', 'main mode', () => 1_000);
  host.tell({ kind: 'peer', policy: peerPolicy() });
  const initiatorCookie = seededRandom('main mode')(8);
  host.tell({ kind: 'startPhase1', request: 1, peer: 'peer', path: PATH, initiatorCookie, firstContact: true });
  return { host, message1: host.outbox.splice(0)[0]?.bytes ?? assert.fail() };
};

describe('main mode', () => {
  it('takes six messages and leaves both sides with one ISAKMP SA of the same cookies', () => {
    const world = lanePair();
    world.start();
    assert.deepEqual(
      world.wire.map(({ from, bytes }) => [from === world.left ? 'left' : 'right', readHeader(bytes).flags]),
      [
        ['left', 0], // HDR, SA
        ['right', 0], // HDR, SA
        ['left', 0], // HDR, KE, Ni
        ['right', 0], // HDR, KE, Nr
        ['left', 1], // HDR*, IDii, HASH_I
        ['right', 1], // HDR*, IDir, HASH_R
      ],
    );
    const [ours] = world.left.all('phase1Established');
    const [theirs] = world.right.all('phase1Established');
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.equal(ours.isakmp, theirs.isakmp);
    assert.deepEqual([ours.role, theirs.role], ['initiator', 'responder']);
    assert.deepEqual([ours.request, theirs.request], [1, 0]);
    assert.deepEqual([ours.localIdentity, ours.remoteIdentity], ['10.0.0.1', '10.0.0.2']);
  });

  it('says so in isakmpd’s words on both sides', () => {
    const world = lanePair();
    world.start();
    const ids = 'initiator id 10.0.0.1, responder id 10.0.0.2';
    assert.deepEqual(world.left.log, [`isakmpd: phase 1 done: ${ids}, src: 10.0.0.1 dst: 10.0.0.2`]);
    assert.deepEqual(world.right.log, [`isakmpd: phase 1 done (as responder): ${ids}, src: 10.0.0.2 dst: 10.0.0.1`]);
    assert.deepEqual(world.left.notices, []);
  });

  it('exchanges identities that are not addresses', () => {
    const world = lanePair({ localId: fqdn('gate.example'), remoteId: fqdn('GATE.example') });
    world.start();
    assert.equal(world.left.all('phase1Established')[0]?.remoteIdentity, 'gate.example');
    assert.equal(world.right.all('phase1Established')[0]?.remoteIdentity, 'gate.example');
  });

  for (const [name, changes] of [
    [
      '3DES, SHA1, group 2',
      {
        encryption: EncryptionAlgorithm['3DES_CBC'],
        keyLength: undefined,
        hash: HashAlgorithm.SHA,
        group: GroupDescription.MODP_1024,
      },
    ],
    [
      'AES-256, SHA2-512, group 14',
      {
        keyLength: { offered: 256, least: 128, most: 256 },
        hash: HashAlgorithm.SHA2_512,
        group: GroupDescription.MODP_2048,
      },
    ],
    [
      'AES-192, MD5, group 21',
      { keyLength: { offered: 192, least: 128, most: 256 }, hash: HashAlgorithm.MD5, group: GroupDescription.ECP_521 },
    ],
  ] as const satisfies readonly (readonly [string, Partial<Phase1Transform>])[]) {
    it(`works with ${name}`, () => {
      const world = lanePair({ transforms: [{ ...aes128Sha256(), ...changes }] });
      world.start();
      assert.equal(world.left.all('phase1Established').length, 1);
      assert.equal(world.right.all('phase1Established').length, 1);
    });
  }

  it('says INITIAL-CONTACT in messages 5 and 6 where it is due, and hears it', () => {
    const world = lanePair();
    world.start();
    assert.equal(world.right.all('phase1Established')[0]?.initialContact, true);
    assert.equal(world.left.all('phase1Established')[0]?.initialContact, true);
    const again = lanePair();
    again.start(1, false);
    assert.equal(again.right.all('phase1Established')[0]?.initialContact, false);
  });

  it('CVE-2007-1841: believes no INITIAL-CONTACT in the clear, nor one about other cookies', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const claim = notifyOf(NotifyType.INITIAL_CONTACT);
    const [message2] = host.hear(peer.clear([peer.sa, claim]));
    peer.message3(message2);
    const [message4] = host.hear(peer.clear([peer.ke, peer.nonce, claim]));
    host.hear(peer.message5(message4, [notifyOf(NotifyType.INITIAL_CONTACT, { spi: new Uint8Array(16).fill(1) })]));
    assert.equal(host.all('phase1Established')[0]?.initialContact, false);
  });

  it('hears INITIAL-CONTACT as charon sends it: after the hash, with the cookies as SPI', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    const spi = Uint8Array.of(...peer.initiatorCookie, ...peer.responderCookie);
    host.hear(peer.message5(message4, [notifyOf(NotifyType.INITIAL_CONTACT, { spi })]));
    assert.equal(host.all('phase1Established')[0]?.initialContact, true);
  });

  it('takes payloads in any order, notifies and vendor ids among them', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const vendor = { kind: 'VID', value: { vendorId: new Uint8Array(16) } } as const;
    const [message2] = host.hear(peer.clear([vendor, peer.sa, vendor]));
    peer.message3(message2);
    const [message4] = host.hear(peer.clear([peer.nonce, vendor, peer.ke]));
    peer.learnKeys(message4);
    host.hear(peer.sealed([peer.hashPayload('initiator'), vendor, peer.id]));
    assert.equal(host.core.counts.isakmpSas, 1);
  });

  it('repeats proposal number 0 and transform number 0 (pluto) unchanged', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const { value } = peer.sa.kind === 'SA' ? peer.sa : assert.fail();
    const proposals = value.proposals.map((proposal) => ({ ...proposal, proposalNumber: 0 }));
    const [message2] = host.hear(peer.clear([{ kind: 'SA', value: { ...value, proposals } }]));
    assert.deepEqual(readAnything(message2 ?? assert.fail()).sa?.value.proposals, proposals);
  });

  it('takes an answer with other numbers and another order of attributes than its offer (charon)', () => {
    const { host, message1 } = initiator();
    const offered = readAnything(message1).sa?.value ?? assert.fail();
    const [proposal] = offered.proposals;
    const [transform] = proposal?.transforms ?? [];
    assert.ok(proposal !== undefined && transform !== undefined);
    const { attributes } = transform;
    const reordered = [...attributes.slice(-1), ...attributes.slice(0, -1)];
    const transforms = [{ ...transform, transformNumber: 5, attributes: reordered }];
    const value = { ...offered, proposals: [{ ...proposal, proposalNumber: 3, transforms }] };
    const cookies = {
      initiatorCookie: readHeader(message1).initiatorCookie,
      responderCookie: new Uint8Array(8).fill(1),
    };
    const answers = host.hear(new ScriptedPeer().clear([{ kind: 'SA', value }], cookies), '10.0.0.2');
    assert.ok(readAnything(answers[0] ?? assert.fail()).ke);
  });

  it('offers only what can be negotiated: no ANY, no signatures without a key', () => {
    const world = lanePair({
      transforms: [
        { ...aes128Sha256(), hash: 'ANY' },
        { ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG },
        aes128Sha256(),
      ],
    });
    world.start();
    const { sa } = readAnything(world.wire[0]?.bytes ?? assert.fail());
    assert.equal(sa?.value.proposals[0]?.transforms.length, 1);
    assert.equal(world.left.all('phase1Established').length, 1);
  });

  it('fails at once where nothing can be offered', () => {
    const world = lanePair({ transforms: [{ ...aes128Sha256(), hash: 'ANY' }] });
    world.start();
    assert.deepEqual(
      world.left.all('phase1Failed').map(({ request, failure }) => [request, failure.cause, failure.reason]),
      [[1, 'error', 'none of its Transforms can be offered; see isakmpd --check']],
    );
    assert.equal(world.left.core.remains, 0);
  });

  it('never answers with signatures that it has no key for, even where configuration would take them', () => {
    const host = responder();
    host.tell({
      kind: 'peer',
      policy: peerPolicy({ transforms: [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }] }),
    });
    const peer = new ScriptedPeer();
    const { value } = peer.sa.kind === 'SA' ? peer.sa : assert.fail();
    const attributes = value.proposals[0]?.transforms[0]?.attributes.map((one) =>
      one.type === 3 ? { type: 3, value: 3 } : one,
    );
    const proposals = value.proposals.map((p) => ({
      ...p,
      transforms: [{ transformNumber: 0, transformId: 1, attributes: attributes ?? [] }],
    }));
    const answers = host.hear(peer.clear([{ kind: 'SA', value: { ...value, proposals } }]));
    assert.equal(clearNotify(answers[0]), NotifyType.NO_PROPOSAL_CHOSEN);
  });
});

describe('main mode, responder, between hostile messages', () => {
  it('DoS, CPU: takes message 3 only under its own cookie: the sender must have received message 2', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    host.hear(peer.message1());
    const before = host.core.diffieHellman;
    assert.deepEqual(host.hear(peer.clear([peer.ke, peer.nonce])), []);
    assert.equal(host.core.diffieHellman, before);
    assert.equal(host.core.counts.halfOpen, 1);
  });

  it('DoS, CPU: takes message 3 only from the address of message 1', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const message3 = peer.message3(host.hear(peer.message1())[0]);
    assert.deepEqual(host.hear(message3, '10.0.0.77'), []);
    assert.equal(host.core.diffieHellman, 0);
    assert.equal(host.hear(message3).length, 1);
  });

  it('repeats message 2 only to the address of message 1', () => {
    const host = responder();
    const message1 = new ScriptedPeer().message1();
    host.hear(message1);
    assert.deepEqual(host.hear(message1, '10.0.0.77'), []);
  });

  it('follows the peer to another port of the same address with each message that it accepts', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message2] = host.hear(peer.message1(), '10.0.0.1', 500);
    const [message4] = host.hear(peer.message3(message2), '10.0.0.1', 4711);
    host.hear(peer.message5(message4), '10.0.0.1', 4712);
    assert.equal(host.all('phase1Established')[0]?.path.remote.port, 4712);
  });

  it('does not follow a message that it refuses', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const message3 = peer.message3(host.hear(peer.message1())[0]);
    host.hear(message3);
    host.hear(peer.clear([peer.ke]), '10.0.0.1', 4711);
    host.hear(message3, '10.0.0.1', 4712);
    assert.equal(host.all('send').at(-1)?.path.remote.port, 500, 'message 4 again');
  });

  for (const [name, value] of [
    ['0', new Uint8Array(256)],
    ['1', new Uint8Array(256).fill(1, 255)],
    ['2^2048 - 1, which is more than p', new Uint8Array(256).fill(255)],
    ['of the wrong length', new Uint8Array(255).fill(1)],
  ] as const) {
    it(`CVE-2015-3240: a KE value ${name} gets INVALID_KEY_INFORMATION, and an honest one afterwards is taken`, () => {
      const host = responder();
      const transforms = [aes128Sha256(GroupDescription.MODP_2048)];
      host.tell({ kind: 'peer', policy: peerPolicy({ transforms }) });
      const peer = new ScriptedPeer({ transforms, group: GroupDescription.MODP_2048 });
      const message3 = peer.message3(host.hear(peer.message1())[0]);
      const bad = { kind: 'KE', value: { keyExchangeData: value } } as const;
      assert.equal(clearNotify(host.hear(peer.clear([bad, peer.nonce]))[0]), NotifyType.INVALID_KEY_INFORMATION);
      host.hear(peer.message5(host.hear(message3)[0]));
      assert.equal(host.core.counts.isakmpSas, 1);
    });
  }

  it('CVE-2015-3240: a point off the curve gets INVALID_KEY_INFORMATION', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.message3(host.hear(peer.message1())[0]);
    const bad = { kind: 'KE', value: { keyExchangeData: new Uint8Array(64).fill(5) } } as const;
    assert.equal(clearNotify(host.hear(peer.clear([bad, peer.nonce]))[0]), NotifyType.INVALID_KEY_INFORMATION);
  });

  it('DoS, CPU: hears no more from a negotiation after 32 refused messages', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.message3(host.hear(peer.message1())[0]);
    for (let i = 0; i < 100; i++) {
      const bad = { kind: 'KE', value: { keyExchangeData: new Uint8Array(64).fill(i + 1) } } as const;
      host.hear(peer.clear([bad, peer.nonce]));
    }
    assert.ok(host.core.diffieHellman <= 64, `${host.core.diffieHellman} Diffie-Hellman`);
  });

  it('a forged message 5 does not disturb the IV chain: the true one is still read', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    const message5 = peer.message5(message4);
    const forged = message5.slice();
    forged.fill(0xaa, 28);
    host.hear(forged);
    assert.equal(host.hear(message5).length, 1);
    assert.equal(host.core.counts.isakmpSas, 1);
  });

  it('a message 5 that decrypts but does not authenticate does not disturb the IV chain either', () => {
    const host = responder();
    const [forger, honest] = [new ScriptedPeer(), new ScriptedPeer()];
    const [message4] = host.hear(honest.message3(host.hear(honest.message1())[0]));
    const message5 = honest.message5(message4);
    forger.learnKeys(message4);
    host.hear(forger.sealed([forger.id, { kind: 'HASH', value: { hashData: new Uint8Array(32) } }]));
    assert.equal(host.hear(message5).length, 1);
    assert.equal(host.core.counts.isakmpSas, 1);
  });

  it('a replayed handshake gets nothing but silence and leaves no second SA', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const message1 = peer.message1();
    const message3 = peer.message3(host.hear(message1)[0]);
    const message5 = peer.message5(host.hear(message3)[0]);
    const [message6] = host.hear(message5);
    host.clear();
    assert.deepEqual(host.hear(message1), []);
    assert.deepEqual(host.hear(message3), []);
    assert.deepEqual(host.hear(message5), [message6], 'message 6 may have been lost');
    assert.deepEqual(host.core.counts, { isakmpSas: 1, halfOpen: 0, phase2Exchanges: 0 });
    assert.deepEqual(host.all('phase1Established'), []);
  });
});

describe('main mode, initiator, between hostile messages', () => {
  it('takes no message 2 with a responder cookie of zeros', () => {
    const { host, message1 } = initiator();
    const peer = new ScriptedPeer();
    const { initiatorCookie } = readHeader(message1);
    assert.deepEqual(host.hear(peer.clear([peer.sa], { initiatorCookie }), '10.0.0.2'), []);
    assert.equal(host.core.counts.halfOpen, 1);
  });

  it('does not answer its own first message when somebody reflects it', () => {
    const { host, message1 } = initiator();
    assert.deepEqual(host.hear(message1, '10.0.0.2'), []);
  });

  it('keeps to the responder cookie of the message 2 that it accepted', () => {
    const { host, message1 } = initiator();
    const peer = new ScriptedPeer();
    const { initiatorCookie } = readHeader(message1);
    const cookie = (value: number) => new Uint8Array(8).fill(value);
    assert.equal(
      host.hear(peer.clear([peer.sa], { initiatorCookie, responderCookie: cookie(1) }), '10.0.0.2').length,
      1,
    );
    const other = peer.clear([peer.ke, peer.nonce], { initiatorCookie, responderCookie: cookie(2) });
    assert.equal(clearNotify(host.hear(other, '10.0.0.2')[0]), NotifyType.INVALID_COOKIE);
    const same = peer.clear([peer.ke, peer.nonce], { initiatorCookie, responderCookie: cookie(1) });
    assert.equal(host.hear(same, '10.0.0.2').length, 1);
  });

  it('forgets the responder cookie of a message 2 that it refused', () => {
    const { host, message1 } = initiator();
    const { initiatorCookie } = readHeader(message1);
    const forger = new ScriptedPeer({ transforms: [aes128Sha256(GroupDescription.MODP_2048)] });
    const bad = forger.clear([forger.sa], { initiatorCookie, responderCookie: new Uint8Array(8).fill(1) });
    assert.equal(clearNotify(host.hear(bad, '10.0.0.2')[0]), NotifyType.NO_PROPOSAL_CHOSEN);
    const honest = new ScriptedPeer();
    const good = honest.clear([honest.sa], { initiatorCookie, responderCookie: new Uint8Array(8).fill(2) });
    assert.equal(readHeader(host.hear(good, '10.0.0.2')[0] ?? assert.fail()).exchangeType, ExchangeType.ID_PROT);
  });

  it('takes message 2 only from the address that it wrote to', () => {
    const { host, message1 } = initiator();
    const { initiatorCookie } = readHeader(message1);
    const peer = new ScriptedPeer();
    const message2 = peer.clear([peer.sa], { initiatorCookie, responderCookie: new Uint8Array(8).fill(1) });
    assert.deepEqual(host.hear(message2, '10.0.0.66'), []);
    assert.equal(host.hear(message2, '10.0.0.2').length, 1);
  });

  it('tells in its failure that the peer chose what was not offered', () => {
    const world = lanePair();
    world.bend = (from, bytes) => {
      const copy = bytes.slice();
      if (from === world.right) copy[63] = 2; // the first attribute's value in message 2
      return [copy];
    };
    world.start();
    world.pass(60_000);
    const [failed] = world.left.all('phase1Failed');
    const reason = failed?.failure.reason ?? '';
    assert.ok(reason.startsWith('no response from peer 10.0.0.2:500 (its last message was refused: '), reason);
  });
});
