/** What a configuration that was read anew means for what is up: whose phase 1 is made anew now, and Renegotiate-on-HUP. Everything else counts from its next use. */
import { identityKey } from '../policy/identity.ts';
import type { Attempts } from './attempts.ts';
import type { Connections } from './connections.ts';
import type { Desk } from './desk.ts';
import type { Lives } from './lives.ts';
import type { Peers } from './peers.ts';
import type { Connection, Peer } from './records.ts';

export class Reload {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #connections: Connections;
  readonly #attempts: Attempts;
  readonly #lives: Lives;

  constructor(
    desk: Desk,
    parts: {
      readonly peers: Peers;
      readonly connections: Connections;
      readonly attempts: Attempts;
      readonly lives: Lives;
    },
  ) {
    this.#desk = desk;
    this.#peers = parts.peers;
    this.#connections = parts.connections;
    this.#attempts = parts.attempts;
    this.#lives = parts.lives;
  }

  /**
   * These peers, and those that use the secrets of these identities, authenticate differently, or are somewhere else: what was agreed under the old terms is agreed on again. SAs stay until their
   * successors are there.
   */
  renew(names: readonly string[], identities: readonly string[]): void {
    const peers = new Set([...names.flatMap((name) => this.#peers.find(name) ?? []), ...this.#usersOf(identities)]);
    // Who has no address cannot be called; and one that cannot be used ends with its SAs.
    for (const peer of peers) if (this.#desk.view.peer(peer.name)?.address !== undefined) this.#renew(peer);
  }

  /** Renegotiate-on-HUP: as if the soft lifetime of every IPsec SA ended now; the starts are paced. */
  renegotiate(): void {
    for (const connection of this.#connections.all()) {
      if (!connection.isQuiet) continue;
      for (const pair of connection.pairs()) {
        if (pair.state === 'current' && pair.softAt > 0) this.#lives.expireSoftly(pair, false);
      }
    }
  }

  /** Peers without a secret of their own: that of the identity they must have, or else have shown, counts. */
  #usersOf(identities: readonly string[]): readonly Peer[] {
    if (identities.length === 0) return [];
    const changed = new Set(identities);
    return [...this.#peers.all()].filter((peer) => {
      const policy = this.#desk.view.peer(peer.name);
      if (policy === undefined || policy.preSharedKey !== undefined) return false;
      if (policy.remoteId !== undefined) return changed.has(identityKey(policy.remoteId));
      return [...peer.parties.keys()].some((identity) => changed.has(identity.toLowerCase()));
    });
  }

  #renew(peer: Peer): void {
    peer.changedAt = this.#desk.now;
    const parties = [...peer.parties.values()];
    for (const { sas } of parties) for (const sa of sas) peer.outdated.add(sa);
    const pairs = parties.flatMap((party) => [...party.pairs]).filter(({ isEstablished }) => isEstablished);
    const connections = new Set<Connection>([...peer.actives, ...pairs.map(({ connection }) => connection)]);
    for (const connection of connections) this.#attempts.cancelConnection(connection);
    if (peer.outdated.size > 0 || peer.attempt !== undefined) this.#attempts.renewPeer(peer);
    else this.#attempts.forgivePeer(peer);
    for (const pair of pairs) if (pair.state === 'current') this.#lives.expireSoftly(pair, true);
    for (const connection of connections) {
      this.#attempts.forgiveConnection(connection);
      this.#attempts.want(connection);
    }
  }
}
