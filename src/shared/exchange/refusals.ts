/** What the operator is told when a negotiation is refused: isakmpd's own lines first, to the byte, then one line that explains. */
import { AuthenticationMethod, nameOf } from '../constants/oakley.ts';
import { publicKeyPlace } from '../credentials/identity-key.ts';
import type { ProvenKey } from '../credentials/peer-key.ts';
import { bounded, LONGEST_DECISION } from '../log/bounded.ts';
import type { EventOf, Texts } from '../log/events.ts';
import { notice } from '../log/records.ts';
import { idText, whoWords } from '../log/who.ts';
import { identityOfAddress, identityText } from '../policy/identity.ts';
import { identitySettings } from '../policy/identity-settings.ts';
import type { ConnectionPolicy, Identity } from '../policy/peer-policy.ts';
import type { Comparison } from '../policy/transform-attributes.ts';
import type { LogFields, LogRecord } from '../threads/contract.ts';
import type { Effect, Phase1Setup, Phase2Setup } from './effects.ts';
import type { Inbound } from './inbound.ts';
import { proposalRecords } from './proposal-refusals.ts';

/** The event of the line that explains a refusal: it comes after isakmpd's own lines. */
export const REFUSAL = 'refusal';

/** A line of isakmpd's about something that a step refuses. */
const line = <E extends EventOf<'notice'>>(event: E, text: Texts[E], fields: LogFields): Effect => ({
  kind: 'log',
  record: notice(event, text, fields),
});

type Header = Inbound['header'];
type Subject = Pick<Phase1Setup, 'policy' | 'path'>;

/** Phase 1: nothing that the peer offered fits the peer section's Transforms. */
export const refusalRecords = (
  setup: Phase1Setup,
  header: Header,
  comparisons: readonly Comparison[],
): readonly Effect[] => {
  const { policy } = setup;
  return proposalRecords(comparisons, {
    event: 'phase1-no-proposal',
    what: 'phase 1',
    list: `[${policy.configuration}]:Transforms`,
    names: policy.transforms.map(({ name }) => name),
    policy,
    fields: phase1Fields(setup, header),
  });
};

/** Phase 1: authenticated, but as somebody else than Remote-ID says. */
export const wrongIdentityRecords = (
  setup: Phase1Setup,
  header: Header,
  got: Identity,
  expected: Identity,
): readonly Effect[] => {
  const { name } = setup.policy;
  const fields = { ...phase1Fields(setup, header), remoteIdentity: identityText(got) };
  const want = identityText(expected);
  const says = bounded(identityText(got));
  return [
    line('phase1-wrong-identity', `ike_phase_1_recv_ID: received remote ID other than expected ${want}`, fields),
    line(
      REFUSAL,
      `phase 1 refused: ${whoWords(fields)}: it calls itself ${says}, [${name}]:Remote-ID wants ${want}; let the section that Remote-ID names have ${identitySettings(got)} to accept it, or correct the peer's own ID`,
      fields,
    ),
  ];
};

/** isakmpd's line about a phase 1 identity with a protocol or port of its own: accepted, since peers send such. */
export const dubiousIdentityRecord = (setup: Phase1Setup, header: Header, identity: Identity): Effect =>
  line('phase1-dubious-identity', 'ipsec_validate_id_information: dubious ID information accepted', {
    ...phase1Fields(setup, header),
    remoteIdentity: identityText(identity),
  });

/** Phase 1: there is no pre-shared key to authenticate this peer with. `remoteId` is known in aggressive mode only. */
export const noKeyRecords = (
  setup: Phase1Setup,
  header: Header,
  localId: Identity,
  remoteId: Identity | undefined,
): readonly Effect[] => {
  const local = identityText(localId);
  const { name } = setup.policy;
  const remote = remoteId && bounded(identityText(remoteId));
  const fields: LogFields = { ...phase1Fields(setup, header), localIdentity: local };
  const who = whoWords(remote === undefined ? fields : { ...fields, remoteIdentity: remote });
  const text: Texts[typeof REFUSAL] =
    remote === undefined
      ? `phase 1 refused: ${who}: no pre-shared key for it; add [${name}]:Authentication`
      : `phase 1 refused: ${who}: no pre-shared key for it, neither in its section nor for its ID; add [${name}]:Authentication or [${remote}]:Authentication`;
  return [
    line('phase1-no-key', `ike_auth_get_key: no key found for peer "${name}" or local ID "${local}"`, fields),
    line(REFUSAL, text, fields),
  ];
};

/** Aggressive mode: a peer that was just refused is answered nevertheless. */
export const decoyRecord = (setup: Phase1Setup, header: Header, remoteId: Identity): Effect => {
  const fields = { ...phase1Fields(setup, header), remoteIdentity: bounded(identityText(remoteId)) };
  return line(
    'phase1-decoy',
    `phase 1: ${whoWords(fields)} is answered as if only its secret were wrong, so that it does not learn which identities there are`,
    fields,
  );
};

