/**
 * What the connection core remembers: peers and their ISAKMP SAs, connections and their pairs, and what is on its way. They refer to each other, so
 * they are together; they decide nothing.
 */
import type { Endpoint } from '../address.ts';
import { fold } from '../config/case-fold.ts';
import type { Acquire } from '../kernel-news.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Agreement, Cookies, Failure, NatTraversal, Path, Role } from '../threads/contract.ts';
import { BackOff } from './backoff.ts';
import type { Contender } from './convergence.ts';
import type { Deadline } from './deadlines.ts';
import type { SaEffect, SaId } from './events.ts';
import { type Proof, proofOf } from './proofs.ts';

/** One peer section. */
export class Peer {
  readonly name: string;
  /** Those who have authenticated under this section; for a section without identity there may be thousands. */
  readonly parties = new Map<string, Party>();
  /** The one whose ISAKMP SA is newest. */
  newest: Party | undefined;
  attempt: PhaseOneRequest | undefined;
  readonly waiting = new Set<Connection>();
  readonly waitingDeletes = new Set<DeleteTask>();
  /** These use the next ISAKMP SA, but do not ask for one. */
  readonly parkedDeletes = new Set<DeleteTask>();
  /** A new ISAKMP SA is wanted although nobody waits for it: the old one nears its end, or the operator asked. */
  isRenewing = false;
  readonly backOff = new BackOff();
  lastFailure: LastFailure | undefined;
  retry: Deadline | undefined;
  /** Active connections with this peer. */
  readonly actives = new Set<Connection>();
  /** Established pairs that we initiated. */
  initiated = 0;
  /** ms: since then this peer authenticates differently, or is somewhere else. */
  changedAt = Number.NEGATIVE_INFINITY;
  /** ISAKMP SAs from before: nothing new begins under them, and the next one takes their place. */
  readonly outdated = new Set<IsakmpSa>();

  constructor(name: string) {
    this.name = name;
  }

  /** Somebody here will need an ISAKMP SA again. */
  get hasInterest(): boolean {
    return this.actives.size > 0 || this.initiated > 0;
  }

  get isIdle(): boolean {
    const waits = this.waiting.size + this.waitingDeletes.size + this.parkedDeletes.size + this.actives.size;
    const isQuiet = this.attempt === undefined && this.retry === undefined && !this.isRenewing;
    return this.parties.size === 0 && isQuiet && waits === 0;
  }
}

/** One identity that has authenticated under a peer section: the owner of SAs. */
export class Party {
  readonly peer: Peer;
  readonly identity: string;
  /** Oldest first. */
  readonly sas: IsakmpSa[] = [];
  /** By protocol and the SPI that the peer receives on, larval ones included. */
  readonly bySpiOut = new Map<number, Pair>();
  readonly pairs = new Set<Pair>();
  /** SPIs to be deleted that have not been sent anywhere yet, by protocol. */
  readonly unsentDeletes = new Map<number, number[]>();

  constructor(peer: Peer, identity: string) {
    this.peer = peer;
    this.identity = identity;
  }

  /** The newest ISAKMP SA under which something new may begin. */
  get usable(): IsakmpSa | undefined {
    return this.sas.findLast((sa) => sa.seemsAlive && !this.peer.outdated.has(sa));
  }

  /** The newest one that the peer still hears us under. */
  get audible(): IsakmpSa | undefined {
    return this.usable ?? this.sas.findLast((sa) => sa.seemsAlive);
  }
}

/** What main knows of an ISAKMP SA; keys and timers are the lane's. */
export class IsakmpSa {
  readonly cookies: Cookies;
  readonly lane: number;
  readonly party: Party;
  readonly role: Role;
  path: Path;
  readonly nat: NatTraversal | undefined;
  readonly answersProbes: boolean;
  readonly localIdentity: string;
  /** Undefined: the peer has proved itself by a secret, or by KeyNote credentials. */
  readonly proof: Proof | undefined;
  /** ms: when the exchange that made it began here, and when it was complete. */
  readonly startedAt: number;
  readonly establishedAt: number;
  readonly softAt: number;
  /** A quick mode under it had no answer: nothing new begins under it until the peer shows that it knows it. */
  isSuspect = false;
  /** The lane has been told to delete it. */
  isDoomed = false;
  /** Its lane has been told that a newer one is used in its place. */
  isReplaced = false;
  /** ms: when its lane died; undefined as soon as the successor has read it back. */
  unconfirmedSince: number | undefined;
  renewal: Deadline | undefined;
  /** When it is looked whether the peer lives. */
  watch: Deadline | undefined;

