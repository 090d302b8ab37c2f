/** Datagrams between the ends of a place, and what SAs have counted of them. */
import assert from 'node:assert/strict';
import type { Flow, SaUsage } from '../../../src/kernel/backend.ts';
import type { Place } from './place.ts';
import { flowOf, idOf, mirrored, type SaWish, saOf } from './wishes.ts';

/** The same SA at both ends, the receiving one first. */
export const addSa = async ({ ends }: Place, wish: SaWish): Promise<void> => {
  const [from, to] = (wish.source ?? '10.9.0.1').endsWith('1') ? [ends.here, ends.there] : [ends.there, ends.here];
  await to.addSa(...saOf('in', wish));
  await from.addSa(...saOf('out', wish));
};

/** From this side, and back with an SPI that is 1 more. */
export const addPair = async (place: Place, wish: SaWish): Promise<void> => {
  await addSa(place, wish);
  await addSa(place, backOf(wish));
};

export const backOf = (wish: SaWish): SaWish => {
  const { spi, source = '10.9.0.1', destination = '10.9.0.2', selectors } = wish;
  const reversed = selectors && { source: selectors.destination, destination: selectors.source };
  return { ...wish, spi: spi + 1, source: destination, destination: source, ...(reversed && { selectors: reversed }) };
};

/** At both ends. */
export const putFlow = async ({ ends }: Place, changes: Partial<Flow> = {}): Promise<void> => {
  const flow = flowOf(changes);
  await ends.here.putFlow(flow);
  await ends.there.putFlow(mirrored(flow));
};

/** How many of so many datagrams of 100 bytes arrive. */
export const outward = async (place: Place, count: number, to = '10.2.0.1', from = '10.1.0.1', port = PORT) => {
  const { here, there } = place.ends;
  await there.listen({ address: to, port });
  await here.send({ address: from, port: 0 }, { address: to, port }, count, SIZE);
  return there.received({ address: to, port }, count);
};

export const inward = async (place: Place, count: number, to = '10.1.0.1', from = '10.2.0.1') => {
  const { here, there } = place.ends;
  await here.listen({ address: to, port: PORT });
  await there.send({ address: from, port: 0 }, { address: to, port: PORT }, count, SIZE);
  return here.received({ address: to, port: PORT }, count);
};

/** The first end's counters of SAs, by what they were made from. */
export const packetsOf = async ({ ends }: Place, ...wishes: readonly SaWish[]): Promise<readonly number[]> =>
  Promise.all(wishes.map(async (wish) => (await ends.here.querySa(idOf(wish))).packets));

/** Both directions carry packets in these SAs, and both ends have counted the same. */
export const assertCarries = async (
  place: Place,
  wish: SaWish,
  [here, there]: readonly [string, string] = ['10.1.0.1', '10.2.0.1'],
): Promise<void> => {
  const back = backOf(wish);
  const before = await usages(place, [wish, back]);
  assert.equal(await outward(place, 5, there, here), 5);
  assert.equal(await inward(place, 4, here, there), 4);
  const after = await usages(place, [wish, back]);
  const packets = after.map(({ packets: now }, i) => now - (before[i]?.packets ?? 0));
  assert.deepEqual(packets, [5, 5, 4, 4], 'packets counted at both ends, outward and inward');
  for (const [i, { bytes, usedAt }] of after.entries()) {
    assert.ok(bytes - (before[i]?.bytes ?? 0) >= (packets[i] ?? 0) * SIZE, 'bytes counted');
    assert.ok(Math.abs(usedAt - Date.now() / 1000) < 60, `used at ${usedAt}`);
  }
};

const usages = async ({ ends }: Place, wishes: readonly SaWish[]): Promise<readonly SaUsage[]> =>
  Promise.all(wishes.flatMap((wish) => [ends.here.querySa(idOf(wish)), ends.there.querySa(idOf(wish))]));

/** Bytes. */
export const SIZE = 100;
export const PORT = 7777;