/** Aggressive mode: the answer would have been more than three times as long as the question. */
export const shortenedAnswerRecord = (setup: Phase1Setup, header: Header): Effect => {
  const fields = phase1Fields(setup, header);
  return line(
    'phase1-shortened',
    `phase 1: ${whoWords(fields)}: certificates of issuers, or credentials, are left out of our answer: it has to be no more than three times as long as the peer's message`,
    fields,
  );
};

/** Phase 1: the signature proves nothing, as no key of the identity is known, or as it was made with another one, or as its certificate or its credentials are not to be trusted. */
export const unprovenRecords = (
  setup: Phase1Setup,
  header: Header,
  identity: Identity,
  method: number,
  { fault, reason }: Extract<ProvenKey, { readonly kind: 'refused' }>,
): readonly Effect[] => {
  const remote = bounded(identityText(identity));
  const fields = { ...phase1Fields(setup, header), remoteIdentity: remote };
  const who = whoWords(fields);
  if (fault === 'certificate')
    return [line(REFUSAL, `phase 1 refused: ${who}: its certificate is not taken: ${reason}`, fields)];
  if (fault === 'credentials') {
    const text =
      `phase 1 refused: ${who}: its KeyNote credentials are not taken: ${bounded(reason, LONGEST_DECISION)}` as const;
    return [line(REFUSAL, text, fields)];
  }
  if (fault === 'signature') {
    const text =
      `phase 1 refused: ${who}: its signature is not made with the key of ${remote}; compare the public key or certificate that we have with the peer's private key` as const;
    return [line(REFUSAL, text, fields)];
  }
  const algorithm = nameOf(AuthenticationMethod, method);
  const text =
    `phase 1 refused: ${who}: no public key of ${remote} for ${algorithm} (${reason}); let it send a certificate of that name from one of our CAs, or put its key into Pubkey-directory, in ${publicKeyPlace(identity)}` as const;
  return [
    line('phase1-no-public-key', 'rsa_sig_decode_hash: no public key found', fields),
    line(REFUSAL, text, fields),
  ];
};

/** Phase 1: the peer's certificate was taken though something about it is weak. */
export const weakCertificateRecords = (
  setup: Phase1Setup,
  header: Header,
  identity: Identity,
  warnings: readonly string[],
): readonly Effect[] => {
  const fields = { ...phase1Fields(setup, header), remoteIdentity: bounded(identityText(identity)) };
  return warnings.map((warning) => line('phase1-weak-certificate', `phase 1: ${whoWords(fields)}: ${warning}`, fields));
};

/** The proof of the secret is wrong, or what is encrypted with it makes no sense: what explains it after isakmpd's lines. */
export const wrongSecretRecord = (name: string, fault: string, fields: LogFields): LogRecord =>
  notice(
    REFUSAL,
    `phase 1 refused: ${whoWords(fields)}: its authentication failed (${fault}), probably a wrong pre-shared key; compare [${name}]:Authentication with the peer's`,
    fields,
  );

/** What a log line about a phase 1 says in fields; identities as configured, since nobody has proved one yet. */
export const phase1Fields = ({ policy, path }: Subject, header?: Header): LogFields => {
  const [connection, ...others] = policy.connections;
  return {
    peer: policy.name,
    address: path.remote.address,
    port: path.remote.port,
    localIdentity: identityText(policy.localId ?? identityOfAddress(path.local.address)),
    ...(policy.remoteId === undefined ? {} : { remoteIdentity: identityText(policy.remoteId) }),
    ...(connection === undefined || others.length > 0 ? {} : { connection: connection.name }),
    ...(header === undefined ? {} : { cookies: hexText(header.initiatorCookie) + hexText(header.responderCookie) }),
  };
};

/** Quick mode: nothing that the peer offered fits the connection's Suites. */
export const suiteRefusalRecords = (
  setup: Phase2Setup,
  { name, suites, suitesTag }: ConnectionPolicy,
  comparisons: readonly Comparison[],
): readonly Effect[] =>
  proposalRecords(comparisons, {
    event: 'phase2-no-proposal',
    what: 'quick mode',
    list: suitesTag,
    names: suites.map((suite) => suite.name),
    policy: setup.policy,
    fields: phase2Fields(setup, name),
  });

/** What a log line about a quick mode says in fields. */
export const phase2Fields = (setup: Phase2Setup, connection: string | undefined): LogFields => ({
  peer: setup.policy.name,
  address: setup.path.remote.address,
  port: setup.path.remote.port,
  localIdentity: setup.localIdentity,
  remoteIdentity: setup.remoteIdentity,
  cookies: setup.isakmp,
  messageId: idText(setup.messageId),
  ...(connection === undefined ? {} : { connection }),
});

const hexText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
