/** The peers: which ISAKMP SAs with them can be used, and who waits for one. */
import { fold } from '../config/case-fold.ts';
import type { Cookies, Path } from '../threads/contract.ts';
import type { SaEffect } from './events.ts';
import type { Keepalives } from './keepalives.ts';
import { IsakmpSa, type Pair, Party, Peer } from './records.ts';

/** All peers and ISAKMP SAs, by every key they are looked up by. */
export class Peers {
  readonly #peers = new Map<string, Peer>();
  readonly #sas = new Map<Cookies, IsakmpSa>();
  /** SAs of either phase by peer section and address. */
  readonly #contacts = new Map<string, number>();
  readonly #load: number[];
  readonly #keepalives: Keepalives;

  constructor(lanes: number, keepalives: Keepalives) {
    this.#keepalives = keepalives;
    this.#load = new Array<number>(lanes).fill(0);
  }

  get isakmpSas(): number {
    return this.#sas.size;
  }

  find(name: string): Peer | undefined {
    return this.#peers.get(fold(name));
  }

  peer(name: string): Peer {
    const key = fold(name);
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    const peer = new Peer(name);
    this.#peers.set(key, peer);
    return peer;
  }

  party(name: string, identity: string): Party {
    const peer = this.peer(name);
    const known = peer.parties.get(identity);
    if (known !== undefined) return known;
    const party = new Party(peer, identity);
    peer.parties.set(identity, party);
    return party;
  }

  /** The party if it has SAs of any kind. */
  findParty(name: string, identity: string): Party | undefined {
    return this.find(name)?.parties.get(identity);
  }

  isakmp(cookies: Cookies): IsakmpSa | undefined {
    return this.#sas.get(cookies);
  }

  /** The ISAKMP SA under which something new with this peer begins. */
  usable(peer: Peer): IsakmpSa | undefined {
    const newest = peer.newest?.usable;
    if (newest !== undefined) return newest;
    // One identity, or the few that a peer has had; thousands only where we cannot be the one who begins.
    if (peer.parties.size > MOST_IDENTITIES) return undefined;
    for (const party of peer.parties.values()) {
      const sa = party.usable;
      if (sa !== undefined) return sa;
    }
    return undefined;
  }

  addIsakmp(lane: number, now: number, facts: Extract<SaEffect, { readonly kind: 'phase1Established' }>): IsakmpSa {
    const party = this.party(facts.peer, facts.remoteIdentity);
    const sa = new IsakmpSa(party, lane, now, facts);
    party.sas.push(sa);
    party.peer.newest = party;
    this.#sas.set(sa.cookies, sa);
    this.#count(party.peer, sa, 1);
    this.addLoad(lane, 1);
    return sa;
  }

  removeIsakmp(sa: IsakmpSa): void {
    if (!this.#sas.delete(sa.cookies)) return;
    const { party } = sa;
    sa.renewal?.cancel();
    sa.watch?.cancel();
    party.peer.outdated.delete(sa);
    party.sas.splice(party.sas.indexOf(sa), 1);
    this.#count(party.peer, sa, -1);
    this.addLoad(sa.lane, -1);
    this.release(party);
  }

  /** The peer is somewhere else. */
  moveIsakmp(sa: IsakmpSa, path: Path): void {
    this.#count(sa.party.peer, sa, -1);
    sa.path = path;
    this.#count(sa.party.peer, sa, 1);
  }

  addPair(pair: Pair): void {
    pair.party.pairs.add(pair);
    this.#count(pair.party.peer, pair.agreement, 1);
  }

  removePair(pair: Pair): void {
    if (!pair.party.pairs.delete(pair)) return;
    this.#count(pair.party.peer, pair.agreement, -1);
    this.release(pair.party);
  }

  /** The peer of this pair is somewhere else. */
  movePair(pair: Pair, remote: Path['remote']): void {
    this.#count(pair.party.peer, pair.agreement, -1);
    pair.agreement = { ...pair.agreement, path: { ...pair.agreement.path, remote } };
    this.#count(pair.party.peer, pair.agreement, 1);
  }

  /** Forgets a party without SAs. */
  release(party: Party): void {
    if (party.sas.length > 0 || party.pairs.size > 0 || party.unsentDeletes.size > 0) return;
    party.peer.parties.delete(party.identity);
    if (party.peer.newest === party) party.peer.newest = undefined;
  }

  /** No SA of either phase exists with this peer at this address. */
  isFirstContact(name: string, address: string): boolean {
    return !this.#contacts.has(contactKey(name, address));
  }

  addLoad(lane: number, change: number): void {
    this.#load[lane] = (this.#load[lane] ?? 0) + change;
  }

  leastLoadedLane(): number {
    return this.#load.indexOf(Math.min(...this.#load));
  }

  allIsakmp(): Iterable<IsakmpSa> {
    return this.#sas.values();
  }

  all(): Iterable<Peer> {
    return this.#peers.values();
  }

  /** Drops the records of peers with whom nothing is going on, unless they tell why the last negotiation with one that `isConfigured` failed. */
  sweep(isConfigured: (name: string) => boolean): void {
    for (const [key, peer] of this.#peers) {
      const isMemorable = peer.lastFailure !== undefined && isConfigured(peer.name);
      if (peer.isIdle && !isMemorable) this.#peers.delete(key);
    }
  }

  #count(peer: Peer, { path, nat }: Pick<IsakmpSa, 'path' | 'nat'>, change: 1 | -1): void {
    this.#keepalives.count(path, nat, change);
    const key = contactKey(peer.name, path.remote.address);
    const count = (this.#contacts.get(key) ?? 0) + change;
    if (count > 0) this.#contacts.set(key, count);
    else this.#contacts.delete(key);
  }
}

const contactKey = (name: string, address: string): string => `${fold(name)}\0${address}`;

const MOST_IDENTITIES = 16;
