/** Quick mode, initiator: RFC 2409 §5.5. Both SAs are in the kernel before message 3 tells the peer to use them. */
import { NotifyType } from '../constants/isakmp.ts';
import { forgetKey } from '../crypto/key-cache.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { suitesAcross } from '../policy/encapsulation.ts';
import { sameIdentity } from '../policy/identity.ts';
import { selectorWords } from '../policy/identity-settings.ts';
import type { ConnectionPolicy, Suite } from '../policy/peer-policy.ts';
import type { Phase2Choice } from '../policy/phase2-fit.ts';
import { matchPhase2Answer, type OfferedSpis, offerPhase2 } from '../policy/phase2-proposal.ts';
import { namesSelectors, type Selectors, selectorsOf } from '../policy/selectors.ts';
import { leastSeconds } from '../policy/transform-attributes.ts';
import type { Agreement } from '../threads/contract.ts';
import type { OutPayload } from '../wire/message.ts';
import type { Effects, Env, ExchangeEvent, Phase2Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import type { Machine } from './machine.ts';
import { contribute, contributionOf, identityPayload, NONCE_SIZE } from './phase1.ts';
import { policyQuestion, policyRefusalRecords } from './policy-question.ts';
import {
  addressSelectors,
  agreementOf,
  checkMessageHash,
  directionSas,
  drawSpi,
  failInstall,
  peerSpiIn,
  peerSpis,
  proofHash,
  QUICK_MODE,
  selectorIn,
} from './quick-mode.ts';
import { natOriginalPayloads } from './riders/nat-original.ts';
import { withResponderLifetime } from './riders/responder-lifetime.ts';

export type State =
  | { readonly tag: 'idle'; readonly setup: Phase2Setup; readonly connection: ConnectionPolicy }
  | {
      readonly tag: 'awaitAnswer';
      readonly setup: Phase2Setup;
      readonly connection: ConnectionPolicy;
      readonly suites: readonly Suite[];
      readonly spis: OfferedSpis;
      readonly selectors: Selectors;
      readonly ni: Uint8Array;
      readonly pfs: Pfs | undefined;
      readonly startedAt: number;
    }
  | {
      readonly tag: 'awaitInstall';
      readonly setup: Phase2Setup;
      readonly agreement: Agreement;
      readonly ni: Uint8Array;
      readonly nr: Uint8Array;
    }
  | { readonly tag: 'established' }
  | { readonly tag: 'failed' };

interface Pfs {
  readonly group: number;
  readonly privateValue: Uint8Array;
}

const start = (setup: Phase2Setup, connection: ConnectionPolicy, env: Env, out: Effects): State => {
  const { group, suites } = ofOneGroup(suitesAcross(setup.nat, connection.suites));
  if (suites.length === 0) {
    const why = setup.nat === undefined || connection.suites.length === 0 ? '' : ': AH does not pass the NAT, take ESP';
    const text = `no suite of ${connection.suitesTag} can be offered${why}`;
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, text);
  }
  const spis = suites.map(({ protocols }) => protocols.map(() => drawSpi(env)));
  const ni = env.random(NONCE_SIZE);
  const selectors = selectorsOf(connection, addressSelectors(setup));
  const payloads: OutPayload[] = [
    { kind: 'SA', value: offerPhase2(suites, spis) },
    { kind: 'NONCE', value: { nonceData: ni } },
  ];
  let pfs: Pfs | undefined;
  if (group !== undefined) {
    const { privateValue, publicValue } = contribute(group, env);
    pfs = { group, privateValue };
    payloads.push({ kind: 'KE', value: { keyExchangeData: publicValue } });
  }
  if (namesSelectors(connection)) payloads.push(identityPayload(selectors.local), identityPayload(selectors.remote));
  payloads.push(...natOriginalPayloads(setup, 'initiator', modesOf(suites)));
  out.push({ kind: 'offered', spis: spis.flat() }, { kind: 'sendAuthenticated', extra: [], payloads, repeat: 'timer' });
  return { tag: 'awaitAnswer', setup, connection, suites, spis, selectors, ni, pfs, startedAt: env.now };
};

const modesOf = (suites: readonly Suite[]): readonly number[] =>
  suites.flatMap(({ protocols }) => protocols.flatMap(({ transforms }) => transforms.map((one) => one.encapsulation)));

/** RFC 2409 §5.5: one KE payload serves the whole offer, so all of it must ask for the same group. The first suite decides. */
const ofOneGroup = (
  suites: readonly Suite[],
): { readonly group: number | undefined; readonly suites: readonly Suite[] } => {
  const group = suites[0]?.protocols[0]?.transforms[0]?.group;
  const fitting = suites.flatMap((suite) => {
    const protocols = suite.protocols.map((protocol) => ({
      ...protocol,
      transforms: protocol.transforms.filter((transform) => transform.group === group),
    }));
    return protocols.every((protocol) => protocol.transforms.length > 0) ? [{ name: suite.name, protocols }] : [];
  });
  return { group, suites: fitting };
};

