/** What should be up: the list of active connections, what the operator asks for by name, and the connection check. */
import type { Attempts } from './attempts.ts';
import type { ConfiguredFlows } from './configured-flows.ts';
import type { Connections } from './connections.ts';
import type { DeadPeers } from './dead-peers.ts';
import type { Deadline } from './deadlines.ts';
import type { Desk } from './desk.ts';
import type { Leftovers } from './leftovers.ts';
import type { Lives } from './lives.ts';
import { noLongerConfigured } from './log-lines.ts';
import type { Mode } from './mode.ts';
import type { Peers } from './peers.ts';
import type { Connection } from './records.ts';

export class Upkeep {
  readonly #desk: Desk;
  readonly #parts: Parts;
  #nextCheck: Deadline | undefined;

  constructor(desk: Desk, parts: Parts) {
    this.#desk = desk;
    this.#parts = parts;
  }

  /** ms; undefined before the first time. */
  get nextCheckAt(): number | undefined {
    return this.#nextCheck?.at;
  }

  stop(): void {
    this.#nextCheck?.cancel();
  }

  connect(name: string): void {
    const { peers, connections, attempts, mode, configuredFlows } = this.#parts;
    const { view } = this.#desk;
    const policy = view.connection(name) === undefined ? view.peer(name) : undefined;
    if (policy !== undefined) {
      const peer = peers.peer(policy.name);
      if (peers.usable(peer) !== undefined) return;
      peer.isRenewing = true;
      attempts.forgivePeer(peer);
      return;
    }
    const connection = connections.connection(name);
    connection.isManual = true;
    configuredFlows.update(view.connection(name)?.peer ?? '');
    this.#activate(connection);
    attempts.forgiveConnection(connection);
    attempts.want(connection);
    mode.check([connection]);
  }

  /** Connections that are gone from the list keep their SAs; those that the operator has named stay active as long as they are configured. */
  reconfigure(how: 'edited' | 'reloaded'): void {
    const { connections, attempts, lives, configuredFlows, deadPeers } = this.#parts;
    const { view } = this.#desk;
    const listed = new Set(view.active.map((name) => connections.connection(name)));
    for (const connection of [...connections.active]) {
      const isConfigured = view.connection(connection.name) !== undefined;
      if (listed.has(connection) || (connection.isManual && isConfigured)) continue;
      // Who reloads says so himself.
      if (!isConfigured && how === 'edited')
        this.#desk.emit({ kind: 'log', record: noLongerConfigured(connection.name) });
      connections.deactivate(connection);
      connection.isManual = false;
      attempts.cancelConnection(connection);
      lives.reconsider(connection);
    }
    configuredFlows.updateAll(Array.from(listed, ({ name }) => view.connection(name)?.peer ?? ''));
    for (const connection of listed) this.#activate(connection);
    if (how === 'reloaded') for (const connection of connections.all()) connection.isHeld = false;
    deadPeers.reconfigured();
    this.#desk.emit({ kind: 'news', news: { kind: 'reconfigured' } });
    this.check();
  }

  /** behaviour 5.16. What failed comes back by its own timer; this is for everything else. */
  check(): void {
    const { connections, attempts, mode, peers, configuredFlows, leftovers } = this.#parts;
    const { view } = this.#desk;
    configuredFlows.retry();
    leftovers.check();
    for (const connection of connections.active) attempts.want(connection);
    mode.check(connections.active);
    connections.sweep();
    peers.sweep((name) => view.peer(name) !== undefined);
    this.#nextCheck?.cancel();
    this.#nextCheck = this.#desk.after(view.checkIntervalSeconds * 1000, 'connection_checker', '', () => this.check());
  }

  #activate(connection: Connection): void {
    connection.tornDownAt = Number.NEGATIVE_INFINITY;
    connection.isHeld = false;
    if (this.#parts.connections.activate(connection)) this.#parts.lives.reconsider(connection);
  }
}

interface Parts {
  readonly peers: Peers;
  readonly connections: Connections;
  readonly attempts: Attempts;
  readonly lives: Lives;
  readonly mode: Mode;
  readonly configuredFlows: ConfiguredFlows;
  readonly leftovers: Leftovers;
  readonly deadPeers: DeadPeers;
}
