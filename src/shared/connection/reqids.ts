/** The numbers by which the kernel tells our pairs apart: no two living ones have the same. */
import type { ReqidRange } from '../flow.ts';

export class Reqids {
  readonly #range: ReqidRange;
  readonly #taken = new Set<number>();
  #last = 0;

  constructor(range: ReqidRange) {
    this.#range = range;
  }

  /** One that was not used for as long as possible, since the kernel may still be busy with its last owner; undefined when all are taken. */
  take(): number | undefined {
    const { first, count } = this.#range;
    if (this.#taken.size >= count) return undefined;
    do {
      this.#last = (this.#last + 1) % count;
    } while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    return first + this.#last;
  }

  release(reqid: number): void {
    this.#taken.delete(reqid - this.#range.first);
  }
}
