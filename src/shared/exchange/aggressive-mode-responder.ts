/** Aggressive mode, responder: RFC 2409 §5.1 and §5.4, authenticated by signatures or by pre-shared key. Its first message costs a Diffie-Hellman: the lane rations it. */
import { isSignatureMethod } from '../crypto/signature.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import { type OutPayload, writeBody } from '../wire/message.ts';
import { AGGRESSIVE_MODE } from './aggressive-mode-rules.ts';
import type { Effects, Env, ExchangeEvent, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import type { Machine } from './machine.ts';
import {
  acceptOffer,
  answerKeys,
  type Contributions,
  checkRemoteIdentity,
  contributionOf,
  identityPayload,
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
import { decoyRecord, shortenedAnswerRecord } from './refusals.ts';
import {
  type Collected,
  certificateRequests,
  collected,
  NOTHING_COLLECTED,
  withinAnswer,
} from './riders/certificates.ts';
import { detectNat, natDetectionPayloads } from './riders/nat-detection.ts';
import { abilitiesOf, answeredVendorIds, type PeerAbilities, updated } from './riders/vendor-id.ts';

export type State =
  | { readonly tag: 'awaitOffer'; readonly setup: Phase1Setup; readonly responderCookie: Uint8Array }
  | {
      readonly tag: 'awaitProof';
      readonly setup: Phase1Setup;
      readonly saBody: Uint8Array;
      readonly choice: Phase1Choice;
      readonly abilities: PeerAbilities;
      readonly keys: Phase1Keys;
      readonly contributions: Contributions;
      readonly secret: Uint8Array | undefined;
      readonly collected: Collected;
      readonly remoteId: Identity;
      readonly remoteIdBody: Uint8Array;
    }
  | { readonly tag: 'established' };

const answer = (
  state: Extract<State, { readonly tag: 'awaitOffer' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup } = state;
  const sa = insist(message.sa, 'SA');
  const theirs = contributionOf(message);
  const { choice, answer: value } = acceptOffer(setup, sa.value, message.header, out, theirs.ke.length);
  const { identity: remoteId, body: remoteIdBody } = readIdentity(insist(message.id, 'ID'));
  const secret = secretOrDecoy(setup, choice, remoteId, message.header, env, out);
  const saBody = sa.body.slice();
  // Message 1 has no responder cookie yet: the one that this side has just drawn is part of the keys.
  const header = { ...message.header, responderCookie: state.responderCookie };
  const { keys, contributions } = answerKeys(choice, secret, theirs, header, env);
  const abilities = abilitiesOf(setup, message);
  const id = identityPayload(ownIdentity(setup));
  const basis = { setup, choice, keys, contributions, saBody, secret, collected: NOTHING_COLLECTED };
  const proof = ownProof('responder', basis, message, writeBody(id), env, header);
  const whole: readonly OutPayload[] = [
    { kind: 'SA', value },
    ...answeredVendorIds(setup, message),
    { kind: 'KE', value: { keyExchangeData: contributions.gxr } },
    { kind: 'NONCE', value: { nonceData: contributions.nr } },
    id,
    ...proof,
    ...certificateRequests(setup, choice, env),
    ...natDetectionPayloads({ setup, hash: choice.hash, header, dialect: abilities.natDialect }, env),
  ];
  const payloads = withinAnswer(whole, message.header.length);
  if (payloads.length < whole.length) out.push(shortenedAnswerRecord(setup, message.header));
  out.push({ kind: 'send', repeat: 'duplicate', payloads }, protectBy(keys));
  return {
    tag: 'awaitProof',
    setup,
    saBody,
    choice,
    abilities,
    keys,
    contributions,
    secret,
    collected: collected(NOTHING_COLLECTED, message, choice),
    remoteId,
    remoteIdBody,
  };
};

/**
 * The secret of whoever the peer says it is; undefined: signatures. Who has none here, or is not whom Remote-ID wants, is answered from a random
 * secret, so that its message 3 fails like one that was made from a wrong secret: the answer does not tell which identities there are.
 */
const secretOrDecoy = (
  setup: Phase1Setup,
  choice: Phase1Choice,
  remoteId: Identity,
  header: Inbound['header'],
  env: Env,
  out: Effects,
): Uint8Array | undefined => {
  if (isSignatureMethod(choice.authentication)) return undefined;
  const isAnybodyKnown = setup.policy.preSharedKey !== undefined || setup.identitySecrets.size > 0;
  try {
    checkRemoteIdentity(setup, remoteId, header, out);
    return preSharedKeyFor(setup, choice, remoteId, header, out);
  } catch (fault) {
    if (!(fault instanceof ProtocolError && isAnybodyKnown)) throw fault;
    out.push(decoyRecord(setup, header, remoteId));
    return env.random(DECOY_SIZE);
  }
};

/** Bytes. */
const DECOY_SIZE = 32;

const finish = (
  state: Extract<State, { readonly tag: 'awaitProof' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, choice, keys, remoteId, remoteIdBody } = state;
  const authenticated = checkProof('initiator', state, message, remoteId, remoteIdBody, env, out);
  // With a secret this was looked at before the answer.
  if (authenticated.kind === 'publicKey') checkRemoteIdentity(setup, remoteId, message.header, out);
  const { deadPeerDetection, natDialect: dialect } = updated(state.abilities, message);
  out.push({
    kind: 'phase1Established',
    result: {
      authenticated,
      keys: lastingKeys(keys),
      choice,
      localId: ownIdentity(setup),
      remoteId,
      initialContact: saysInitialContact(message),
      nat: detectNat({ setup, hash: choice.hash, header: message.header, dialect }, message),
      deadPeerDetection,
    },
  });
  return { tag: 'established' };
};

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  if (event.kind === 'message' && state.tag === 'awaitOffer') return answer(state, event.message, env, out);
  if (event.kind === 'message' && state.tag === 'awaitProof') return finish(state, event.message, env, out);
  throw new InvariantError(`${event.kind} in state ${state.tag}`);
};

export const aggressiveModeResponder: Machine<State> = {
  rule: (state) => {
    switch (state.tag) {
      case 'awaitOffer':
        return AGGRESSIVE_MODE.offer;
      case 'awaitProof':
        return isSignatureMethod(state.choice.authentication) ? AGGRESSIVE_MODE.signature : AGGRESSIVE_MODE.proof;
      case 'established':
        return undefined;
    }
  },
  step,
  secrets: (state) => (state.tag === 'awaitProof' ? secretsOf(state.keys) : []),
  choice: (state) => ('choice' in state ? state.choice : undefined),
};
