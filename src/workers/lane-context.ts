/** What the parts of a lane share: clock, randomness, policies, SAs, timers, and the list of effects. */
import { publicValue, sharedSecret } from '../shared/crypto/dh.ts';
import type { Env } from '../shared/exchange/effects.ts';
import { phase1Fields } from '../shared/exchange/refusals.ts';
import type { EventOf, Texts } from '../shared/log/events.ts';
import { notice } from '../shared/log/records.ts';
import type { TokenBucket } from '../shared/log/token-bucket.ts';
import type { GeneralPolicy, PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { LaneEffect, LogFields } from '../shared/threads/contract.ts';
import type { TimerWheel } from '../shared/timer-wheel.ts';
import type { HalfOpenLimit } from './half-open-limit.ts';
import {
  cookiesOf,
  type IsakmpSa,
  type IsakmpSas,
  isZero,
  type Phase2,
  TIMER_NAMES,
  type Timed,
  type TimerName,
} from './isakmp-sa.ts';
import type { SaStore } from './sa-store.ts';

/** A timer of an ISAKMP SA or of one of its quick modes. */
export interface LaneTimer {
  readonly name: TimerName;
  readonly sa: IsakmpSa;
  readonly phase2: Phase2 | undefined;
}

export interface LaneContext {
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  readonly wheel: TimerWheel<LaneTimer>;
  readonly sas: IsakmpSas;
  /** Quick modes by this lane's own number, for the kernel's answers. */
  readonly phase2: Map<number, { readonly sa: IsakmpSa; readonly phase2: Phase2 }>;
  readonly store: SaStore;
  readonly peers: Map<string, PeerPolicy>;
  readonly halfOpenLimit: HalfOpenLimit;
  /** What strangers may make us say and log. */
  readonly strangers: TokenBucket;
  /** First messages of aggressive mode: each costs a Diffie-Hellman before its sender has proved anything. */
  readonly aggressiveOffers: TokenBucket;
  general: GeneralPolicy;
  /** ms: until then unknown cookies get no answer. */
  silentUntil: number;
  diffieHellman: number;
  lastExchange: number;
  effects: LaneEffect[];
}

/** The environment of one step: one instant, and Diffie-Hellman that is counted. */
export const envOf = (lane: LaneContext): Env => ({
  now: lane.now(),
  random: lane.random,
  publicValue: (group, privateValue) => {
    lane.diffieHellman++;
    return publicValue(group, privateValue);
  },
  sharedSecret: (group, privateValue, peerPublic) => {
    lane.diffieHellman++;
    return sharedSecret(group, privateValue, peerPublic);
  },
});

/** (Re)arms one timer of `owner`. */
export const arm = (lane: LaneContext, owner: Timed, at: number, timer: LaneTimer): void => {
  disarm(lane, owner, timer.name);
  owner.timers[timer.name] = lane.wheel.schedule(at, timer);
};

export const disarm = (lane: LaneContext, owner: Timed, name: TimerName): void => {
  const handle = owner.timers[name];
  if (handle === 0) return;
  lane.wheel.cancel(handle);
  owner.timers[name] = 0;
};

export const disarmAll = (lane: LaneContext, owner: Timed): void => {
  for (const name of TIMER_NAMES) disarm(lane, owner, name);
};

/** An ordinary line about this SA, or one for -v. */
export const say = <E extends EventOf<'notice' | 'verbose'>>(
  lane: LaneContext,
  sa: IsakmpSa,
  event: E,
  text: Texts[E],
  more: LogFields = {},
): void => {
  lane.effects.push({ kind: 'log', record: notice(event, text, { ...fieldsOf(sa), ...more }) });
};

export const fieldsOf = (sa: IsakmpSa): LogFields => ({
  peer: sa.policy.name,
  address: sa.path.remote.address,
  cookies: cookiesOf(sa),
  ...(sa.established === undefined
    ? phase1Fields(sa)
    : { localIdentity: sa.established.localIdentity, remoteIdentity: sa.established.remoteIdentity }),
});

/** What a line about one of its quick modes says besides. */
export const quickModeFields = ({ connection, messageId }: Pick<Phase2, 'connection' | 'messageId'>): LogFields => ({
  connection,
  messageId: messageId.toString(16).padStart(8, '0'),
});

/** Bytes that are not all zero: cookies and message ids. */
export const nonZeroRandom = (lane: LaneContext, size: number): Uint8Array => {
  for (;;) {
    const bytes = lane.random(size);
    if (!isZero(bytes)) return bytes;
  }
};
