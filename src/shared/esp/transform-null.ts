/** No encryption, RFC 2410. */
import type { Icv } from './icv.ts';
import type { Opener, Sealer } from './transform.ts';

export class NullTransform implements Sealer, Opener {
  readonly #icv: Icv;

  constructor(icv: Icv) {
    this.#icv = icv;
  }

  seal(bytes: Uint8Array, start: number, end: number): number {
    return this.#icv.append(bytes, start, end);
  }

  open(bytes: Uint8Array, start: number, end: number): number {
    const textEnd = end - this.#icv.size;
    return textEnd >= start + ESP_HEADER && this.#icv.isRight(bytes, start, end) ? textEnd : -1;
  }
}

/** SPI and sequence number. */
const ESP_HEADER = 8;
