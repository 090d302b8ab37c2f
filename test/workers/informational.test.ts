import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import { spiBytes } from '../../src/shared/policy/spi.ts';
import { type OutPayload, readHeader } from '../../src/shared/wire/message.ts';
import {
  deleteOf,
  exchangeUnder,
  notifyOf,
  type ScriptedExchange,
  ScriptedPeer,
  unreadableInfo,
} from '../helpers/ike-script.ts';
import { fqdn, type LaneHost, type LanePair, lanePair } from '../helpers/lane-pair.ts';

/** Two sides with a phase 1; what left says next is up to a script. */
const ready = (changes = {}): LanePair => {
  const world = lanePair(changes);
  world.start();
  for (const host of world.hosts) host.clear();
  return Object.assign(world, { established: 0 });
};

const cookies = (world: LanePair): string => {
  const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
  return Buffer.from(initiatorCookie).toString('hex') + Buffer.from(responderCookie).toString('hex');
};

const script = (world: LanePair, messageId: number): ScriptedExchange =>
  exchangeUnder(world.left, cookies(world), ExchangeType.INFO, messageId);

/** Left says these payloads to right in one message; answers what right says back, read. */
const say = (world: LanePair, payloads: readonly OutPayload[], messageId = 0x1001): readonly Uint8Array[] => {
  world.deliver(world.left, script(world, messageId).authentic(payloads));
  return world.right.outbox.splice(0).map(({ bytes }) => bytes);
};

const bytesOf = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, 'hex'));

const deleteIsakmp = (...spis: readonly string[]): OutPayload => ({
  kind: 'DELETE',
  value: { doi: 1, protocolId: ProtocolId.ISAKMP, spis: spis.map(bytesOf) },
});

const retired = (host: LaneHost) =>
  host.all('retire').map(({ protocolId, spis, peer, remoteIdentity }) => ({ protocolId, spis, peer, remoteIdentity }));

