/** What holds of a lane whatever happens to it: fast-check over networks, event lists and garbage. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import type { LaneEffect } from '../../src/shared/threads/contract.ts';
import { exchangeUnder, ScriptedPeer } from '../helpers/ike-script.ts';
import {
  connectionPolicy,
  espSuite,
  fqdn,
  type LaneHost,
  type LanePair,
  lanePair,
  PATH,
  seededRandom,
} from '../helpers/lane-pair.ts';
import { anyMutation, mutated } from '../helpers/wire-mutate.ts';

const suites = [espSuite({ group: GroupDescription.ECP_256 })];

/** What the network does to one datagram. */
type Fate = 'pass' | 'lose' | 'double' | 'late' | 'garble';
const anyFate = fc.oneof(
  { weight: 7, arbitrary: fc.constant<Fate>('pass') },
  { weight: 3, arbitrary: fc.constantFrom<Fate>('lose', 'double', 'late', 'garble') },
);

/** What somebody does next. */
type Act =
  | { readonly kind: 'phase1' | 'quickLeft' | 'quickRight' | 'gone' }
  | { readonly kind: 'wait'; readonly ms: number };
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom<Act>({ kind: 'phase1' }, { kind: 'quickLeft' }, { kind: 'quickRight' }, { kind: 'gone' }),
  fc.integer({ min: 1, max: 60_000 }).map((ms) => ({ kind: 'wait', ms }) as const),
);

/** Most stories begin as they do in life. */
const USUAL: readonly Act[] = [{ kind: 'phase1' }, { kind: 'wait', ms: 9_000 }, { kind: 'quickLeft' }];
const anyActs = fc
  .tuple(fc.nat(3), fc.array(anyAct, { minLength: 1, maxLength: 12 }))
  .map(([usual, acts]) => (usual === 0 ? acts : [...USUAL, ...acts]));
const anyAnswer = fc.oneof(
  { weight: 8, arbitrary: fc.constant('yes') },
  { weight: 3, arbitrary: fc.constantFrom('exists', 'no', 'later') },
);

const anyStory = fc.record({
  aggressive: fc.boolean(),
  fates: fc.array(anyFate, { minLength: 1, maxLength: 40 }),
  acts: anyActs,
  kernel: fc.array(anyAnswer, { minLength: 1, maxLength: 6 }),
});
type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

const garbled = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ 0x55;
  return copy;
};

/** The network of a story: its fates in turn, over and over. */
const bendBy = (world: LanePair, fates: readonly Fate[]): void => {
  const late = new Map<LaneHost, Uint8Array[]>();
  world.bend = (from, bytes, index) => {
    const waiting = late.get(from) ?? [];
    late.set(from, []);
    switch (fates[index % fates.length]) {
      case 'lose':
        return waiting;
      case 'double':
        return [bytes, ...waiting, bytes];
      case 'late':
        late.set(from, [bytes]);
        return waiting;
      case 'garble':
        return [garbled(bytes, index * 7), ...waiting];
      default:
        return [bytes, ...waiting];
    }
  };
};

const answerBy = (host: LaneHost, answers: readonly string[]): void => {
  let index = 0;
  host.kernel = () => {
    const answer = answers[index++ % answers.length];
    if (answer === 'yes') return 'yes';
    return answer === 'later' ? undefined : { refused: answer ?? '' };
  };
};

const perform = (world: LanePair, act: Act, request: number): void => {
  if (act.kind === 'phase1') {
    const initiatorCookie = seededRandom(`story ${request}`)(8);
    world.left.tell({ kind: 'startPhase1', request, peer: 'peer', path: PATH, initiatorCookie, firstContact: false });
  } else if (act.kind === 'wait') world.pass(act.ms);
  else if (act.kind === 'gone') world.left.tell({ kind: 'deleteIsakmp', isakmp: world.isakmp(), notify: true });
  else world.quick(request, 'net', act.kind === 'quickLeft' ? world.left : world.right);
  world.run();
};

