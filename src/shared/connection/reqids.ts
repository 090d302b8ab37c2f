/** The numbers by which the kernel tells our pairs apart: no two living ones have the same. */
import type { ReqidRange } from '../flow.ts';

export class Reqids {
  readonly #range: ReqidRange;
  readonly #taken = new Set<number>();
  readonly #reserved = new Set<number>();
  #last = 0;

  constructor(range: ReqidRange) {
    this.#range = range;
  }

  /** Somebody has it already; it is never given out. */
  reserve(reqid: number): void {
    this.#reserved.add(reqid - this.#range.first);
  }

  /** One that can be done without, while there are plenty. */
  takeSpare(): number | undefined {
    return this.#taken.size < this.#range.count / 2 ? this.take() : undefined;
  }

  /** No SA ever has it. */
  get nobody(): number {
    return this.#range.first;
  }

  /** One that was not used for as long as possible, since the kernel may still be busy with its last owner; undefined when all are taken. */
  take(): number | undefined {
    const { first, count } = this.#range;
    if (this.#taken.size + this.#reserved.size >= count - 1) return undefined;
    do {
      this.#last = (this.#last % (count - 1)) + 1;
    } while (this.#taken.has(this.#last) || this.#reserved.has(this.#last));
    this.#taken.add(this.#last);
    return first + this.#last;
  }

  release(reqid: number): void {
    this.#taken.delete(reqid - this.#range.first);
  }
}
