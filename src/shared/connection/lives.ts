/** Established pairs: which one of a tunnel is current, when it is renewed, and its end. */
import { DEFAULT_LIFE_SECONDS } from '../constants/ipsec-doi.ts';
import { SaFlag } from '../sa-table/rows.ts';
import type { Attempts } from './attempts.ts';
import type { ConvergenceRule } from './convergence.ts';
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import { claimOfPair } from './flow-claims.ts';
import type { Flows } from './flows.ts';
import type { Loss } from './news.ts';
import type { PairStore } from './pair-store.ts';
import type { Connection, Pair, QuickRequest, Tunnel, Urgency } from './records.ts';

export class Lives {
  readonly #desk: Desk;
  readonly #store: PairStore;
  readonly #attempts: Attempts;
  readonly #deletes: Deletes;
  readonly #flows: Flows;
  readonly #rule: ConvergenceRule;
  #settling = 0;

  constructor(
    desk: Desk,
    parts: {
      readonly store: PairStore;
      readonly attempts: Attempts;
      readonly deletes: Deletes;
      readonly flows: Flows;
    },
    rule: ConvergenceRule,
  ) {
    this.#desk = desk;
    this.#store = parts.store;
    this.#attempts = parts.attempts;
    this.#deletes = parts.deletes;
    this.#flows = parts.flows;
    this.#rule = rule;
  }

  /** Pairs that have just come up and do not carry yet. */
  get settling(): number {
    return this.#settling;
  }

