/**
 * The table of all SAs in shared memory: every thread reads it without asking anyone, each row has one writer. Writers claim rows by the chunk; rows and
 * strings of a writer that died are taken over by the next SaTable with the same writer number.
 */
import { InvariantError } from '../errors.ts';
import { Directory, directoryBuffer } from './directory.ts';
import { MOST_SLOTS, type SaHandle } from './handles.ts';
import { countersBuffer } from './kernel-counters.ts';
import { type PrivateRecord, privateRecord } from './layout.ts';
import {
  GENERATION_WORD,
  generationOf,
  readRow,
  referencesOf,
  SA_ROW,
  type SaRow,
  STRING_COLUMNS,
  writeReferences,
  writeRow,
} from './rows.ts';
import { CHUNK_SLOTS, Slots, slotsBuffer } from './slots.ts';
import { StringArea, stringBuffer } from './strings.ts';

/** Everything a thread needs to join in; can be posted to workers. */
export interface SharedSaTable {
  readonly maxRows: number;
  readonly maxChunks: number;
  readonly directory: SharedArrayBuffer;
  readonly rows: SharedArrayBuffer;
  /** One string area a writer. */
  readonly strings: readonly SharedArrayBuffer[];
  /** For KernelCounters. */
  readonly counters: SharedArrayBuffer;
}

export interface SaEntry {
  readonly handle: SaHandle;
  readonly row: SaRow;
}

/**
 * Reserves an empty table; memory is taken as it fills. `writers` counts the main thread (writer 0) and the lanes (1, 2, ...), which share `maxRows` as
 * they come. Throws InvariantError for more rows than a handle can name.
 */
export const createSaTable = (size: { readonly writers: number; readonly maxRows: number }): SharedSaTable => {
  const { writers, maxRows } = size;
  // Every writer may have a chunk that is not full.
  const maxChunks = Math.ceil(maxRows / CHUNK_SLOTS) + writers - 1;
  if (maxChunks * CHUNK_SLOTS > MOST_SLOTS) throw new InvariantError(`an SA table of ${maxRows} rows is too large`);
  return {
    maxRows,
    maxChunks,
    directory: directoryBuffer(maxChunks, writers),
    rows: slotsBuffer(SA_ROW.stride, maxChunks),
    strings: Array.from({ length: writers }, () => stringBuffer(maxRows * STRING_BYTES_A_ROW)),
    counters: countersBuffer(maxChunks),
  };
};

export class SaTable {
  readonly #shared: SharedSaTable;
  readonly #writer: number;
  readonly #directory: Directory;
  readonly #slots: Slots;
  readonly #areas: readonly StringArea[];
  readonly #strings: StringArea;
  readonly #record: PrivateRecord = privateRecord(SA_ROW.stride);
  /** Unused slots of our chunks, the next one last. */
  readonly #free: number[] = [];
  #live = 0;

  /** Joins as a writer that no living thread is, and takes over the rows that a dead one left. Throws InvariantError for an unknown writer. */
  constructor(shared: SharedSaTable, writer: number) {
    this.#shared = shared;
    this.#writer = writer;
    this.#directory = new Directory(shared.directory, shared.maxChunks);
    this.#slots = new Slots(shared.rows, SA_ROW.stride);
    this.#areas = shared.strings.map((buffer) => new StringArea(buffer));
    const strings = this.#areas[writer];
    if (strings === undefined) throw new InvariantError(`the SA table has no writer ${writer}`);
    this.#strings = strings;
    this.#takeOver();
  }

  /** Live rows of all writers. */
  get size(): number {
    return this.#directory.live();
  }

