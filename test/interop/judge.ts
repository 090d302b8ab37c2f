/** What has to become true in each kind of scenario, told by the listings of both sides and by our log. */
import { SystemError } from '../../src/shared/errors.ts';
import { ESP_LISTING } from './algorithms.ts';
import { Isakmpd } from './isakmpd.ts';
import { areEqual, commonPairs, type Listing, type SpiPair, show } from './listing.ts';
import type { Party, Peer } from './party.ts';
import { until } from './processes.ts';
import { refusalLines } from './refusals.ts';
import type { Expectation, Scenario } from './scenarios.ts';
import { faultOf, type Prefix, setupsOf } from './setup.ts';

export interface Sides {
  readonly ours: Party;
  readonly theirs: Peer;
}

/** Returns when the scenario came out as expected; throws with the reason when it did not. Both daemons are up and negotiating. */
export const judge = async (scenario: Scenario, sides: Sides): Promise<void> => {
  const { expect } = scenario;
  switch (expect.kind) {
    case 'established':
      await established(scenario, sides);
      return;
    case 'rekey':
      return rekeyed(expect, sides, await established(scenario, sides));
    case 'delete':
      return deleted(expect, sides, await established(scenario, sides));
    case 'refusal':
      return refused(scenario, sides);
  }
};

interface Listings {
  readonly ours: Listing;
  readonly theirs: Listing;
}

/** Both sides list the same SPIs, one pair for each pair of networks, and the same cookies where both list them. */
const established = async (scenario: Scenario, sides: Sides): Promise<Listings> => {
  const listings = await waitFor('not established', ESTABLISH_PATIENCE, sides, ({ ours, theirs }) => {
    const isComplete = ours.pairs.length === scenario.subnets && areEqual(ours, theirs);
    return isComplete && ours.phase1.length > 0 && theirs.phase1.length > 0;
  });
  const { ours, theirs } = listings;
  insist(ours.phase1.length === theirs.phase1.length, `not the same phase 1s: ${both(listings)}`);
  if (scenario.peer === 'charon') {
    insist(
      ours.phase1.every((one) => theirs.phase1.some((other) => other.id === one.id)),
      `not the same cookies: ${both(listings)}`,
    );
  }
  if (sides.ours instanceof Isakmpd) await checkDetails(scenario, sides.ours);
  return listings;
};

/** Our log says who pretends a NAT, and nothing of one where nobody does. */
const NAT_LINES = {
  us: /NAT traversal: .*: (our end is|both ends are) behind/,
  // pluto pretends to see one before us as well.
  peer: /NAT traversal: .*: (its end is|both ends are) behind/,
} as const;

/** `S` also tells whose phase 1 it was, what the SAs are named after, and the algorithms. */
const checkDetails = async (scenario: Scenario, ours: Isakmpd): Promise<void> => {
  const { encap } = scenario;
  if (encap === 'nobody') insist(!ours.log().includes('NAT traversal: '), 'a NAT was found that is not there');
  else insist(NAT_LINES[encap].test(ours.log()), `the NAT that ${encap} pretends was not found`);
  const wanted = JSON.stringify([ESP_LISTING[scenario.cipher], ESP_LISTING[scenario.hash]]);
  const names = tunnelNames(scenario);
  for (const sa of await ours.sas()) {
    if (sa.pair === undefined) {
      insist(sa.name === 'peer', `S names phase 1 ${sa.name}`);
      insist(sa.isInitiator === (scenario.peerRole === 'responder'), 'S shows the wrong role in phase 1');
    } else {
      insist(names.includes(sa.name), `S names a quick mode ${sa.name}, not ${names.join(' or ')}`);
      const listed = JSON.stringify([sa.encryption, sa.authentication]);
      insist(listed === wanted, `S lists ${listed} in place of ${wanted}`);
    }
  }
};

/** Those of the sections, or what isakmpd.conf(5) calls a tunnel that has none. */
const tunnelNames = (scenario: Scenario): readonly string[] => {
  const { nets } = setupsOf(scenario).ours;
  if (scenario.permittedBy === 'sections') return nets.map(({ name }) => name);
  return nets.map(({ local, remote }) => `[peer]${words(local)}-${words(remote)}`);
};

const words = ({ address }: Prefix): string => `${address}/255.255.255.0`;

const rekeyed = async (
  expect: Extract<Expectation, { kind: 'rekey' }>,
  sides: Sides,
  before: Listings,
): Promise<void> => {
  await (expect.by === 'us' ? sides.ours : sides.theirs).rekey(expect.phase);
  await waitFor(`phase ${expect.phase} not replaced`, REKEY_PATIENCE, sides, (now) => {
    const shared = commonPairs(now.ours, now.theirs);
    if (expect.phase === 2) return shared.some((pair) => !isAmong(pair, before.ours.pairs));
    return shared.length > 0 && hasNewPhase1(before.ours, now.ours) && hasNewPhase1(before.theirs, now.theirs);
  });
};

