/** Our own attempts: at most one phase 1 per peer and one quick mode per connection, when to start them, and what follows when they fail. */
import type { PeerPolicy } from '../policy/peer-policy.ts';
import type { Cookies, Failure, LogRecord, Path } from '../threads/contract.ts';
import type { Desk } from './desk.ts';
import { cannotStart, phase1Failed, quickModeAbandoned, quickModeFailed } from './log-lines.ts';
import { Pacing } from './pacing.ts';
import type { Peers } from './peers.ts';
import {
  type Connection,
  type IsakmpSa,
  type LaneRequest,
  type Peer,
  PhaseOneRequest,
  QuickRequest,
} from './records.ts';
import { Requests } from './requests.ts';

/** How to reach peers and lanes. */
export interface Routing {
  /** The lane that a datagram with this initiator cookie goes to. */
  readonly laneOf: (initiatorCookie: Uint8Array) => number;
  /** The sockets' ends for a phase 1 with this peer; undefined where it has no address or no socket fits. */
  readonly pathTo: (policy: PeerPolicy) => Path | undefined;
}

/** How a quick mode ended without result; `number` is 0 where the peer began. */
export interface QuickModeFailure {
  readonly lane: number;
  readonly exchange: number;
  readonly number: number;
  readonly connection: Connection;
  readonly sa: IsakmpSa | undefined;
  /** 0: not even begun. */
  readonly messageId: number;
  readonly failure: Failure;
}

export class Attempts {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #routing: Routing;
  readonly #requests: Requests;
  readonly #quick: Pacing<Connection>;
  readonly #phase1: Pacing<Peer>;
  #isPaused = false;

