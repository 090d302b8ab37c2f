/** ISAKMP SAs as main sees them: which are there, which is to be renewed, and what their coming and going means for IPsec SAs. */
import type { Attempts } from './attempts.ts';
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import type { SaEffect } from './events.ts';
import type { Lives } from './lives.ts';
import { initialContact, isakmpDeletedByPeer, refusedSecondSa } from './log-lines.ts';
import type { PairStore } from './pair-store.ts';
import type { Peers } from './peers.ts';
import type { IsakmpSa } from './records.ts';

type Facts = Extract<SaEffect, { readonly kind: 'phase1Established' }>;

export class IsakmpLives {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #store: PairStore;
  readonly #attempts: Attempts;
  readonly #deletes: Deletes;
  readonly #lives: Lives;

  constructor(
    desk: Desk,
    parts: {
      readonly peers: Peers;
      readonly store: PairStore;
      readonly attempts: Attempts;
      readonly deletes: Deletes;
      readonly lives: Lives;
    },
  ) {
    this.#desk = desk;
    this.#peers = parts.peers;
    this.#store = parts.store;
    this.#attempts = parts.attempts;
    this.#deletes = parts.deletes;
    this.#lives = parts.lives;
  }

  established(lane: number, facts: Facts): void {
    const sa = this.#peers.addIsakmp(lane, this.#desk.now, facts);
    this.#desk.emit({ kind: 'news', news: { kind: 'phase1Up', ...newsOf(sa) } });
    const first = this.#firstToKeep(sa);
    if (first !== undefined) this.#desk.emit({ kind: 'log', record: refusedSecondSa(sa, first) });
    const isWanted = this.#attempts.phase1Established(sa, facts.request);
    if (!isWanted || first !== undefined) {
      this.delete(sa);
      return;
    }
    if (facts.initialContact) this.initialContact(sa);
    const { sas, peer } = sa.party;
    // The lane keeps to the policy with which an exchange began.
    if (sa.startedAt < peer.changedAt) peer.outdated.add(sa);
    else for (const outdated of peer.outdated) this.delete(outdated);
    for (const older of sas) if (older.isSuspect) this.delete(older);
    const [oldest] = sas;
    if (oldest !== undefined && sas.length > MOST_SAS) this.delete(oldest);
    this.#markReplaced(sas);
    this.#deletes.phase1Established(sa.party);
  }

