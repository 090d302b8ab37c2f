/**
 * Dead peer detection, RFC 3706 §5.5: a peer from which nothing has come for DPD-check-interval, neither through its IPsec SAs nor over IKE, is asked
 * whether it lives. One that does not answer loses its SAs; what should be up is begun anew.
 */
import type { Desk } from './desk.ts';
import type { Lives } from './lives.ts';
import type { Mode } from './mode.ts';
import type { Peers } from './peers.ts';
import type { IsakmpSa } from './records.ts';

export class DeadPeers {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #lives: Lives;
  readonly #mode: Mode;
  #lastInterval: number;

  constructor(desk: Desk, parts: { readonly peers: Peers; readonly lives: Lives; readonly mode: Mode }) {
    this.#desk = desk;
    this.#peers = parts.peers;
    this.#lives = parts.lives;
    this.#mode = parts.mode;
    this.#lastInterval = this.#interval;
  }

  /** An ISAKMP SA is new. The others with this peer are not watched any more. */
  watch(sa: IsakmpSa): void {
    if (!sa.answersProbes) return;
    for (const other of sa.party.sas) other.watch?.cancel();
    this.#wait(sa, this.#desk.now);
  }

  /** DPD-check-interval may be another. */
  reconfigured(): void {
    if (this.#interval === this.#lastInterval) return;
    this.#lastInterval = this.#interval;
    for (const sa of this.#peers.allIsakmp()) if (sa.isNewest) this.watch(sa);
  }

  /** What the kernel knows: the peer's last packet came at `usedAt` (ms); 0: none ever did. */
  used(sa: IsakmpSa, usedAt: number): void {
    const quietSince = this.#desk.now - this.#interval;
    if (usedAt > quietSince) {
      this.#wait(sa, usedAt);
      return;
    }
    // In case no answer ever comes: the lane may die meanwhile.
    this.#wait(sa, this.#desk.now);
    this.#desk.emit({ kind: 'post', lane: sa.lane, event: { kind: 'probe', isakmp: sa.cookies, quietSince } });
  }

  alive(sa: IsakmpSa, heardAt: number): void {
    this.#wait(sa, heardAt);
  }

  /** Nothing is sent to it: it would not hear it. */
  dead(sa: IsakmpSa): void {
    const { party } = sa;
    for (const other of [...party.sas]) {
      other.isDoomed = true;
      const event = { kind: 'deleteIsakmp', isakmp: other.cookies, notify: false } as const;
      this.#desk.emit({ kind: 'post', lane: other.lane, event });
    }
    for (const pair of [...party.pairs]) this.#lives.remove(pair, undefined, 'peerDead');
  }

  /** ms; 0: off. */
  get #interval(): number {
    return this.#desk.view.deadPeerSeconds * 1000;
  }

  #wait(sa: IsakmpSa, heardAt: number): void {
    sa.watch?.cancel();
    sa.watch = undefined;
    if (this.#interval === 0 || !sa.isNewest || sa.isDoomed) return;
    const rest = heardAt + this.#interval - this.#desk.now;
    sa.watch = this.#desk.after(Math.max(rest, LEAST_WAIT), 'dpd_check', sa.party.peer.name, () => this.#due(sa));
  }

  #due(sa: IsakmpSa): void {
    if (this.#mode.isPassive) {
      this.#wait(sa, this.#desk.now);
      return;
    }
    const inbound = [...sa.party.pairs].flatMap((pair) => {
      const { agreement } = pair;
      const destination = agreement.path.local.address;
      return agreement.protocols.map(({ protocolId, spiIn: spi }) => ({ protocolId, spi, destination }));
    });
    if (inbound.length === 0) this.used(sa, 0);
    else this.#desk.emit({ kind: 'query', of: { kind: 'isakmp', isakmp: sa.cookies }, sas: inbound });
  }
}

/** ms */
const LEAST_WAIT = 1_000;
