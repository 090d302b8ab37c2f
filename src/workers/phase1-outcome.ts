/** What main or aggressive mode wants done on a lane, and what its end means for the ISAKMP SA. */
import type { Shown } from '../shared/connection/proofs.ts';
import type { Authenticated } from '../shared/credentials/authenticated.ts';
import { InvariantError } from '../shared/errors.ts';
import type { Phase1Result } from '../shared/exchange/effects.ts';
import type { Action } from '../shared/exchange/run.ts';
import { silenceOfInitiator, silenceOfResponder } from '../shared/exchange/silence.ts';
import { LogClass } from '../shared/log/classes.ts';
import { failure, notice } from '../shared/log/records.ts';
import { whoWords } from '../shared/log/who.ts';
import { identityText } from '../shared/policy/identity.ts';
import type { NatTraversal } from '../shared/threads/contract.ts';
import { createdWords, endedWords, phase1KeyWords } from './debug-words.ts';
import { cookiesOf, establishedOn, type IsakmpSa } from './isakmp-sa.ts';
import { arm, disarm, type LaneContext } from './lane-context.ts';
import { fieldsOf, say, trace } from './lane-log.ts';
import { sendMessage } from './retransmission.ts';
import { failPhase1 } from './sa-life.ts';

export const perform = (lane: LaneContext, sa: IsakmpSa, actions: readonly Action[]): void => {
  for (const action of actions) {
    if (action.kind === 'datagram') sendMessage(lane, sa, undefined, action);
    else if (action.kind === 'log') lane.effects.push(action);
    else if (action.kind === 'float') float(lane, sa);
    else if (action.kind === 'phase1Established') establish(lane, sa, action.result);
    else throw new InvariantError(`phase 1 asks for ${action.kind}`);
  }
};

/** A NAT was found: from here on both sides talk on the NAT-T ports. */
const float = ({ general: { encapsulationPort: port } }: LaneContext, sa: IsakmpSa): void => {
  if (port === undefined || sa.path.encapsulated) return;
  const { local, remote } = sa.path;
  sa.path = { local: { ...local, port }, remote: { ...remote, port }, encapsulated: true };
};

const establish = (
  lane: LaneContext,
  sa: IsakmpSa,
  { authenticated, keys, choice, localId, remoteId, initialContact, nat, deadPeerDetection }: Phase1Result,
): void => {
  const lastIv = sa.conversation?.protection?.iv.slice();
  if (lastIv === undefined) throw new InvariantError('phase 1 is done but has not been encrypted');
  const now = lane.now();
  const lifeMs = choice.lifetimes.seconds * 1000;
  const softAt = now + lifeMs * softFraction(lane, sa);
  const hardAt = now + lifeMs;
  const localIdentity = identityText(localId);
  const remoteIdentity = identityText(remoteId);
  trace(lane, LogClass.CRYPTO, 40, phase1KeyWords, keys, choice);
  trace(lane, LogClass.EXCHANGE, 10, endedWords, sa, undefined, undefined);
  trace(lane, LogClass.SA, 10, createdWords, sa);
  const answersProbes = deadPeerDetection;
  const phase1 = { remoteId, group: choice.group };
  sa.established = establishedOn(
    { authenticated, phase1, keys, lastIv, localIdentity, remoteIdentity, softAt, hardAt, nat, answersProbes },
    now,
  );
  sa.credentials = undefined;
  lane.halfOpenLimit.release(sa);
  lane.sas.establish(sa);
  if (!lane.store.establish(sa, choice, now)) {
    const text = 'the SA table is full: this ISAKMP SA would not survive a fault of its lane';
    lane.effects.push({ kind: 'log', record: failure('table-full', text, fieldsOf(sa)) });
  }
  arm(lane, sa, softAt, { name: 'soft', sa, phase2: undefined });
  arm(lane, sa, hardAt, { name: 'hard', sa, phase2: undefined });
  const isInitiator = sa.role === 'initiator';
  const ids = isInitiator ? [localIdentity, remoteIdentity] : [remoteIdentity, localIdentity];
  const between =
    `initiator id ${ids[0]}, responder id ${ids[1]}, src: ${sa.path.local.address} dst: ${sa.path.remote.address}` as const;
  const [one, ...others] = sa.policy.connections;
  const onlyConnection = one === undefined || others.length > 0 ? {} : { connection: one.name };
  say(
    lane,
    sa,
    'phase1-established',
    `isakmpd: phase 1 done${isInitiator ? '' : ' (as responder)'}: ${between}`,
    onlyConnection,
  );
  if (nat !== undefined) {
    say(
      lane,
      sa,
      'nat-found',
      `NAT traversal: ${whoWords(fieldsOf(sa))}: ${behindWords(nat)} behind a NAT, ESP goes in UDP`,
    );
  }
  lane.effects.push({
    kind: 'phase1Established',
    isakmp: cookiesOf(sa),
    request: sa.request,
    peer: sa.policy.name,
    role: sa.role,
    path: sa.path,
    localIdentity,
    remoteIdentity,
    startedAt: sa.startedAt,
    softAt,
    hardAt,
    initialContact,
    nat,
    answersProbes,
    ...shownBy(authenticated),
  });
};

