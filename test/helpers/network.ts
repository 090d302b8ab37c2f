/** Virtual time, and a network with weather: what happens when, in which order, all from one seed. */
import type { Prng } from './prng.ts';

/** Things to happen, by time, ties in the order they were planned. */
export class Schedule {
  now = 0;
  #counter = 0;
  readonly #heap: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** ms; Infinity when nothing is planned. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  at(time: number, act: () => void): void {
    this.#heap.push({ at: Math.max(time, this.now), order: this.#counter++, act });
    this.#rise(this.#heap.length - 1);
  }

  after(milliseconds: number, act: () => void): void {
    this.at(this.now + milliseconds, act);
  }

  /** Does the first thing, if it is due. */
  step(): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at > this.now) return false;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    first.act();
    return true;
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return a !== undefined;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }

  #rise(start: number): void {
    for (let i = start; i > 0 && this.#isBefore(i, (i - 1) >> 1); i = (i - 1) >> 1) this.#swap(i, (i - 1) >> 1);
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (child >= this.#heap.length || !this.#isBefore(child, i)) return;
      this.#swap(i, child);
      i = child;
    }
  }
}

export interface Weather {
  /** Probabilities. */
  readonly loss: number;
  readonly duplication: number;
  /** Of being held back for up to `longDelay`, which reorders. */
  readonly straggling: number;
  /** ms */
  readonly delay: readonly [number, number];
  readonly longDelay: number;
}

export const FAIR: Weather = { loss: 0, duplication: 0, straggling: 0, delay: [1, 20], longDelay: 0 };

/** Carries datagrams between addresses as the weather allows. */
export class Network {
  weather: Weather = FAIR;
  /** Nothing arrives. */
  isCut = false;
  sent = 0;
  readonly #schedule: Schedule;
  readonly #prng: Prng;
  readonly #hosts = new Map<string, (from: string, bytes: Uint8Array) => void>();

  constructor(schedule: Schedule, prng: Prng) {
    this.#schedule = schedule;
    this.#prng = prng;
  }

  attach(address: string, receive: (from: string, bytes: Uint8Array) => void): void {
    this.#hosts.set(address, receive);
  }

  detach(address: string): void {
    this.#hosts.delete(address);
  }

  send(from: string, to: string, bytes: Uint8Array): void {
    this.sent++;
    const { loss, duplication } = this.weather;
    if (this.isCut || this.#prng.chance(loss)) return;
    const copies = this.#prng.chance(duplication) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = bytes.slice();
      this.#schedule.after(this.#delay(), () => this.#hosts.get(to)?.(from, copy));
    }
  }

  #delay(): number {
    const { delay, straggling, longDelay } = this.weather;
    const ordinary = this.#prng.between(delay[0], delay[1]);
    return this.#prng.chance(straggling) ? ordinary + this.#prng.between(0, longDelay) : ordinary;
  }
}
