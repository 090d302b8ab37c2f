/** Aggressive mode, initiator: RFC 2409 §5.1 and §5.4, authenticated by signatures or by pre-shared key. All offered transforms share one group: it is fixed by message 1. */
import { NotifyType } from '../constants/isakmp.ts';
import { forgetKey } from '../crypto/key-cache.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import type { Phase1Transform } from '../policy/peer-policy.ts';
import { type OutPayload, writeBody } from '../wire/message.ts';
import { AGGRESSIVE_MODE } from './aggressive-mode-rules.ts';
import type { Effects, Env, ExchangeEvent, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import type { Machine } from './machine.ts';
import {
  agreeOnKeys,
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
  secretsOf,
  usableTransforms,
} from './phase1.ts';
import { checkProof, ownProof } from './proof.ts';
import { certificateRequests, NOTHING_COLLECTED } from './riders/certificates.ts';
import { detectNat, natDetectionPayloads } from './riders/nat-detection.ts';
import { abilitiesOf, offeredVendorIds } from './riders/vendor-id.ts';

export type State =
  | { readonly tag: 'idle'; readonly setup: Phase1Setup }
  | {
      readonly tag: 'awaitAnswer';
      readonly setup: Phase1Setup;
      readonly transforms: readonly Phase1Transform[];
      readonly saBody: Uint8Array;
      readonly idBody: Uint8Array;
      readonly privateValue: Uint8Array;
      readonly gxi: Uint8Array;
      readonly ni: Uint8Array;
    }
  | { readonly tag: 'established' };

const start = (setup: Phase1Setup, env: Env, out: Effects): State => {
  const { group, transforms } = ofOneGroup(usableTransforms(setup));
  const sa = makeOffer(setup, transforms);
  const { privateValue, publicValue: gxi } = contribute(group, env);
  const ni = env.random(NONCE_SIZE);
  const id = identityPayload(ownIdentity(setup));
  out.push({
    kind: 'send',
    repeat: 'timer',
    payloads: [
      sa,
      ...offeredVendorIds(setup),
      { kind: 'KE', value: { keyExchangeData: gxi } },
      { kind: 'NONCE', value: { nonceData: ni } },
      id,
      ...requestsFor(setup, transforms, env),
    ],
  });
  return {
    tag: 'awaitAnswer',
    setup,
    transforms,
    saBody: writeBody(sa),
    idBody: writeBody(id),
    privateValue,
    gxi,
    ni,
  };
};

/** Which of them is chosen is not known yet: requests go out if the best one is for signatures. */
const requestsFor = (setup: Phase1Setup, [best]: readonly Phase1Transform[], env: Env): readonly OutPayload[] =>
  best === undefined || best.authentication === 'ANY'
    ? []
    : certificateRequests(setup, { authentication: best.authentication }, env);

/** The first transform's group decides; transforms of other groups cannot be part of the same offer. */
const ofOneGroup = (
  transforms: readonly Phase1Transform[],
): { readonly group: number; readonly transforms: readonly Phase1Transform[] } => {
  for (const { group } of transforms) {
    if (group !== 'ANY') return { group, transforms: transforms.filter((transform) => transform.group === group) };
  }
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'no transform of ours names a group');
};

const finish = (
  state: Extract<State, { readonly tag: 'awaitAnswer' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, saBody } = state;
  const choice = readAnswer(message, state.transforms);
  const { ke: gxr, nonce: nr } = contributionOf(message);
  const { identity, body } = readIdentity(insist(message.id, 'ID'));
  checkRemoteIdentity(setup, identity, message.header, out);
  const contributions = { gxi: state.gxi, gxr, ni: state.ni, nr };
  const secret = preSharedKeyFor(setup, choice, identity, message.header, out);
  const keys = agreeOnKeys(choice, secret, state.privateValue, gxr, contributions, message.header, env);
  const basis = { setup, choice, keys, contributions, saBody, secret, collected: NOTHING_COLLECTED };
  const { authenticated, proof } = orForget(keys, () => ({
    authenticated: checkProof('responder', basis, message, identity, body, env, out),
    proof: ownProof('initiator', basis, message, state.idBody, env),
  }));
  forgetKey(keys.skeyid);
  const { deadPeerDetection, natDialect: dialect } = abilitiesOf(setup, message);
  const ends = { setup, hash: choice.hash, header: message.header, dialect };
  const nat = detectNat(ends, message);
  if (nat !== undefined) out.push({ kind: 'float' });
  out.push(
    protectBy(keys),
    {
      kind: 'send',
      // Nothing answers message 3: it is repeated until something authentic comes from the peer, or often enough.
      repeat: 'timer',
      payloads: [...proof, ...natDetectionPayloads(ends, env), ...initialContactPayloads(setup, message.header)],
    },
    {
      kind: 'phase1Established',
      result: {
        authenticated,
        keys: lastingKeys(keys),
        choice,
        localId: ownIdentity(setup),
        remoteId: identity,
        // Message 2 is in the clear, and its HASH or SIG does not cover notifies: anybody may have put them there.
        initialContact: false,
        nat,
        deadPeerDetection,
      },
    },
  );
  return { tag: 'established' };
};

/** No state holds these keys yet: whoever refuses the message erases them. */
const orForget = <T>(keys: Phase1Keys, work: () => T): T => {
  try {
    return work();
  } catch (fault) {
    for (const key of secretsOf(keys)) forgetKey(key);
    throw fault;
  }
};

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  if (event.kind === 'start' && state.tag === 'idle') return start(state.setup, env, out);
  if (event.kind === 'message' && state.tag === 'awaitAnswer') return finish(state, event.message, env, out);
  throw new InvariantError(`${event.kind} in state ${state.tag}`);
};

export const aggressiveModeInitiator: Machine<State> = {
  rule: (state) => (state.tag === 'awaitAnswer' ? AGGRESSIVE_MODE.answer : undefined),
  step,
  secrets: (state) => (state.tag === 'awaitAnswer' ? [state.privateValue] : []),
};
