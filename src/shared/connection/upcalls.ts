/** What the kernel says: packets that wait for an SA, SAs that end, peers that have moved, policies that it does not take. */
import type { Endpoint } from '../address.ts';
import { unreachable } from '../errors.ts';
import { type Acquire, type Expire, isUsed, type Mapping, type SaId } from '../kernel-news.ts';
import type { Attempts } from './attempts.ts';
import type { Connections } from './connections.ts';
import type { Desk } from './desk.ts';
import type { ConnectionEvent, Move } from './events.ts';
import type { Flows } from './flows.ts';
import type { Lives } from './lives.ts';
import { acquired, acquireIgnored, pairMoved } from './log-lines.ts';
import type { Mode } from './mode.ts';
import type { PairStore } from './pair-store.ts';
import type { Peers } from './peers.ts';
import type { IsakmpSa, Pair } from './records.ts';

export class Upcalls {
  readonly #desk: Desk;
  readonly #parts: Parts;

  constructor(desk: Desk, parts: Parts) {
    this.#desk = desk;
    this.#parts = parts;
  }

  handle(event: UpcallEvent): void {
    switch (event.kind) {
      case 'flowRefused':
        this.#parts.flows.refused(event.id);
        return;
      case 'acquire':
        this.#acquire(event.acquire, event.connection);
        return;
      case 'expire':
        this.#expire(event.expire);
        return;
      case 'mapping':
        this.#mapping(event.mapping);
        return;
      case 'lost':
        this.#lost(event.gone);
        return;
      case 'moved':
        this.#moved(event);
        return;
      default:
        unreachable(event);
    }
  }

  /** `made`: the connection that was made for it. However many packets wait, one negotiation runs. */
  #acquire(acquire: Acquire, made: string | undefined): void {
    if (this.#parts.mode.isPassive) {
      this.#ignore(acquire, 'the daemon is passive');
      return;
    }
    const name = made ?? this.#parts.flows.connectionFor(acquire);
    if (name === undefined) this.#desk.emit({ kind: 'demand', acquire });
    else this.#demand(name, acquire, made !== undefined);
  }

  /** SAs are renewed while there is time, or removed when they are gone. */
  #expire({ id, isHard, usage }: Expire): void {
    const { store, lives } = this.#parts;
    const pair = store.owner(id);
    if (pair === undefined) return;
    if (isHard) lives.remove(pair, pair.state === 'current' ? 'must' : 'once', 'expired');
    else if (pair.softAt > 0) {
      pair.wasUsed ||= isUsed(usage);
      lives.expireSoftly(pair, false);
    }
  }

  #lost(gone: readonly SaId[]): void {
    const { store, lives } = this.#parts;
    for (const id of gone) {
      const pair = store.owner(id);
      if (pair !== undefined) lives.remove(pair, 'must', 'lost');
    }
  }

  /** IKE shows that a peer behind a NAT has moved: so have its SAs, which need not carry packets of it just now. */
  peerMoved({ party, path: { remote: from } }: IsakmpSa, to: Endpoint): void {
    for (const pair of party.pairs) {
      const { remote, encapsulated } = pair.agreement.path;
      const isThere = remote.address === from.address && remote.port === from.port;
      if (pair.isEstablished && encapsulated && isThere) this.#move(pair, to);
    }
  }

  #mapping({ id, source }: Mapping): void {
    const pair = this.#parts.store.owner(id);
    if (pair !== undefined) this.#move(pair, source);
  }

  /** One move of a pair at a time: the kernel says it again while packets come from elsewhere. */
  #move(pair: Pair, source: Endpoint): void {
    if (pair.movingTo !== undefined) return;
    const { local, remote } = pair.agreement.path;
    if (source.address === remote.address && source.port === remote.port) return;
    pair.movingTo = source;
    const moves = pair.installed.map((sa): Move => {
      const isInbound = sa.destination === local.address;
      return isInbound ? { id: sa, source, destination: local } : { id: sa, source: local, destination: source };
    });
    this.#desk.emit({ kind: 'move', pair: pair.id, moves });
  }

  #moved({ pair: id, sas, isDone }: Extract<UpcallEvent, { readonly kind: 'moved' }>): void {
    const { store, peers, lives } = this.#parts;
    const pair = store.get(id);
    if (pair === undefined) {
      // It went meanwhile, under its former names.
      this.#desk.emit({ kind: 'remove', sas });
      return;
    }
    const remote = pair.movingTo;
    pair.movingTo = undefined;
    store.setInstalled(pair, sas);
    if (!isDone || remote === undefined) return;
    this.#desk.emit({ kind: 'log', record: pairMoved(pair, remote) });
    peers.movePair(pair, remote);
    lives.moved(pair);
  }

  #demand(name: string, acquire: Acquire, isMade: boolean): void {
    const { connections, attempts } = this.#parts;
    const connection = connections.connection(name);
    connection.isMade ||= isMade;
    if (connection.isHeld) {
      this.#ignore(acquire, `connection ${name} was taken down`);
      return;
    }
    // What the policy of somebody else's finds are SAs of its own reqid.
    if (acquire.flow === undefined) connection.foreignReqid = acquire.reqid;
    this.#desk.emit({ kind: 'log', record: acquired(name, acquire) });
    connection.demand = acquire;
    attempts.want(connection);
    if (!attempts.needs(connection)) connection.demand = undefined;
  }

  #ignore(acquire: Acquire, reason: string): void {
    this.#desk.emit({ kind: 'log', record: acquireIgnored(acquire, reason) });
  }
}

type UpcallEvent = Extract<
  ConnectionEvent,
  { readonly kind: 'flowRefused' | 'acquire' | 'expire' | 'mapping' | 'lost' | 'moved' }
>;

interface Parts {
  readonly peers: Peers;
  readonly connections: Connections;
  readonly store: PairStore;
  readonly attempts: Attempts;
  readonly flows: Flows;
  readonly lives: Lives;
  readonly mode: Mode;
}
