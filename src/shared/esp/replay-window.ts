/** Which sequence numbers of an inbound SA have been seen, RFC 4303 §3.4.3: a ring of bits that ends with the highest one. */
import { InvariantError } from '../errors.ts';

export class ReplayWindow {
  readonly #size: number;
  readonly #words: Int32Array;
  readonly #mask: number;
  #highest = 0;

  /** `size` in packets, 1 to 4096. */
  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1 || size > LARGEST_WINDOW) {
      throw new InvariantError(`a replay window of ${size} packets`);
    }
    this.#size = size;
    // One word more than the window covers, a power of two: where the ring begins anew nothing that counts is overwritten.
    let words = 1;
    while (words * 32 < size + 32) words *= 2;
    this.#words = new Int32Array(words);
    this.#mask = words - 1;
  }

  /** The highest number that was accepted, 0 while there is none. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether the number is neither 0, nor left of the window, nor seen before. Nothing changes: the packet may still be a forgery. */
  isFresh(sequence: number): boolean {
    if (sequence > this.#highest) return true;
    if (sequence === 0 || this.#highest - sequence >= this.#size) return false;
    return ((this.#words[(sequence >>> 5) & this.#mask] ?? 0) & (1 << (sequence & 31))) === 0;
  }

  /** For a fresh number whose packet is authentic. */
  accept(sequence: number): void {
    if (sequence > this.#highest) {
      this.#advance(sequence);
      this.#highest = sequence;
    }
    const word = (sequence >>> 5) & this.#mask;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (sequence & 31));
  }

  /** Words that the window moves into hold numbers of a former round. */
  #advance(sequence: number): void {
    const from = this.#highest >>> 5;
    const steps = Math.min((sequence >>> 5) - from, this.#mask + 1);
    for (let i = 1; i <= steps; i++) this.#words[(from + i) & this.#mask] = 0;
  }
}

/** As many as Linux allows. */
export const LARGEST_WINDOW = 4096;
