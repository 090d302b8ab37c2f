/** The policies that the configuration asks for: one connection section after the other, and only those of peers that have changed. */
import { fold } from '../config/case-fold.ts';
import type { ConnectionPolicy, PeerPolicy } from '../policy/peer-policy.ts';
import type { Path } from '../threads/contract.ts';
import type { Routing } from './attempts.ts';
import type { Binding } from './binding.ts';
import type { Desk } from './desk.ts';
import { claimOfConnection, literalSelectors } from './flow-claims.ts';
import type { Flows } from './flows.ts';

/** One peer section as it was when its policies were made. */
interface PeerFlows {
  policy: PeerPolicy | undefined;
  path: Path | undefined;
  /** What holds the policies of each connection section. */
  readonly holders: Map<string, object>;
}

export class ConfiguredFlows {
  readonly #desk: Desk;
  readonly #flows: Flows;
  readonly #binding: Binding;
  readonly #pathTo: Routing['pathTo'];
  readonly #peers = new Map<string, PeerFlows>();
  readonly #pathless = new Set<string>();

  constructor(desk: Desk, flows: Flows, binding: Binding, pathTo: Routing['pathTo']) {
    this.#desk = desk;
    this.#flows = flows;
    this.#binding = binding;
    this.#pathTo = pathTo;
  }

  /** These and all that are known already: for a peer that has not changed that is a comparison. */
  updateAll(peers: Iterable<string>): void {
    this.#flows.switch(this.#desk.view.isAcquireOnly);
    for (const name of new Set([...this.#peers.keys(), ...Array.from(peers, fold)])) this.update(name);
  }

  /** Those of which it was not known how to reach them. */
  retry(): void {
    this.#flows.switch(this.#desk.view.isAcquireOnly);
    for (const name of [...this.#pathless]) this.update(name);
  }

  /** Whether the kernel was told of the policies of this connection, if it has any; not so while its sections cannot be used, or nobody knows the way to its peer. */
  isDone(connection: string): boolean {
    const peer = this.#desk.view.connection(connection)?.peer;
    return peer !== undefined && this.#desk.view.peer(peer) !== undefined && !this.#pathless.has(fold(peer));
  }

  /** This peer's section, or what hangs on it, is another. */
  update(name: string): void {
    const policy = this.#desk.view.peer(name);
    if (policy === undefined) this.#keepListed(name);
    else this.#make(fold(name), policy);
  }

  /** Half an edit opens no hole: what a peer section that cannot be used has had stays, as long as the connections are there. */
  #keepListed(name: string): void {
    const known = this.#peers.get(fold(name));
    if (known === undefined) return;
    known.policy = undefined;
    this.#binding.keep(name, (connection) => this.#desk.view.connection(connection) !== undefined);
    for (const [connection, holder] of known.holders) {
      if (this.#desk.view.connection(connection) === undefined) this.#release(known, connection, holder);
    }
    if (known.holders.size === 0) this.#forget(fold(name));
  }

  #make(key: string, policy: PeerPolicy): void {
    const known = this.#peers.get(key) ?? { policy: undefined, path: undefined, holders: new Map<string, object>() };
    if (known.policy === policy && known.path !== undefined) return;
    // A name that stands for no address now, or a route that is gone, opens no hole either.
    const path = this.#pathTo(policy) ?? known.path;
    if (path === undefined && policy.address !== undefined) this.#pathless.add(key);
    else this.#pathless.delete(key);
    this.#binding.configure(policy.name, policy.connections, path);
    const claimed = policy.connections.filter((connection) => this.#claim(known, connection, path));
    const wanted = new Set(claimed.map(({ name }) => name));
    for (const [name, holder] of known.holders) if (!wanted.has(name)) this.#release(known, name, holder);
    known.policy = policy;
    known.path = path;
    if (policy.connections.length > 0) this.#peers.set(key, known);
    else this.#forget(key);
  }

  #forget(key: string): void {
    this.#peers.delete(key);
    this.#pathless.delete(key);
  }

  /** False where the connection needs no policies before it is up. */
  #claim({ holders }: PeerFlows, connection: ConnectionPolicy, path: Path | undefined): boolean {
    const selectors = path && literalSelectors(connection, path);
    if (path === undefined || selectors === undefined) return false;
    const holder = holders.get(connection.name) ?? {};
    holders.set(connection.name, holder);
    this.#flows.claim(holder, selectors, claimOfConnection(connection, path));
    return true;
  }

  #release(known: PeerFlows, connection: string, holder: object): void {
    this.#flows.release(holder);
    known.holders.delete(connection);
  }
}
