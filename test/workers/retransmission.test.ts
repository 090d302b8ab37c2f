import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import { generalPolicy, type LaneHost, type LanePair, lanePair } from '../helpers/lane-pair.ts';

const MODES = [
  { name: 'main mode', exchangeType: ExchangeType.ID_PROT, messages: 6 },
  { name: 'aggressive mode', exchangeType: ExchangeType.AGGRESSIVE, messages: 3 },
] as const;

/** Each side has exactly one SA of each phase, the same one. */
const assertUp = (world: LanePair): void => {
  for (const host of world.hosts) {
    assert.equal(host.all('phase1Established').length, 1);
    assert.equal(host.all('phase2Established').length, 1);
    assert.equal(host.core.counts.halfOpen, 0);
    assert.deepEqual(host.all('phase1Failed').concat([]), []);
    assert.deepEqual(host.all('phase2Failed').concat([]), []);
  }
  const [ours, theirs] = world.hosts.map((host) => host.all('phase2Established')[0]?.agreement);
  assert.equal(world.isakmp(world.left), world.isakmp(world.right));
  assert.deepEqual(
    ours?.protocols.map(({ spiIn, spiOut }) => [spiIn, spiOut]),
    theirs?.protocols.map(({ spiIn, spiOut }) => [spiOut, spiIn]),
  );
};

/** Starts a quick mode as soon as there is an SA, as main does. */
const bringUp = (world: LanePair): void => {
  world.start();
  for (let second = 0; second < 40 && world.isakmp() === ''; second++) world.pass(1_000);
  world.quick();
  world.pass(40_000);
};

/** Times at which `host` sent something, from the start of the run. */
const sendTimes = (world: LanePair, host: LaneHost, run: () => void): readonly number[] => {
  const times: number[] = [];
  const start = world.now;
  world.bend = (from) => {
    if (from === host) times.push(world.now - start);
    return [];
  };
  run();
  return times;
};

const NOTHING_CAME =
  'nothing has come from it at all: check [peer]:Address, the route, firewalls both ways, and that it speaks IKEv1';

for (const { name, exchangeType, messages } of MODES) {
  describe(`${name} and quick mode on a bad network`, () => {
    for (let lost = 0; lost < messages + 3; lost++) {
      it(`heals the loss of message ${lost + 1}`, () => {
        const world = lanePair({ exchangeType });
        world.bend = (_from, bytes, index) => (index === lost ? [] : [bytes]);
        bringUp(world);
        assertUp(world);
      });

      it(`heals the loss of message ${lost + 1} and of its first repetition`, () => {
        const world = lanePair({ exchangeType });
        let dropped = 0;
        let victim: string | undefined;
        world.bend = (_from, bytes, index) => {
          const text = Buffer.from(bytes).toString('hex');
          if (index === lost) victim = text;
          return text === victim && dropped++ < 2 ? [] : [bytes];
        };
        bringUp(world);
        assertUp(world);
      });

      it(`takes message ${lost + 1} three times for one`, () => {
        const world = lanePair({ exchangeType });
        world.bend = (_from, bytes, index) => (index === lost ? [bytes, bytes, bytes] : [bytes]);
        bringUp(world);
        assertUp(world);
      });

      it(`takes message ${lost + 1} again after everything is done`, () => {
        const world = lanePair({ exchangeType });
        bringUp(world);
        const { from, bytes } = world.wire[lost] ?? assert.fail();
        const before = world.wire.length;
        world.deliver(from, bytes);
        world.run();
        assert.ok(world.wire.length - before <= 2, 'at most a reply, and a reply to that');
        world.pass(300_000);
        world.deliver(from, bytes);
        world.run();
        for (const host of world.hosts) {
          assert.equal(host.all('phase1Established').length, 1);
          assert.equal(host.all('phase2Established').length, 1);
        }
      });
    }

    it('takes every message twice, and all of them in the order of the first ones', () => {
      const world = lanePair({ exchangeType });
      world.bend = (_from, bytes) => [bytes, bytes];
      bringUp(world);
      assertUp(world);
    });

    it('takes each message together with all older ones of its sender', () => {
      const world = lanePair({ exchangeType });
      const sent = new Map<LaneHost, Uint8Array[]>();
      world.bend = (from, bytes) => {
        const all = [...(sent.get(from) ?? []), bytes];
        sent.set(from, all.slice(-6));
        return all;
      };
      bringUp(world);
      assertUp(world);
    });

    it('takes messages that arrive one too late', () => {
      const world = lanePair({ exchangeType });
      let held: { readonly from: LaneHost; readonly bytes: Uint8Array } | undefined;
      world.bend = (from, bytes, index) => {
        const late = held;
        held = undefined;
        if (index % 3 === 1) {
          held = { from, bytes };
          return late?.from === from ? [late.bytes] : [];
        }
        return late?.from === from ? [bytes, late.bytes] : [bytes];
      };
      bringUp(world);
      assertUp(world);
    });
  });
}

