/**
 * The connection core: what should be up and what is, over all lanes. It is told events, and answers with effects; it keeps no clock, and
 * asks to be called again at its next deadline. The parts are one file each; this one only hands events to them.
 */
import { unreachable } from '../errors.ts';
import type { ReqidRange } from '../flow.ts';
import { Attempts, type Routing } from './attempts.ts';
import { Binding } from './binding.ts';
import type { ConfigurationView } from './configuration-view.ts';
import { ConfiguredFlows } from './configured-flows.ts';
import { Connections } from './connections.ts';
import { type ConvergenceRule, converge } from './convergence.ts';
import { DeadPeers } from './dead-peers.ts';
import { Deletes } from './deletes.ts';
import { Desk, type TimerListener } from './desk.ts';
import { Distrust } from './distrust.ts';
import type { ConnectionEffect, ConnectionEvent, SaEffect } from './events.ts';
import { Flows, type Inherited } from './flows.ts';
import { Installs } from './installs.ts';
import { currentLast, IsakmpLives } from './isakmp-lives.ts';
import { Keepalives } from './keepalives.ts';
import { Leftovers } from './leftovers.ts';
import { Lives } from './lives.ts';
import { pairDeletedByPeer } from './log-lines.ts';
import { Mode } from './mode.ts';
import { PairStore } from './pair-store.ts';
import { Peers } from './peers.ts';
import type { Proof } from './proofs.ts';
import { Connection, type IsakmpSa, spiKey } from './records.ts';
import { Reload } from './reload.ts';
import { Reqids } from './reqids.ts';
import { Shutdown } from './shutdown.ts';
import { type ConnectionStatus, statusOf } from './status.ts';
import { Teardown } from './teardown.ts';
import { Upcalls } from './upcalls.ts';
import { Upkeep } from './upkeep.ts';

export interface CoreOptions extends Routing {
  readonly lanes: number;
  readonly view: ConfigurationView;
  readonly reqids: ReqidRange;
  /** What a predecessor left in the kernel. */
  readonly inherited?: { readonly reqids: readonly number[]; readonly flows: readonly Inherited[] };
  readonly random: (size: number) => Uint8Array;
  /** ms */
  readonly now: number;
  /** Replaced by tests that show what it is good for. */
  readonly rule?: ConvergenceRule;
  readonly onTimer?: TimerListener;
}

/** What there is; everything but the first two is zero when nothing is going on. */
export interface CoreCounts {
  readonly isakmpSas: number;
  readonly pairs: number;
  readonly larval: number;
  /** Requests to lanes, and quick modes of peers. */
  readonly running: number;
  /** DELETEs that will be repeated. */
  readonly deletes: number;
  readonly timers: number;
  /** Renewed pairs that do not carry outbound traffic yet. */
  readonly settling: number;
  /** Policies in the kernel. */
  readonly flows: number;
}

export class ConnectionCore {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #connections: Connections;
  readonly #store: PairStore;
  readonly #flows: Flows;
  readonly #attempts: Attempts;
  readonly #deletes: Deletes;
  readonly #installs: Installs;
  readonly #lives: Lives;
  readonly #isakmpLives: IsakmpLives;
  readonly #teardown: Teardown;
  readonly #distrust: Distrust;
  readonly #mode: Mode;
  readonly #deadPeers: DeadPeers;
  readonly #reload: Reload;
  readonly #shutdown: Shutdown;
  readonly #upkeep: Upkeep;
  readonly #upcalls: Upcalls;
  readonly #configuredFlows: ConfiguredFlows;
  readonly #leftovers: Leftovers;
  readonly #startedAt: number;

