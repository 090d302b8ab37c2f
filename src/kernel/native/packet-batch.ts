/** Packets that the addon has read at once: one slab, looked into on demand. */
import { InvariantError } from '../../shared/errors.ts';

export class PacketBatch {
  readonly count: number;
  readonly #slab: ArrayBuffer;
  readonly #words: Uint32Array;

  /** The slab as receive.c fills it. */
  constructor(slab: ArrayBuffer, count: number) {
    this.count = count;
    this.#slab = slab;
    this.#words = new Uint32Array(slab, 0, count * WORDS);
  }

  /** The packet, a view of the slab, which belongs to whoever reads. */
  bytes(index: number): Uint8Array {
    return this.#view(index, Word.PACKET);
  }

  /** The sockaddr that it came from; empty where the kind of socket has none. */
  source(index: number): Uint8Array {
    return this.#view(index, Word.SOURCE);
  }

  /** The address that it was sent to, 4 or 16 bytes; empty unless it was asked for. */
  destination(index: number): Uint8Array {
    return this.#view(index, Word.DESTINATION);
  }

  /** Where it came in; 0 unless the destination was asked for. */
  interfaceIndex(index: number): number {
    return this.#word(index, Word.INTERFACE);
  }

  /** Whether it was longer than the largest size asked for. */
  isTruncated(index: number): boolean {
    return this.#word(index, Word.IS_CUT) !== 0;
  }

  /** An offset, followed by its length. */
  #view(index: number, word: number): Uint8Array {
    return new Uint8Array(this.#slab, this.#word(index, word), this.#word(index, word + 1));
  }

  #word(index: number, word: number): number {
    const value = index < this.count ? this.#words[index * WORDS + word] : undefined;
    if (value === undefined) throw new InvariantError(`packet ${index} of a batch of ${this.count}`);
    return value;
  }
}

const WORDS = 8;
const Word = { PACKET: 0, SOURCE: 2, DESTINATION: 4, INTERFACE: 6, IS_CUT: 7 } as const;