  /** Adds a row. Undefined when the table is full, or cannot grow for lack of memory. */
  allocate(row: SaRow): SaHandle | undefined {
    if (this.size >= this.#shared.maxRows) return undefined;
    const slot = this.#free.at(-1) ?? this.#claim();
    if (slot === undefined) return undefined;
    const generation = this.#generationOf(slot) + 1;
    if (!this.#write(slot, generation, row)) return undefined;
    this.#free.pop();
    this.#setLive(this.#live + 1);
    return { slot, generation };
  }

  /** Replaces a row of ours. False, and nothing changed, when the handle is stale or there is no memory for its strings. */
  update(handle: SaHandle, row: SaRow): boolean {
    const references = this.#referencesOf(handle);
    if (references === undefined || !this.#write(handle.slot, handle.generation, row)) return false;
    for (const reference of references) this.#strings.release(reference);
    return true;
  }

  /** Replaces the flags alone: what changes most, and needs no strings. False when the handle is stale. */
  updateFlags(handle: SaHandle, flags: number): boolean {
    if (this.#referencesOf(handle) === undefined) return false;
    this.#record.view.setUint32(SA_ROW.at.flags, flags);
    this.#slots.store(handle.slot, this.#record.words);
    return true;
  }

  /** Removes a row of ours; its handle is stale from now on. False when it was already. */
  free(handle: SaHandle): boolean {
    const references = this.#referencesOf(handle);
    if (references === undefined) return false;
    this.#record.words[GENERATION_WORD] = handle.generation + 1;
    this.#slots.store(handle.slot, this.#record.words);
    for (const reference of references) this.#strings.release(reference);
    this.#free.push(handle.slot);
    this.#setLive(this.#live - 1);
    return true;
  }

  /** Anyone's row, whole and of one moment. Undefined when the handle is stale, or its writer changed it without pause. */
  read(handle: SaHandle): SaRow | undefined {
    const area = this.#areas[this.#directory.writerOf(handle.slot) ?? -1];
    if (area === undefined) return undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = this.#slots.load(handle.slot, this.#record.words);
      if (version === undefined || generationOf(this.#record) !== handle.generation) return undefined;
      const row = readRow(this.#record, (reference) => area.text(reference));
      if (this.#slots.isStill(handle.slot, version)) return row;
    }
    return undefined;
  }

  /** The rows of this writer, after a takeover those of its predecessor. Rows may be changed and freed on the way. */
  own(): Generator<SaEntry, void> {
    return this.of(this.#writer);
  }

  /** The rows of any one writer. */
  of(writer: number): Generator<SaEntry, void> {
    return this.#entries(this.#directory.slots(writer));
  }

  /** The rows of all writers. Each is whole; together they are of no single moment. */
  all(): Generator<SaEntry, void> {
    return this.#entries(this.#directory.slots());
  }

  *#entries(slots: Iterable<number>): Generator<SaEntry, void> {
    for (const slot of slots) {
      const generation = this.#generationOf(slot);
      const handle = { slot, generation };
      const row = isLive(generation) ? this.read(handle) : undefined;
      if (row !== undefined) yield { handle, row };
    }
  }

  /** The new row's strings are counted before the old one's are released, so what both have stays where it is. */
  #write(slot: number, generation: number, row: SaRow): boolean {
    writeRow(this.#record, generation, row);
    const references: number[] = [];
    for (const column of STRING_COLUMNS) {
      const reference = this.#strings.acquire(row[column]);
      if (reference === undefined) {
        for (const acquired of references) this.#strings.release(acquired);
        return false;
      }
      references.push(reference);
    }
    writeReferences(this.#record, references);
    this.#slots.store(slot, this.#record.words);
    return true;
  }

  /** Leaves the row in #record and answers its string references; undefined for a stale handle. Throws InvariantError for another writer's row. */
  #referencesOf(handle: SaHandle): readonly number[] | undefined {
    if (this.#directory.writerOf(handle.slot) !== this.#writer) {
      throw new InvariantError(`row ${handle.slot} has another writer than ${this.#writer}`);
    }
    this.#slots.load(handle.slot, this.#record.words);
    return generationOf(this.#record) === handle.generation ? referencesOf(this.#record) : undefined;
  }

  /** Puts the slots of one more chunk on the free list and answers its last one. */
  #claim(): number | undefined {
    const chunk = this.#directory.claim(this.#writer, (next) => this.#slots.grow(next));
    if (chunk === undefined) return undefined;
    for (let slot = (chunk + 1) * CHUNK_SLOTS - 1; slot >= chunk * CHUNK_SLOTS; slot--) this.#free.push(slot);
    return chunk * CHUNK_SLOTS;
  }

  #takeOver(): void {
    let live = 0;
    this.#strings.rebuild((use) => {
      for (const slot of this.#directory.slots(this.#writer)) {
        this.#slots.load(slot, this.#record.words);
        if (isLive(generationOf(this.#record))) {
          live++;
          referencesOf(this.#record).forEach(use);
        } else this.#free.push(slot);
      }
    });
    this.#free.reverse();
    this.#setLive(live);
  }

  #generationOf(slot: number): number {
    return (this.#slots.word(slot, GENERATION_WORD) ?? 0) >>> 0;
  }

  #setLive(rows: number): void {
    this.#live = rows;
    this.#directory.setLive(this.#writer, rows);
  }
}

const isLive = (generation: number): boolean => (generation & 1) === 1;

/** Address space for strings, not memory: a row with seven strings of ordinary length that no other row has takes half of it. */
const STRING_BYTES_A_ROW = 1024;

/** How often a reader starts again because the row has changed while it read the strings. */
const ATTEMPTS = 1000;