describe('DELETE', () => {
  it('of IPsec SPIs is told to main with the authenticated peer', () => {
    const world = ready({ localId: fqdn('gate.example') });
    say(world, [deleteOf(0x1000, 0x2000)]);
    const told = {
      protocolId: ProtocolId.IPSEC_ESP,
      spis: [0x1000, 0x2000],
      peer: 'peer',
      remoteIdentity: 'gate.example',
    };
    assert.deepEqual(retired(world.right), [told]);
    assert.deepEqual(world.right.outbox, [], 'nothing is acknowledged');
  });

  it('of reserved SPIs is ignored, the others of the list count (P19)', () => {
    const world = ready();
    say(world, [deleteOf(0, 255, 0x1000)]);
    assert.deepEqual(world.right.all('retire')[0]?.spis, [0x1000]);
  });

  it('of AH and ESP in one message is two', () => {
    const world = ready();
    const ah: OutPayload = {
      kind: 'DELETE',
      value: { doi: 1, protocolId: ProtocolId.IPSEC_AH, spis: [spiBytes(0x3000)] },
    };
    say(world, [deleteOf(0x1000), ah]);
    assert.deepEqual(
      world.right.all('retire').map(({ protocolId }) => protocolId),
      [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH],
    );
  });

  it('of the ISAKMP SA ends it without an answer', () => {
    const world = ready();
    assert.deepEqual(say(world, [deleteIsakmp(cookies(world))]), []);
    assert.deepEqual(world.right.all('phase1Gone'), [
      { kind: 'phase1Gone', isakmp: cookies(world), why: 'deletedByPeer' },
    ]);
    assert.equal(world.right.core.remains, 0);
    assert.equal(world.right.table.size, 0);
  });

  it('of another ISAKMP SA’s cookies is ignored, be they unknown or somebody else’s', () => {
    const world = ready();
    const victim = new ScriptedPeer({ seed: 'victim' }).mainMode(world.right, '10.0.0.50');
    const foreign = Buffer.from([...victim.initiatorCookie, ...victim.responderCookie]).toString('hex');
    say(world, [deleteIsakmp(foreign, 'ab'.repeat(16))]);
    assert.deepEqual(world.right.all('phase1Gone'), []);
    assert.equal(world.right.core.counts.isakmpSas, 2);
  });

  it('CVE-2023-38712: followed by notifies in one message is the last that counts of that SA', () => {
    const world = ready();
    const seq = notifyOf(NotifyType.R_U_THERE, { spi: bytesOf(cookies(world)), data: spiBytes(1) });
    const answers = say(world, [
      deleteIsakmp(cookies(world)),
      seq,
      notifyOf(NotifyType.INITIAL_CONTACT),
      deleteOf(0x1000),
    ]);
    assert.deepEqual(answers, []);
    assert.deepEqual(world.right.all('initialContact'), []);
    assert.deepEqual(world.right.all('retire').length, 1);
    assert.deepEqual(
      world.right.done.map(({ kind }) => kind),
      ['retire', 'phase1Gone'],
    );
  });

  it('CVE-2019-10155, CVE-2004-0164: with a wrong hash, without one, or in the clear does nothing', () => {
    const world = ready();
    const wrong: OutPayload = { kind: 'HASH', value: { hashData: new Uint8Array(32).fill(1) } };
    const gone = deleteIsakmp(cookies(world));
    world.deliver(world.left, script(world, 1).sealed([wrong, gone, deleteOf(0x1000)]));
    world.deliver(world.left, script(world, 2).sealed([gone]));
    const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
    const clear = { initiatorCookie, responderCookie, exchangeType: ExchangeType.INFO, messageId: 3 };
    world.deliver(world.left, new ScriptedPeer().clear([gone], clear));
    world.deliver(world.left, new ScriptedPeer().clear([notifyOf(NotifyType.INITIAL_CONTACT), gone], clear));
    for (const kind of ['retire', 'phase1Gone', 'initialContact'] as const) assert.deepEqual(world.right.all(kind), []);
    assert.equal(world.right.core.counts.isakmpSas, 1);
  });

  it('is believed once: a replay does nothing (threats: message id reuse)', () => {
    const world = ready();
    const bytes = script(world, 0x55).authentic([deleteOf(0x1000)]);
    for (let i = 0; i < 3; i++) world.deliver(world.left, bytes);
    assert.equal(world.right.all('retire').length, 1);
  });

  it('of ours, reflected, does nothing: both sides have the same keys', () => {
    const world = ready();
    world.left.tell({ kind: 'sendDelete', isakmp: cookies(world), protocolId: ProtocolId.IPSEC_ESP, spis: [0x1000] });
    const ours = world.left.outbox.splice(0)[0]?.bytes ?? assert.fail();
    world.deliver(world.right, ours);
    assert.deepEqual(world.left.all('retire'), []);
  });

  it('CVE-2004-0221: whose count of SPIs is not what its length says is refused', () => {
    const world = ready();
    const body = Uint8Array.of(0, 0, 0, 1, 3, 4, 0xff, 0xff, 0, 0, 1, 0);
    say(world, [{ kind: 'raw', type: 12, body }]);
    assert.deepEqual(world.right.all('retire'), []);
    assert.equal(world.right.core.counts.isakmpSas, 1);
  });

  it('of 16,000 SPIs is cut to what a peer can have', () => {
    const world = ready();
    say(world, [deleteOf(...Array.from({ length: 16_000 }, (_, i) => 0x1000 + i))]);
    assert.equal(world.right.all('retire')[0]?.spis.length, 1_024);
  });

  it('of ours goes out protected, one message for what main hands over', () => {
    const world = ready();
    world.left.tell({
      kind: 'sendDelete',
      isakmp: cookies(world),
      protocolId: ProtocolId.IPSEC_ESP,
      spis: [0x1000, 0x1001],
    });
    world.run();
    assert.deepEqual(world.right.all('retire')[0]?.spis, [0x1000, 0x1001]);
    world.left.tell({ kind: 'sendDelete', isakmp: '00'.repeat(16), protocolId: ProtocolId.IPSEC_ESP, spis: [1] });
    assert.deepEqual(world.left.outbox, []);
  });

  it('of our ISAKMP SA is said or not, as main asks', () => {
    for (const notify of [true, false]) {
      const world = ready();
      world.left.tell({ kind: 'deleteIsakmp', isakmp: cookies(world), notify });
      world.run();
      assert.deepEqual(
        world.left.all('phase1Gone').map(({ why }) => why),
        ['deletedByUs'],
      );
      assert.equal(world.right.all('phase1Gone').length, notify ? 1 : 0);
      assert.equal(world.left.core.remains, 0);
    }
  });

  it('for cookies that we have just removed is dropped without answer (pluto says it back)', () => {
    const world = ready();
    const late = script(world, 0x77).authentic([deleteIsakmp(cookies(world))]);
    world.right.tell({ kind: 'deleteIsakmp', isakmp: cookies(world), notify: false });
    world.deliver(world.left, late);
    assert.deepEqual(world.right.outbox, []);
  });
});