describe('retransmission', () => {
  it('repeats an unanswered message with the same bytes after 2, 4 and 8 s, give or take a tenth, and gives up after 16 more', () => {
    const world = lanePair();
    const seen = new Set<string>();
    const times = sendTimes(world, world.left, () => {
      world.start();
      world.pass(100_000);
    });
    for (const { bytes } of world.wire) seen.add(Buffer.from(bytes).toString('hex'));
    assert.equal(seen.size, 1);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.equal(waits.length, 3);
    for (const [index, wait] of waits.entries()) {
      const expected = 2_000 * 2 ** index;
      assert.ok(wait >= 0.9 * expected - 1 && wait <= 1.1 * expected + 1, `wait ${index}: ${wait}`);
    }
    assert.deepEqual(world.left.log, [
      'transport_send_messages: giving up on exchange peer, no response from peer 10.0.0.2:500',
    ]);
    assert.deepEqual(
      world.left.all('phase1Failed').map(({ request, failure }) => [request, failure]),
      [[1, { cause: 'timeout', reason: `no response from peer 10.0.0.2:500; ${NOTHING_CAME}` }]],
    );
    assert.equal(world.left.core.remains, 0);
  });

  it('keeps the meaning of Retransmits, 0 included', () => {
    for (const retransmits of [0, 1, 5]) {
      const world = lanePair();
      world.left.tell({ kind: 'general', policy: generalPolicy({ retransmits, exchangeMaxTimeSeconds: 1_000 }) });
      const times = sendTimes(world, world.left, () => {
        world.start();
        world.pass(500_000);
      });
      assert.equal(times.length, 1 + retransmits);
    }
  });

  it('ends a phase 1 of ours at Exchange-max-time at the latest', () => {
    const world = lanePair();
    world.left.tell({ kind: 'general', policy: generalPolicy({ retransmits: 50, exchangeMaxTimeSeconds: 20 }) });
    world.bend = () => [];
    world.start();
    world.pass(19_999);
    assert.equal(world.left.all('phase1Failed').length, 0);
    world.pass(2);
    assert.deepEqual(
      world.left.all('phase1Failed').map(({ failure }) => failure.reason),
      [`not finished with 10.0.0.2:500 within Exchange-max-time, no response; ${NOTHING_CAME}`],
    );
    assert.equal(world.left.core.remains, 0);
  });

  it('ends a half-open phase 1 of a stranger at Exchange-max-time', () => {
    const world = lanePair();
    world.bend = (from, bytes) => (from === world.left ? [bytes] : []);
    world.start();
    assert.equal(world.right.core.counts.halfOpen, 1);
    world.pass(121_000);
    assert.equal(world.right.core.remains, 0);
    assert.equal(world.right.table.size, 0);
  });

  it('a responder of phase 1 sends nothing by timer, not even message 6', () => {
    for (const lost of [1, 3, 5]) {
      const world = lanePair();
      world.bend = (_from, bytes, index) => (index >= lost ? [] : [bytes]);
      world.start();
      world.pass(100_000);
      const byRight = world.wire.filter(({ from }) => from === world.right).length;
      assert.equal(byRight, Math.ceil(lost / 2));
    }
  });

  it('tells in its failure that a silent peer may have another secret', () => {
    const world = lanePair();
    world.bend = (_from, bytes, index) => (index >= 4 ? [] : [bytes]);
    world.start();
    world.pass(60_000);
    const [failed] = world.left.all('phase1Failed');
    assert.match(
      failed?.failure.reason ?? '',
      /^no response from peer 10\.0\.0\.2:500 .* probably a wrong pre-shared key/,
    );
  });

  it('gives up a quick mode that nobody answers with isakmpd’s line, and the ISAKMP SA stays', () => {
    const world = lanePair();
    world.start();
    world.bend = () => [];
    world.quick();
    world.pass(60_000);
    assert.deepEqual(world.left.notices, [
      'transport_send_messages: giving up on exchange net, no response from peer 10.0.0.2:500',
    ]);
    assert.deepEqual(
      world.left.all('phase2Failed').map(({ request, connection, failure }) => [request, connection, failure.cause]),
      [[2, 'net', 'timeout']],
    );
    assert.deepEqual(world.left.core.counts, { isakmpSas: 1, halfOpen: 0, phase2Exchanges: 0 });
  });

  it('a responder of quick mode repeats message 2 until message 3 comes, and takes back its SA if it never does', () => {
    const world = lanePair();
    world.start();
    const from = world.wire.length;
    world.bend = (sender, bytes, index) => (sender === world.left && index > from ? [] : [bytes]);
    world.quick();
    world.pass(60_000);
    const answers = world.wire.slice(from).filter(({ from: sender }) => sender === world.right);
    assert.equal(answers.length, 1 + 3);
    assert.equal(new Set(answers.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size, 1);
    assert.deepEqual(
      world.right.all('phase2Failed').map(({ connection, failure }) => [connection, failure.cause]),
      [['net', 'timeout']],
    );
  });

  it('ends a quick mode for whose SAs the kernel never answers at Exchange-max-time', () => {
    const world = lanePair();
    world.right.kernel = () => undefined;
    world.start();
    world.quick();
    world.pass(121_000);
    assert.equal(
      world.right.all('phase2Failed')[0]?.failure.reason,
      'the kernel has not answered within Exchange-max-time: look into its log, and start the daemon anew if it goes on',
    );
    assert.equal(world.right.core.counts.phase2Exchanges, 0);
  });

  it('answers duplicates until Exchange-max-time and keeps nothing of the exchanges after that', () => {
    const world = lanePair();
    bringUp(world);
    assert.equal(world.right.core.counts.phase2Exchanges, 1);
    const timers = world.right.core.remains;
    world.pass(130_000);
    assert.equal(world.right.core.counts.phase2Exchanges, 0);
    assert.ok(world.right.core.remains < timers);
    // The SA by its cookies, its soft and its hard timer.
    assert.equal(world.right.core.remains, 3);
    const last = world.wire.filter(({ from }) => from === world.left).at(-1);
    const before = world.wire.length;
    world.deliver(world.left, last?.bytes ?? assert.fail());
    world.run();
    assert.equal(world.wire.length, before);
  });

  it('message 3 of quick mode is repeated whenever message 2 comes again', () => {
    const world = lanePair();
    bringUp(world);
    const isMessage2 = (bytes: Uint8Array) => readHeader(bytes).exchangeType === ExchangeType.QUICK_MODE;
    const message2 = world.wire.find(({ from, bytes }) => from === world.right && isMessage2(bytes));
    const message3 = world.wire.at(-1)?.bytes;
    world.deliver(world.right, message2?.bytes ?? assert.fail());
    world.bend = () => [];
    world.run();
    assert.deepEqual(world.wire.at(-1)?.bytes, message3);
  });
});
