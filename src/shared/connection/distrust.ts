/** Peers whose certificates are refused by now lose what rests on them: their ISAKMP SAs, and the IPsec SAs that were made under those. */
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import { currentLast, type IsakmpLives } from './isakmp-lives.ts';
import type { Lives } from './lives.ts';
import { distrusted } from './log-lines.ts';
import type { PairStore } from './pair-store.ts';
import type { Peers } from './peers.ts';
import type { Proof } from './proofs.ts';
import type { IsakmpSa, Pair, Party } from './records.ts';

interface Condemned {
  readonly reason: string;
  readonly sas: IsakmpSa[];
  readonly pairs: Pair[];
}

export class Distrust {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #store: PairStore;
  readonly #deletes: Deletes;
  readonly #lives: Lives;
  readonly #isakmpLives: IsakmpLives;

  constructor(
    desk: Desk,
    parts: {
      readonly peers: Peers;
      readonly store: PairStore;
      readonly deletes: Deletes;
      readonly lives: Lives;
      readonly isakmpLives: IsakmpLives;
    },
  ) {
    this.#desk = desk;
    this.#peers = parts.peers;
    this.#store = parts.store;
    this.#deletes = parts.deletes;
    this.#lives = parts.lives;
    this.#isakmpLives = parts.isakmpLives;
  }

  /** What SAs of either phase rest on, each once. */
  proofs(): Iterable<Proof> {
    const proofs = new Map<string, Proof>();
    for (const { proof } of this.#peers.allIsakmp()) if (proof !== undefined) proofs.set(proof.id, proof);
    for (const { proof } of this.#store.all()) if (proof !== undefined) proofs.set(proof.id, proof);
    return proofs.values();
  }

  /** `reasons`: why, by the id of a proof. Nothing comes back by itself before the next check of connections; then phase 1 decides. */
  end(reasons: ReadonlyMap<string, string>): void {
    for (const [party, { reason, sas, pairs }] of this.#condemned(reasons)) {
      this.#desk.emit({ kind: 'log', record: distrusted(party, sas, pairs, reason) });
      for (const pair of currentLast(pairs)) this.#lives.remove(pair, 'once', 'distrusted');
      // While there is still an ISAKMP SA to say it under.
      this.#deletes.run();
      for (const sa of sas) this.#isakmpLives.delete(sa);
    }
  }

  #condemned(reasons: ReadonlyMap<string, string>): ReadonlyMap<Party, Condemned> {
    const parties = new Map<Party, Condemned>();
    const of = ({ party, proof }: IsakmpSa | Pair): Condemned | undefined => {
      const reason = reasons.get(proof?.id ?? '');
      if (reason === undefined) return undefined;
      const known = parties.get(party) ?? { reason, sas: [], pairs: [] };
      parties.set(party, known);
      return known;
    };
    for (const sa of this.#peers.allIsakmp()) if (!sa.isDoomed) of(sa)?.sas.push(sa);
    for (const pair of this.#store.all()) if (pair.isEstablished) of(pair)?.pairs.push(pair);
    return parties;
  }
}
