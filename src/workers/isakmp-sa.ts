/** What a lane knows about one ISAKMP SA, half-open or established, and the ways to find it. */

import type { Authenticated } from '../shared/credentials/authenticated.ts';
import type { Credentials } from '../shared/credentials/credentials.ts';
import type { IsakmpKeys } from '../shared/exchange/effects.ts';
import type { Conversation } from '../shared/exchange/run.ts';
import { TokenBucket } from '../shared/log/token-bucket.ts';
import type { Identity, PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { SaHandle } from '../shared/sa-table/handles.ts';
import type { Cookies, NatTraversal, Path, Role } from '../shared/threads/contract.ts';
import type { TimerHandle } from '../shared/timer-wheel.ts';

export const TIMER_NAMES = ['repeat', 'exchangeEnd', 'soft', 'hard', 'probe', 'fragments'] as const;
export type TimerName = (typeof TIMER_NAMES)[number];

/** Something with timers of its own, at most one of each name; 0: not armed. */
export interface Timed {
  readonly timers: Record<TimerName, TimerHandle>;
}

export const noTimers = (): Timed['timers'] => ({
  repeat: 0,
  exchangeEnd: 0,
  soft: 0,
  hard: 0,
  probe: 0,
  fragments: 0,
});

/** There may be thousands half-open that strangers began: what only an established one needs is in `established`. */
export interface IsakmpSa extends Timed {
  readonly initiatorCookie: Uint8Array;
  /** Zeros until an initiator has learnt it. */
  responderCookie: Uint8Array;
  readonly role: Role;
  /** 0 where the peer began. */
  readonly request: number;
  /** ms. */
  readonly startedAt: number;
  /** The snapshot that phase 1 uses. */
  readonly policy: PeerPolicy;
  /** The keys that phase 1 uses; undefined once it is done: they may be gone by then. */
  credentials: Credentials | undefined;
  path: Path;
  /** It has said that it takes messages in IKE fragments, and may have them. */
  takesFragments: boolean;
  /** Phase 1, kept after its end to answer duplicates. */
  conversation: Conversation | undefined;
  established: Established | undefined;
  /** Something short about what the peer, or somebody in its name, said without proof: told to the operator with a failure. */
  hearsay: string | undefined;
  /** Why its last message was refused: told with a failure, too. */
  refusal: string | undefined;
  row: SaHandle | undefined;
  slabSlot: number;
}

/** What an SA is established with. */
export interface EstablishedBasis {
  /** Who the peer has proved to be; undefined: a lane that died has known it. */
  readonly authenticated: Authenticated | undefined;
  /** As whom, and in which group; undefined as before. */
  readonly phase1: { readonly remoteId: Identity; readonly group: number } | undefined;
  readonly keys: IsakmpKeys;
  /** Last ciphertext block of phase 1: where the IVs of phase 2 come from. */
  readonly lastIv: Uint8Array;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  readonly softAt: number;
  readonly hardAt: number;
  /** Undefined: no NAT. */
  readonly nat: NatTraversal | undefined;
  /** The peer answers R-U-THERE (RFC 3706). */
  readonly answersProbes: boolean;
}

export interface Established extends EstablishedBasis {
  /** By message id. */
  readonly phase2: Map<number, Phase2>;
  /** Message ids that either side has used: none counts twice (threats: replayed QM1, our own messages reflected). */
  readonly usedMessageIds: Set<number>;
  /** What the peer may make us say and log. */
  readonly authentic: TokenBucket;
  /** What may be caused by messages under its cookies that prove nothing: each notify takes a message id for good. */
  readonly forged: TokenBucket;
  /** The peer's last R-U-THERE. */
  deadPeerDetection: { readonly sequence: number; readonly repetitions: number } | undefined;
  /** ms: when something authentic came last. */
  heardAt: number;
  /** Our R-U-THERE that waits for its answer. */
  probe: { readonly sequence: number; sent: number } | undefined;
  /** The number of our last R-U-THERE. */
  probes: number | undefined;
}

export const establishedOn = (basis: EstablishedBasis, now: number): Established => ({
  ...basis,
  phase2: new Map(),
  usedMessageIds: new Set(),
  authentic: new TokenBucket({ burst: 50, perSecond: 5 }),
  forged: new TokenBucket({ burst: 10, perSecond: 1 / 60 }),
  deadPeerDetection: undefined,
  heardAt: now,
  probe: undefined,
  probes: undefined,
});

/** One quick mode. */
export interface Phase2 extends Timed {
  /** This lane's number for it, unique while the lane lives. */
  readonly exchange: number;
  /** 0 where the peer began. */
  readonly request: number;
  readonly messageId: number;
  readonly conversation: Conversation;
  /** '' until a responder knows. */
  connection: string;
  /** Both sides' SPIs as far as they are known, for matching the peer's error notifies. */
  spis: readonly number[];
  /** Ended, kept to answer duplicates. */
  isSettled: boolean;
}

export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

export const cookiesOf = ({ initiatorCookie, responderCookie }: IsakmpSa): Cookies =>
  hex(initiatorCookie) + hex(responderCookie);

/** Both cookies as the 16 bytes that notifies carry. */
export const cookieBytes = ({
  initiatorCookie,
  responderCookie,
}: Pick<IsakmpSa, 'initiatorCookie' | 'responderCookie'>): Uint8Array => {
  const bytes = new Uint8Array(16);
  bytes.set(initiatorCookie, 0);
  bytes.set(responderCookie, 8);
  return bytes;
};

/** What its messages are encrypted with, established or not yet; undefined: nothing so far. */
export const keyOf = ({ established, conversation }: IsakmpSa): Uint8Array | undefined =>
  established?.keys.encryptionKey ?? conversation?.protection?.key;

export const isZero = (cookie: Uint8Array): boolean => cookie.every((byte) => byte === 0);

/** Every ISAKMP SA of a lane: by both cookies; by the initiator's alone while its phase 1 can still meet duplicates; by our request. */
export class IsakmpSas {
  readonly #established = new Map<Cookies, IsakmpSa>();
  /** Half-open ones that know both cookies. */
  readonly #answered = new Map<Cookies, IsakmpSa>();
  readonly #byInitiator = new Map<string, IsakmpSa>();
  readonly #byRequest = new Map<number, IsakmpSa>();
  readonly #halfOpen = new Set<IsakmpSa>();

  get established(): number {
    return this.#established.size;
  }

  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** Entries of every kind, for tests: 0 when nothing is left. */
  get entries(): number {
    const maps = [this.#established, this.#answered, this.#halfOpen, this.#byInitiator, this.#byRequest];
    return maps.reduce((sum, { size }) => sum + size, 0);
  }

  /** Half-open ones first. */
  *all(): Generator<IsakmpSa, void> {
    yield* this.#halfOpen;
    yield* this.#established.values();
  }

  addHalfOpen(sa: IsakmpSa): void {
    this.#halfOpen.add(sa);
    this.#byInitiator.set(hex(sa.initiatorCookie), sa);
    if (sa.request !== 0) this.#byRequest.set(sa.request, sa);
    this.learnCookies(sa);
  }

  /** To be called when the responder cookie has become known. */
  learnCookies(sa: IsakmpSa): void {
    if (!isZero(sa.responderCookie)) this.#answered.set(cookiesOf(sa), sa);
  }

  /** Phase 1 is done; duplicates of its messages may still come. */
  establish(sa: IsakmpSa): void {
    this.#forgetHalfOpen(sa);
    this.#established.set(cookiesOf(sa), sa);
  }

  /** Its phase 1 answers no duplicates any more. */
  forgetExchange(sa: IsakmpSa): void {
    const cookie = hex(sa.initiatorCookie);
    if (this.#byInitiator.get(cookie) === sa) this.#byInitiator.delete(cookie);
  }

  remove(sa: IsakmpSa): void {
    this.forgetExchange(sa);
    this.#forgetHalfOpen(sa);
    this.#established.delete(cookiesOf(sa));
  }

  find(cookies: Cookies): IsakmpSa | undefined {
    return this.#established.get(cookies) ?? this.#answered.get(cookies);
  }

  /** Whose phase 1 exchange has this initiator cookie, under way or finished lately. */
  findExchange(initiatorCookie: Uint8Array): IsakmpSa | undefined {
    return this.#byInitiator.get(hex(initiatorCookie));
  }

  /** Only while it is half-open. */
  findRequest(request: number): IsakmpSa | undefined {
    return this.#byRequest.get(request);
  }

  #forgetHalfOpen(sa: IsakmpSa): void {
    if (this.#byRequest.get(sa.request) === sa) this.#byRequest.delete(sa.request);
    this.#answered.delete(cookiesOf(sa));
    this.#halfOpen.delete(sa);
  }
}
