/** Whose traffic is whose: what connection sections and pairs hold, found by what overlaps with it. */

import { beginsWith, PrefixTrie } from '../esp/prefix-trie.ts';
import { type CompiledSelector, compileSelector } from '../esp/selector.ts';
import { prefixesOf } from '../policy/prefixes.ts';
import type { Selectors } from '../policy/selectors.ts';

/** Traffic between networks: every local one with every remote one. */
export interface Traffic {
  readonly locals: readonly CompiledSelector[];
  readonly remotes: readonly CompiledSelector[];
}

export interface Holding {
  readonly traffic: Traffic;
  readonly connection: string;
  /** The peer section, as it is written. */
  readonly peer: string;
  /** Who has the pair; undefined: a section holds it, whoever authenticates by its peer. */
  readonly identity: string | undefined;
}

/** Names select no traffic: no networks. */
export const trafficOf = ({ local, remote }: Selectors): Traffic => ({
  locals: (prefixesOf(local) ?? []).map(compileSelector),
  remotes: (prefixesOf(remote) ?? []).map(compileSelector),
});

export class Territory {
  readonly #remotes = triePair<Set<Holding>>();
  /** The networks on our side that connection sections name, each with the sections. */
  readonly #locals = triePair<Set<Holding>>();

  hold(holding: Holding): void {
    for (const net of holding.traffic.remotes) add(this.#remotes, net, holding);
    if (holding.identity === undefined) for (const net of holding.traffic.locals) add(this.#locals, net, holding);
  }

  release(holding: Holding): void {
    for (const net of holding.traffic.remotes) remove(this.#remotes, net, holding);
    if (holding.identity === undefined) for (const net of holding.traffic.locals) remove(this.#locals, net, holding);
  }

  /** What of others' `asked` would take: all that it overlaps with but what is more specific, since that comes first in any kernel. */
  takenFrom(asked: Traffic, isOwn: (holding: Holding) => boolean): Holding | undefined {
    for (const net of asked.remotes) {
      for (const holdings of this.#remotes[net.family].overlapping(net.network, net.prefixLength)) {
        for (const holding of holdings) if (!isOwn(holding) && takes(asked, holding.traffic)) return holding;
      }
    }
    return undefined;
  }

  /** A connection section whose whole network on our side lies within what `asked` calls the peer's. */
  ourNetworkIn(asked: Traffic): Holding | undefined {
    for (const net of asked.remotes) {
      for (const holdings of this.#locals[net.family].within(net.network, net.prefixLength)) {
        for (const holding of holdings)
          if (holding.traffic.locals.some((local) => contains(net, local))) return holding;
      }
    }
    return undefined;
  }
}

const triePair = <T extends NonNullable<unknown>>() => ({ 4: new PrefixTrie<T>(), 6: new PrefixTrie<T>() });
type TriePair = ReturnType<typeof triePair<Set<Holding>>>;

const add = (tries: TriePair, { family, network, prefixLength }: CompiledSelector, holding: Holding): void => {
  const known = tries[family].get(network, prefixLength);
  if (known === undefined) tries[family].set(network, prefixLength, new Set([holding]));
  else known.add(holding);
};

const remove = (tries: TriePair, { family, network, prefixLength }: CompiledSelector, holding: Holding): void => {
  const known = tries[family].get(network, prefixLength);
  known?.delete(holding);
  if (known?.size === 0) tries[family].delete(network, prefixLength);
};

/** Policies are made for each pair of networks, so each pair is compared. */
const takes = (asked: Traffic, held: Traffic): boolean =>
  asked.remotes.some((remote) =>
    held.remotes.some(
      (otherRemote) =>
        meet(remote, otherRemote) &&
        asked.locals.some((local) =>
          held.locals.some(
            (otherLocal) => meet(local, otherLocal) && !isNarrower([otherLocal, otherRemote], [local, remote]),
          ),
        ),
    ),
  );

type Pair = readonly [local: CompiledSelector, remote: CompiledSelector];

const isNarrower = (inner: Pair, outer: Pair): boolean => within(inner, outer) && !within(outer, inner);

const within = ([local, remote]: Pair, [outerLocal, outerRemote]: Pair): boolean =>
  contains(outerLocal, local) && contains(outerRemote, remote);

const contains = (outer: CompiledSelector, inner: CompiledSelector): boolean =>
  outer.family === inner.family &&
  outer.prefixLength <= inner.prefixLength &&
  beginsWith(inner.network, 0, outer.network, outer.prefixLength) &&
  (outer.protocol === 0 || outer.protocol === inner.protocol) &&
  (outer.port === 0 || outer.port === inner.port);

const meet = (a: CompiledSelector, b: CompiledSelector): boolean =>
  a.family === b.family &&
  beginsWith(a.network, 0, b.network, Math.min(a.prefixLength, b.prefixLength)) &&
  (a.protocol === 0 || b.protocol === 0 || a.protocol === b.protocol) &&
  (a.port === 0 || b.port === 0 || a.port === b.port);
