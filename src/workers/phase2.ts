/** Quick mode on a lane: beginning it, feeding it, and the kernel's answers. What comes of it is in phase2-outcome.ts. */
import { ExchangeType, NotifyType } from '../shared/constants/isakmp.ts';
import { forgetKey } from '../shared/crypto/key-cache.ts';
import { ProtocolError } from '../shared/errors.ts';
import type { Phase2Setup } from '../shared/exchange/effects.ts';
import { type Exchange, exchangeOf } from '../shared/exchange/machine.ts';
import { peerSpiIn } from '../shared/exchange/quick-mode.ts';
import { quickModeInitiator } from '../shared/exchange/quick-mode-initiator.ts';
import { quickModeResponder } from '../shared/exchange/quick-mode-responder.ts';
import { newConversation, type Refused, receive, signal } from '../shared/exchange/run.ts';
import { LogClass } from '../shared/log/classes.ts';
import { whoWords } from '../shared/log/who.ts';
import { identityKey } from '../shared/policy/identity.ts';
import type { PeerPolicy, Suite } from '../shared/policy/peer-policy.ts';
import type { Failure, LaneEvent } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { captureReceived } from './capture.ts';
import { complain, linesOf, reasonOf } from './complaints.ts';
import { begunWords } from './debug-words.ts';
import { tracePhase2Offer, traceReceived, traceStep } from './exchange-traces.ts';
import { cookiesOf, type Established, type IsakmpSa, noTimers, type Phase2 } from './isakmp-sa.ts';
import { arm, envOf, type LaneContext } from './lane-context.ts';
import { fieldsOf, say, trace, turnTo } from './lane-log.ts';
import { freshMessageId, isFreshMessageId, rememberMessageId } from './message-ids.ts';
import { protectedEnvelope, sendAgain } from './outgoing.ts';
import { perform } from './phase2-outcome.ts';
import { heard } from './probes.ts';
import { hearFrom, stopRepeating } from './retransmission.ts';
import { follow } from './roaming.ts';
import { endPhase2 } from './sa-life.ts';

type Start = Extract<LaneEvent, { readonly kind: 'startQuickMode' }>;
type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

/** What a phase 2 exchange may use of its ISAKMP SA. Phase 2 uses the peer's policy of today, phase 1 that of its beginning. */
export const setupOf = (
  lane: LaneContext,
  sa: IsakmpSa,
  { authenticated, phase1, keys, localIdentity, remoteIdentity, nat }: Established,
  messageId: number,
): Phase2Setup => ({
  isakmp: cookiesOf(sa),
  keys,
  ...boundTo(remoteIdentity, lane.peers.get(sa.policy.name) ?? sa.policy, lane.general.connectionlessSuites),
  path: sa.path,
  messageId,
  localIdentity,
  remoteIdentity,
  proven: authenticated && phase1 && { authenticated, ...phase1, exchangeType: sa.policy.exchangeType },
  nat,
});

/** Decisions 3.1: whoever was authenticated gets nothing of a section that by now means somebody else. */
const boundTo = (
  remoteIdentity: string,
  policy: PeerPolicy,
  connectionlessSuites: readonly Suite[],
): Pick<Phase2Setup, 'policy' | 'connectionlessSuites'> => {
  const isMeant = policy.remoteId === undefined || identityKey(policy.remoteId) === remoteIdentity.toLowerCase();
  if (isMeant) return { policy, connectionlessSuites };
  return { policy: { ...policy, connections: [] }, connectionlessSuites: [] };
};

/** Our own quick mode. */
export const startQuickMode = (lane: LaneContext, { request, isakmp, connection: name }: Start): void => {
  const sa = lane.sas.find(isakmp);
  const fail = (reason: string): void => {
    const failure: Failure = { cause: 'error', reason };
    lane.effects.push({
      kind: 'phase2Failed',
      exchange: 0,
      request,
      isakmp,
      messageId: 0,
      connection: name,
      failure,
    });
  };
  if (sa?.established === undefined) {
    fail('the ISAKMP SA has gone meanwhile');
    return;
  }
  const messageId = freshMessageId(lane, sa.established);
  const setup = setupOf(lane, sa, sa.established, messageId);
  const connection = setup.policy.connections.find((one) => one.name === name);
  if (connection === undefined) {
    fail(`[${name}] is no connection of this peer that can be used; see isakmpd --check`);
    return;
  }
  const exchange = exchangeOf(quickModeInitiator, { tag: 'idle', setup, connection }, forgetKey);
  const phase2 = newPhase2(lane, sa, sa.established, exchange, messageId, request);
  phase2.connection = name;
  enter(lane, sa, sa.established, phase2);
  deliver(lane, sa, phase2, { kind: 'start' });
};

