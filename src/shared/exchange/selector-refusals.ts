/** What the operator is told when a quick mode asks for networks that no connection of the peer is between. */
import { compareBytes } from '../address.ts';
import type { Texts } from '../log/events.ts';
import { notice } from '../log/records.ts';
import { whoWords } from '../log/who.ts';
import { extentOf, identityKey, identityText, sameIdentity } from '../policy/identity.ts';
import { identitySettings, selectorWords } from '../policy/identity-settings.ts';
import type { ConnectionPolicy, Identity } from '../policy/peer-policy.ts';
import { type Selectors, selectorsOf, takesAnyRemote } from '../policy/selectors.ts';
import type { Effect, Env, Phase2Setup } from './effects.ts';
import { phase2Fields } from './refusals.ts';

/** isakmpd's line, then the nearest connection and what would make it fit. `addresses`: what a connection without IDs is between. */
export const wrongSelectorsRecords = (
  setup: Phase2Setup,
  asked: Selectors,
  addresses: Selectors,
  { credentials }: Pick<Env, 'credentials'>,
): readonly Effect[] => {
  const fields = phase2Fields(setup, undefined);
  const pair = `initiator id ${identityText(asked.remote)}, responder id ${identityText(asked.local)}` as const;
  const text = `responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: ${pair}` as const;
  return [
    { kind: 'log', record: notice('phase2-wrong-ids', text, fields) },
    {
      kind: 'log',
      record: notice(
        'refusal',
        explanation(setup, asked, addresses, whoWords(fields), credentials.policy !== undefined),
        fields,
      ),
    },
  ];
};

const explanation = (
  { policy, remoteIdentity }: Phase2Setup,
  asked: Selectors,
  addresses: Selectors,
  who: string,
  hasPolicy: boolean,
): Texts['refusal'] => {
  const { name: peer, remoteId, connections } = policy;
  const refused =
    `quick mode refused: ${who}: it asks for its ${selectorWords(asked.remote)} to our ${selectorWords(asked.local)}` as const;
  // Decisions 3.1: the lane takes the connections from whoever is not meant any more.
  if (remoteId !== undefined && identityKey(remoteId) !== remoteIdentity.toLowerCase()) {
    return `${refused}; [${peer}]:Remote-ID means ${identityText(remoteId)} by now: it gets no connection before it authenticates as that`;
  }
  const best = nearestConnection(connections, asked, addresses);
  if (best === undefined) {
    const cure =
      `add a section that has, with Local-ID and Remote-ID of these, to [Phase 2]:Passive-connections to accept it` as const;
    const other = hasPolicy ? '' : '; no policy is asked (-K, Use-Keynote) that could permit it without a section';
    return `${refused}; no connection has ISAKMP-peer=${peer}: ${cure}${other}`;
  }
  const { connection, ours } = best;
  const name = connection.name;
  const nearest =
    `${refused}; nearest of ours is ${name}, its ${selectorWords(connection.remoteId ?? ours.remote)} to our ${selectorWords(ours.local)}` as const;
  const changes = [
    ...changeOf(`[${name}]:${connection.natId === undefined ? 'Local-ID' : 'NAT-ID'}`, ours.local, asked.local),
    ...(takesAnyRemote(connection) ? [] : changeOf(`[${name}]:Remote-ID`, ours.remote, asked.remote)),
  ];
  if (changes.length === 0) return `${nearest}, but it has Flags=Active-only: remove that to accept it`;
  return `${nearest}; let the section of ${changes.join(' and of ')} to accept it, or correct the peer's`;
};

const changeOf = (tag: string, ours: Identity, asked: Identity): readonly string[] =>
  sameIdentity(ours, asked) ? [] : [`${tag} have ${identitySettings(asked)}${withoutPort(ours, asked)}`];

const withoutPort = (ours: Identity, asked: Identity): string =>
  ours.protocol !== 0 && asked.protocol === 0 ? ' and no Protocol or Port' : '';

interface Near {
  readonly connection: ConnectionPolicy;
  readonly ours: Selectors;
}

/** The one that the operator most likely means: equal ends count more than ends that overlap. */
const nearestConnection = (
  connections: readonly ConnectionPolicy[],
  asked: Selectors,
  addresses: Selectors,
): Near | undefined => {
  let best: (Near & { readonly score: number }) | undefined;
  for (const connection of connections.slice(0, MOST_COMPARED)) {
    const ours = selectorsOf(connection, addresses);
    const remote = takesAnyRemote(connection) ? EQUAL : likeness(ours.remote, asked.remote);
    const score = likeness(ours.local, asked.local) + remote;
    if (best === undefined || score > best.score) best = { connection, ours, score };
  }
  return best;
};

const likeness = (ours: Identity, asked: Identity): number => {
  if (sameIdentity(ours, asked)) return EQUAL;
  const [a, b] = [extentOf(ours), extentOf(asked)];
  if (a === undefined || b === undefined || a.first.length !== b.first.length) return 0;
  const overlap = compareBytes(a.first, b.last) <= 0 && compareBytes(b.first, a.last) <= 0;
  return overlap ? 1 : 0;
};

/** More than two that only overlap. */
const EQUAL = 3;
/** A peer may have thousands of connections, and ask for the wrong ones as often as it likes. */
const MOST_COMPARED = 1000;