describe('dead peer detection, RFC 3706', () => {
  const probe = (world: LanePair, sequence: number, messageId: number): readonly Uint8Array[] =>
    say(world, [notifyOf(NotifyType.R_U_THERE, { spi: bytesOf(cookies(world)), data: spiBytes(sequence) })], messageId);

  it('answers R-U-THERE with the sequence number, protected', () => {
    const world = ready();
    const [answer = new Uint8Array(0)] = probe(world, 0x0102, 0x2001);
    const { messageId } = readHeader(answer);
    const { value } = script(world, messageId).read(answer).notifies[0] ?? assert.fail();
    assert.equal(value.notifyType, NotifyType.R_U_THERE_ACK);
    assert.deepEqual([...value.notificationData], [0, 0, 1, 2]);
    assert.equal(Buffer.from(value.spi).toString('hex'), cookies(world));
  });

  it('answers the same number six times less one, and says so of more', () => {
    const world = ready();
    const answered = Array.from({ length: 8 }, (_, i) => probe(world, 7, 0x3000 + i).length);
    assert.deepEqual(answered, [1, 1, 1, 1, 1, 0, 0, 0]);
    assert.deepEqual(new Set(world.right.log), new Set(['dpd_handle_notify: bad R_U_THERE seqno 7 <= 7']));
    assert.equal(probe(world, 8, 0x3100).length, 1);
  });

  it('does not answer a number lower than the last, and says so', () => {
    const world = ready();
    assert.equal(probe(world, 100, 0x4000).length, 1);
    assert.equal(probe(world, 99, 0x4001).length, 0);
    assert.deepEqual(world.right.log, ['dpd_handle_notify: bad R_U_THERE seqno 99 <= 100']);
  });

  it('CVE-2009-0790: without sequence number, with half of one, or without cookies is refused', () => {
    const world = ready();
    const spi = bytesOf(cookies(world));
    const odd = [
      { spi },
      { spi, data: new Uint8Array(2) },
      { data: spiBytes(1) },
      { spi: spi.slice(0, 8), data: spiBytes(1) },
    ];
    for (const [index, about] of odd.entries()) {
      assert.deepEqual(say(world, [notifyOf(NotifyType.R_U_THERE, about)], 0x5000 + index), []);
    }
    assert.equal(world.right.core.counts.isakmpSas, 1);
  });

  it('CVE-2009-0790: on a half-open SA, encrypted or not, gets nothing', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 4 ? [bytes] : []);
    world.start();
    const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
    const clear = { initiatorCookie, responderCookie, exchangeType: ExchangeType.INFO, messageId: 3 };
    const bytes = new ScriptedPeer().clear([notifyOf(NotifyType.R_U_THERE, { data: spiBytes(1) })], clear);
    for (const flags of [0, 1]) {
      const copy = bytes.slice();
      copy[19] = flags;
      world.deliver(world.left, copy);
      world.deliver(world.right, copy);
    }
    assert.deepEqual(world.right.outbox, []);
    assert.deepEqual(world.left.outbox, []);
    assert.equal(world.right.core.counts.halfOpen, 1);
  });

  it('tells of an R-U-THERE-ACK that nobody asked for', () => {
    const world = ready();
    const ack = notifyOf(NotifyType.R_U_THERE_ACK, { spi: bytesOf(cookies(world)), data: spiBytes(5) });
    assert.deepEqual(say(world, [ack]), []);
    assert.deepEqual(world.right.log, ['dpd_handle_notify: got bad ACK seqno 5, expected 0']);
  });
});

