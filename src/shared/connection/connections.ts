/** The connections: which should be up, which pairs each has, and which of them is current. */
import { fold } from '../config/case-fold.ts';
import type { Desk } from './desk.ts';
import type { Peers } from './peers.ts';
import { Connection } from './records.ts';

export class Connections {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #byName = new Map<string, Connection>();
  readonly #active = new Set<Connection>();
  #last = 0;

  constructor(desk: Desk, peers: Peers) {
    this.#desk = desk;
    this.#peers = peers;
  }

  get active(): ReadonlySet<Connection> {
    return this.#active;
  }

  find(name: string): Connection | undefined {
    return this.#byName.get(fold(name));
  }

  connection(name: string): Connection {
    const key = fold(name);
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const connection = new Connection(this.#desk.view.connection(name)?.name ?? name, ++this.#last, this.#desk.now);
    this.#byName.set(key, connection);
    return connection;
  }

  all(): Iterable<Connection> {
    return this.#byName.values();
  }

  /** Answers whether it was not so before. */
  activate(connection: Connection): boolean {
    const name = this.#desk.view.connection(connection.name)?.peer;
    const peer = name === undefined ? undefined : this.#peers.peer(name);
    if (connection.isActive && connection.peer === peer) return false;
    this.deactivate(connection);
    connection.isActive = true;
    this.#active.add(connection);
    connection.peer = peer;
    connection.peer?.actives.add(connection);
    return true;
  }

  deactivate(connection: Connection): void {
    connection.isActive = false;
    this.#active.delete(connection);
    connection.peer?.actives.delete(connection);
    connection.peer = undefined;
  }

  sweep(): void {
    for (const [key, connection] of this.#byName) {
      // The operator may still ask why one of his connections failed.
      const isSpecial = connection.lastFailure !== undefined || connection.isHeld;
      const isMemorable = isSpecial && this.#desk.view.connection(connection.name) !== undefined;
      if (!connection.isIdle || (isMemorable && !connection.isMade)) continue;
      this.#byName.delete(key);
      if (connection.isMade) this.#desk.emit({ kind: 'demandOver', connection: connection.name });
    }
  }
}