  constructor(
    party: Party,
    lane: number,
    establishedAt: number,
    facts: Extract<SaEffect, { readonly kind: 'phase1Established' }>,
  ) {
    this.cookies = facts.isakmp;
    this.lane = lane;
    this.party = party;
    this.role = facts.role;
    this.path = facts.path;
    this.nat = facts.nat;
    this.answersProbes = facts.answersProbes;
    this.localIdentity = facts.localIdentity;
    this.proof = proofOf(facts);
    this.startedAt = facts.startedAt;
    this.establishedAt = establishedAt;
    this.softAt = facts.softAt;
  }

  get seemsAlive(): boolean {
    return !this.isSuspect && !this.isDoomed;
  }

  get isNewest(): boolean {
    return this.party.sas.at(-1) === this;
  }
}

/** Why the last negotiation that failed did so; `at` in ms. */
export interface LastFailure extends Failure {
  readonly at: number;
}

/** One connection section; a section for many clients has a tunnel for each. */
export class Connection {
  readonly name: string;
  /** From 1, in the order in which they were first heard of. */
  readonly number: number;
  /** ms: when it last came up or ceased to be. */
  changedAt: number;
  /** Should always be up. */
  isActive = false;
  /** By the operator's `c name`, so that a changed list does not end it. */
  isManual = false;
  /** A packet waits for its SA. */
  demand: Acquire | undefined;
  /** Its traffic is caught by a policy of somebody else's, which finds SAs of this reqid only. */
  foreignReqid: number | undefined;
  /** Its section was made for a packet. */
  isMade = false;
  /** The operator took it down: packets do not bring it back. */
  isHeld = false;
  /** ms: quick modes that began before are not wanted any more. */
  tornDownAt = Number.NEGATIVE_INFINITY;
  /** The peer it was made active with. */
  peer: Peer | undefined;
  attempt: QuickRequest | undefined;
  /** Quick modes that the peer has begun, by lane and exchange. */
  readonly foreign = new Set<string>();
  /** The peer whose ISAKMP SA it waits for. */
  waitsFor: Peer | undefined;
  readonly backOff = new BackOff();
  lastFailure: LastFailure | undefined;
  retry: Deadline | undefined;
  /** Current pairs that are ours to renew, and due. */
  readonly due = new Set<Pair>();
  readonly larval = new Set<Pair>();
  /** By owner and selectors; only those with an established pair. */
  readonly tunnels = new Map<string, Tunnel>();

  constructor(name: string, number: number, now: number) {
    this.name = name;
    this.number = number;
    this.changedAt = now;
  }

  /** Nothing is there that outbound traffic could use. */
  get isDown(): boolean {
    for (const { current } of this.tunnels.values()) if (current !== undefined) return false;
    return true;
  }

  /** Nothing is on its way that may bring up a pair, or try it later. */
  get isQuiet(): boolean {
    return (
      this.attempt === undefined && this.foreign.size === 0 && this.waitsFor === undefined && this.retry === undefined
    );
  }

  get isIdle(): boolean {
    return !this.isActive && this.tunnels.size === 0 && this.larval.size === 0 && this.isQuiet;
  }

  /** The tunnel that a pair belongs to; made where there is none. */
  tunnelFor(pair: Pair): Tunnel {
    const key = tunnelKeyOf(pair.agreement);
    const known = this.tunnels.get(key);
    if (known !== undefined) return known;
    const tunnel = new Tunnel(key);
    this.tunnels.set(key, tunnel);
    return tunnel;
  }

  *pairs(): Generator<Pair, void> {
    for (const tunnel of this.tunnels.values()) yield* tunnel.pairs;
  }
}

/** The pairs of one connection, one owner and one pair of selectors: alternatives for the same traffic. */
export class Tunnel {
  readonly key: string;
  /** Established ones, oldest first. */
  readonly pairs: Pair[] = [];
  /** Undefined where a pair of another tunnel has taken its place. */
  current: Pair | undefined;
  /** The one that outbound traffic goes through: `current`, or for a moment the one before. */
  carrier: Pair | undefined;

  constructor(key: string) {
    this.key = key;
  }
}

/**
 * larval: its quick mode runs. current: outbound traffic uses it. replaced: a newer one took its place. losing: a simultaneous one won. gone: removed.
 * All but gone ones accept inbound traffic.
 */
export type PairState = 'larval' | 'current' | 'replaced' | 'losing' | 'gone';

