/** Main mode, responder: RFC 2409 §5.1 and §5.4, authenticated by signatures or by pre-shared key. It repeats its replies only to duplicates, never by timer. */
import { InvariantError } from '../errors.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { NatTraversal } from '../threads/contract.ts';
import { writeBody } from '../wire/message.ts';
import type { Effects, Env, ExchangeEvent, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import type { Machine } from './machine.ts';
import { authenticationRule, MAIN_MODE } from './main-mode-rules.ts';
import {
  acceptOffer,
  answerKeys,
  type Contributions,
  checkRemoteIdentity,
  contributionOf,
  identityPayload,
  initialContactPayloads,
  lastingKeys,
  ownIdentity,
  type Phase1Keys,
  preSharedKeyFor,
  protectBy,
  readIdentity,
  saysInitialContact,
  secretsOf,
} from './phase1.ts';
import { checkProof, ownProof } from './proof.ts';
import { type Collected, certificateRequests, collected, NOTHING_COLLECTED } from './riders/certificates.ts';
import { detectNat, natDetectionPayloads } from './riders/nat-detection.ts';
import { abilitiesOf, answeredVendorIds, type PeerAbilities, updated } from './riders/vendor-id.ts';

/** Each variant holds exactly what is known by then. */
export type State =
  | { readonly tag: 'awaitSa'; readonly setup: Phase1Setup }
  | {
      readonly tag: 'awaitKe';
      readonly setup: Phase1Setup;
      readonly saBody: Uint8Array;
      readonly choice: Phase1Choice;
      readonly abilities: PeerAbilities;
      readonly collected: Collected;
    }
  | {
      readonly tag: 'awaitId';
      readonly setup: Phase1Setup;
      readonly saBody: Uint8Array;
      readonly choice: Phase1Choice;
      readonly abilities: PeerAbilities;
      readonly collected: Collected;
      readonly nat: NatTraversal | undefined;
      readonly keys: Phase1Keys;
      readonly contributions: Contributions;
      readonly secret: Uint8Array | undefined;
    }
  | { readonly tag: 'established' };

const onMessage = (state: State, message: Inbound, env: Env, out: Effects): State => {
  switch (state.tag) {
    case 'awaitSa': {
      const sa = insist(message.sa, 'SA');
      const { choice, answer } = acceptOffer(state.setup, sa.value, message.header, out);
      out.push({
        kind: 'send',
        repeat: 'duplicate',
        payloads: [{ kind: 'SA', value: answer }, ...answeredVendorIds(state.setup, message)],
      });
      const abilities = abilitiesOf(state.setup, message);
      const sent = collected(NOTHING_COLLECTED, message, choice);
      return { tag: 'awaitKe', setup: state.setup, saBody: sa.body.slice(), choice, abilities, collected: sent };
    }
    case 'awaitKe':
      return exchangeKeys(state, message, env, out);
    case 'awaitId':
      return authenticate(state, message, env, out);
    case 'established':
      throw new InvariantError('a message reached main mode in state established');
  }
};

/** Message 3: both halves of the Diffie-Hellman are done here, and not before the peer has shown that it receives. */
const exchangeKeys = (
  state: Extract<State, { readonly tag: 'awaitKe' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, saBody, choice } = state;
  const abilities = updated(state.abilities, message);
  const basis = { setup, hash: choice.hash, header: message.header, dialect: abilities.natDialect };
  const secret = preSharedKeyFor(setup, choice, setup.policy.remoteId, message.header, out);
  const { keys, contributions } = answerKeys(choice, secret, contributionOf(message), message.header, env);
  out.push(
    {
      kind: 'send',
      repeat: 'duplicate',
      payloads: [
        { kind: 'KE', value: { keyExchangeData: contributions.gxr } },
        { kind: 'NONCE', value: { nonceData: contributions.nr } },
        ...certificateRequests(setup, choice, env),
        ...natDetectionPayloads(basis, env),
      ],
    },
    protectBy(keys),
  );
  const nat = detectNat(basis, message);
  const sent = collected(state.collected, message, choice);
  return { tag: 'awaitId', setup, saBody, choice, abilities, collected: sent, nat, keys, contributions, secret };
};

/** Message 5 proves the initiator; message 6 proves us. */
const authenticate = (
  state: Extract<State, { readonly tag: 'awaitId' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, keys } = state;
  const { identity, body } = readIdentity(insist(message.id, 'ID'));
  const authenticated = checkProof('initiator', state, message, identity, body, env, out);
  checkRemoteIdentity(setup, identity, message.header, out);
  const localId = ownIdentity(setup);
  const id = identityPayload(localId);
  out.push(
    {
      kind: 'send',
      repeat: 'duplicate',
      payloads: [
        id,
        ...ownProof('responder', state, message, writeBody(id), env),
        ...initialContactPayloads(setup, message.header),
      ],
    },
    {
      kind: 'phase1Established',
      result: {
        authenticated,
        keys: lastingKeys(keys),
        choice: state.choice,
        localId,
        remoteId: identity,
        initialContact: saysInitialContact(message),
        nat: state.nat,
        deadPeerDetection: updated(state.abilities, message).deadPeerDetection,
      },
    },
  );
  return { tag: 'established' };
};

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  if (event.kind !== 'message') throw new InvariantError(`${event.kind} in state ${state.tag}`);
  return onMessage(state, event.message, env, out);
};

export const mainModeResponder: Machine<State> = {
  rule: (state) => {
    switch (state.tag) {
      case 'awaitSa':
        return MAIN_MODE.sa;
      case 'awaitKe':
        return MAIN_MODE.keyExchange;
      case 'awaitId':
        return authenticationRule(state.choice);
      case 'established':
        return undefined;
    }
  },
  step,
  secrets: (state) => (state.tag === 'awaitId' ? secretsOf(state.keys) : []),
  choice: (state) => ('choice' in state ? state.choice : undefined),
};