const play = ({ aggressive, fates, acts, kernel }: Story): LanePair => {
  const exchangeType = aggressive ? ExchangeType.AGGRESSIVE : ExchangeType.ID_PROT;
  const world = lanePair({ exchangeType }, [connectionPolicy({ suites })]);
  bendBy(world, fates);
  for (const host of world.hosts) answerBy(host, kernel);
  for (const [index, act] of acts.entries()) perform(world, act, index + 1);
  reached.stories += 1;
  if (world.right.all('phase1Established').length > 0) reached.phase1 += 1;
  if (world.right.all('phase2Established').length > 0) reached.phase2 += 1;
  if (world.left.all('phase2Failed').length > 0) reached.refused += 1;
  return world;
};

const outcomesOf = (host: LaneHost, request: number): readonly string[] =>
  host.done.flatMap((effect) => ('request' in effect && effect.request === request ? [effect.kind] : []));

/** Every key byte string that there ever was, as hex. */
const secretsOf = (world: LanePair): readonly string[] => {
  const keys = world.hosts.flatMap((host) => {
    const slab = new KeySlab(host.slabBuffer);
    const records = Array.from(slab.liveSlots(), (slot) => slab.read(slot));
    return [
      ...host.ipsecKeys,
      ...records.flatMap((one) => (one === undefined ? [] : [one.skeyidD, one.skeyidA, one.encryptionKey])),
    ];
  });
  const texts = keys.filter(({ length }) => length > 0).map((key) => Buffer.from(key).toString('hex'));
  return [...texts, Buffer.from('mekmitasdigoat').toString('hex')];
};

/** The same effect with every byte array as hex. */
const asText = (effect: LaneEffect): string =>
  JSON.stringify(effect, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );

/** How far the stories of this file got: a property about nothing proves nothing. */
const reached = { stories: 0, phase1: 0, phase2: 0, refused: 0 };
after(() => {
  const { stories, phase1, phase2, refused } = reached;
  assert.ok(phase1 > stories / 2 && phase2 > stories / 4 && refused > stories / 10, JSON.stringify(reached));
});

