/** What the parts of a lane share: clock, randomness, policies, SAs, timers, and the list of effects. */
import type { Credentials } from '../shared/credentials/credentials.ts';
import { publicValue, sharedSecret } from '../shared/crypto/dh.ts';
import type { Env } from '../shared/exchange/effects.ts';
import { LogClass } from '../shared/log/classes.ts';
import type { TokenBucket } from '../shared/log/token-bucket.ts';
import type { GeneralPolicy, PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { TimerWheel } from '../shared/timer-wheel.ts';
import type { Reassembly } from '../shared/wire/reassembly.ts';
import { armedWords, diffieHellmanWords } from './debug-words.ts';
import type { HalfOpenLimit } from './half-open-limit.ts';
import {
  type IsakmpSa,
  type IsakmpSas,
  isZero,
  type Phase2,
  TIMER_NAMES,
  type Timed,
  type TimerName,
} from './isakmp-sa.ts';
import { type LaneLog, trace } from './lane-log.ts';
import type { SaStore } from './sa-store.ts';

/** A timer of an ISAKMP SA or of one of its quick modes. */
export interface LaneTimer {
  readonly name: TimerName;
  readonly sa: IsakmpSa;
  readonly phase2: Phase2 | undefined;
}

export interface LaneContext extends LaneLog {
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly random: (size: number) => Uint8Array;
  readonly wheel: TimerWheel<LaneTimer>;
  readonly sas: IsakmpSas;
  /** Quick modes by this lane's own number, for the kernel's answers. */
  readonly phase2: Map<number, { readonly sa: IsakmpSa; readonly phase2: Phase2 }>;
  readonly store: SaStore;
  readonly peers: Map<string, PeerPolicy>;
  readonly halfOpenLimit: HalfOpenLimit;
  readonly reassembly: Reassembly<IsakmpSa>;
  /** What strangers may make us say and log. */
  readonly strangers: TokenBucket;
  /** First messages of aggressive mode: each costs a Diffie-Hellman before its sender has proved anything. */
  readonly aggressiveOffers: TokenBucket;
  general: GeneralPolicy;
  credentials: Credentials;
  /** Main wants every message in clear. */
  isCapturing: boolean;
  /** Main wants the keys of ISAKMP SAs as well. */
  capturesKeys: boolean;
  /** ms: until then unknown cookies get no answer. */
  silentUntil: number;
  diffieHellman: number;
  lastExchange: number;
}

/** The environment of one step: one instant, and Diffie-Hellman that is counted. A phase 1 has the `credentials` that it began with. */
export const envOf = (lane: LaneContext, credentials = lane.credentials): Env => ({
  credentials,
  now: lane.now(),
  wallClock: lane.wallClock(),
  random: lane.random,
  publicValue: (group, privateValue) => {
    lane.diffieHellman++;
    const value = publicValue(group, privateValue);
    trace(lane, LogClass.CRYPTO, 80, diffieHellmanWords, 'public value', group, value.length);
    return value;
  },
  sharedSecret: (group, privateValue, peerPublic) => {
    lane.diffieHellman++;
    const secret = sharedSecret(group, privateValue, peerPublic);
    trace(lane, LogClass.CRYPTO, 80, diffieHellmanWords, 'g^xy', group, secret.length);
    return secret;
  },
});

/** (Re)arms one timer of `owner`. */
export const arm = (lane: LaneContext, owner: Timed, at: number, timer: LaneTimer): void => {
  disarm(lane, owner, timer.name);
  owner.timers[timer.name] = lane.wheel.schedule(at, timer);
  trace(lane, LogClass.TIMER, 10, armedWords, timer.name, timer.sa, timer.phase2, at - lane.now());
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

/** Bytes that are not all zero: cookies and message ids. */
export const nonZeroRandom = (lane: LaneContext, size: number): Uint8Array => {
  for (;;) {
    const bytes = lane.random(size);
    if (!isZero(bytes)) return bytes;
  }
};
