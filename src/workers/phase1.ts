/** Main and aggressive mode on a lane: beginning them and feeding them. What comes of them is in phase1-outcome.ts. */
import { ExchangeType, NotifyType } from '../shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../shared/constants/oakley.ts';
import { forgetKey } from '../shared/crypto/key-cache.ts';
import { isSignatureMethod } from '../shared/crypto/signature.ts';
import { ProtocolError } from '../shared/errors.ts';
import { aggressiveModeInitiator } from '../shared/exchange/aggressive-mode-initiator.ts';
import { aggressiveModeResponder } from '../shared/exchange/aggressive-mode-responder.ts';
import type { Phase1Setup } from '../shared/exchange/effects.ts';
import type { Inbound } from '../shared/exchange/inbound.ts';
import { type Exchange, exchangeOf } from '../shared/exchange/machine.ts';
import { mainModeInitiator } from '../shared/exchange/main-mode-initiator.ts';
import { mainModeResponder } from '../shared/exchange/main-mode-responder.ts';
import { ownIdentity } from '../shared/exchange/phase1.ts';
import { phase1Fields, wrongSecretRecord } from '../shared/exchange/refusals.ts';
import { takesFragments } from '../shared/exchange/riders/vendor-id.ts';
import {
  type Conversation,
  newConversation,
  type Refused,
  receive,
  recognise,
  signal,
} from '../shared/exchange/run.ts';
import { LogClass } from '../shared/log/classes.ts';
import { whoWords } from '../shared/log/who.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { LaneEvent, Path } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { captureKey, captureReceived } from './capture.ts';
import { complain, dropQuietly, linesOf, reasonOf } from './complaints.ts';
import { begunWords } from './debug-words.ts';
import { tracePhase1Offer, traceReceived, traceStep } from './exchange-traces.ts';
import { hex, type IsakmpSa, isZero, noTimers } from './isakmp-sa.ts';
import { arm, disarmAll, envOf, type LaneContext, nonZeroRandom } from './lane-context.ts';
import { fieldsOf, trace, turnTo } from './lane-log.ts';
import { sendAgain } from './outgoing.ts';
import { perform } from './phase1-outcome.ts';
import { stopRepeating } from './retransmission.ts';
import { failPhase1 } from './sa-life.ts';
import { wrongBeginning } from './wrong-beginnings.ts';

type Start = Extract<LaneEvent, { readonly kind: 'startPhase1' }>;
type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

/** Our own negotiation. */
export const startPhase1 = (lane: LaneContext, { request, peer, path, initiatorCookie, firstContact }: Start): void => {
  const policy = lane.peers.get(peer);
  if (policy === undefined) {
    const reason = `peer section ${peer} is not there or cannot be used; see isakmpd --check`;
    const isakmp = hex(initiatorCookie) + hex(NO_COOKIE);
    lane.effects.push({ kind: 'phase1Failed', request, peer, isakmp, failure: { cause: 'error', reason } });
    return;
  }
  const setup = setupOf(lane, policy, path, firstContact);
  const machine =
    policy.exchangeType === ExchangeType.AGGRESSIVE
      ? exchangeOf(aggressiveModeInitiator, { tag: 'idle', setup }, forgetKey)
      : exchangeOf(mainModeInitiator, { tag: 'idle', setup }, forgetKey);
  const { sa, conversation } = newSa(lane, setup, 'initiator', request, initiatorCookie.slice(), NO_COOKIE, machine);
  turnTo(lane, sa);
  trace(lane, LogClass.EXCHANGE, 10, begunWords, sa, undefined);
  lane.sas.addHalfOpen(sa);
  if (!lane.store.addHalfOpen(sa)) {
    failPhase1(lane, sa, { cause: 'error', reason: 'the SA table is full' });
    return;
  }
  try {
    perform(lane, sa, signal(conversation, { kind: 'start' }, envOf(lane, sa.credentials)));
    traceStep(lane, sa, undefined, 'idle', machine.tag);
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
    failPhase1(lane, sa, { cause: 'error', reason: fault.message });
  }
};

const setupOf = (
  { general: { identitySecrets, encapsulationPort }, credentials }: LaneContext,
  policy: PeerPolicy,
  path: Path,
  firstContact: boolean,
): Phase1Setup => {
  const ours = credentials.methods(ownIdentity({ policy, path }));
  const methods = new Set<number>([AuthenticationMethod.PRE_SHARED, ...ours]);
  return { policy, path, identitySecrets, methods, firstContact, encapsulationPort };
};