/** Message 2: once its hash fits, whatever does not fit ends the exchange. */
const conclude = (
  state: Extract<State, { readonly tag: 'awaitAnswer' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  checkMessageHash(state.setup, message, [state.ni]);
  try {
    return accept(state, message, env, out);
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
    const failure = { cause: 'refused', reason: fault.message } as const;
    out.push({ kind: 'failed', failure, notify: fault.notify, about: peerSpiIn(message) });
    return { tag: 'failed' };
  }
};

const accept = (
  state: Extract<State, { readonly tag: 'awaitAnswer' }>,
  message: Inbound,
  env: Env,
  out: Effects,
): State => {
  const { setup, connection, selectors, ni, startedAt } = state;
  const matched = matchPhase2Answer(insist(message.sa, 'SA').value, state.suites, state.spis);
  if (matched === undefined) {
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'the peer chose a proposal that was not offered');
  }
  checkSelectors(state, message);
  const choice = withResponderLifetime(matched.choice, leastLife(state.suites), message);
  const question = policyQuestion(setup, selectors, 'initiator', env);
  if (!question.permits(choice)) {
    out.push(...policyRefusalRecords(setup, connection.name, question));
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'the policy does not permit what the peer chose');
  }
  const gxy = sharedSecretOf(state.pfs, choice, message, env);
  const nr = insist(message.nonce, 'NONCE').value.nonceData.slice();
  const { spis } = matched;
  const material = { ni, nr, gxy };
  const agreement = agreementOf({
    setup,
    connection,
    peerChose: 'nothing',
    role: 'initiator',
    selectors,
    choice,
    spis,
    ni,
    nr,
    startedAt,
  });
  out.push({
    kind: 'install',
    agreement,
    sas: [
      ...directionSas('in', setup, choice, spis, material),
      ...directionSas('out', setup, choice, peerSpis(choice), material),
    ],
  });
  if (gxy !== undefined) forgetKey(gxy);
  return { tag: 'awaitInstall', setup, agreement, ni, nr };
};

/** The secret, undefined without PFS. RFC 2409 §5.5: there is a KE payload exactly where there is a group. */
const sharedSecretOf = (
  pfs: Pfs | undefined,
  choice: Phase2Choice,
  message: Inbound,
  env: Env,
): Uint8Array | undefined => {
  if (choice.group === undefined && message.ke === undefined) return undefined;
  if (choice.group === undefined || pfs === undefined || message.ke === undefined) {
    const fault = message.ke === undefined ? 'a group without KE payload' : 'a KE payload without group';
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, `the peer answered with ${fault}`);
  }
  return env.sharedSecret(pfs.group, pfs.privateValue, contributionOf(message).ke);
};

const checkSelectors = (
  { connection, selectors }: Extract<State, { readonly tag: 'awaitAnswer' }>,
  { id, secondId }: Inbound,
): void => {
  if (id === undefined && !namesSelectors(connection)) return;
  if (id === undefined || secondId === undefined) {
    throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, 'the peer answered without both IDs');
  }
  const ours = selectorIn(id);
  const theirs = selectorIn(secondId);
  if (sameIdentity(ours, selectors.local) && sameIdentity(theirs, selectors.remote)) return;
  const text = `the peer answered with other IDs, our ${selectorWords(ours)} and its ${selectorWords(theirs)}, than those of [${connection.name}]:Local-ID and Remote-ID, ${selectorWords(selectors.local)} and ${selectorWords(selectors.remote)}`;
  throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, text);
};

/** The shortest life (seconds) that any of the suites allows. */
const leastLife = (suites: readonly Suite[]): number =>
  Math.min(
    ...suites.flatMap(({ protocols }) =>
      protocols.flatMap(({ transforms }) => transforms.map(({ lifetimes }) => leastSeconds(lifetimes))),
    ),
  );

const step = (state: State, event: ExchangeEvent<Inbound>, env: Env, out: Effects): State => {
  if (event.kind === 'start' && state.tag === 'idle') return start(state.setup, state.connection, env, out);
  if (event.kind === 'message' && state.tag === 'awaitAnswer') return conclude(state, event.message, env, out);
  if (event.kind === 'installed' && state.tag === 'awaitInstall') {
    const hashData = proofHash(state.setup, state.ni, state.nr);
    out.push(
      { kind: 'send', repeat: 'duplicate', payloads: [{ kind: 'HASH', value: { hashData } }] },
      { kind: 'phase2Established', agreement: state.agreement },
    );
    return { tag: 'established' };
  }
  if (event.kind === 'refused' && state.tag === 'awaitInstall') {
    // The peer has its half: it must not wait for a message 3 that never comes.
    return failInstall(state.agreement, event.reason, { notify: 0, deletes: true }, out);
  }
  if (event.kind === 'message') throw new ProtocolError(NotifyType.INVALID_PAYLOAD_TYPE, 'no message is expected now');
  throw new InvariantError(`${event.kind} in state ${state.tag}`);
};

export const quickModeInitiator: Machine<State> = {
  rule: (state) => (state.tag === 'awaitAnswer' ? QUICK_MODE.offer : undefined),
  step,
  secrets: (state) => (state.tag === 'awaitAnswer' && state.pfs !== undefined ? [state.pfs.privateValue] : []),
};