  /** The newest is used, older ones stay until they expire (decisions 3.4): the SA table shows which are which. */
  #markReplaced(sas: readonly IsakmpSa[]): void {
    const used = sas.findLast(({ isDoomed }) => !isDoomed);
    for (const sa of sas) {
      const isReplaced = sa !== used;
      if (sa.isDoomed || sa.isReplaced === isReplaced) continue;
      sa.isReplaced = isReplaced;
      this.#desk.emit({ kind: 'post', lane: sa.lane, event: { kind: 'replaced', isakmp: sa.cookies, isReplaced } });
    }
  }

  /** The lane is to delete it, and tell the peer; nothing new begins under it. */
  delete(sa: IsakmpSa): void {
    sa.isDoomed = true;
    const event = { kind: 'deleteIsakmp', isakmp: sa.cookies, notify: true } as const;
    this.#desk.emit({ kind: 'post', lane: sa.lane, event });
  }

  gone({ isakmp, why }: Extract<SaEffect, { readonly kind: 'phase1Gone' }>): void {
    const sa = this.#peers.isakmp(isakmp);
    if (sa === undefined) return;
    if (why === 'deletedByPeer' && sa.softAt > this.#desk.now) {
      this.#desk.emit({ kind: 'log', record: isakmpDeletedByPeer(sa) });
    }
    this.#peers.removeIsakmp(sa);
    this.#markReplaced(sa.party.sas);
    this.#desk.emit({ kind: 'news', news: { kind: 'phase1Down', why, ...newsOf(sa) } });
    if (this.#desk.view.peer(sa.party.peer.name)?.deleteChildren !== true) return;
    // This peer has removed its ends already, or does so with the ISAKMP SA; where another one is there, it hears of it.
    const loss = why === 'deletedByPeer' ? 'deletedByPeer' : 'forgottenByPeer';
    for (const pair of this.#store.children(isakmp)) this.#lives.remove(pair, 'may', loss);
  }

  /** The soft lifetime is over. Only the newest is renewed, and only for those who will need it. */
  expiring(sa: IsakmpSa): void {
    const { peer } = sa.party;
    if (!sa.isNewest || !peer.hasInterest || this.#desk.view.peer(peer.name) === undefined) return;
    peer.isRenewing = true;
    this.#attempts.wantPhase1(peer);
  }

  /** Its lane died and the successor has it; but the memory of used message ids is lost, so it is renewed, not all at once. */
  resumed(lane: number, { isakmp }: Extract<SaEffect, { readonly kind: 'phase1Resumed' }>): void {
    const sa = this.#peers.isakmp(isakmp);
    if (sa === undefined) {
      // Established when the lane died, before it could say so.
      const event = { kind: 'deleteIsakmp', isakmp, notify: true } as const;
      this.#desk.emit({ kind: 'post', lane, event });
      return;
    }
    sa.unconfirmedSince = undefined;
    if (sa.isDoomed) {
      // Its lane died before it had done what it was told.
      this.delete(sa);
      return;
    }
    sa.renewal?.cancel();
    const [soonest, latest] = RENEWAL_AFTER_RESUMPTION_MS;
    sa.renewal = this.#desk.after(this.#desk.uniform(soonest, latest), 'isakmp_sa_renew', sa.party.peer.name, () =>
      this.expiring(sa),
    );
  }

  laneLost(lane: number): void {
    const { now } = this.#desk;
    const lost: IsakmpSa[] = [];
    for (const sa of this.#peers.allIsakmp()) {
      if (sa.lane !== lane) continue;
      sa.unconfirmedSince = now;
      lost.push(sa);
    }
    if (lost.length === 0) return;
    this.#desk.after(RESUMPTION_TAKES_MS, 'lane_lost', '', () => {
      for (const sa of lost) {
        if (sa.unconfirmedSince !== now) continue;
        this.#peers.removeIsakmp(sa);
        this.#markReplaced(sa.party.sas);
      }
    });
  }

  /** `Unique=keep`: the SA of the same identity at another place that stands in the way. */
  #firstToKeep(sa: IsakmpSa): IsakmpSa | undefined {
    if (this.#desk.view.peer(sa.party.peer.name)?.unique !== 'keep') return undefined;
    return sa.party.sas.find((other) => other !== sa && !other.isSuspect && !other.isDoomed && !isSamePlace(other, sa));
  }

  /** Decisions 3.6: what this identity had from the same place before the exchange began is dead. What is younger comes from two starts at once. */
  initialContact(sa: IsakmpSa): void {
    const { startedAt } = sa;
    const unique = this.#desk.view.peer(sa.party.peer.name)?.unique ?? 'replace';
    if (unique !== 'replace') return;
    const deadSas = sa.party.sas.filter(
      (other) => other !== sa && other.establishedAt < startedAt && isSamePlace(other, sa),
    );
    const deadPairs = [...sa.party.pairs].filter(
      (pair) => pair.isEstablished && pair.establishedAt < startedAt && isSamePlace(pair.agreement, sa),
    );
    for (const dead of deadSas) this.delete(dead);
    for (const pair of currentLast(deadPairs)) {
      // The peer may know them after all, when its first message came late: it must not send into a void.
      this.#lives.remove(pair, 'may', 'forgottenByPeer', this.#attempts.turnAfter(sa));
    }
    const record = initialContact(sa, deadSas.length, deadPairs.length);
    this.#desk.emit({ kind: 'log', record });
  }
}

const newsOf = ({ cookies, party, role, path, localIdentity }: IsakmpSa) => ({
  cookies,
  peer: party.peer.name,
  role,
  path,
  localIdentity,
  remoteIdentity: party.identity,
});

/** So that no replaced pair is taken up again on the way. */
export const currentLast = <T extends { readonly state: string }>(pairs: readonly T[]): readonly T[] => [
  ...pairs.filter(({ state }) => state !== 'current'),
  ...pairs.filter(({ state }) => state === 'current'),
];

const isSamePlace = (a: { readonly path: IsakmpSa['path'] }, b: { readonly path: IsakmpSa['path'] }): boolean =>
  a.path.remote.address === b.path.remote.address && a.path.remote.port === b.path.remote.port;

/** Of one identity: a peer that begins phase 1 again and again does not fill our memory. */
const MOST_SAS = 16;
const RENEWAL_AFTER_RESUMPTION_MS = [60_000, 600_000] as const;
const RESUMPTION_TAKES_MS = 30_000;