const NO_COOKIE = new Uint8Array(8);

/** A first message of somebody's: a new half-open SA if configuration knows the address and there is room. */
export const answerPhase1 = (lane: LaneContext, event: Datagram, header: Header): void => {
  const { path, peer, firstContact } = event;
  const policy = lane.peers.get(peer);
  if (policy === undefined || policy.exchangeType !== header.exchangeType) {
    if (lane.strangers.take(lane.now())) lane.effects.push(...wrongBeginning(policy, event, header));
    return;
  }
  const isAggressive = policy.exchangeType === ExchangeType.AGGRESSIVE;
  if (isAggressive && !lane.aggressiveOffers.take(lane.now())) {
    shed(lane, policy, path, header, 'more peers begin aggressive mode than keys can be computed for; it tries again');
    return;
  }
  const setup = setupOf(lane, policy, path, firstContact);
  const responderCookie = nonZeroRandom(lane, 8);
  const machine = isAggressive
    ? exchangeOf(aggressiveModeResponder, { tag: 'awaitOffer', setup, responderCookie }, forgetKey)
    : exchangeOf(mainModeResponder, { tag: 'awaitSa', setup }, forgetKey);
  const initiatorCookie = header.initiatorCookie.slice();
  const { sa, conversation } = newSa(lane, setup, 'responder', 0, initiatorCookie, responderCookie, machine);
  turnTo(lane, sa);
  const before = machine.tag;
  const received = receive(conversation, event.bytes, header, envOf(lane, sa.credentials));
  traceReceived(lane, undefined, received);
  captureReceived(lane, path, received);
  tracePhase1Offer(lane, policy, received);
  if (received.kind === 'accepted' && lane.store.addHalfOpen(sa)) {
    const kept = header.length + (conversation.lastSent?.length ?? 0);
    for (const crowdedOut of lane.halfOpenLimit.admit(sa, kept)) {
      failPhase1(lane, crowdedOut, {
        cause: 'refused',
        reason: 'too many negotiations are half-open: it made room for a newer one',
      });
    }
    lane.sas.addHalfOpen(sa);
    hearAbilities(sa, received.message);
    captureKey(lane, sa);
    trace(lane, LogClass.EXCHANGE, 10, begunWords, sa, undefined);
    traceStep(lane, sa, undefined, before, machine.tag);
    perform(lane, sa, received.actions);
    return;
  }
  disarmAll(lane, sa);
  machine.drop();
  if (received.kind === 'accepted') {
    shed(lane, policy, path, header, 'the SA table is full; give the daemon more memory');
  } else if (received.kind === 'refused') {
    complain(lane, {
      path,
      header,
      notify: received.fault.notify,
      sa: undefined,
      lines: linesOf(1, received),
      why: reasonOf(1, received),
      fields: phase1Fields(setup, header),
    });
  }
};

/** What its vendor ids mean for the way our messages go; some peers name it late. */
const hearAbilities = (sa: IsakmpSa, message: Inbound): void => {
  sa.takesFragments ||= sa.policy.fragmentation && takesFragments(message);
};

/** There is no room or time for another negotiation. */
const shed = (lane: LaneContext, policy: PeerPolicy, path: Path, header: Header, why: ShedReason): void => {
  const fields = phase1Fields({ policy, path }, header);
  dropQuietly(lane, path, 'message-shed', `phase 1 dropped: ${whoWords(fields)}: ${why}`, fields);
};
type ShedReason =
  | 'more peers begin aggressive mode than keys can be computed for; it tries again'
  | 'the SA table is full; give the daemon more memory';

/**
 * A message without responder cookie of an exchange that has one: only the first message again, which is answered as before. Nothing
 * else may come so, or message 3 would need no proof that its sender receives what we send.
 */
export const repeatPhase1 = (lane: LaneContext, sa: IsakmpSa, event: Datagram): void => {
  if (sa.conversation === undefined || event.path.remote.address !== sa.path.remote.address) return;
  const repeat = recognise(sa.conversation, event.bytes)?.repeat;
  if (repeat !== undefined) sendAgain(lane, sa, repeat);
};

/**
 * Until it is authenticated the negotiation belongs to one address: message 3 costs a Diffie-Hellman. Once on the NAT-T ports it stays there
 * (RFC 3947 §4).
 */
const mayGoOn = (before: Path, now: Path): boolean =>
  now.remote.address === before.remote.address && (now.encapsulated || !before.encapsulated);