  constructor(options: CoreOptions) {
    this.#startedAt = options.now;
    this.#desk = new Desk(options);
    this.#peers = new Peers(options.lanes, new Keepalives(this.#desk));
    this.#connections = new Connections(this.#desk, this.#peers);
    const reqids = new Reqids(options.reqids);
    for (const reqid of options.inherited?.reqids ?? []) reqids.reserve(reqid);
    const binding = new Binding(this.#desk);
    this.#store = new PairStore(this.#desk, this.#peers, this.#connections, reqids, binding);
    this.#flows = new Flows(this.#desk, reqids, options.inherited?.flows ?? []);
    this.#configuredFlows = new ConfiguredFlows(this.#desk, this.#flows, binding, options.pathTo);
    this.#leftovers = new Leftovers(this.#desk, { flows: this.#flows, configuredFlows: this.#configuredFlows });
    this.#attempts = new Attempts(this.#desk, this.#peers, options);
    this.#deletes = new Deletes(this.#desk, this.#peers, this.#attempts);
    this.#installs = new Installs(this.#desk, this.#store, this.#deletes, binding);
    const made = {
      peers: this.#peers,
      connections: this.#connections,
      store: this.#store,
      attempts: this.#attempts,
      deletes: this.#deletes,
      installs: this.#installs,
      flows: this.#flows,
      configuredFlows: this.#configuredFlows,
      leftovers: this.#leftovers,
    };
    this.#lives = new Lives(this.#desk, made, options.rule ?? converge);
    this.#isakmpLives = new IsakmpLives(this.#desk, { ...made, lives: this.#lives });
    const all = { ...made, lives: this.#lives, isakmpLives: this.#isakmpLives };
    this.#teardown = new Teardown(this.#desk, all);
    this.#distrust = new Distrust(this.#desk, all);
    this.#mode = new Mode(this.#desk, all);
    this.#deadPeers = new DeadPeers(this.#desk, { peers: this.#peers, lives: this.#lives, mode: this.#mode });
    this.#reload = new Reload(this.#desk, all);
    this.#shutdown = new Shutdown(this.#desk, all);
    const withMode = { ...all, mode: this.#mode, deadPeers: this.#deadPeers };
    this.#upkeep = new Upkeep(this.#desk, withMode);
    this.#upcalls = new Upcalls(this.#desk, withMode);
  }

  get counts(): CoreCounts {
    return {
      isakmpSas: this.#peers.isakmpSas,
      pairs: this.#store.established,
      larval: this.#store.larval,
      running: this.#attempts.running,
      deletes: this.#deletes.running,
      timers: this.#desk.timers,
      settling: this.#lives.settling,
      flows: this.#flows.size,
    };
  }

  /** When `advance` is due, ms; undefined while nothing waits. */
  get nextDeadline(): number | undefined {
    return this.#desk.nextDeadline;
  }

  /** No SA of either phase exists with this peer section at this address. */
  isFirstContact(peer: string, address: string): boolean {
    return this.#peers.isFirstContact(peer, address);
  }

  /** When all active connections are looked after, ms; undefined before the first time. */
  get nextCheckAt(): number | undefined {
    return this.#upkeep.nextCheckAt;
  }

  /** The connections that should be up, as they are. */
  *activeStatus(): Generator<ConnectionStatus, void> {
    for (const connection of this.#connections.active) yield statusOf(connection);
  }

  /** A connection as it is; one that nothing has happened to is passive since the beginning. */
  statusOf(name: string): ConnectionStatus {
    const peer = this.#desk.view.connection(name)?.peer;
    const ofPeer = peer === undefined ? undefined : this.#peers.find(peer)?.lastFailure;
    const status = statusOf(this.#connections.find(name) ?? new Connection(name, 0, this.#startedAt));
    const isOlder = (status.lastFailure?.at ?? 0) < (ofPeer?.at ?? 0);
    return isOlder ? { ...status, lastFailure: ofPeer } : status;
  }

  /** The certificates that SAs of either phase rest on, each once. */
  proofs(): Iterable<Proof> {
    return this.#distrust.proofs();
  }

  handle(event: ConnectionEvent, now: number): void {
    this.#desk.moveTo(now);
    this.#apply(event);
    this.#finish();
  }

  advance(now: number): void {
    this.#desk.moveTo(now);
    this.#desk.fireDue();
    this.#finish();
  }

  /** What is to be done, in order; cleared. */
  takeEffects(): readonly ConnectionEffect[] {
    return this.#desk.take();
  }

  /** DELETEs of one event go out together, and before new attempts. */
  #finish(): void {
    this.#deletes.run();
    this.#attempts.run();
  }

  #apply(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'lane':
        this.#onEffect(event.lane, event.effect);
        return;
      case 'laneLost':
        this.#isakmpLives.laneLost(event.lane);
        this.#installs.laneLost(event.lane);
        this.#attempts.laneLost(event.lane);
        return;
      case 'added':
        this.#installs.added(event.pair, event.sas);
        return;
      case 'refused':
        this.#installs.refused(event.pair, event.reason);
        return;
      case 'usage':
        this.#usage(event);
        return;
      case 'flowRefused':
      case 'acquire':
      case 'expire':
      case 'mapping':
      case 'lost':
      case 'moved':
        this.#upcalls.handle(event);
        return;
      case 'peersChanged':
        if (!this.#shutdown.hasBegun) for (const peer of event.peers) this.#configuredFlows.update(peer);
        return;
      case 'configured':
        if (!this.#shutdown.hasBegun) this.#leftovers.configured(event.connections);
        return;
      case 'reconfigured':
        if (!this.#shutdown.hasBegun) this.#upkeep.reconfigure('edited');
        return;
      case 'reloaded':
        this.#reload.renew(event.renew, event.renewIdentities);
        if (!this.#shutdown.hasBegun) this.#upkeep.reconfigure('reloaded');
        if (event.renegotiate) this.#reload.renegotiate();
        return;
      case 'connect':
        this.#upkeep.connect(event.name);
        return;
      case 'teardown':
      case 'teardownAll':
      case 'deleteSa':
        this.#teardown.handle(event);
        return;
      case 'distrusted':
        this.#distrust.end(event.reasons);
        return;
      case 'mode':
        this.#setMode(event.mode);
        return;
      case 'shutdown':
        this.#upkeep.stop();
        this.#shutdown.begin(event.deleteSas && !this.#mode.isPassive);
        return;
      default:
        unreachable(event);
    }
  }

  #usage({ of, isUsed, usedAt }: Extract<ConnectionEvent, { readonly kind: 'usage' }>): void {
    if (of.kind === 'isakmp') {
      this.#withIsakmp(of.isakmp, (sa) => this.#deadPeers.used(sa, usedAt));
      return;
    }
    const pair = this.#store.get(of.pair);
    if (pair !== undefined) this.#lives.answered(pair, isUsed);
  }

  #onEffect(lane: number, effect: SaEffect): void {
    switch (effect.kind) {
      case 'phase1Established':
        this.#isakmpLives.established(lane, effect);
        this.#withIsakmp(effect.isakmp, (sa) => this.#deadPeers.watch(sa));
        return;
      case 'phase1Failed':
        this.#attempts.phase1Failed(effect.request, effect.failure, effect.isakmp);
        if (effect.request === 0 && effect.peer !== '') {
          this.#peers.peer(effect.peer).lastFailure = { ...effect.failure, at: this.#desk.now };
        }
        return;
      case 'peerAlive':
        this.#vouchFor(effect.isakmp);
        this.#withIsakmp(effect.isakmp, (sa) => this.#deadPeers.alive(sa, effect.heardAt));
        return;
      case 'peerDead':
        this.#withIsakmp(effect.isakmp, (sa) => this.#deadPeers.dead(sa));
        return;
      case 'phase1Moved':
        this.#withIsakmp(effect.isakmp, (sa) => {
          this.#upcalls.peerMoved(sa, effect.path.remote);
          this.#peers.moveIsakmp(sa, effect.path);
        });
        return;
      case 'phase1Expiring':
        this.#withIsakmp(effect.isakmp, (sa) => this.#isakmpLives.expiring(sa));
        return;
      case 'phase1Gone':
        this.#isakmpLives.gone(effect);
        this.#shutdown.check();
        return;
      case 'initialContact':
        this.#withIsakmp(effect.isakmp, (sa) => this.#isakmpLives.initialContact(sa));
        return;
      case 'phase1Resumed':
        this.#isakmpLives.resumed(lane, effect);
        return;
      case 'phase2Started':
        this.#vouchFor(effect.isakmp);
        this.#attempts.foreignStarted(lane, effect.exchange, this.#connections.connection(effect.connection));
        return;
      case 'install':
        this.#installs.install(lane, effect);
        return;
      case 'phase2Established':
        this.#quickModeEstablished(lane, effect);
        return;
      case 'phase2Failed':
        this.#quickModeFailed(lane, effect);
        return;
      case 'retire':
        this.#retire(effect);
        return;
      default:
        unreachable(effect);
    }
  }

  #quickModeEstablished(lane: number, effect: Extract<SaEffect, { readonly kind: 'phase2Established' }>): void {
    const { exchange, request, agreement } = effect;
    this.#vouchFor(agreement.isakmp);
    const connection = this.#connections.connection(agreement.connection);
    const pair = this.#store.larvalOf(lane, exchange);
    const ours = this.#attempts.quickModeEstablished(lane, exchange, request, connection);
    const isWanted =
      !this.#shutdown.hasBegun && ours?.isCancelled !== true && agreement.startedAt > connection.tornDownAt;
    if (pair !== undefined && isWanted && !pair.isDeletedByPeer) {
      this.#store.settle(pair);
      this.#lives.begin(pair, ours);
      // A section with many clients may have another pair that is due.
      this.#attempts.want(connection);
      return;
    }
    if (pair !== undefined) this.#installs.drop(pair);
    if (pair?.isDeletedByPeer === true) {
      this.#lives.restart(connection, 'deletedByPeer');
      return;
    }
    this.#deletes.add(this.#peers.party(agreement.peer, agreement.remoteIdentity), agreement.protocols, 'must');
    this.#attempts.want(connection);
  }

  #quickModeFailed(lane: number, effect: Extract<SaEffect, { readonly kind: 'phase2Failed' }>): void {
    const { exchange, request, messageId, failure } = effect;
    this.#installs.failed(lane, exchange);
    const connection = this.#connections.connection(effect.connection);
    const sa = this.#peers.isakmp(effect.isakmp);
    this.#attempts.quickModeFailed({ lane, exchange, number: request, connection, sa, messageId, failure });
  }

