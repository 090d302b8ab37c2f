/** Quick modes that the kernel or the peer refuses, and what each side says about it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IpsecAttribute, ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import { type OutPayload, readHeader } from '../../src/shared/wire/message.ts';
import { exchangeUnder, notifyOf, type ScriptedExchange, ScriptedPeer } from '../helpers/ike-script.ts';
import {
  connectionPolicy,
  espSuite,
  type KernelAnswer,
  type LaneHost,
  type LanePair,
  lanePair,
  subnet,
} from '../helpers/lane-pair.ts';
import { espOffer, IDS, NONCE } from '../helpers/quick-script.ts';

const ready = (suite = espSuite()): LanePair => {
  const world = lanePair({}, [connectionPolicy({ suites: [suite] })]);
  world.start();
  return world;
};

/** SPIs that `host` was told to delete, by protocol, as its peer said it. */
const retired = (host: LaneHost) => host.all('retire').map(({ protocolId, spis }) => [protocolId, ...spis]);

const failures = (host: LaneHost) =>
  host.all('phase2Failed').map(({ request, failure }) => [request, failure.cause, failure.reason]);

/** Says `answers` to the installs, in order, and yes to all others. */
const answering = (host: LaneHost, ...answers: readonly KernelAnswer[]): void => {
  let index = 0;
  host.kernel = () => (index < answers.length ? answers[index++] : 'yes');
};

/** A script in the place of left, once phase 1 is done. */
const impostor = (
  world: LanePair,
  messageId: number,
  exchangeType: number = ExchangeType.QUICK_MODE,
): ScriptedExchange => exchangeUnder(world.left, world.isakmp(), exchangeType, messageId);

const kernelRefused = (reason: string): string =>
  `the kernel refused the SAs (${reason}): look whether it has the algorithms and who else manages its SAs`;

describe('a kernel that refuses, decisions 3.3', () => {
  it('the responder draws another SPI where there is such an SA already, and all goes well', () => {
    const world = ready();
    answering(world.right, { refused: 'exists' }, { refused: 'exists' });
    world.quick();
    const spis = world.right.all('install').map(({ agreement }) => agreement.protocols[0]?.spiIn);
    assert.equal(spis.length, 4);
    assert.equal(new Set(spis).size, 3, 'two that were taken, and one for both directions');
    assert.equal(world.left.all('phase2Established')[0]?.agreement.protocols[0]?.spiOut, spis[2]);
    assert.equal(world.right.all('phase2Established').length, 1);
  });

  it('the responder gives up after three of them', () => {
    const world = ready();
    world.right.kernel = () => ({ refused: 'exists' });
    world.quick();
    assert.equal(world.right.all('install').length, 3);
    assert.deepEqual(failures(world.right), [[0, 'error', kernelRefused('exists')]]);
  });

  it('inbound SA of the responder: NO_PROPOSAL_CHOSEN, and the initiator gives up at once', () => {
    const world = ready();
    answering(world.right, { refused: 'unsupported' });
    world.quick();
    assert.deepEqual(failures(world.right), [[0, 'error', kernelRefused('unsupported')]]);
    const [[request, cause, reason] = []] = failures(world.left);
    assert.deepEqual([request, cause], [2, 'refused']);
    assert.match(String(reason), /^the peer answered NO_PROPOSAL_CHOSEN: we offer ESP AES-128/);
    assert.equal(world.left.all('install').length, 0);
    for (const host of world.hosts) assert.equal(host.core.counts.phase2Exchanges, 0);
  });

  it('outbound SA of the responder: the initiator, who has all of it, hears a DELETE', () => {
    const world = ready();
    answering(world.right, 'yes', { refused: 'unsupported' });
    world.quick();
    assert.equal(world.left.all('phase2Established').length, 1);
    const spi = world.left.all('phase2Established')[0]?.agreement.protocols[0]?.spiOut;
    assert.deepEqual(retired(world.left), [[ProtocolId.IPSEC_ESP, spi]]);
    assert.deepEqual(failures(world.right), [[0, 'error', kernelRefused('unsupported')]]);
  });

  it('SAs of the initiator: the responder, who waits for message 3, hears a DELETE', () => {
    const world = ready();
    answering(world.left, { refused: 'exists' });
    world.quick();
    const spi = world.right.all('install')[0]?.agreement.protocols[0]?.spiOut;
    assert.deepEqual(retired(world.right), [[ProtocolId.IPSEC_ESP, spi]]);
    assert.deepEqual(failures(world.left), [[2, 'error', kernelRefused('exists')]]);
    assert.equal(world.left.core.counts.phase2Exchanges, 0);
  });

  it('an answer for a quick mode that has ended meanwhile means nothing', () => {
    const world = ready();
    let exchange = 0;
    world.right.kernel = (effect) => {
      exchange = effect.exchange;
      return undefined;
    };
    world.quick();
    world.right.tell({ kind: 'deleteIsakmp', isakmp: world.isakmp(), notify: false });
    world.right.clear();
    world.right.tell({ kind: 'installed', exchange });
    world.right.tell({ kind: 'refused', exchange, reason: 'late' });
    assert.deepEqual(world.right.done, []);
  });
});

