/** What the operator takes down: connections, phase 1s, single SAs. Running attempts end with them. */
import { fold } from '../config/case-fold.ts';
import type { Cookies } from '../threads/contract.ts';
import type { Attempts } from './attempts.ts';
import type { Connections } from './connections.ts';
import type { Desk } from './desk.ts';
import type { ConnectionEvent, Target } from './events.ts';
import { currentLast, type IsakmpLives } from './isakmp-lives.ts';
import type { Lives } from './lives.ts';
import type { PairStore } from './pair-store.ts';
import type { Peers } from './peers.ts';
import type { Connection, Pair, Peer } from './records.ts';

export class Teardown {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #connections: Connections;
  readonly #store: PairStore;
  readonly #attempts: Attempts;
  readonly #lives: Lives;
  readonly #isakmpLives: IsakmpLives;

  constructor(
    desk: Desk,
    parts: {
      readonly peers: Peers;
      readonly connections: Connections;
      readonly store: PairStore;
      readonly attempts: Attempts;
      readonly lives: Lives;
      readonly isakmpLives: IsakmpLives;
    },
  ) {
    this.#desk = desk;
    this.#peers = parts.peers;
    this.#connections = parts.connections;
    this.#store = parts.store;
    this.#attempts = parts.attempts;
    this.#lives = parts.lives;
    this.#isakmpLives = parts.isakmpLives;
  }

  handle(event: Extract<ConnectionEvent, { readonly kind: 'teardown' | 'teardownAll' | 'deleteSa' }>): void {
    if (event.kind === 'teardownAll') this.#all();
    else if (event.kind === 'deleteSa') this.#deleteSa(event.cookies, event.messageId);
    else if (event.phase === 1) this.#takeDownPhase1(event.target);
    else for (const connection of this.#connectionsOf(event.target)) this.#takeDown(connection);
  }

  /** Every IPsec SA and whatever would bring it back; ISAKMP SAs stay. */
  #all(): void {
    for (const connection of [...this.#connections.all()]) this.#takeDown(connection);
  }

  /** An active connection that loses its SA this way comes back with the connection check. */
  #deleteSa(cookies: Cookies, messageId: number): void {
    const sa = messageId === 0 ? this.#peers.isakmp(cookies) : undefined;
    if (sa !== undefined) this.#isakmpLives.delete(sa);
    for (const pair of this.#store.children(cookies)) {
      if (pair.agreement.messageId === messageId) this.#lives.remove(pair, 'must', 'operator');
    }
  }

  /** Replaced pairs go as well: they would still let traffic in. */
  #takeDown(connection: Connection): void {
    this.#connections.deactivate(connection);
    connection.isManual = false;
    connection.isHeld = true;
    connection.tornDownAt = this.#desk.now;
    this.#attempts.cancelConnection(connection);
    for (const pair of currentLast([...connection.pairs()])) this.#lives.remove(pair, 'must', 'operator');
  }

  #connectionsOf(target: Target): readonly Connection[] {
    if (target.kind === 'name') {
      const connection = this.#connections.find(target.name);
      return connection === undefined ? [] : [connection];
    }
    const { address } = target;
    return [...this.#connections.all()].filter((connection) => {
      const peer = this.#desk.view.connection(connection.name)?.peer ?? '';
      const isThere = ({ agreement }: Pair): boolean => agreement.path.remote.address === address;
      return this.#desk.view.peer(peer)?.address === address || [...connection.pairs()].some(isThere);
    });
  }

  #takeDownPhase1(target: Target): void {
    for (const sa of this.#peers.allIsakmp()) {
      const isMeant =
        target.kind === 'name'
          ? fold(sa.party.peer.name) === fold(target.name)
          : sa.path.remote.address === target.address;
      if (isMeant) this.#isakmpLives.delete(sa);
    }
    for (const peer of this.#peers.all()) if (this.#isMeant(peer, target)) this.#attempts.cancelPeer(peer);
  }

  #isMeant(peer: Peer, target: Target): boolean {
    return target.kind === 'name'
      ? fold(peer.name) === fold(target.name)
      : this.#desk.view.peer(peer.name)?.address === target.address;
  }
}
