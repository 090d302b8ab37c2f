/** Whatever somebody without a secret sends: what it makes a lane say is rationed, or only said on request (-v, debug classes). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { PEER_TRIGGERED } from '../../src/shared/log/peer-triggered.ts';
import { type LaneHost, type LanePair, lanePair } from '../helpers/lane-pair.ts';
import { anyMutation, mutated } from '../helpers/wire-mutate.ts';

const anyForgery = fc.record({
  exchangeType: fc.constantFrom(ExchangeType.ID_PROT, ExchangeType.AGGRESSIVE),
  point: fc.nat(8),
  damage: fc.array(anyMutation, { minLength: 1, maxLength: 3 }),
  header: fc.array(fc.tuple(fc.integer({ min: 16, max: 23 }), fc.nat(255)), { maxLength: 3 }),
  noise: fc.uint8Array({ maxLength: 200 }),
  isStranger: fc.boolean(),
});

type Forgery = Pick<typeof anyForgery extends fc.Arbitrary<infer T> ? T : never, 'damage' | 'header' | 'noise'>;

/** Messages that somebody makes who has seen this one. */
const forged = (bytes: Uint8Array, { damage, header, noise }: Forgery): readonly Uint8Array[] => {
  const odd = new Uint8Array(28 + noise.length);
  odd.set(bytes.subarray(0, 28));
  odd.set(noise, 28);
  for (const [at, value] of header) odd[at] = value;
  new DataView(odd.buffer).setUint32(24, odd.length);
  const isClear = (bytes[19] ?? 0) % 2 === 0;
  return isClear ? [odd, mutated(bytes, damage)] : [odd];
};

/** What arrives of a message of `from`: the forgeries before it, unless a stranger has sent them meanwhile. */
const arriving = (
  world: LanePair,
  from: LaneHost,
  bytes: Uint8Array,
  forgery: Forgery & { readonly isStranger: boolean },
): readonly Uint8Array[] => {
  const forgeries = forged(bytes, forgery);
  if (!forgery.isStranger) return [...forgeries, bytes];
  const to = from === world.left ? world.right : world.left;
  for (const one of forgeries) to.hear(one, '192.0.2.66', 4711, { peer: '' });
  return [bytes];
};

test('threats "half-open flood", logs: every line that an unauthenticated message causes is of a rationed kind', () => {
  const events = new Set<string>();
  fc.assert(
    fc.property(anyForgery, (forgery) => {
      const { exchangeType, point } = forgery;
      const world = lanePair({ exchangeType });
      world.bend = (from, bytes, index) => (index === point ? arriving(world, from, bytes, forgery) : [bytes]);
      world.start();
      world.quick();
      const said = world.hosts.flatMap((host) => host.all('log').map(({ record }) => record));
      for (const { severity, event } of said) if (severity !== 'verbose') events.add(event);
      assert.deepEqual(
        [...events].filter((event) => !PEER_TRIGGERED.has(event)),
        [],
      );
    }),
    { numRuns: 400 },
  );
  assert.ok(events.has('message-dropped') && events.size > 2, [...events].join(' '));
});