  /** RFC 2408 §3.15: only what this very peer owns, known SPIs even among unknown ones. */
  #retire(effect: Extract<SaEffect, { readonly kind: 'retire' }>): void {
    this.#vouchFor(effect.isakmp);
    const party = this.#peers.findParty(effect.peer, effect.remoteIdentity);
    if (party === undefined) return;
    const pairs = effect.spis.flatMap((spi) => party.bySpiOut.get(spiKey(effect.protocolId, spi)) ?? []);
    for (const pair of currentLast([...new Set(pairs)])) {
      if (pair.softAt > 0) this.#desk.emit({ kind: 'log', record: pairDeletedByPeer(pair, effect.protocolId) });
      if (pair.isEstablished) this.#lives.remove(pair, undefined, 'deletedByPeer');
      else pair.isDeletedByPeer = true;
    }
  }

  /** The peer has used this ISAKMP SA. */
  #vouchFor(isakmp: string): void {
    this.#withIsakmp(isakmp, (sa) => {
      sa.isSuspect = false;
    });
  }

  #withIsakmp(isakmp: string, use: (sa: IsakmpSa) => void): void {
    const sa = this.#peers.isakmp(isakmp);
    if (sa !== undefined) use(sa);
  }

  #setMode(mode: 'active' | 'passive'): void {
    if (this.#shutdown.hasBegun) return;
    this.#mode.set(mode);
    if (mode === 'active') this.#upkeep.check();
  }
}
