/** What all parts of the connection core work with: the moment of the event at hand, timers, randomness, and the way out. */
import type { ConfigurationView } from './configuration-view.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import type { ConnectionEffect } from './events.ts';

export class Desk {
  readonly view: ConfigurationView;
  readonly #random: (size: number) => Uint8Array;
  readonly #deadlines: Deadlines;
  #now: number;
  #effects: ConnectionEffect[] = [];
  #counter = 0;

  /** `random` draws bytes; `now` in ms. */
  constructor(view: ConfigurationView, random: (size: number) => Uint8Array, now: number) {
    this.view = view;
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

  after(milliseconds: number, fire: () => void): Deadline {
    return this.#deadlines.schedule(this.#now + milliseconds, fire);
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
