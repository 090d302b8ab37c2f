/** What all parts of the connection core work with: the moment of the event at hand, timers, randomness, and the way out. */
import type { ConfigurationView } from './configuration-view.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import type { ConnectionEffect } from './events.ts';

/** What the timers of the connection core are for. */
export type TimerEvent =
  | 'connection_checker'
  | 'connection_retry'
  | 'delete_again'
  | 'delete_forget'
  | 'dpd_check'
  | 'flow_retry'
  | 'isakmp_sa_renew'
  | 'lane_lost'
  | 'nat_t_keepalive'
  | 'phase_1_retry'
  | 'sa_discard'
  | 'sa_hard_expire'
  | 'sa_settle'
  | 'sa_soft_expire'
  | 'shutdown_pace'
  | 'shutdown_patience'
  | 'start_pending';

/** Hears of every timer, `subject` being a connection, a peer or nothing. */
export type TimerListener = (what: 'added' | 'fired', event: TimerEvent, subject: string, milliseconds: number) => void;

export interface DeskOptions {
  readonly view: ConfigurationView;
  readonly random: (size: number) => Uint8Array;
  readonly now: number;
  readonly onTimer?: TimerListener | undefined;
}

export class Desk {
  readonly view: ConfigurationView;
  readonly #random: (size: number) => Uint8Array;
  readonly #deadlines: Deadlines;
  readonly #onTimer: TimerListener | undefined;
  #now: number;
  #effects: ConnectionEffect[] = [];
  #counter = 0;

  /** `random` draws bytes; `now` in ms. */
  constructor({ view, random, now, onTimer }: DeskOptions) {
    this.view = view;
    this.#onTimer = onTimer;
    this.#random = random;
    this.#now = now;
    this.#deadlines = new Deadlines(now);
  }

  /** ms; the same for all that one event leads to. */
  get now(): number {
    return this.#now;
  }

  get timers(): number {
    return this.#deadlines.size;
  }

  get nextDeadline(): number | undefined {
    return this.#deadlines.next;
  }

  /** Time does not run backwards. */
  moveTo(now: number): void {
    this.#now = Math.max(now, this.#now);
  }

  fireDue(): void {
    this.#deadlines.advance(this.#now);
  }

  /** `event` and `subject` say what for, to those who debug timers. */
  after(milliseconds: number, event: TimerEvent, subject: string, fire: () => void): Deadline {
    const tell = this.#onTimer;
    if (tell === undefined) return this.#deadlines.schedule(this.#now + milliseconds, fire);
    tell('added', event, subject, milliseconds);
    return this.#deadlines.schedule(this.#now + milliseconds, () => {
      tell('fired', event, subject, 0);
      fire();
    });
  }

  emit(effect: ConnectionEffect): void {
    this.#effects.push(effect);
  }

  take(): readonly ConnectionEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  bytes(size: number): Uint8Array {
    return this.#random(size);
  }

  /** low <= x < high */
  uniform(low: number, high: number): number {
    const bytes = this.#random(4);
    const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    return low + ((high - low) * word) / 2 ** 32;
  }

  /** Numbers of requests and pairs: 1, 2, ... */
  nextNumber(): number {
    this.#counter++;
    return this.#counter;
  }
}
