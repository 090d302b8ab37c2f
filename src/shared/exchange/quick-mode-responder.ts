/** Quick mode, responder: RFC 2409 §5.5. The inbound SA is in the kernel before message 2 invites traffic, the outbound one after message 3. */
import { NotifyType } from '../constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { connectionless } from '../policy/connectionless.ts';
import { suitesAcross } from '../policy/encapsulation.ts';
import type { ConnectionPolicy } from '../policy/peer-policy.ts';
import type { Phase2Choice, Picked } from '../policy/phase2-fit.ts';
import { answerPhase2, choosePhase2 } from '../policy/phase2-proposal.ts';
import { findConnection, type Selectors, selectsTraffic, takesAnyRemote } from '../policy/selectors.ts';
import { spiBytes } from '../policy/spi.ts';
import type { Agreement, IpsecSa, PeerChose } from '../threads/contract.ts';
import type { OutPayload } from '../wire/message.ts';
import type { Effects, Env, ExchangeEvent, Phase2Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import { keysOf } from './ipsec-keys.ts';
import type { Machine } from './machine.ts';
import { contributeOnce, contributionOf, identityPayload } from './phase1.ts';
import { policyQuestion, policyRefusalRecords } from './policy-question.ts';
import {
  addressSelectors,
  agreementOf,
  checkEqual,
  checkMessageHash,
  directionSas,
  drawSpi,
  failInstall,
  type KeyingMaterial,
  peerSpis,
  proofHash,
  QUICK_MODE,
  selectorIn,
} from './quick-mode.ts';
import { suiteRefusalRecords } from './refusals.ts';
import { natOriginalPayloads, withoutNat } from './riders/nat-original.ts';
import { responderLifetimePayload } from './riders/responder-lifetime.ts';
import { wrongSelectorsRecords } from './selector-refusals.ts';

/** All that message 1 settled, but for our SPIs: they may have to be drawn again. */
interface Offer {
  readonly setup: Phase2Setup;
  readonly connection: ConnectionPolicy;
  readonly peerChose: PeerChose;
  readonly selectors: Selectors;
  /** The ID payloads that the peer sent, which go back; undefined: none. */
  readonly ids: Selectors | undefined;
  readonly choice: Phase2Choice;
  readonly picked: readonly Picked[];
  readonly material: KeyingMaterial;
  readonly publicValue: Uint8Array | undefined;
  readonly startedAt: number;
}

export type State =
  | { readonly tag: 'awaitOffer'; readonly setup: Phase2Setup }
  | {
      readonly tag: 'awaitInbound';
      readonly offer: Offer;
      readonly spis: readonly number[];
      readonly agreement: Agreement;
      readonly draws: number;
    }
  | {
      readonly tag: 'awaitProof';
      readonly setup: Phase2Setup;
      readonly agreement: Agreement;
      readonly outbound: readonly IpsecSa[];
      readonly ni: Uint8Array;
      readonly nr: Uint8Array;
    }
  | { readonly tag: 'awaitOutbound'; readonly agreement: Agreement }
  | { readonly tag: 'established' }
  | { readonly tag: 'failed' };

/** Message 1. Nothing in it counts before its hash does. */
const consider = (setup: Phase2Setup, message: Inbound, env: Env, out: Effects): State => {
  checkMessageHash(setup, message, []);
  const ids = askedSelectors(message);
  const selectors = ids === undefined ? addressSelectors(setup) : withoutNat(setup, ids, message);
  const section = findConnection(setup.policy, selectors, addressSelectors(setup));
  const { connection, choice, picked } = chosen(setup, section, selectors, message, env, out);
  if ((choice.group === undefined) !== (message.ke === undefined)) {
    const fault = choice.group === undefined ? 'KE payload without a group' : 'a group without KE payload';
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, fault);
  }
  out.push({ kind: 'phase2Started', connection: connection.name });
  const { publicValue, material } = exchangeKeys(choice, message, env);
  const remoteChoice = section !== undefined && takesAnyRemote(section) ? 'remote' : 'nothing';
  const peerChose = section === undefined ? 'both' : remoteChoice;
  const settled = { setup, connection, peerChose, selectors, ids, choice, picked, material } as const;
  return installInbound({ ...settled, publicValue, startedAt: env.now }, 1, env, out);
};