describe('a peer that refuses', () => {
  /** Left has asked for `connections` and the network swallows it; right now says what the test makes it say. */
  const waiting = (connections = [connectionPolicy()]): LanePair => {
    const world = lanePair({}, connections);
    world.start();
    world.bend = () => [];
    for (const [index, { name }] of connections.entries()) world.quick(2 + index, name);
    world.bend = (_from, bytes) => [bytes];
    return world;
  };
  const say = (world: LanePair, payload: OutPayload, messageId = 0x777): void => {
    const bytes = exchangeUnder(world.right, world.isakmp(), ExchangeType.INFO, messageId).authentic([payload]);
    world.deliver(world.right, bytes);
  };

  it('P2: an authenticated error ends the quick mode at once (pluto: no SPI; charon: a SPI of zeros)', () => {
    for (const about of [{}, { protocolId: ProtocolId.IPSEC_ESP, spi: new Uint8Array(4) }]) {
      const world = waiting();
      say(world, notifyOf(NotifyType.NO_PROPOSAL_CHOSEN, about));
      assert.equal(failures(world.left).length, 1);
      assert.equal(world.left.core.counts.phase2Exchanges, 0);
    }
  });

  it('decisions 7: the failure says what was offered and what to do', () => {
    const world = waiting();
    say(world, notifyOf(NotifyType.NO_PROPOSAL_CHOSEN));
    assert.equal(
      failures(world.left)[0]?.[2],
      'the peer answered NO_PROPOSAL_CHOSEN: we offer ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL; ' +
        "compare [Default-quick-mode]:Suites, PFS included, with the peer's proposals",
    );
    const other = waiting();
    say(other, notifyOf(NotifyType.INVALID_ID_INFORMATION));
    assert.equal(
      failures(other.left)[0]?.[2],
      'the peer answered INVALID_ID_INFORMATION: it has no connection between our 10.1.1.0/255.255.255.0 and its 10.1.2.0/255.255.255.0; ' +
        "compare [net]:Local-ID and Remote-ID with the peer's",
    );
  });

  it('ends the one of several whose SPI it names', () => {
    const two = [connectionPolicy(), connectionPolicy({ name: 'other', localId: subnet(10, 8, 8) })];
    const world = waiting(two);
    const message = world.wire.at(-1)?.bytes ?? assert.fail();
    const offered = exchangeUnder(
      world.right,
      world.isakmp(),
      ExchangeType.QUICK_MODE,
      readHeader(message).messageId,
    ).read(message);
    const spi = offered.sa?.value.proposals[0]?.spi ?? assert.fail();
    say(world, notifyOf(NotifyType.NO_PROPOSAL_CHOSEN, { protocolId: ProtocolId.IPSEC_ESP, spi }));
    assert.deepEqual(
      world.left.all('phase2Failed').map(({ connection }) => connection),
      ['other'],
    );
  });

  it('is only reported where several are under way and it names none', () => {
    const two = [connectionPolicy(), connectionPolicy({ name: 'other', localId: subnet(10, 8, 8) })];
    const world = waiting(two);
    say(world, notifyOf(NotifyType.NO_PROPOSAL_CHOSEN));
    assert.deepEqual(failures(world.left), []);
    assert.ok(
      world.left.notices.some((line) =>
        /^error reported by peer peer \(10\.0\.0\.2, .*\): NO_PROPOSAL_CHOSEN; look into its log$/.test(line),
      ),
    );
  });

  it('cannot be made to end it by somebody who sends garbage in our name: such errors are only reported', () => {
    const world = waiting();
    for (const [index, notify] of [
      NotifyType.INVALID_HASH_INFORMATION,
      NotifyType.PAYLOAD_MALFORMED,
      NotifyType.INVALID_FLAGS,
    ].entries()) {
      say(world, notifyOf(notify), 0x100 + index);
    }
    assert.deepEqual(failures(world.left), []);
  });

  it('reports reach the log only so often', () => {
    const world = waiting();
    for (let i = 0; i < 500; i++) say(world, notifyOf(NotifyType.INVALID_FLAGS), 0x1000 + i);
    assert.ok(world.left.notices.length <= 60);
    say(world, notifyOf(NotifyType.NO_PROPOSAL_CHOSEN));
    assert.equal(failures(world.left).length, 1, 'and an error that counts is still heard');
  });

  it('in the clear it is only told: INVALID_COOKIE for a live quick mode of ours shows up in its failure', () => {
    const world = waiting();
    const { initiatorCookie, responderCookie } = readHeader(world.wire[2]?.bytes ?? assert.fail());
    const cookies = { initiatorCookie, responderCookie, exchangeType: ExchangeType.INFO, messageId: 5 };
    const claim = new ScriptedPeer().clear([notifyOf(NotifyType.INVALID_COOKIE)], cookies);
    for (let i = 0; i < 3; i++) world.deliver(world.right, claim);
    assert.deepEqual(world.left.notices, [
      'quick mode refused by peer peer (connection net, 10.0.0.2, its ID 10.0.0.2, our ID 10.0.0.1, cookies b4cfb514b6db94b7:96cefbc279739484, ' +
        'message id 5eaeb1b2): it answers INVALID_COOKIE, unauthenticated: it may have lost this ISAKMP SA',
    ]);
    world.bend = () => [];
    world.pass(60_000);
    const reason = 'no response from peer 10.0.0.2:500 (it had answered INVALID_COOKIE, unauthenticated)';
    assert.deepEqual(failures(world.left), [[2, 'timeout', reason]]);
    assert.equal(world.left.core.counts.isakmpSas, 1);
  });

  it('after message 2 the initiator refuses by naming the responder’s SPI, and the responder gives up at once', () => {
    const world = lanePair({}, [connectionPolicy({ suites: [espSuite({ group: GroupDescription.ECP_256 })] })]);
    world.start();
    const messageId = 0x4242;
    // Left has a script in its place that says no to message 2.
    const script = impostor(world, messageId);
    const ke: OutPayload = { kind: 'KE', value: { keyExchangeData: publicPoint(world) } };
    const group = [{ type: IpsecAttribute.GROUP_DESCRIPTION, value: GroupDescription.ECP_256 }];
    world.deliver(world.left, script.authentic([espOffer(group), NONCE, ke, ...IDS]));
    const answer = script.read(world.right.outbox.shift()?.bytes);
    const spi = answer.sa?.value.proposals[0]?.spi ?? assert.fail();
    const refusal = notifyOf(NotifyType.INVALID_KEY_INFORMATION, { protocolId: ProtocolId.IPSEC_ESP, spi });
    world.deliver(world.left, impostor(world, 0x99, ExchangeType.INFO).authentic([refusal]));
    assert.deepEqual(failures(world.right), [[0, 'refused', 'the peer answered INVALID_KEY_INFORMATION']]);
  });
});

/** A KE value that is on the curve: the one of left's phase 1. */
const publicPoint = (world: LanePair): Uint8Array => {
  const message3 = world.wire[2]?.bytes ?? assert.fail();
  return message3.slice(32, 96);
};