export class Pair implements Contender {
  readonly id: number;
  readonly lane: number;
  readonly exchange: number;
  agreement: Agreement;
  readonly party: Party;
  readonly connection: Connection;
  /** What the kernel tells its SAs from others by. */
  readonly reqid: number;
  /** False: it is that of a policy of somebody else's. */
  readonly ownsReqid: boolean;
  readonly lowestNonce: Uint8Array;
  /** That of the ISAKMP SA which made it, and may be gone by now. */
  readonly proof: Proof | undefined;
  state: PairState = 'larval';
  /** While it was larval here: the peer had completed it, and deleted it. */
  isDeletedByPeer = false;
  /** Made for packets: renewed only if there were any. */
  isDemanded = false;
  wasUsed = false;
  /** Where the peer is now, while the kernel moves the SAs there. */
  movingTo: Endpoint | undefined;
  /** It is ours to renew although the peer began it. */
  isToRedo = false;
  tunnel: Tunnel | undefined;
  /** What the kernel has of it. */
  installed: readonly SaId[] = [];
  startedAt: number;
  establishedAt = 0;
  /** 0 once it has passed. */
  softAt = 0;
  hardAt = 0;
  soft: Deadline | undefined;
  hard: Deadline | undefined;
  /** The loser's end, if it is ours to delete. */
  discard: Deadline | undefined;

  constructor(made: {
    readonly id: number;
    readonly lane: number;
    readonly exchange: number;
    readonly agreement: Agreement;
    readonly party: Party;
    readonly connection: Connection;
    readonly reqid: number;
    readonly ownsReqid: boolean;
    readonly proof: Proof | undefined;
  }) {
    this.id = made.id;
    this.lane = made.lane;
    this.exchange = made.exchange;
    this.agreement = made.agreement;
    this.party = made.party;
    this.connection = made.connection;
    this.reqid = made.reqid;
    this.ownsReqid = made.ownsReqid;
    this.lowestNonce = made.agreement.lowestNonce;
    this.proof = made.proof;
    this.startedAt = made.agreement.startedAt;
  }

  get isEstablished(): boolean {
    return this.state === 'current' || this.state === 'replaced' || this.state === 'losing';
  }

  get isOurs(): boolean {
    return this.agreement.role === 'initiator';
  }
}

/** One number for protocol and SPI. */
export const spiKey = (protocolId: number, spi: number): number => protocolId * 2 ** 32 + spi;

/** A phase 1 that a lane runs for us. */
export class PhaseOneRequest {
  readonly number: number;
  readonly lane: number;
  readonly peer: Peer;
  /** Its outcome is no longer wanted. */
  isCancelled = false;

  constructor(number: number, lane: number, peer: Peer) {
    this.number = number;
    this.lane = lane;
    this.peer = peer;
  }
}

/** A quick mode that a lane runs for us. */
export class QuickRequest {
  readonly number: number;
  readonly lane: number;
  readonly connection: Connection;
  /** The pair that its pair is to replace. */
  readonly renews: Pair | undefined;
  /** ms */
  readonly postedAt: number;
  isCancelled = false;

  constructor(number: number, connection: Connection, isakmp: IsakmpSa, postedAt: number) {
    this.number = number;
    this.lane = isakmp.lane;
    this.connection = connection;
    this.postedAt = postedAt;
    [this.renews] = connection.due;
  }
}

export type LaneRequest = PhaseOneRequest | QuickRequest;

/**
 * How much it matters that the peer hears of it. `must`: an ISAKMP SA is made if need be; `may`: it waits a while for one that others make; both are
 * repeated. `once`: the peer knows anyway.
 */
export type Urgency = 'must' | 'may' | 'once';

/** SPIs of one party and protocol, on their way out. */
export class DeleteTask {
  readonly peer: string;
  readonly identity: string;
  readonly protocolId: number;
  readonly spis: readonly number[];
  readonly urgency: Urgency;
  sent = 0;
  timer: Deadline | undefined;

  constructor(party: Party, protocolId: number, spis: readonly number[], urgency: Urgency) {
    this.peer = party.peer.name;
    this.identity = party.identity;
    this.protocolId = protocolId;
    this.spis = spis;
    this.urgency = urgency;
  }
}

/** Pairs with the same key are alternatives for the same traffic. */
export const tunnelKeyOf = ({ peer, remoteIdentity, localSelector, remoteSelector }: Agreement): string =>
  [fold(peer), remoteIdentity, selectorKey(localSelector), selectorKey(remoteSelector)].join('\0');

const selectorKey = ({ type, protocol, port, data }: Identity): string =>
  `${type}/${protocol}/${port}/${data.join('.')}`;
