/** Who may have which traffic where no connection section says so (decisions 3.1, docs/adr/0016): what is somebody else's stays so, and there is an end to it. */
import { parseAddress } from '../address.ts';
import { fold } from '../config/case-fold.ts';
import { beginsWith } from '../esp/prefix-trie.ts';
import type { CompiledSelector } from '../esp/selector.ts';
import { bounded } from '../log/bounded.ts';
import { selectorWords } from '../policy/identity-settings.ts';
import type { ConnectionPolicy } from '../policy/peer-policy.ts';
import type { Selectors } from '../policy/selectors.ts';
import type { Agreement, Path } from '../threads/contract.ts';
import type { Desk } from './desk.ts';
import { literalSelectors } from './flow-claims.ts';
import { type Pair, tunnelKeyOf } from './records.ts';
import { type Holding, Territory, type Traffic, trafficOf } from './territory.ts';

export class Binding {
  readonly #desk: Desk;
  readonly #territory = new Territory();
  /** Of each peer section (folded), by its connections. */
  readonly #sections = new Map<string, readonly Holding[]>();
  readonly #pairs = new Map<Pair, Holding>();
  /** Tunnels without a section, and how many pairs each has, by the party that has them. */
  readonly #tunnels = new Map<string, Map<string, number>>();
  #count = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** What these sections of a peer are between is theirs. `path` undefined: nobody knows the way to the peer. */
  configure(peer: string, connections: readonly ConnectionPolicy[], path: Path | undefined): void {
    this.keep(peer, () => false);
    const holdings = connections.flatMap((connection) => {
      const selectors = sectionSelectors(connection, path);
      if (selectors === undefined) return [];
      return { traffic: trafficOf(selectors), connection: connection.name, peer, identity: undefined };
    });
    for (const holding of holdings) this.#territory.hold(holding);
    if (holdings.length > 0) this.#sections.set(fold(peer), holdings);
  }

  /** Only those connections of the peer hold something any more. */
  keep(peer: string, isKept: (connection: string) => boolean): void {
    const holdings = this.#sections.get(fold(peer)) ?? [];
    for (const holding of holdings) if (!isKept(holding.connection)) this.#territory.release(holding);
    const kept = holdings.filter(({ connection }) => isKept(connection));
    if (kept.length > 0) this.#sections.set(fold(peer), kept);
    else this.#sections.delete(fold(peer));
  }

  /** Why the peer may not have what it chose; undefined: it may. */
  denial(agreement: Agreement): string | undefined {
    const { peerChose, localSelector: local, remoteSelector: remote } = agreement;
    if (peerChose === 'nothing') return undefined;
    const asked = trafficOf({ local, remote });
    const reason =
      (peerChose === 'both' ? this.#excess(agreement, asked) : undefined) ?? this.#conflict(agreement, asked);
    return reason && `it asks for its ${selectorWords(remote)} to our ${selectorWords(local)}${reason}`;
  }

  /** A pair is there, larval ones included. */
  took(pair: Pair): void {
    const { agreement, party } = pair;
    const { peerChose, localSelector: local, remoteSelector: remote } = agreement;
    // A section of somebody whose address is known has one user.
    const isForMany = this.#desk.view.peer(party.peer.name)?.address === undefined;
    if (peerChose === 'nothing' && !isForMany) return;
    const traffic = trafficOf({ local, remote });
    const holding = { traffic, connection: pair.connection.name, peer: party.peer.name, identity: party.identity };
    this.#pairs.set(pair, holding);
    this.#territory.hold(holding);
    if (peerChose === 'both') this.#countTunnel(agreement, 1);
  }

  gave(pair: Pair): void {
    const holding = this.#pairs.get(pair);
    if (holding === undefined) return;
    this.#pairs.delete(pair);
    this.#territory.release(holding);
    if (pair.agreement.peerChose === 'both') this.#countTunnel(pair.agreement, -1);
  }

  #countTunnel(agreement: Agreement, change: 1 | -1): void {
    const party = partyKey(agreement);
    const key = tunnelKeyOf(agreement);
    const tunnels = this.#tunnels.get(party) ?? new Map<string, number>();
    const before = tunnels.get(key) ?? 0;
    if (before + change > 0) tunnels.set(key, before + change);
    else tunnels.delete(key);
    if (before === 0 || before + change === 0) this.#count += change;
    if (tunnels.size > 0) this.#tunnels.set(party, tunnels);
    else this.#tunnels.delete(party);
  }