  constructor(desk: Desk, peers: Peers, routing: Routing) {
    this.#desk = desk;
    this.#peers = peers;
    this.#routing = routing;
    this.#requests = new Requests(peers);
    this.#quick = new Pacing(desk, (connection) => this.#startQuickMode(connection));
    this.#phase1 = new Pacing(
      desk,
      (peer) => this.#startPhase1(peer),
      () => this.#requests.phase1 < MOST_PHASE1,
    );
  }

  /** Requests that lanes have not answered yet, and quick modes of peers. */
  get running(): number {
    return this.#requests.size;
  }

  /** Nothing is started any more, or again. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) return;
    this.#quick.clear();
    this.#phase1.clear();
  }

  /** Starts what was wanted, as far as pacing allows. To be called at the end of every event. */
  run(): void {
    if (this.#isPaused) return;
    this.#quick.run();
    this.#phase1.run();
  }

  needs(connection: Connection): boolean {
    const isWanted = connection.isActive || connection.demand !== undefined;
    return !this.#isPaused && ((isWanted && connection.isDown) || connection.due.size > 0);
  }

  /** A pair is to be negotiated, unless one is on its way or the time to try again has not come. */
  want(connection: Connection): void {
    if (this.needs(connection) && connection.isQuiet) this.#quick.add(connection);
  }

  wantAfter(connection: Connection, milliseconds: number): void {
    if (milliseconds <= 0) {
      this.want(connection);
      return;
    }
    if (this.needs(connection) && connection.isQuiet) this.#rest(connection, milliseconds);
  }

  /** Nothing is begun meanwhile, whoever asks. */
  #rest(connection: Connection, milliseconds: number): void {
    this.#quick.remove(connection);
    connection.retry = this.#desk.after(milliseconds, 'connection_retry', connection.name, () => {
      connection.retry = undefined;
      this.want(connection);
    });
  }

  /** ms. A peer that begins a phase 1 wants something, probably what we want too; if it does not begin its quick modes, we do. */
  turnAfter({ role }: IsakmpSa): number {
    return role === 'responder' ? this.#desk.uniform(THEIR_TURN_MS[0], THEIR_TURN_MS[1]) : 0;
  }

  /** Something waits for an ISAKMP SA with this peer. */
  wantPhase1(peer: Peer): void {
    if (peer.attempt === undefined && peer.retry === undefined && !this.#isPaused) this.#phase1.add(peer);
  }

  /** The operator asked: no waiting for the next attempt. */
  forgiveConnection(connection: Connection): void {
    connection.backOff.reset();
    stopRetry(connection);
    if (connection.waitsFor !== undefined) this.forgivePeer(connection.waitsFor);
  }

  forgivePeer(peer: Peer): void {
    peer.backOff.reset();
    stopRetry(peer);
    this.wantPhase1(peer);
  }

  /** Ends whatever might bring the connection up on our side. */
  cancelConnection(connection: Connection): void {
    this.#quick.remove(connection);
    stopRetry(connection);
    connection.waitsFor?.waiting.delete(connection);
    connection.waitsFor = undefined;
    connection.due.clear();
    connection.demand = undefined;
    if (connection.attempt !== undefined) this.#cancel(connection.attempt);
    connection.attempt = undefined;
  }

  /** Ends our phase 1; what waits for it is tried again by the connection check. */
  cancelPeer(peer: Peer): void {
    this.#phase1.remove(peer);
    stopRetry(peer);
    peer.isRenewing = false;
    peer.waitingDeletes.clear();
    release(peer);
    this.#cancelPhase1(peer);
  }

  /** A new ISAKMP SA is wanted now; a phase 1 that runs began under conditions that no longer hold. */
  renewPeer(peer: Peer): void {
    this.#cancelPhase1(peer);
    peer.isRenewing = true;
    this.forgivePeer(peer);
  }

  /** For shutdown: nothing of ours runs on. */
  cancelAll(): void {
    for (const request of this.#requests.all()) if (!request.isCancelled) this.#cancel(request);
  }

  /** A phase 1 is complete: whoever waited goes on, a moment later where the peer began. False when we had cancelled it. */
  phase1Established(sa: IsakmpSa, number: number): boolean {
    const request = this.#requests.take(number);
    if (request?.isCancelled === true) return false;
    const { peer } = sa.party;
    if (request !== undefined && peer.attempt === request) peer.attempt = undefined;
    peer.backOff.succeeded(this.#desk.now);
    stopRetry(peer);
    peer.isRenewing = false;
    for (const connection of release(peer)) this.wantAfter(connection, this.turnAfter(sa));
    return true;
  }

  /** Those that strangers begin are the lanes' to complain about: they ration it. */
  phase1Failed(number: number, failed: Failure, cookies: Cookies): void {
    const request = this.#requests.take(number);
    if (!(request instanceof PhaseOneRequest) || request.isCancelled) return;
    request.peer.attempt = undefined;
    this.#tryPhase1Later(request.peer, failed, cookies);
  }

  /** The peer has begun a quick mode of this connection: we do not begin another. */
  foreignStarted(lane: number, exchange: number, connection: Connection): void {
    this.#requests.foreignStarted(lane, exchange, connection);
  }

  /** A quick mode is complete; answers our request for it, undefined where the peer began. */
  quickModeEstablished(
    lane: number,
    exchange: number,
    number: number,
    connection: Connection,
  ): QuickRequest | undefined {
    this.#requests.foreignEnded(lane, exchange);
    const request = this.#requests.take(number);
    connection.backOff.succeeded(this.#desk.now);
    stopRetry(connection);
    if (!(request instanceof QuickRequest)) return undefined;
    if (connection.attempt === request) connection.attempt = undefined;
    return request;
  }

  quickModeFailed({ lane, exchange, number, connection, sa, messageId, failure }: QuickModeFailure): void {
    const isForeign = this.#requests.foreignEnded(lane, exchange);
    const request = this.#requests.take(number);
    if (request?.isCancelled === true) return;
    if (!(request instanceof QuickRequest)) {
      this.#log(quickModeAbandoned(connection.name, sa, messageId, failure));
      this.#remember(connection, sa, failure, undefined);
      if (isForeign) this.want(connection);
      return;
    }
    connection.attempt = undefined;
    // No answer: the peer may have lost this ISAKMP SA. Or our lane has, with its predecessor. The next attempt begins with a new one.
    if (sa !== undefined && (failure.cause === 'timeout' || sa.unconfirmedSince !== undefined)) sa.isSuspect = true;
    const delay = this.#delay(connection);
    const isDemand = endDemand(connection);
    const retryMs = this.needs(connection) ? delay : undefined;
    this.#log(quickModeFailed(connection.name, sa, messageId, failure, retryMs));
    this.#remember(connection, sa, failure, retryMs);
    if (isDemand) this.#rest(connection, delay);
    else this.wantAfter(connection, delay);
  }

  /** What the lane ran is lost: ours is started again, the peers' is forgotten. */
  laneLost(lane: number): void {
    const { requests, connections } = this.#requests.takeLane(lane);
    for (const request of requests) {
      if (request instanceof PhaseOneRequest) {
        request.peer.attempt = undefined;
        this.wantPhase1(request.peer);
      } else {
        request.connection.attempt = undefined;
        this.want(request.connection);
      }
    }
    for (const connection of connections) this.want(connection);
  }

  #startQuickMode(connection: Connection): boolean {
    if (!this.needs(connection) || !connection.isQuiet) return false;
    const peerName = this.#desk.view.connection(connection.name)?.peer;
    if (peerName === undefined) {
      this.#log(cannotStart(connection.name));
      connection.due.clear();
      this.wantAfter(connection, this.#delay(connection));
      return false;
    }
    const peer = this.#peers.peer(peerName);
    const isakmp = this.#isakmpFor(connection, peer);
    if (isakmp === undefined) {
      connection.waitsFor = peer;
      peer.waiting.add(connection);
      this.wantPhase1(peer);
      return false;
    }
    const request = new QuickRequest(this.#desk.nextNumber(), connection, isakmp, this.#desk.now);
    this.#requests.add(request);
    connection.attempt = request;
    const [isakmpCookies, name] = [isakmp.cookies, connection.name];
    const event = { kind: 'startQuickMode', request: request.number, isakmp: isakmpCookies, connection: name } as const;
    this.#desk.emit({ kind: 'post', lane: request.lane, event, peer: peer.name });
    return true;
  }

  /** Where a section stands for many clients, only the one whose pair is to be renewed will do. */
  #isakmpFor(connection: Connection, peer: Peer): IsakmpSa | undefined {
    const [due] = connection.due;
    if (due !== undefined && this.#desk.view.peer(peer.name)?.address === undefined) return due.party.usable;
    return this.#peers.usable(peer);
  }

  #startPhase1(peer: Peer): boolean {
    if (peer.attempt !== undefined || peer.retry !== undefined || !this.#needsPhase1(peer)) return false;
    const policy = this.#desk.view.peer(peer.name);
    const path = policy === undefined ? undefined : this.#routing.pathTo(policy);
    if (path === undefined) {
      this.#tryPhase1Later(peer, { reason: unreachable(peer.name, policy), cause: 'refused' });
      return false;
    }
    const wantedLane = this.#peers.usable(peer)?.lane ?? this.#peers.leastLoadedLane();
    const { lane, initiatorCookie } = this.#drawCookie(wantedLane);
    const request = new PhaseOneRequest(this.#desk.nextNumber(), lane, peer);
    this.#requests.add(request);
    peer.attempt = request;
    const firstContact = this.#peers.isFirstContact(peer.name, path.remote.address);
    const event = { request: request.number, peer: peer.name, path, initiatorCookie, firstContact } as const;
    this.#desk.emit({ kind: 'post', lane, event: { kind: 'startPhase1', ...event }, peer: peer.name });
    return true;
  }

  #needsPhase1(peer: Peer): boolean {
    for (const connection of peer.waiting) {
      if (this.needs(connection)) continue;
      peer.waiting.delete(connection);
      connection.waitsFor = undefined;
    }
    return peer.waiting.size > 0 || peer.waitingDeletes.size > 0 || peer.isRenewing;
  }

  /** The router sends a datagram to the lane that its cookie's hash names, so we draw until it names the one we want. */
  #drawCookie(wanted: number): { readonly lane: number; readonly initiatorCookie: Uint8Array } {
    for (let draws = 0; ; draws++) {
      const initiatorCookie = this.#desk.bytes(8);
      const lane = this.#routing.laneOf(initiatorCookie);
      const isZero = initiatorCookie.every((byte) => byte === 0);
      if ((lane === wanted || draws >= MOST_DRAWS) && !isZero) return { lane, initiatorCookie };
    }
  }

  #tryPhase1Later(peer: Peer, failed: Failure, cookies?: Cookies): void {
    // A DELETE that cannot be said now is not worth a call every few minutes.
    peer.waitingDeletes.clear();
    if (!peer.hasInterest) peer.isRenewing = false;
    const demands = [...peer.waiting].filter(endDemand);
    const isNeeded = this.#needsPhase1(peer) && !this.#isPaused;
    const { now, view } = this.#desk;
    const delay = peer.backOff.failed(now, view.checkIntervalSeconds, this.#desk.uniform(0, 1));
    const concerned = [...peer.waiting, ...demands];
    const waiting = concerned.map(({ name }) => name);
    const retryMs = isNeeded ? delay : undefined;
    this.#log(phase1Failed(peer.name, view.peer(peer.name), failed, cookies, waiting, retryMs));
    peer.lastFailure = { ...failed, at: now };
    for (const connection of concerned) connection.lastFailure = peer.lastFailure;
    const news = { kind: 'phase1Failed', peer: peer.name, failure: failed, connections: waiting, retryMs } as const;
    this.#desk.emit({ kind: 'news', news });
    // Packets that ask meanwhile wait with the others.
    if (!isNeeded && demands.length === 0) return;
    peer.retry = this.#desk.after(delay, 'phase_1_retry', peer.name, () => {
      peer.retry = undefined;
      if (this.#needsPhase1(peer)) this.wantPhase1(peer);
    });
  }

  /** For whoever asks why a connection is not up, and for those who listen. */
  #remember(connection: Connection, sa: IsakmpSa | undefined, failure: Failure, retryMs: number | undefined): void {
    connection.lastFailure = { ...failure, at: this.#desk.now };
    const peer = sa?.party.peer.name ?? '';
    const news = { kind: 'phase2Failed', connection: connection.name, peer, failure, retryMs } as const;
    this.#desk.emit({ kind: 'news', news });
  }

  #delay(connection: Connection): number {
    const { now, view } = this.#desk;
    return connection.backOff.failed(now, view.checkIntervalSeconds, this.#desk.uniform(0, 1));
  }

  #cancelPhase1(peer: Peer): void {
    if (peer.attempt !== undefined) this.#cancel(peer.attempt);
    peer.attempt = undefined;
  }

  #cancel(request: LaneRequest): void {
    request.isCancelled = true;
    this.#desk.emit({ kind: 'post', lane: request.lane, event: { kind: 'cancel', request: request.number } });
  }

  #log(record: LogRecord): void {
    this.#desk.emit({ kind: 'log', record });
  }
}