/** Any later message of phase 1. */
export const receivePhase1 = (lane: LaneContext, sa: IsakmpSa, event: Datagram, header: Header): void => {
  const { conversation } = sa;
  if (conversation === undefined) {
    sayTooLate(lane, sa, event);
    return;
  }
  if (!mayGoOn(sa.path, event.path)) return;
  const knewCookie = !isZero(conversation.responderCookie);
  if (!knewCookie) conversation.responderCookie = header.responderCookie.slice();
  const before = sa.path;
  sa.path = event.path;
  const { protection } = conversation;
  const { tag } = conversation.exchange;
  const received = receive(conversation, event.bytes, header, envOf(lane, sa.credentials));
  traceReceived(lane, protection, received);
  captureReceived(lane, event.path, received);
  tracePhase1Offer(lane, sa.policy, received);
  if (received.kind !== 'accepted') {
    sa.path = before;
    if (!knewCookie) conversation.responderCookie = NO_COOKIE;
  }
  switch (received.kind) {
    case 'accepted':
      if (!knewCookie) {
        sa.responderCookie = conversation.responderCookie;
        lane.sas.learnCookies(sa);
      }
      hearAbilities(sa, received.message);
      lane.halfOpenLimit.prove(sa);
      sa.hearsay = undefined;
      sa.refusal = undefined;
      stopRepeating(lane, sa, undefined);
      // Before its sender is authenticated: an authentication that fails is what somebody may want to read.
      if (protection === undefined) captureKey(lane, sa);
      traceStep(lane, sa, undefined, tag, conversation.exchange.tag);
      perform(lane, sa, received.actions);
      lane.store.update(sa);
      return;
    case 'duplicate':
      if (received.repeat !== undefined) sendAgain(lane, sa, received.repeat);
      return;
    case 'refused':
      refuse(lane, sa, event, header, received);
      return;
    case 'ignored':
      if (sa.established !== undefined) sayTooLate(lane, sa, event);
      return;
  }
};

const sayTooLate = (lane: LaneContext, sa: IsakmpSa, { path }: Datagram): void =>
  dropQuietly(lane, path, 'message-dropped', 'message_recv: phase 1 message after ISAKMP SA is ready', {
    peer: sa.policy.name,
  });

/** Refusing a message does not end the exchange: whoever forged it must not. */
const refuse = (lane: LaneContext, sa: IsakmpSa, { path }: Datagram, header: Header, refused: Refused): void => {
  const { fault, garbled } = refused;
  const lines = linesOf(1, refused);
  const isSecretUsed = !isSignatureMethod(sa.conversation?.exchange.choice()?.authentication ?? 0);
  const isWrongSecret =
    isSecretUsed && (garbled || (fault.notify === NotifyType.AUTHENTICATION_FAILED && lines.length === 0));
  const secret = isWrongSecret ? wrongSecretRecord(sa.policy.name, fault.message, fieldsOf(sa)) : undefined;
  sa.refusal = `${fault.message}${isWrongSecret ? ', probably a wrong pre-shared key' : ''}`;
  const all = secret === undefined ? lines : [...lines, secret];
  complain(lane, { path, header, notify: fault.notify, sa, lines: all, why: reasonOf(1, refused) });
};

const newSa = (
  lane: LaneContext,
  { policy, path }: Phase1Setup,
  role: IsakmpSa['role'],
  request: number,
  initiatorCookie: Uint8Array,
  responderCookie: Uint8Array,
  exchange: Exchange,
): { readonly sa: IsakmpSa; readonly conversation: Conversation } => {
  const { exchangeType } = policy;
  const cookies = { initiatorCookie, responderCookie };
  const envelope = { ...cookies, exchangeType, messageId: 0, authentication: undefined, protection: undefined };
  const conversation = newConversation(envelope, exchange);
  const sa: IsakmpSa = {
    initiatorCookie,
    responderCookie,
    role,
    request,
    startedAt: lane.now(),
    policy,
    credentials: lane.credentials,
    path,
    takesFragments: false,
    conversation,
    established: undefined,
    hearsay: undefined,
    refusal: undefined,
    row: undefined,
    slabSlot: -1,
    timers: noTimers(),
  };
  const endAt = lane.now() + lane.general.exchangeMaxTimeSeconds * 1000;
  arm(lane, sa, endAt, { name: 'exchangeEnd', sa, phase2: undefined });
  return { sa, conversation };
};
