/** Who writes which chunk of the SA table, and how many rows each writer has: one shared Int32 a chunk, one a writer. */
import { CHUNK_SLOTS } from './slots.ts';

export const directoryBuffer = (maxChunks: number, writers: number): SharedArrayBuffer =>
  new SharedArrayBuffer((maxChunks + writers) * 4);

export class Directory {
  readonly #maxChunks: number;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer, maxChunks: number) {
    this.#maxChunks = maxChunks;
    this.#words = new Int32Array(buffer);
  }

  /** Gives a writer the next chunk, for good; undefined when none is left or `prepare`, which makes its memory, says no. Any thread may call it. */
  claim(writer: number, prepare: (chunk: number) => boolean): number | undefined {
    for (let chunk = 0; chunk < this.#maxChunks; chunk++) {
      if (Atomics.load(this.#words, chunk) !== 0) continue;
      if (!prepare(chunk)) return undefined;
      if (Atomics.compareExchange(this.#words, chunk, 0, writer + 1) === 0) return chunk;
    }
    return undefined;
  }

  /** The writer of the chunk that a slot lies in; undefined while it has none. */
  writerOf(slot: number): number | undefined {
    const chunk = Math.floor(slot / CHUNK_SLOTS);
    const owner = chunk >= 0 && chunk < this.#maxChunks ? Atomics.load(this.#words, chunk) : 0;
    return owner === 0 ? undefined : owner - 1;
  }

  /** Every slot of the claimed chunks, or only of one writer's, in order. */
  *slots(writer?: number): Generator<number, void> {
    for (let chunk = 0; chunk < this.#maxChunks; chunk++) {
      const owner = Atomics.load(this.#words, chunk);
      if (owner === 0) return; // chunks are claimed in order
      if (writer !== undefined && owner !== writer + 1) continue;
      for (let i = 0; i < CHUNK_SLOTS; i++) yield chunk * CHUNK_SLOTS + i;
    }
  }

  setLive(writer: number, rows: number): void {
    Atomics.store(this.#words, this.#maxChunks + writer, rows);
  }

  /** Rows of all writers together. */
  live(): number {
    let rows = 0;
    for (let i = this.#maxChunks; i < this.#words.length; i++) rows += Atomics.load(this.#words, i);
    return rows;
  }
}