/** Any quick mode message under an established SA. A message id is good for one exchange, ever. */
export const receiveQuickMode = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  event: Datagram,
  header: Header,
): void => {
  const { messageId } = header;
  const running = established.phase2.get(messageId);
  if (running === undefined && !isFreshMessageId(established, messageId)) return;
  if (running === undefined && isCrowded(established)) {
    sayCrowded(lane, sa, established);
    return;
  }
  const phase2 = running ?? answeringPhase2(lane, sa, established, messageId);
  turnTo(lane, sa, phase2);
  const { protection, exchange } = phase2.conversation;
  const { tag } = exchange;
  const received = receive(phase2.conversation, event.bytes, header, envOf(lane));
  traceReceived(lane, protection, received);
  captureReceived(lane, event.path, received);
  switch (received.kind) {
    case 'accepted':
      if (running === undefined) enter(lane, sa, established, phase2);
      hearFrom(lane, sa);
      follow(lane, sa, established, event.path);
      heard(lane, sa);
      stopRepeating(lane, sa, phase2);
      perform(lane, sa, phase2, received.actions);
      tracePhase2Offer(lane, sa.policy, phase2, established.nat, received);
      traceStep(lane, sa, phase2, tag, exchange.tag);
      return;
    case 'duplicate':
      if (received.repeat !== undefined) sendAgain(lane, sa, received.repeat);
      return;
    case 'refused':
      refuse(lane, sa, established, event, header, received);
      return;
    case 'ignored':
      return;
  }
};

/** Even an authenticated peer gets no more of the lane than this; what is dropped comes again. */
const isCrowded = ({ phase2 }: Established): boolean => phase2.size >= MOST_QUICK_MODES;
const MOST_QUICK_MODES = 1024;

const sayCrowded = (lane: LaneContext, sa: IsakmpSa, { phase2, forged }: Established): void => {
  if (!forged.take(lane.now())) return;
  const who = whoWords(fieldsOf(sa));
  say(
    lane,
    sa,
    'message-shed',
    `quick mode dropped: ${who}: ${phase2.size} of its quick modes are under way; it tries again`,
  );
};

const refuse = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  { path }: Datagram,
  header: Header,
  refused: Refused,
): void => {
  const { stage, fault, message } = refused;
  // The step looks at nothing before the hash: what it refuses for another reason the peer itself has sent, and will not send anew.
  const isAuthentic = stage === 'step' && fault.notify !== NotifyType.INVALID_HASH_INFORMATION;
  if (isAuthentic) {
    rememberMessageId(lane, sa, established, header.messageId);
    hearFrom(lane, sa);
    follow(lane, sa, established, path);
    heard(lane, sa);
  }
  const about = message && peerSpiIn(message);
  const [lines, why] = [linesOf(2, refused), reasonOf(2, refused)];
  complain(lane, { path, header, notify: fault.notify, sa, isAuthentic, lines, why, about });
};

const answeringPhase2 = (lane: LaneContext, sa: IsakmpSa, established: Established, messageId: number): Phase2 => {
  const setup = setupOf(lane, sa, established, messageId);
  const exchange = exchangeOf(quickModeResponder, { tag: 'awaitOffer', setup }, forgetKey);
  return newPhase2(lane, sa, established, exchange, messageId, 0);
};

const newPhase2 = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  exchange: Exchange,
  messageId: number,
  request: number,
): Phase2 => ({
  exchange: ++lane.lastExchange,
  request,
  messageId,
  conversation: newConversation(protectedEnvelope(sa, established, ExchangeType.QUICK_MODE, messageId), exchange),
  connection: '',
  spis: [],
  isSettled: false,
  timers: noTimers(),
});

const enter = (lane: LaneContext, sa: IsakmpSa, established: Established, phase2: Phase2): void => {
  established.phase2.set(phase2.messageId, phase2);
  rememberMessageId(lane, sa, established, phase2.messageId);
  lane.phase2.set(phase2.exchange, { sa, phase2 });
  const endAt = lane.now() + lane.general.exchangeMaxTimeSeconds * 1000;
  arm(lane, phase2, endAt, { name: 'exchangeEnd', sa, phase2 });
  trace(lane, LogClass.EXCHANGE, 10, begunWords, sa, phase2);
};

/** The answer to `install`. An exchange that has ended meanwhile is none of its business any more. */
export const kernelAnswered = (
  lane: LaneContext,
  exchange: number,
  event: { readonly kind: 'installed' } | { readonly kind: 'refused' | 'denied'; readonly reason: string },
): void => {
  const found = lane.phase2.get(exchange);
  if (found !== undefined && !found.phase2.isSettled) deliver(lane, found.sa, found.phase2, event);
};

const deliver = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2, event: Parameters<typeof signal>[1]): void => {
  turnTo(lane, sa, phase2);
  const { exchange } = phase2.conversation;
  const { tag } = exchange;
  try {
    perform(lane, sa, phase2, signal(phase2.conversation, event, envOf(lane)));
    traceStep(lane, sa, phase2, tag, exchange.tag);
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
    endPhase2(lane, sa, phase2, { cause: 'refused', reason: fault.message });
  }
};
