/** Decisions 7: what is said when the other side of a negotiation says nothing more, by who is silent and after which message. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { type LanePair, lanePair } from '../helpers/lane-pair.ts';
import { GIVING_UP, LEFT, linesOf } from '../helpers/narration.ts';

const FAILED = 'phase 1 failed: peer peer (10.0.0.2, its ID any, cookies I:R): no response from peer 10.0.0.2:500';

/** Only the first `count` datagrams arrive. */
const cutAfter = (count: number, exchangeType: number = ExchangeType.ID_PROT): LanePair => {
  const world = lanePair({ exchangeType });
  world.bend = (_from, bytes, index) => (index < count ? [bytes] : []);
  world.start();
  world.pass(200_000);
  return world;
};

describe('a phase 1 in which the responder falls silent', () => {
  it('nothing came at all: address, route, firewalls', () => {
    assert.deepEqual(linesOf(cutAfter(0).left), [
      GIVING_UP,
      `${FAILED}; nothing has come from it at all: check [peer]:Address, the route, firewalls both ways, and that it speaks IKEv1`,
    ]);
  });

  it('nothing came to aggressive mode: our ID as well', () => {
    assert.match(
      linesOf(cutAfter(0, ExchangeType.AGGRESSIVE).left).at(-1) ?? '',
      /: check \[peer\]:Address, the route, firewalls both ways, and that it takes aggressive mode from our ID$/,
    );
  });

  it('after message 2: large packets', () => {
    assert.deepEqual(linesOf(cutAfter(2).left), [
      GIVING_UP,
      `${FAILED} to our message 3 (key exchange), after it answered message 1; look for a path that loses large packets, and into its log`,
    ]);
  });

  it('after message 4: secret or identity', () => {
    assert.deepEqual(linesOf(cutAfter(4).left), [
      GIVING_UP,
      `${FAILED} to our message 5 (authentication), probably a wrong pre-shared key, or it expects another ID than ours; ` +
        "compare [peer]:Authentication and [peer]:ID with the peer's",
    ]);
  });
});

describe('a phase 1 in which the initiator falls silent', () => {
  it('after message 1: our answers may not reach it', () => {
    assert.deepEqual(linesOf(cutAfter(1).right), [
      `phase 1 abandoned: ${LEFT}: it stopped after our message 2 (choice of transform); our answers may not reach it: ` +
        'look at firewalls and NAT on the way',
    ]);
  });

  it('after message 3: large packets', () => {
    assert.deepEqual(linesOf(cutAfter(3).right), [
      `phase 1 abandoned: ${LEFT}: it stopped after our message 4 (key exchange); its message 5 may be lost on the way (large packets): ` +
        'look into its log',
    ]);
  });

  it('after message 1 of aggressive mode: secret or identity', () => {
    assert.deepEqual(linesOf(cutAfter(1, ExchangeType.AGGRESSIVE).right), [
      `phase 1 abandoned: ${LEFT}: it stopped after our message 2 (authentication), probably a wrong pre-shared key; ` +
        "compare [peer]:Authentication with the peer's, and our ID",
    ]);
  });

  it('half-open flood: strangers that begin and vanish cause only so many such lines', () => {
    const world = lanePair();
    for (let request = 1; request <= 1_000; request++) {
      world.left.tell({ kind: 'cancel', request: request - 1 });
      world.bend = (from, bytes) => (from === world.left ? [bytes] : []);
      world.start(request);
    }
    world.pass(121_000);
    const abandoned = world.right.log.filter((line) => line.startsWith('phase 1 abandoned: '));
    assert.ok(abandoned.length > 0 && abandoned.length <= 200, `${abandoned.length} lines`);
  });
});

it('DoS, CPU: a flood of aggressive mode is shed with a line that names whose messages are dropped', () => {
  const world = lanePair({ exchangeType: ExchangeType.AGGRESSIVE });
  world.bend = () => [];
  world.start();
  const message1 = world.wire[0]?.bytes ?? assert.fail();
  for (let i = 0; i < 300; i++) world.right.hear(Uint8Array.of(9, i >> 8, i & 255, ...message1.subarray(3)));
  const shed = linesOf(world.right).filter((line) => line.startsWith('phase 1 dropped: '));
  assert.deepEqual(shed, [
    `phase 1 dropped: ${LEFT}: more peers begin aggressive mode than keys can be computed for; it tries again`,
  ]);
});

describe('a quick mode in which', () => {
  /** The first `count` datagrams of the quick mode arrive. */
  const quickCutAfter = (count: number): LanePair => {
    const world = lanePair();
    world.start();
    const before = world.wire.length;
    world.bend = (_from, bytes, index) => (index < before + count ? [bytes] : []);
    world.quick();
    world.pass(200_000);
    return world;
  };

  it('the responder is silent: a lost ISAKMP SA, or a refusal without a word', () => {
    assert.deepEqual(linesOf(quickCutAfter(0).left), [
      'transport_send_messages: giving up on exchange net, no response from peer 10.0.0.2:500',
      'quick mode failed: connection net: no response from peer 10.0.0.2:500 to our quick mode; it may have lost the ISAKMP SA, ' +
        "or refuse without a word: compare Suites, Local-ID and Remote-ID of net with the peer's",
    ]);
  });

  it('the initiator is silent: it may not accept our answer', () => {
    assert.deepEqual(linesOf(quickCutAfter(1).right), [
      'transport_send_messages: giving up on exchange net, no response from peer 10.0.0.1:500',
      'quick mode abandoned: connection net: it stopped after our message 2; it may not accept our answer: look into its log',
    ]);
  });

  it('the kernel is silent: look there', () => {
    const world = lanePair();
    world.start();
    world.right.kernel = () => undefined;
    world.quick();
    world.pass(200_000);
    assert.deepEqual(linesOf(world.right), [
      'quick mode abandoned: connection net: the kernel has not answered within Exchange-max-time: look into its log, ' +
        'and start the daemon anew if it goes on',
    ]);
  });
});