interface Chosen {
  readonly connection: ConnectionPolicy;
  readonly choice: Phase2Choice;
  readonly picked: readonly Picked[];
}

/** What of the offer the peer gets: under its connection section, or without one where the policy is asked. Throws a ProtocolError, and says why, where that is nothing. */
const chosen = (
  setup: Phase2Setup,
  section: ConnectionPolicy | undefined,
  selectors: Selectors,
  message: Inbound,
  env: Env,
  out: Effects,
): Chosen => {
  const { policy, nat, connectionlessSuites } = setup;
  const mayPermit = env.credentials.policy !== undefined && connectionlessSuites.length > 0;
  const isPossible = section !== undefined || mayPermit;
  const connection = section ?? connectionless(policy.name, selectors, connectionlessSuites);
  const suites = policy.checkSuites ? suitesAcross(nat, connection.suites) : undefined;
  const leniency = { legacyCrypto: policy.legacyCrypto, inUdp: nat !== undefined };
  const question = policyQuestion(setup, selectors, 'responder', env);
  const selection = isPossible
    ? choosePhase2(insist(message.sa, 'SA').value, suites, leniency, question.permits)
    : undefined;
  if (selection !== undefined && selection.kind !== 'none') return { connection, ...selection };
  if (section === undefined) out.push(...wrongSelectorsRecords(setup, selectors, addressSelectors(setup), env));
  const isForbidden = question.refusals.length > 0;
  if (isForbidden) out.push(...policyRefusalRecords(setup, section?.name, question));
  else if (selection !== undefined) out.push(...suiteRefusalRecords(setup, connection, selection.comparisons));
  if (section === undefined && (isForbidden || !isPossible)) {
    throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, 'no connection of this peer has these IDs');
  }
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'no compatible proposal found');
};

const askedSelectors = ({ id, secondId }: Inbound): Selectors | undefined => {
  if (id === undefined) return undefined;
  if (secondId === undefined) throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'only one of the two IDs');
  const selectors = { remote: selectorIn(id), local: selectorIn(secondId) };
  if (!selectsTraffic(selectors.remote) || !selectsTraffic(selectors.local)) {
    throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, 'an ID that is no address, subnet or range');
  }
  return selectors;
};

const exchangeKeys = (
  { group }: Phase2Choice,
  message: Inbound,
  env: Env,
): { readonly publicValue: Uint8Array | undefined; readonly material: KeyingMaterial } => {
  const ni = insist(message.nonce, 'NONCE').value.nonceData.slice();
  const nr = env.random(ni.length);
  if (group === undefined) return { publicValue: undefined, material: { ni, nr, gxy: undefined } };
  const { ke } = contributionOf(message);
  return contributeOnce(group, env, ({ privateValue, publicValue }) => ({
    publicValue,
    material: { ni, nr, gxy: env.sharedSecret(group, privateValue, ke) },
  }));
};

/** Draws our SPIs and asks for the inbound SAs; again with new SPIs when the kernel has such an SA already. */
const installInbound = (offer: Offer, draws: number, env: Env, out: Effects): State => {
  const { setup, choice, material, startedAt, connection, peerChose, selectors } = offer;
  const spis = choice.protocols.map(() => drawSpi(env));
  const { ni, nr } = material;
  const about = { setup, connection, peerChose, selectors, role: 'responder' } as const;
  const agreement = agreementOf({ ...about, choice, spis, ni, nr, startedAt });
  out.push({ kind: 'install', agreement, sas: directionSas('in', setup, choice, spis, material) });
  return { tag: 'awaitInbound', offer, spis, agreement, draws };
};