const deleted = async (
  expect: Extract<Expectation, { kind: 'delete' }>,
  sides: Sides,
  before: Listings,
): Promise<void> => {
  const actor = expect.by === 'us' ? sides.ours : sides.theirs;
  if (expect.what === 'everything') {
    await actor.removeEverything();
    await until(
      () => 'the peer keeps SAs',
      DELETE_PATIENCE,
      async () => {
        const { phase1, pairs } = await sides.theirs.listing();
        return phase1.length === 0 && pairs.length === 0;
      },
    );
    return;
  }
  if (expect.what === 'main') {
    await actor.removeMain();
    await waitFor('phase 1 not deleted', DELETE_PATIENCE, sides, (now) => {
      return lacksPhase1(before.ours, now.ours) && lacksPhase1(before.theirs, now.theirs);
    });
  } else {
    await actor.removeQuick('net1');
    await waitFor('quick mode not deleted', DELETE_PATIENCE, sides, (now) => {
      const kept = commonPairs(before.ours, now.theirs).filter((pair) => isAmong(pair, now.ours.pairs));
      const ours = now.ours.pairs.filter((pair) => isAmong(pair, before.ours.pairs));
      return kept.length === before.ours.pairs.length - 1 && ours.length === kept.length;
    });
  }
  if (expect.by === 'peer' && sides.ours instanceof Isakmpd) await waitForLines(sides.ours, [DELETED_BY_PEER]);
};

/** Our log says why, and nothing came up but what is right. */
const refused = async (scenario: Scenario, sides: Sides): Promise<void> => {
  const fault = faultOf(scenario);
  if (fault === undefined) return;
  const own = fault === 'foreign-subnet' ? 1 : 0;
  if (own === 1) {
    await waitFor('own networks not established', ESTABLISH_PATIENCE, sides, ({ ours, theirs }) => {
      return ours.pairs.length === own && commonPairs(ours, theirs).length === own;
    });
    await sides.theirs.initiateOne('foreign');
  }
  const lines = sides.ours instanceof Isakmpd ? refusalLines(fault, scenario) : [STAND_IN_REFUSES];
  await waitForLines(sides.ours, lines);
  const { ours, theirs } = await listingsOf(sides);
  insist(ours.pairs.length === own, `came up all the same: ${show(ours)}`);
  insist(theirs.pairs.length === own, `the peer believes it came up: ${show(theirs)}`);
};

const waitFor = async (
  what: string,
  seconds: number,
  sides: Sides,
  isDone: (now: Listings) => boolean,
): Promise<Listings> => {
  let last: Listings | undefined;
  return until(
    () => `${what}: ${last === undefined ? 'no listing' : both(last)}`,
    seconds,
    async () => {
      last = await listingsOf(sides);
      return isDone(last) ? last : undefined;
    },
  );
};

const waitForLines = async (ours: Party, lines: readonly RegExp[]): Promise<void> => {
  for (const line of lines) {
    await until(
      () => `our log has no line like ${line}`,
      REFUSAL_PATIENCE,
      () => line.test(ours.log()),
    );
  }
};

const listingsOf = async ({ ours, theirs }: Sides): Promise<Listings> => {
  const [one, other] = await Promise.all([ours.listing(), theirs.listing()]);
  return { ours: one, theirs: other };
};

const both = ({ ours, theirs }: Listings): string => `ours ${show(ours)} | theirs ${show(theirs)}`;

const insist = (isSo: boolean, reason: string): void => {
  if (!isSo) throw new SystemError(reason);
};

const isAmong = (pair: SpiPair, pairs: readonly SpiPair[]): boolean =>
  pairs.some((other) => other.inbound === pair.inbound && other.outbound === pair.outbound);

const hasNewPhase1 = (before: Listing, now: Listing): boolean =>
  now.phase1.some((one) => before.phase1.every((other) => other.id !== one.id));

const lacksPhase1 = (before: Listing, now: Listing): boolean =>
  before.phase1.every((one) => now.phase1.every((other) => other.id !== one.id));

const DELETED_BY_PEER = /Peer \S+ made us delete live SA \S+ for proto [13], initiator id: \S+, responder id: \S+/;
/** What charon says in our place when the harness tests itself. */
const STAND_IN_REFUSES =
  /no (matching )?proposal found|NO_PROPOSAL_CHOSEN|could not decrypt|does not match (HASH|to )|INVALID_ID_INFORMATION|no matching CHILD_SA|no peer config found|constraint check failed|giving up after/;

const ESTABLISH_PATIENCE = 25;
const REKEY_PATIENCE = 40;
const DELETE_PATIENCE = 15;
const REFUSAL_PATIENCE = 40;