describe('a lane, whatever its network, its kernel and its peer do', () => {
  it('gives one outcome for each request, and never a second one', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = play(story);
        world.pass(400_000);
        for (const [index, { kind }] of story.acts.entries()) {
          const host = kind === 'quickRight' ? world.right : world.left;
          const expected = kind === 'wait' || kind === 'gone' ? 0 : 1;
          const outcomes = outcomesOf(host, index + 1);
          assert.equal(outcomes.length, expected, `${kind}: ${outcomes.join()}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is never established twice under the same cookies, nor twice for one quick mode', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        for (const host of play(story).hosts) {
          const cookies = host.all('phase1Established').map(({ isakmp }) => isakmp);
          assert.equal(new Set(cookies).size, cookies.length);
          const exchanges = host.all('phase2Established').map(({ exchange }) => exchange);
          assert.equal(new Set(exchanges).size, exchanges.length);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('does the same again for the same events, times and random bytes', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const [first, second] = [play(story), play(story)];
        assert.deepEqual(
          first.hosts.map((host) => host.done),
          second.hosts.map((host) => host.done),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('faults of its own are none of what a peer can cause', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        for (const host of play(story).hosts) {
          assert.deepEqual(
            host.all('log').filter(({ record }) => record.severity === 'error'),
            [],
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it('puts no key into anything but install: not into lines, not into messages, not into what main hears', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = play(story);
        const secrets = secretsOf(world);
        for (const { done } of world.hosts) {
          for (const effect of done) {
            if (effect.kind === 'install') continue;
            const text = asText(effect);
            assert.ok(!secrets.some((secret) => text.includes(secret)), text);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('holds nothing after everything has ended', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = play(story);
        for (const host of world.hosts) host.kernel = () => 'yes';
        world.pass(4_000_000);
        for (const host of world.hosts) {
          assert.equal(host.core.remains, 0);
          assert.equal(host.table.size, 0);
          assert.equal([...new KeySlab(host.slabBuffer).liveSlots()].length, 0);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('garbage', () => {
  const anyGarbage = fc.record({
    point: fc.nat(9),
    damage: fc.array(anyMutation, { minLength: 1, maxLength: 3 }),
    noise: fc.uint8Array({ maxLength: 300 }),
    exchangeType: fc.constantFrom(1, 2, 4, 5, 6, 32, 33),
    flags: fc.constantFrom(0, 1, 2, 3),
    messageId: fc.integer({ min: 0, max: 3 }),
  });

  it('at any point of main mode and quick mode costs only itself: the negotiation is completed', () => {
    fc.assert(
      fc.property(anyGarbage, ({ point, damage, noise, exchangeType, flags, messageId }) => {
        const world = lanePair();
        world.bend = (_from, bytes, index) => {
          if (index !== point) return [bytes];
          const isClear = (bytes[19] ?? 0) % 2 === 0;
          const damaged = isClear ? mutated(bytes, damage) : garbled(bytes, 28 + noise.length);
          const odd = new Uint8Array(28 + noise.length);
          odd.set(bytes.subarray(0, 28));
          odd.set(noise, 28);
          odd.set([exchangeType, flags, 0, 0, 0, messageId], 18);
          new DataView(odd.buffer).setUint32(24, odd.length);
          return [odd, damaged, bytes];
        };
        world.start();
        for (let second = 0; second < 30 && world.isakmp() === ''; second++) world.pass(1_000);
        // A damaged first message may be a good one for an exchange of its own, with other values.
        if (world.isakmp() === '') return;
        world.quick();
        world.pass(30_000);
        for (const host of world.hosts) {
          assert.deepEqual(
            host.all('log').filter(({ record }) => record.severity === 'error'),
            [],
          );
        }
        assert.equal(world.left.all('phase2Established').length, 1);
      }),
      { numRuns: 300 },
    );
  });

  it('inside authentic messages is contained as well: whatever payloads an authenticated peer makes up', () => {
    const anyPayload = fc.record({
      type: fc.constantFrom(1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 21, 130, 132, 200),
      body: fc.uint8Array({ maxLength: 80 }),
    });
    const world = lanePair();
    world.start();
    const isakmp = world.isakmp();
    let messageId = 1;
    fc.assert(
      fc.property(fc.array(anyPayload, { maxLength: 4 }), fc.constantFrom(5, 32), (payloads, exchangeType) => {
        const script = exchangeUnder(world.left, isakmp, exchangeType, messageId++);
        world.deliver(world.left, script.authentic(payloads.map(({ type, body }) => ({ kind: 'raw', type, body }))));
        world.right.outbox.length = 0;
        assert.equal(world.right.core.counts.isakmpSas, 1);
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(
      world.right.all('log').filter(({ record }) => record.severity === 'error'),
      [],
    );
  });

  it('log injection: an identity with line breaks, escapes and bidirectional marks is printed harmless', () => {
    const evil = 'a\n000000.000000 Default isakmpd: exit\r\u001b[2J\u202etxt';
    const world = lanePair({ localId: fqdn(evil) });
    world.start();
    world.quick();
    const [line = ''] = world.right.log;
    assert.match(line, /initiator id a\\x0a000000/);
    for (const { record } of world.right.all('log')) {
      assert.match(record.text, /^[\x20-\x7e]*$/);
      for (const field of Object.values(record.fields)) assert.match(String(field), /^[\x20-\x7e]*$/);
    }
    const refused = lanePair({ localId: fqdn(evil), remoteId: fqdn('somebody.else') });
    refused.start();
    assert.ok(refused.right.log.length > 0);
    for (const text of refused.right.log) assert.match(text, /^[\x20-\x7e]*$/);
  });

  it('CVE-2020-1763, CVE-2022-23094: a stateless bad message of every kind is logged without a state', () => {
    const world = lanePair();
    const peer = new ScriptedPeer();
    for (const type of [1, 2, 4, 5, 6, 32]) {
      for (const payload of [1, 4, 5, 8, 10, 11, 12, 13, 14, 20]) {
        const bytes = peer.clear([{ kind: 'raw', type: payload, body: new Uint8Array(3) }], { exchangeType: type });
        for (const cookie of [0, 1]) {
          bytes[8] = cookie;
          world.right.hear(bytes);
          assert.equal(world.right.core.remains, 0);
        }
      }
    }
  });
});