const answerOffer = (
  { offer, spis, agreement }: Extract<State, { readonly tag: 'awaitInbound' }>,
  out: Effects,
): State => {
  const { setup, choice, material, publicValue, ids } = offer;
  const { ni, nr } = material;
  const payloads: OutPayload[] = [
    { kind: 'SA', value: answerPhase2(offer.picked, spis) },
    { kind: 'NONCE', value: { nonceData: nr } },
  ];
  if (publicValue !== undefined) payloads.push({ kind: 'KE', value: { keyExchangeData: publicValue } });
  if (ids !== undefined) payloads.push(identityPayload(ids.remote), identityPayload(ids.local));
  const modes = choice.protocols.map(({ encapsulation }) => encapsulation);
  payloads.push(...natOriginalPayloads(setup, 'responder', modes));
  if (choice.lifetimes.shortened) payloads.push(...responderLifetimePayload(agreement));
  out.push({ kind: 'sendAuthenticated', extra: [ni], payloads, repeat: 'timer' });
  const outbound = directionSas('out', setup, choice, peerSpis(choice), material);
  return { tag: 'awaitProof', setup, agreement, outbound, ni, nr };
};

const onRefused = (state: State, reason: string, env: Env, out: Effects): State => {
  if (state.tag === 'awaitInbound' && reason === 'exists' && state.draws < MAX_DRAWS) {
    return installInbound(state.offer, state.draws + 1, env, out);
  }
  if (state.tag !== 'awaitInbound' && state.tag !== 'awaitOutbound') {
    throw new InvariantError(`refused in state ${state.tag}`);
  }
  // After message 3 the peer has its half: the notify alone would leave it there.
  const owed = { notify: NotifyType.NO_PROPOSAL_CHOSEN, deletes: state.tag === 'awaitOutbound' };
  return failInstall(state.agreement, reason, owed, out);
};

/** Nothing is installed. */
const onDenied = (state: State, reason: string, out: Effects): State => {
  if (state.tag !== 'awaitInbound') throw new InvariantError(`denied in state ${state.tag}`);
  const [first] = state.offer.choice.protocols;
  const about = first && { protocolId: first.protocolId, spi: spiBytes(first.peerSpi) };
  const failure = { cause: 'refused', reason } as const;
  out.push({ kind: 'failed', failure, notify: NotifyType.INVALID_ID_INFORMATION, about });
  return { tag: 'failed' };
};

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  switch (event.kind) {
    case 'message':
      if (state.tag === 'awaitOffer') return consider(state.setup, event.message, env, out);
      if (state.tag !== 'awaitProof') {
        throw new ProtocolError(NotifyType.INVALID_PAYLOAD_TYPE, 'no message is expected now');
      }
      checkEqual(event.message, proofHash(state.setup, state.ni, state.nr));
      out.push({ kind: 'install', agreement: state.agreement, sas: state.outbound });
      return { tag: 'awaitOutbound', agreement: state.agreement };
    case 'installed':
      if (state.tag === 'awaitInbound') return answerOffer(state, out);
      if (state.tag !== 'awaitOutbound') break;
      out.push({ kind: 'phase2Established', agreement: state.agreement });
      return { tag: 'established' };
    case 'refused':
      return onRefused(state, event.reason, env, out);
    case 'denied':
      return onDenied(state, event.reason, out);
    case 'start':
      break;
  }
  throw new InvariantError(`${event.kind} in state ${state.tag}`);
};

export const quickModeResponder: Machine<State> = {
  rule: (state) => {
    if (state.tag === 'awaitOffer') return QUICK_MODE.offer;
    return state.tag === 'awaitProof' ? QUICK_MODE.proof : undefined;
  },
  step,
  secrets: (state) => {
    if (state.tag === 'awaitInbound') return state.offer.material.gxy === undefined ? [] : [state.offer.material.gxy];
    return state.tag === 'awaitProof' ? keysOf(state.outbound) : [];
  },
};

/** Three SPIs in a row that exist already are no accident. */
const MAX_DRAWS = 3;