/** Why there is no path to a peer. */
const unreachable = (name: string, policy: PeerPolicy | undefined): string => {
  if (policy === undefined) return `there is no peer section [${name}] that can be used; see isakmpd --check`;
  return policy.address === undefined
    ? `[${name}]:Address is missing, or stands for no address now: all we can do is wait for the peer to begin`
    : `no local address can reach it: check [${name}]:Local-address, [General]:Listen-on and the routes`;
};

/** What a packet asked for is not tried again by itself: the next packet asks anew. Answers whether there was such a thing. */
const endDemand = (connection: Connection): boolean => {
  const isDemand = connection.demand !== undefined && !connection.isActive;
  connection.demand = undefined;
  return isDemand;
};

/** Nobody waits for this peer any more; answers those who did. */
const release = (peer: Peer): readonly Connection[] => {
  const released = [...peer.waiting];
  peer.waiting.clear();
  for (const connection of released) connection.waitsFor = undefined;
  return released;
};

const stopRetry = (subject: Connection | Peer): void => {
  subject.retry?.cancel();
  subject.retry = undefined;
};

/** Phase 1 attempts of ours that may run at once; dead peers hold theirs for as long as the retransmissions go on. */
const MOST_PHASE1 = 1000;
const THEIR_TURN_MS = [1000, 3000] as const;
const MOST_DRAWS = 10_000;