describe('other notifies', () => {
  it('INITIAL-CONTACT is told to main', () => {
    const world = ready();
    say(world, [notifyOf(NotifyType.INITIAL_CONTACT, { spi: bytesOf(cookies(world)) })]);
    assert.deepEqual(world.right.all('initialContact'), [{ kind: 'initialContact', isakmp: cookies(world) }]);
  });

  it('of unknown types, of types reserved, and of statuses nobody asked for are taken without a word', () => {
    const world = ready();
    for (const [index, type] of [0, 9_000, 16_384, 24_577, 40_000, 65_535].entries()) {
      assert.deepEqual(say(world, [notifyOf(type)], 0x6000 + index), []);
    }
    assert.deepEqual(world.right.log, []);
    assert.deepEqual(world.right.done, []);
  });

  it('several in one message are each taken', () => {
    const world = ready();
    const spi = bytesOf(cookies(world));
    const answers = say(world, [
      notifyOf(NotifyType.R_U_THERE, { spi, data: spiBytes(1) }),
      notifyOf(NotifyType.R_U_THERE, { spi, data: spiBytes(2) }),
      notifyOf(NotifyType.INITIAL_CONTACT),
    ]);
    assert.equal(answers.length, 2);
    assert.equal(world.right.all('initialContact').length, 1);
  });

  it('about a phase 1 of ours, in the clear, are told to the operator once, and end nothing', () => {
    const world = lanePair();
    world.bend = () => [];
    world.start();
    const { initiatorCookie } = readHeader(world.wire[0]?.bytes ?? assert.fail());
    const claim = (notify: number, responderCookie: Uint8Array) =>
      new ScriptedPeer().clear([notifyOf(notify)], {
        initiatorCookie,
        responderCookie,
        exchangeType: ExchangeType.INFO,
        messageId: 0,
      });
    // pluto sets a responder cookie, isakmpd and we do not.
    world.deliver(world.right, claim(NotifyType.NO_PROPOSAL_CHOSEN, new Uint8Array(8).fill(7)));
    world.deliver(world.right, claim(NotifyType.INVALID_COOKIE, new Uint8Array(8)));
    assert.deepEqual(world.left.notices, [
      'phase 1 refused by peer peer (connection net, 10.0.0.2, its ID any, our ID 10.0.0.1, cookies b4cfb514b6db94b7:0000000000000000): ' +
        'it answers NO_PROPOSAL_CHOSEN, unauthenticated: we offer AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256; ' +
        "compare [Default-phase-1-configuration]:Transforms with the peer's proposals, and our address and ID with its peers",
    ]);
    assert.equal(world.left.core.counts.halfOpen, 1);
    world.pass(60_000);
    assert.deepEqual(
      world.left.all('phase1Failed').map(({ failure }) => failure.reason),
      ['no response from peer 10.0.0.2:500 (it had answered NO_PROPOSAL_CHOSEN, unauthenticated)'],
    );
  });

  it('about a phase 1 of ours from another address are not even heard', () => {
    const world = lanePair();
    world.bend = () => [];
    world.start();
    const { initiatorCookie } = readHeader(world.wire[0]?.bytes ?? assert.fail());
    const claim = new ScriptedPeer().clear([notifyOf(NotifyType.NO_PROPOSAL_CHOSEN)], {
      initiatorCookie,
      exchangeType: ExchangeType.INFO,
    });
    world.left.hear(claim, '10.0.0.66');
    assert.deepEqual(world.left.notices, []);
  });

  it('that nobody can read yet, while our message 5 waits for an answer, are a hint at another secret (charon)', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index < 4 ? [bytes] : []);
    world.start();
    const noise = unreadableInfo(world.wire[2]?.bytes ?? assert.fail());
    for (let i = 0; i < 3; i++) world.deliver(world.right, noise);
    assert.deepEqual(world.left.notices, [
      'phase 1 refused by peer peer (connection net, 10.0.0.2, its ID any, our ID 10.0.0.1, cookies b4cfb514b6db94b7:96cefbc279739484): ' +
        "it answers something that we cannot decrypt, probably a wrong pre-shared key; compare [peer]:Authentication with the peer's",
    ]);
    world.pass(60_000);
    assert.match(
      world.left.all('phase1Failed')[0]?.failure.reason ?? '',
      /probably a wrong pre-shared key.* \(it had answered something that we cannot decrypt\)$/,
    );
  });
});

describe('the memory of message ids, decisions 3.7', () => {
  it('asks for a new phase 1 when there are many, ends the SA when there are too many, and never forgets one', () => {
    const world = ready();
    const first = script(world, 0x10).authentic([notifyOf(NotifyType.REPLAY_STATUS)]);
    const replay = script(world, 0x11).authentic([notifyOf(NotifyType.INITIAL_CONTACT)]);
    world.deliver(world.left, first);
    world.deliver(world.left, replay);
    for (let id = 0x12; id < 0x10 + 19_999; id++) {
      world.deliver(world.left, script(world, id).authentic([notifyOf(NotifyType.REPLAY_STATUS)]));
      if (id === 0x10 + 9_999) assert.equal(world.right.all('phase1Expiring').length, 1);
    }
    world.deliver(world.left, replay);
    assert.equal(world.right.all('initialContact').length, 1);
    assert.equal(world.right.core.counts.isakmpSas, 1);
    world.deliver(world.left, script(world, 0x10 + 20_000).authentic([notifyOf(NotifyType.REPLAY_STATUS)]));
    world.deliver(world.left, script(world, 0x10 + 20_001).authentic([notifyOf(NotifyType.INITIAL_CONTACT)]));
    assert.equal(world.right.all('initialContact').length, 1, 'an id that could not be remembered is not taken');
    world.pass(1);
    assert.deepEqual(
      world.right.all('phase1Gone').map(({ why }) => why),
      ['expired'],
    );
    assert.equal(world.right.all('phase1Expiring').length, 1);
  });

  it('cannot be filled by messages that prove nothing', () => {
    const world = ready();
    const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
    const peer = new ScriptedPeer();
    let answers = 0;
    for (let id = 1; id < 5_000; id++) {
      const cookie = { initiatorCookie, responderCookie, exchangeType: ExchangeType.QUICK_MODE, messageId: id };
      world.deliver(world.left, peer.clear([peer.sa], cookie));
      answers += world.right.outbox.splice(0).length;
    }
    assert.ok(answers <= 10, `${answers} answers`);
  });
});