  /** A quick mode is complete; `request` if it was ours. */
  begin(pair: Pair, request: QuickRequest | undefined): void {
    const { now } = this.#desk;
    // From the moment we decided on it the peer's pairs are simultaneous: the lane starts only later.
    pair.startedAt = Math.min(pair.startedAt, request?.postedAt ?? pair.startedAt);
    pair.establishedAt = now;
    const life = (pair.agreement.lifeSeconds === 0 ? DEFAULT_LIFE_SECONDS : pair.agreement.lifeSeconds) * 1000;
    const [least, most] = pair.isOurs ? INITIATOR_SOFT : RESPONDER_SOFT;
    const soft = life * this.#desk.uniform(least, most);
    pair.softAt = now + soft;
    pair.hardAt = now + life;
    pair.soft = this.#desk.after(soft, 'sa_soft_expire', pair.connection.name, () => this.#softExpired(pair));
    pair.hard = this.#desk.after(life, 'sa_hard_expire', pair.connection.name, () =>
      this.remove(pair, pair.state === 'current' ? 'must' : 'once', 'expired'),
    );
    pair.isDemanded = pair.connection.demand !== undefined || request?.renews?.isDemanded === true;
    pair.connection.demand = undefined;
    if (pair.isOurs) pair.party.peer.initiated++;
    if (pair.connection.isDown) pair.connection.changedAt = now;
    const tunnel = pair.connection.tunnelFor(pair);
    pair.tunnel = tunnel;
    const older = tunnel.current;
    const verdict = older === undefined ? 'replaces' : this.#rule(older, pair);
    tunnel.pairs.push(pair);
    if (verdict === 'loses') this.#demote(pair, 'losing');
    else {
      if (older !== undefined) this.#demote(older, verdict === 'wins' ? 'losing' : 'replaced');
      this.#promote(tunnel, pair, older);
    }
    this.#desk.emit({ kind: 'news', news: { kind: 'phase2Up', agreement: pair.agreement } });
    this.#supersede(request?.renews, tunnel);
    this.#limit(tunnel);
  }

  /** The soft lifetime ends now, whenever it would have. `isOurs`: we renew the pair even if the peer began it. */
  expireSoftly(pair: Pair, isOurs: boolean): void {
    pair.isToRedo ||= isOurs;
    pair.soft?.cancel();
    this.#softExpired(pair);
  }

  /** Ends an established pair; `urgency` undefined: the peer needs no DELETE. `delay` (ms) puts off the restart. */
  remove(pair: Pair, urgency: Urgency | undefined, loss: Loss, delay = 0): void {
    if (!pair.isEstablished) return;
    const { connection } = pair;
    for (const timer of [pair.soft, pair.hard, pair.discard]) timer?.cancel();
    if (pair.isOurs) pair.party.peer.initiated--;
    connection.due.delete(pair);
    this.#store.remove(pair);
    const wasUp = !connection.isDown;
    this.#leaveTunnel(pair);
    this.#desk.emit({ kind: 'remove', sas: pair.installed });
    this.#desk.emit({ kind: 'pairGone', pair: pair.id });
    this.#desk.emit({ kind: 'news', news: { kind: 'phase2Down', agreement: pair.agreement, why: loss } });
    if (urgency !== undefined) this.#deletes.add(pair.party, pair.agreement.protocols, urgency);
    if (wasUp && connection.isDown) connection.changedAt = this.#desk.now;
    if (connection.isDown) this.restart(connection, loss, delay);
  }

  /** The connection has become active or has ceased to be: what it means for its pairs. */
  reconsider(connection: Connection): void {
    for (const pair of connection.pairs()) {
      if (!this.#isOursToRenew(pair)) connection.due.delete(pair);
      else if (pair.state === 'current' && pair.softAt === 0 && !this.#mustHaveBeenUsed(pair)) {
        connection.due.add(pair);
      }
      this.#publish(pair);
    }
    this.#attempts.want(connection);
  }

  /** How much a pair that nears its end was used. */
  answered(pair: Pair, wasUsed: boolean): void {
    pair.wasUsed ||= wasUsed;
    this.#renew(pair);
  }

  /** The pair has moved: policies and table are to know it. */
  moved(pair: Pair): void {
    if (pair.tunnel?.carrier === pair) this.#point(pair.tunnel, pair);
    this.#publish(pair);
  }

  #softExpired(pair: Pair): void {
    pair.softAt = 0;
    this.#publish(pair);
    if (this.#mustHaveBeenUsed(pair)) this.#askForUsage(pair);
    else this.#renew(pair);
  }

  /** Nobody wants it up for its own sake. */
  #mustHaveBeenUsed(pair: Pair): boolean {
    return pair.isDemanded && !pair.wasUsed && !pair.connection.isActive;
  }

  #askForUsage(pair: Pair): void {
    const id = pair.installed.find(({ destination }) => destination === pair.agreement.path.remote.address);
    if (pair.state !== 'current' || id === undefined) return;
    this.#desk.emit({ kind: 'query', of: { kind: 'pair', pair: pair.id }, sas: [id] });
  }

  #renew(pair: Pair): void {
    if (pair.state !== 'current' || pair.softAt !== 0 || !this.#isOursToRenew(pair)) return;
    if (this.#mustHaveBeenUsed(pair)) return;
    pair.connection.due.add(pair);
    this.#attempts.want(pair.connection);
  }

  #isOursToRenew(pair: Pair): boolean {
    const isConfigured = this.#desk.view.connection(pair.connection.name) !== undefined;
    return isConfigured && (pair.isOurs || pair.isToRedo || pair.connection.isActive);
  }

  /** Outbound traffic uses this pair from now on; where a policy of somebody else's catches it, that is what the kernel does anyway. */
  #point(tunnel: Tunnel, pair: Pair): void {
    tunnel.carrier = pair;
    if (pair.connection.foreignReqid !== undefined) return;
    const { localSelector: local, remoteSelector: remote } = pair.agreement;
    this.#flows.claim(tunnel, { local, remote }, claimOfPair(pair));
  }

  /** A renewal under another identity, or with other selectors, since those were changed meanwhile: the pair that was due has its successor in another tunnel. */
  #supersede(renewed: Pair | undefined, tunnel: Tunnel): void {
    if (renewed?.state !== 'current' || renewed.tunnel === undefined || renewed.tunnel === tunnel) return;
    renewed.tunnel.current = undefined;
    this.#flows.release(renewed.tunnel);
    this.#demote(renewed, 'replaced');
  }

  /** A peer that renews without end does not fill our memory: the oldest unused pair makes room. */
  #limit(tunnel: Tunnel): void {
    if (tunnel.pairs.length <= MOST_PAIRS) return;
    const oldest = tunnel.pairs.find(({ state }) => state !== 'current');
    if (oldest !== undefined) this.remove(oldest, 'may', 'surplus');
  }

  /**
   * `older` carries what is sent until the peer, who need not have its inbound SA before our last message reaches it, has had time for that: a renewal
   * loses no packet.
   */
  #promote(tunnel: Tunnel, pair: Pair, older?: Pair): void {
    pair.discard?.cancel();
    pair.discard = undefined;
    pair.state = 'current';
    tunnel.current = pair;
    const carriesOn = pair.isOurs && older !== undefined && older.hardAt > this.#desk.now + SETTLING_MS;
    if (!carriesOn) this.#point(tunnel, pair);
    else {
      this.#settling++;
      this.#desk.after(SETTLING_MS, 'sa_settle', pair.connection.name, () => {
        this.#settling--;
        const isStillNext = pair.state === 'current' && tunnel.current === pair && tunnel.carrier !== pair;
        if (isStillNext) this.#point(tunnel, pair);
      });
    }
    this.#publish(pair);
    this.#renew(pair);
  }

  #demote(pair: Pair, state: 'replaced' | 'losing'): void {
    pair.state = state;
    pair.connection.due.delete(pair);
    if (state === 'losing' && pair.isOurs) {
      pair.discard = this.#desk.after(LOSER_STAYS_MS, 'sa_discard', pair.connection.name, () =>
        this.remove(pair, 'must', 'surplus'),
      );
    }
    this.#publish(pair);
  }

  /** Where the current pair goes and another one is alive, that one is used again: the other end has found against the one that went. */
  #leaveTunnel(pair: Pair): void {
    const { tunnel } = pair;
    if (tunnel === undefined) return;
    tunnel.pairs.splice(tunnel.pairs.indexOf(pair), 1);
    const newest = tunnel.pairs.at(-1);
    if (newest === undefined) {
      pair.connection.tunnels.delete(tunnel.key);
      this.#flows.release(tunnel);
    } else if (tunnel.current === pair) this.#promote(tunnel, newest);
    else if (tunnel.carrier === pair && tunnel.current !== undefined) this.#point(tunnel, tunnel.current);
  }

  /** A connection has no pair any more. */
  restart(connection: Connection, loss: Loss, delay = 0): void {
    if (loss === 'operator' || loss === 'distrusted') return;
    const { now, view } = this.#desk;
    const penalty =
      loss === 'deletedByPeer' && connection.isActive
        ? connection.backOff.deletedByPeer(now, view.checkIntervalSeconds, this.#desk.uniform(0, 1))
        : 0;
    this.#attempts.wantAfter(connection, Math.max(delay, penalty));
  }

  #publish(pair: Pair): void {
    const { id, agreement, establishedAt, softAt, hardAt } = pair;
    const facts = { pair: id, agreement, flags: this.#flags(pair), establishedAt, softAt, hardAt };
    this.#desk.emit({ kind: 'pair', facts });
  }

  #flags(pair: Pair): number {
    const isFading = pair.state === 'current' && pair.softAt === 0 && !this.#isOursToRenew(pair);
    return (
      SaFlag.READY |
      (pair.connection.isActive ? SaFlag.STAYALIVE : 0) |
      (pair.state === 'current' ? 0 : SaFlag.REPLACED) |
      (isFading ? SaFlag.FADING : 0) |
      (pair.agreement.path.encapsulated ? SaFlag.NAT_T_ENABLE : 0)
    );
  }
}

/** Shares of the life. The initiator comes first, so that ordinarily only one end renews. */
const INITIATOR_SOFT = [0.85, 0.9] as const;
const RESPONDER_SOFT = [0.9, 0.949] as const;
/** Of one tunnel; ordinarily there are one or two. */
const MOST_PAIRS = 8;
/** A message may be lost and come again. */
const SETTLING_MS = 1_000;
/** Long enough for what is in flight under the losing pair. */
const LOSER_STAYS_MS = 10_000;
