/** Main mode, initiator: RFC 2409 §5.1 and §5.4, authenticated by signatures or by pre-shared key. */
import { InvariantError } from '../errors.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { NatTraversal } from '../threads/contract.ts';
import { writeBody } from '../wire/message.ts';
import type { Effects, Env, ExchangeEvent, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import type { Machine } from './machine.ts';
import { authenticationRule, MAIN_MODE } from './main-mode-rules.ts';
import {
  agreeOnKeys,
  type Contributions,
  checkRemoteIdentity,
  contribute,
  contributionOf,
  identityPayload,
  initialContactPayloads,
  lastingKeys,
  makeOffer,
  NONCE_SIZE,
  ownIdentity,
  type Phase1Keys,
  preSharedKeyFor,
  protectBy,
  readAnswer,
  readIdentity,
  saysInitialContact,
  secretsOf,
  usableTransforms,
} from './phase1.ts';
import { checkProof, ownProof } from './proof.ts';
import { type Collected, certificateRequests, collected, NOTHING_COLLECTED } from './riders/certificates.ts';
import { detectNat, natDetectionPayloads } from './riders/nat-detection.ts';
import { abilitiesOf, offeredVendorIds, type PeerAbilities, updated } from './riders/vendor-id.ts';

/** Each variant holds exactly what is known by then. */
export type State =
  | { readonly tag: 'idle'; readonly setup: Phase1Setup }
  | { readonly tag: 'awaitSa'; readonly setup: Phase1Setup; readonly saBody: Uint8Array }
  | {
      readonly tag: 'awaitKe';
      readonly setup: Phase1Setup;
      readonly saBody: Uint8Array;
      readonly choice: Phase1Choice;
      readonly abilities: PeerAbilities;
      readonly collected: Collected;
      readonly privateValue: Uint8Array;
      readonly gxi: Uint8Array;
      readonly ni: Uint8Array;
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
    case 'awaitSa':
      return exchangeKeys(state, message, env, out);
    case 'awaitKe':
      return authenticate(state, message, env, out);
    case 'awaitId': {
      const { identity, body } = readIdentity(insist(message.id, 'ID'));
      const authenticated = checkProof('responder', state, message, identity, body, env, out);
      checkRemoteIdentity(state.setup, identity, message.header, out);
      out.push({
        kind: 'phase1Established',
        result: {
          authenticated,
          keys: lastingKeys(state.keys),
          choice: state.choice,
          localId: ownIdentity(state.setup),
          remoteId: identity,
          initialContact: saysInitialContact(message),
          nat: state.nat,
          deadPeerDetection: updated(state.abilities, message).deadPeerDetection,
        },
      });
      return { tag: 'established' };
    }
    case 'idle':
    case 'established':
      throw new InvariantError(`a message reached main mode in state ${state.tag}`);
  }
};

/** Message 2 is here: what was agreed on says what message 3 carries. */
const exchangeKeys = (
  { setup, saBody }: Extract<State, { readonly tag: 'awaitSa' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const choice = readAnswer(message, usableTransforms(setup));
  const abilities = abilitiesOf(setup, message);
  const { privateValue, publicValue: gxi } = contribute(choice.group, env);
  const ni = env.random(NONCE_SIZE);
  const basis = { setup, hash: choice.hash, header: message.header, dialect: abilities.natDialect };
  out.push({
    kind: 'send',
    repeat: 'timer',
    payloads: [
      { kind: 'KE', value: { keyExchangeData: gxi } },
      { kind: 'NONCE', value: { nonceData: ni } },
      ...certificateRequests(setup, choice, env),
      ...natDetectionPayloads(basis, env),
    ],
  });
  const sent = collected(NOTHING_COLLECTED, message, choice);
  return { tag: 'awaitKe', setup, saBody, choice, abilities, collected: sent, privateValue, gxi, ni };
};

/** Message 4 is here: both sides have the keys; message 5 proves that we do. */
const authenticate = (
  state: Extract<State, { readonly tag: 'awaitKe' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, saBody, choice } = state;
  const abilities = updated(state.abilities, message);
  const nat = detectNat({ setup, hash: choice.hash, header: message.header, dialect: abilities.natDialect }, message);
  const { ke: gxr, nonce: nr } = contributionOf(message);
  const contributions = { gxi: state.gxi, gxr, ni: state.ni, nr };
  const secret = preSharedKeyFor(setup, choice, setup.policy.remoteId, message.header, out);
  const keys = agreeOnKeys(choice, secret, state.privateValue, gxr, contributions, message.header, env);
  const id = identityPayload(ownIdentity(setup));
  const basis = { setup, choice, keys, contributions, saBody, secret, collected: state.collected };
  const proof = ownProof('initiator', basis, message, writeBody(id), env);
  if (nat !== undefined) out.push({ kind: 'float' });
  out.push(protectBy(keys), {
    kind: 'send',
    repeat: 'timer',
    payloads: [id, ...proof, ...initialContactPayloads(setup, message.header)],
  });
  const sent = collected(state.collected, message, choice);
  return { tag: 'awaitId', setup, saBody, choice, abilities, collected: sent, nat, keys, contributions, secret };
};

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  if (event.kind === 'message') return onMessage(state, event.message, env, out);
  if (event.kind !== 'start' || state.tag !== 'idle') throw new InvariantError(`${event.kind} in state ${state.tag}`);
  const sa = makeOffer(state.setup);
  out.push({ kind: 'send', repeat: 'timer', payloads: [sa, ...offeredVendorIds(state.setup)] });
  return { tag: 'awaitSa', setup: state.setup, saBody: writeBody(sa) };
};

export const mainModeInitiator: Machine<State> = {
  rule: (state) => {
    switch (state.tag) {
      case 'awaitSa':
        return MAIN_MODE.sa;
      case 'awaitKe':
        return MAIN_MODE.keyExchange;
      case 'awaitId':
        return authenticationRule(state.choice);
      case 'idle':
      case 'established':
        return undefined;
    }
  },
  step,
  secrets: (state) => {
    if (state.tag === 'awaitKe') return [state.privateValue];
    return state.tag === 'awaitId' ? secretsOf(state.keys) : [];
  },
  choice: (state) => ('choice' in state ? state.choice : undefined),
};
