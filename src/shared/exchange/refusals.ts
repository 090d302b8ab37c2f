/** What the operator is told when a negotiation is refused: isakmpd's own lines first, to the byte, then one line that explains. */
import type { EventOf, Texts } from '../log/events.ts';
import { notice } from '../log/records.ts';
import { identityOfAddress, identityText } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { type Comparison, nearest } from '../policy/transform-attributes.ts';
import type { LogFields } from '../threads/contract.ts';
import type { Effect, Phase1Setup, Phase2Setup } from './effects.ts';

/** The event of the line that explains a refusal: it comes after isakmpd's own lines. */
export const REFUSAL = 'refusal';

const line = <E extends EventOf<'notice'>>(event: E, text: Texts[E], fields: LogFields): Effect => ({
  kind: 'log',
  record: notice(event, text, fields),
});

/** Phase 1: nothing that the peer offered fits the peer section's Transforms. */
export const refusalRecords = ({ policy, path }: Phase1Setup, comparisons: readonly Comparison[]): readonly Effect[] =>
  proposalRecords(
    comparisons,
    'phase1-no-proposal',
    `peer ${path.remote.address}`,
    { place: `[Transforms] of peer ${policy.name}`, tag: `the Transforms of [${policy.name}]'s Configuration` },
    phase1Fields({ policy, path }),
  );

/** Quick mode: nothing that the peer offered fits the connection's Suites. */
export const suiteRefusalRecords = (
  setup: Phase2Setup,
  connection: string,
  comparisons: readonly Comparison[],
): readonly Effect[] =>
  proposalRecords(
    comparisons,
    'phase2-no-proposal',
    `peer ${setup.remoteIdentity} (${setup.path.remote.address})`,
    { place: `[Suites] of connection ${connection}`, tag: `the Suites of [${connection}]'s Configuration` },
    phase2Fields(setup, connection),
  );

const proposalRecords = (
  comparisons: readonly Comparison[],
  event: 'phase1-no-proposal' | 'phase2-no-proposal',
  who: string,
  where: { readonly place: string; readonly tag: string },
  fields: LogFields,
): readonly Effect[] => {
  const lines = comparisons.slice(0, MAX_LINES).flatMap(({ differences: [first] }) => {
    if (first === undefined) return [];
    const { attribute, got, expected } = first;
    return [line(event, `attribute_unacceptable: ${attribute}: got ${got}, expected ${expected}`, fields)];
  });
  return [
    ...lines,
    line(event, 'message_negotiate_sa: no compatible proposal found', fields),
    line(REFUSAL, explanation(comparisons, who, where), fields),
  ];
};

const explanation = (
  comparisons: readonly Comparison[],
  who: string,
  { place, tag }: { readonly place: string; readonly tag: string },
): string => {
  const best = nearest(comparisons);
  if (best === undefined) return `${who} offered nothing that ${place} could be compared with`;
  const wants = best.differences.map(({ attribute, got, expected }) => `${attribute} ${expected} (not ${got})`);
  const remedy = best.remedy === undefined ? '' : `: add ${best.remedy} to ${tag} to accept it`;
  return `${who} offered ${best.offered}; ${place}, nearest ${best.acceptedName} (${best.accepted}), wants ${wants.join(', ')}${remedy}`;
};

/** Phase 1: authenticated, but as somebody else than Remote-ID says. */
export const wrongIdentityRecord = (setup: Phase1Setup, got: Identity, expected: Identity): readonly Effect[] => {
  const { policy, path } = setup;
  const fields = { ...phase1Fields({ policy, path }), remoteIdentity: identityText(got) };
  const want = identityText(expected);
  return [
    line('phase1-wrong-identity', `ike_phase_1_recv_ID: received remote ID other than expected ${want}`, fields),
    line(
      REFUSAL,
      `peer ${path.remote.address} calls itself ${identityText(got)}; [${policy.name}]:Remote-ID wants ${want}: correct one of the two`,
      fields,
    ),
  ];
};

/** isakmpd's line about a phase 1 identity with a protocol or port of its own: accepted, since peers send such. */
export const dubiousIdentityRecord = ({ policy, path }: Phase1Setup, identity: Identity): Effect =>
  line('phase1-dubious-identity', 'ipsec_validate_id_information: dubious ID information accepted', {
    ...phase1Fields({ policy, path }),
    remoteIdentity: identityText(identity),
  });

/** Phase 1: there is no pre-shared key to authenticate this peer with. */
export const noKeyRecords = ({ policy, path }: Phase1Setup, localId: Identity): readonly Effect[] => {
  const local = identityText(localId);
  const fields = { ...phase1Fields({ policy, path }), localIdentity: local };
  return [
    line('phase1-no-key', `ike_auth_get_key: no key found for peer "${policy.name}" or local ID "${local}"`, fields),
    line(REFUSAL, `peer ${path.remote.address} cannot be authenticated: add [${policy.name}]:Authentication`, fields),
  ];
};

/** Quick mode: no connection of this peer has these selectors. */
export const wrongSelectorsRecords = (setup: Phase2Setup, theirs: Identity, ours: Identity): readonly Effect[] => {
  const fields = phase2Fields(setup, undefined);
  const pair = `initiator id ${identityText(theirs)}, responder id ${identityText(ours)}` as const;
  const known = setup.policy.connections.map(
    ({ name, localId, remoteId }) => `${name} (${selectorText(remoteId)} to ${selectorText(localId)})`,
  );
  const has = known.length === 0 ? 'has no connection' : `has ${known.slice(0, MAX_LINES).join(', ')}`;
  return [
    line('phase2-wrong-ids', `responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: ${pair}`, fields),
    line(
      REFUSAL,
      `peer ${setup.remoteIdentity} (${setup.path.remote.address}) asks for ${pair}; [${setup.policy.name}] ${has}`,
      fields,
    ),
  ];
};

const selectorText = (id: Identity | undefined): string => (id === undefined ? 'any' : identityText(id));

/** What a log line about a phase 1 says in fields; identities as configured, since nobody has proved one yet. */
export const phase1Fields = ({ policy, path }: Pick<Phase1Setup, 'policy' | 'path'>): LogFields => {
  const [connection, ...others] = policy.connections;
  return {
    peer: policy.name,
    address: path.remote.address,
    localIdentity: identityText(policy.localId ?? identityOfAddress(path.local.address)),
    ...(policy.remoteId === undefined ? {} : { remoteIdentity: identityText(policy.remoteId) }),
    ...(connection === undefined || others.length > 0 ? {} : { connection: connection.name }),
  };
};

/** What a log line about a quick mode says in fields. */
const phase2Fields = (setup: Phase2Setup, connection: string | undefined): LogFields => ({
  peer: setup.policy.name,
  address: setup.path.remote.address,
  localIdentity: setup.localIdentity,
  remoteIdentity: setup.remoteIdentity,
  cookies: setup.isakmp,
  messageId: setup.messageId.toString(16).padStart(8, '0'),
  ...(connection === undefined ? {} : { connection }),
});

/** An offer of hundreds of transforms is not worth hundreds of lines. */
const MAX_LINES = 8;
