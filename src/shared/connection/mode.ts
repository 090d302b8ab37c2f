/** Active or passive. A passive daemon keeps its SAs and their clocks and leaves the peers to somebody else: nothing of ours runs, nothing is begun. */
import type { Attempts } from './attempts.ts';
import type { Connections } from './connections.ts';
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import type { IsakmpLives } from './isakmp-lives.ts';
import type { Lives } from './lives.ts';
import { dueInPassiveMode } from './log-lines.ts';
import type { Peers } from './peers.ts';
import type { Connection } from './records.ts';

export class Mode {
  readonly #desk: Desk;
  readonly #parts: Parts;
  #isPassive = false;

  constructor(desk: Desk, parts: Parts) {
    this.#desk = desk;
    this.#parts = parts;
  }

  get isPassive(): boolean {
    return this.#isPassive;
  }

  set(mode: 'active' | 'passive'): void {
    const { attempts, deletes, connections, peers, lives } = this.#parts;
    this.#isPassive = mode === 'passive';
    deletes.isMuted = this.#isPassive;
    if (this.#isPassive) {
      for (const connection of connections.all()) {
        connection.demand = undefined;
        attempts.cancelConnection(connection);
      }
      for (const peer of peers.all()) attempts.cancelPeer(peer);
      attempts.pause(true);
      return;
    }
    attempts.pause(false);
    // What became due meanwhile.
    for (const connection of connections.all()) lives.reconsider(connection);
    for (const sa of peers.allIsakmp()) if (sa.softAt <= this.#desk.now) this.#parts.isakmpLives.expiring(sa);
  }

  /** These are looked after just now: a passive daemon says what it would do. */
  check(connections: Iterable<Connection>): void {
    if (!this.#isPassive) return;
    for (const connection of connections) {
      if (connection.isDown) this.#desk.emit({ kind: 'log', record: dueInPassiveMode(connection.name) });
    }
  }
}

interface Parts {
  readonly attempts: Attempts;
  readonly connections: Connections;
  readonly deletes: Deletes;
  readonly isakmpLives: IsakmpLives;
  readonly lives: Lives;
  readonly peers: Peers;
}