const shownBy = (authenticated: Authenticated): Shown => {
  if (authenticated.kind !== 'publicKey') return { chain: [], rawKey: undefined };
  const { chain, key, rawKeyOf: identity } = authenticated;
  return { chain, rawKey: identity && { identity, key } };
};

const behindWords = ({ isLocalBehind, isRemoteBehind }: NatTraversal): string => {
  if (isLocalBehind && isRemoteBehind) return 'both ends are';
  if (isLocalBehind) return 'our end is';
  return isRemoteBehind ? 'its end is' : 'no end is known to be';
};

/** isakmpd renews at 85 to 95 % of the life; the initiator in the first half of that, so that the two sides rarely collide. */
const softFraction = (lane: LaneContext, { role }: IsakmpSa): number =>
  (role === 'initiator' ? 0.85 : 0.9) + 0.05 * ((lane.random(1)[0] ?? 0) / 256);

/** Exchange-max-time is over: a finished exchange need not answer duplicates any more, an unfinished one has failed. */
export const endExchange = (lane: LaneContext, sa: IsakmpSa): void => {
  if (sa.established !== undefined) {
    sa.conversation = undefined;
    lane.sas.forgetExchange(sa);
    disarm(lane, sa, 'repeat');
    return;
  }
  const { address, port } = sa.path.remote;
  const silence = silenceAfter(sa);
  const reason =
    sa.role === 'responder'
      ? silence
      : `not finished with ${address}:${port} within Exchange-max-time, no response${silence}`;
  failPhase1(lane, sa, { cause: 'timeout', reason });
};

/** What the peer's silence probably means. */
const silenceAfter = ({ role, policy, conversation, hearsay, refusal }: IsakmpSa): string =>
  (role === 'initiator' ? silenceOfResponder : silenceOfInitiator)({
    policy,
    method: conversation?.exchange.choice()?.authentication,
    tag: conversation?.exchange.tag ?? '',
    isRefused: refusal !== undefined,
    hasSpoken: hearsay !== undefined,
  });

/** Nobody answers. A finished exchange only stops repeating its last message. */
export const giveUpPhase1 = (lane: LaneContext, sa: IsakmpSa): void => {
  if (sa.established !== undefined) return;
  const { address, port } = sa.path.remote;
  const text =
    `transport_send_messages: giving up on exchange ${sa.policy.name}, no response from peer ${address}:${port}` as const;
  lane.effects.push({ kind: 'log', record: notice('no-answer', text, fieldsOf(sa)) });
  failPhase1(lane, sa, { cause: 'timeout', reason: `no response from peer ${address}:${port}${silenceAfter(sa)}` });
};
