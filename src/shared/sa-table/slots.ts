/**
 * Numbered records in a growable SharedArrayBuffer, two copies each. The one writer of a slot fills the copy that nobody reads and then flips the
 * slot's version, so a writer that dies half way leaves the other copy whole. Any number of readers copy a record out and look at the version again.
 * Every word is moved by Atomics: that is what keeps data and version in order on every processor, and it costs a third of a microsecond a record.
 */
import { InvariantError } from '../errors.ts';
import { growTo } from './layout.ts';

/** Slots come into being (and are claimed by writers) this many at a time. */
export const CHUNK_SLOTS = 256;

export class Slots {
  readonly #buffer: SharedArrayBuffer;
  /** Words of one copy, and of the whole slot: version, copy 0, copy 1. */
  readonly #copy: number;
  readonly #slot: number;
  /** Views of fixed length, one a chunk: a view that follows the growing buffer is six times slower. */
  readonly #chunks: Int32Array[] = [];

  /** `stride`: bytes of one record; `buffer` comes from `slotsBuffer` with the same stride. */
  constructor(buffer: SharedArrayBuffer, stride: number) {
    this.#buffer = buffer;
    this.#copy = stride / 4;
    this.#slot = slotWords(stride);
  }

  /** Makes sure that a chunk exists. False where the memory cannot grow; any thread may call it. */
  grow(chunk: number): boolean {
    return growTo(this.#buffer, (chunk + 1) * CHUNK_SLOTS * this.#slot * 4);
  }

  /** Writes a whole record; readers see the old one until the last word is in place. Only the slot's writer may call this, after `grow`. */
  store(slot: number, record: Int32Array): void {
    const chunk = this.#chunkOf(slot);
    if (chunk === undefined) throw new InvariantError(`slot ${slot} lies beyond the memory`);
    const base = (slot % CHUNK_SLOTS) * this.#slot;
    const version = Atomics.load(chunk, base) + 1;
    const copy = base + 1 + (version & 1) * this.#copy;
    for (let i = 0; i < this.#copy; i++) Atomics.store(chunk, copy + i, record[i] ?? 0);
    Atomics.store(chunk, base, version);
  }

  /** Copies a record out and answers its version; undefined when the slot does not exist or its writer kept interfering. */
  load(slot: number, record: Int32Array): number | undefined {
    const chunk = this.#chunkOf(slot);
    if (chunk === undefined) return undefined;
    const base = (slot % CHUNK_SLOTS) * this.#slot;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = Atomics.load(chunk, base);
      const copy = base + 1 + (version & 1) * this.#copy;
      for (let i = 0; i < this.#copy; i++) record[i] = Atomics.load(chunk, copy + i);
      if (Atomics.load(chunk, base) === version) return version;
    }
    return undefined;
  }

  /** One word of a record, for scans; undefined as for `load`. */
  word(slot: number, index: number): number | undefined {
    const chunk = this.#chunkOf(slot);
    if (chunk === undefined) return undefined;
    const base = (slot % CHUNK_SLOTS) * this.#slot;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = Atomics.load(chunk, base);
      const value = Atomics.load(chunk, base + 1 + (version & 1) * this.#copy + index);
      if (Atomics.load(chunk, base) === version) return value;
    }
    return undefined;
  }

  /** Whether the slot still holds what `load` copied: to be asked after reading anything that the record refers to. */
  isStill(slot: number, version: number): boolean {
    const chunk = this.#chunkOf(slot);
    return chunk !== undefined && Atomics.load(chunk, (slot % CHUNK_SLOTS) * this.#slot) === version;
  }

  #chunkOf(slot: number): Int32Array | undefined {
    const index = Math.floor(slot / CHUNK_SLOTS);
    const known = this.#chunks[index];
    if (known !== undefined) return known;
    const words = CHUNK_SLOTS * this.#slot;
    if (!(slot >= 0) || this.#buffer.byteLength < (index + 1) * words * 4) return undefined;
    const chunk = new Int32Array(this.#buffer, index * words * 4, words);
    this.#chunks[index] = chunk;
    return chunk;
  }
}

/** An empty buffer that can grow to that many chunks of records of `stride` bytes. It takes address space at once, memory only as it grows. */
export const slotsBuffer = (stride: number, chunks: number): SharedArrayBuffer =>
  new SharedArrayBuffer(0, { maxByteLength: chunks * CHUNK_SLOTS * slotWords(stride) * 4 });

const slotWords = (stride: number): number => 1 + (2 * stride) / 4;

/** A write takes as long as one or two reads, so this many failures mean a writer that does nothing but write. */
const ATTEMPTS = 1000;