  /** Too much for somebody without a section. */
  #excess(agreement: Agreement, { locals, remotes }: Traffic): string | undefined {
    const wide = remotes.find(({ family, prefixLength }) => prefixLength < WIDEST_PREFIX[family]);
    if (wide !== undefined) {
      const least = WIDEST_PREFIX[wide.family];
      return `; without a connection section a peer gets no network wider than /${least}: add a section if it is to have this`;
    }
    const policies = locals.length * remotes.length;
    if (policies > MOST_POLICIES) {
      return `; without a connection section a peer gets no ranges that make ${policies} networks: add a section if it is to have these`;
    }
    const tunnels = this.#tunnels.get(partyKey(agreement));
    if (tunnels?.has(tunnelKeyOf(agreement)) === true) return undefined;
    if ((tunnels?.size ?? 0) >= MOST_TUNNELS_OF_ONE) {
      return `; it has ${MOST_TUNNELS_OF_ONE} tunnels without a connection section, the most that one peer gets: add sections if it is to have more`;
    }
    if (this.#count < MOST_TUNNELS) return undefined;
    return `; there are ${MOST_TUNNELS} tunnels without a connection section, the most that there can be: add sections for some`;
  }

  #conflict({ peer, remoteIdentity, path }: Agreement, asked: Traffic): string | undefined {
    if (asked.remotes.some((net) => isAmong(path.local.address, net))) {
      return `; our address ${path.local.address} is among those: ${CURE}`;
    }
    const taken = this.#territory.takenFrom(asked, (holding) => isOwn(holding, peer, remoteIdentity));
    if (taken !== undefined) return `; that is traffic of ${holderWords(taken)}: ${CURE}`;
    const ours = this.#territory.ourNetworkIn(asked);
    return ours && `; among those is what connection ${ours.connection} has on our side: ${CURE}`;
  }
}

/** Without the way to a peer only those that name both ends. */
const sectionSelectors = (connection: ConnectionPolicy, path: Path | undefined): Selectors | undefined => {
  if (path !== undefined) return literalSelectors(connection, path);
  const { natId, localId, remoteId, onDemand } = connection;
  const local = natId ?? localId;
  return onDemand || local === undefined || remoteId === undefined ? undefined : { local, remote: remoteId };
};

const isOwn = (holding: Holding, peer: string, identity: string): boolean =>
  fold(holding.peer) === fold(peer) && (holding.identity === undefined || holding.identity === identity);

const isAmong = (address: string, { family, network, prefixLength }: CompiledSelector): boolean => {
  const parsed = parseAddress(address);
  return parsed?.family === family && beginsWith(parsed.bytes, 0, network, prefixLength);
};

const holderWords = ({ connection, peer, identity }: Holding): string =>
  identity === undefined ? `connection ${connection} of peer ${peer}` : `${bounded(identity)} (peer ${peer})`;

const partyKey = ({ peer, remoteIdentity }: Agreement): string => `${fold(peer)}\0${remoteIdentity}`;

const CURE = 'narrow what the policy gives it, or correct the peer';
/** Bits of a prefix. Road warriors have an address, or the network of a site. */
const WIDEST_PREFIX = { 4: 8, 6: 32 } as const;
/** Of one tunnel. Ranges with odd ends make many. */
const MOST_POLICIES = 16;
const MOST_TUNNELS_OF_ONE = 16;
const MOST_TUNNELS = 16_384;
