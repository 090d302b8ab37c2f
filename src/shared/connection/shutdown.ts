/** The way out: DELETE for every SA, IPsec before ISAKMP, at a pace that the network bears; then `done`. */
import type { Attempts } from './attempts.ts';
import type { Connections } from './connections.ts';
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import type { Flows } from './flows.ts';
import type { Installs } from './installs.ts';
import type { IsakmpLives } from './isakmp-lives.ts';
import type { Lives } from './lives.ts';
import type { PairStore } from './pair-store.ts';
import type { Peers } from './peers.ts';

export class Shutdown {
  readonly #desk: Desk;
  readonly #parts: Parts;
  #steps: Iterator<void> | undefined;
  #messagesPerTick = LEAST_PER_TICK;
  #hasSpoken = false;
  #deletesSas = false;
  #isDone = false;

  constructor(desk: Desk, parts: Parts) {
    this.#desk = desk;
    this.#parts = parts;
  }

  get hasBegun(): boolean {
    return this.#steps !== undefined || this.#isDone;
  }

  begin(deleteSas: boolean): void {
    if (this.hasBegun) return;
    this.#deletesSas = deleteSas;
    const { attempts, deletes, installs, connections } = this.#parts;
    attempts.pause(true);
    attempts.cancelAll();
    deletes.stop();
    deletes.isHurried = true;
    installs.isClosed = true;
    for (const connection of [...connections.active]) connections.deactivate(connection);
    if (!deleteSas) {
      this.#finish();
      return;
    }
    const { peers } = this.#parts;
    const messages = peers.isakmpSas + this.#parts.store.established;
    const wanted = Math.ceil((messages * TICK_MS) / SPEECH_MS);
    this.#messagesPerTick = Math.min(Math.max(wanted, LEAST_PER_TICK), MOST_PER_TICK);
    this.#steps = this.#words();
    this.#speak();
  }

  /** To be called when an ISAKMP SA is gone: the last one has said its DELETE. */
  check(): void {
    if (this.#hasSpoken && this.#parts.peers.isakmpSas === 0) this.#finish();
  }

  #speak(): void {
    for (let message = 0; message < this.#messagesPerTick; message++) {
      if (this.#steps?.next().done !== true) continue;
      this.#hasSpoken = true;
      this.check();
      if (!this.#isDone) this.#desk.after(PATIENCE_MS, 'shutdown_patience', '', () => this.#finish());
      return;
    }
    this.#desk.after(TICK_MS, 'shutdown_pace', '', () => this.#speak());
  }

  *#words(): Generator<void, void> {
    const { peers, lives, deletes, isakmpLives } = this.#parts;
    const parties = [...peers.all()].flatMap((peer) => [...peer.parties.values()]);
    for (const party of parties) {
      const pairs = [...party.pairs];
      for (const pair of pairs) lives.remove(pair, 'may', 'operator');
      deletes.run();
      if (pairs.length > 0) yield;
    }
    for (const sa of [...peers.allIsakmp()]) {
      isakmpLives.delete(sa);
      yield;
    }
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    // Last of all, so that nothing leaves in clear while there are SAs to say goodbye to.
    if (this.#deletesSas && !this.#desk.view.blocksOnExit) this.#parts.flows.clear();
    this.#desk.emit({ kind: 'done' });
  }
}

interface Parts {
  readonly peers: Peers;
  readonly store: PairStore;
  readonly connections: Connections;
  readonly attempts: Attempts;
  readonly installs: Installs;
  readonly lives: Lives;
  readonly deletes: Deletes;
  readonly flows: Flows;
  readonly isakmpLives: IsakmpLives;
}

const TICK_MS = 100;
/** A party's IPsec SAs are one message, or a few. */
const LEAST_PER_TICK = 200;
/** As fast as lanes encrypt and sockets send without a burst that nobody's buffers hold. */
const MOST_PER_TICK = 1000;
/** Whoever ends the daemon waits for it: this long where MOST_PER_TICK allows it. */
const SPEECH_MS = 3500;
/** For lanes that do not answer. */
const PATIENCE_MS = 5000;
