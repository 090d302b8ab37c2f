/**
 * The strings of one writer's rows: equal ones are stored once and counted. Blocks of power-of-two sizes lie in pages of one size each, in a growable
 * SharedArrayBuffer. Any thread reads; only the writer allocates: its index and free lists are private to it and rebuilt from its rows after a takeover.
 */
import { growTo } from './layout.ts';
import { StringIndex } from './string-index.ts';

/** Longer strings are cut, at the last character boundary before. */
export const STRING_BYTES = 1024;

/** An empty area that can grow to about that many bytes. It takes address space at once, memory only as it grows. */
export const stringBuffer = (maxBytes: number): SharedArrayBuffer => {
  const pages = Math.ceil(maxBytes / PAGE_BYTES) + SIZES.length;
  return new SharedArrayBuffer(0, { maxByteLength: Math.min(pages * PAGE_BYTES, MOST_BYTES) });
};

export class StringArea {
  readonly #buffer: SharedArrayBuffer;
  readonly #pages: Int32Array[] = [];
  /** One string in private memory, as words and as bytes. */
  readonly #words = new Int32Array(STRING_BYTES / 4);
  readonly #bytes = Buffer.from(this.#words.buffer);
  #index = new StringIndex();
  /** Unused blocks by size. */
  #free: readonly number[][] = SIZES.map(() => []);
  #pageCount = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  /** The string of a reference. The row that holds the reference must be found unchanged afterwards: a freed block is soon another string's. */
  text(reference: number): string {
    return reference === 0 ? '' : this.#bytes.toString('utf8', 0, this.#load(reference));
  }

  /** Stores a string, or counts one more use of an equal one; 0 stands for ''. Undefined when the area cannot grow. */
  acquire(text: string): number | undefined {
    if (text === '') return 0;
    const length = this.#bytes.write(text, 0, STRING_BYTES, 'utf8');
    const words = Math.ceil(length / 4);
    this.#bytes.fill(0, length, words * 4);
    const hash = hashOf(this.#words, words);
    const known = this.#index.find(hash, (reference) => this.#holds(reference, length, words));
    const reference = known === 0 ? this.#store(length, words) : known;
    if (reference === undefined) return undefined;
    if (known === 0) this.#index.add(hash, reference);
    this.#setCount(reference, this.#countOf(reference) + 1);
    return reference;
  }

  /** Takes one use back; the last one frees the block. */
  release(reference: number): void {
    if (reference === 0) return;
    const count = this.#countOf(reference) - 1;
    this.#setCount(reference, count);
    if (count > 0) return;
    this.#index.remove(this.#storedHash(reference), reference);
    this.#setFree(reference);
  }

  /** Takes over what a dead writer left: `visit` names every use that its rows make of a string. Blocks without a use become free. */
  rebuild(visit: (use: (reference: number) => void) => void): void {
    this.#index = new StringIndex();
    this.#free = SIZES.map(() => []);
    this.#pageCount = 0;
    while (this.#sizeOf(this.#pageCount * PAGE_WORDS) >= 0) this.#pageCount++;
    this.#eachBlock((block) => this.#setCount(block, 0));
    visit((reference) => {
      if (reference === 0) return;
      const count = this.#countOf(reference) + 1;
      this.#setCount(reference, count);
      if (count === 1) this.#index.add(this.#storedHash(reference), reference);
    });
    this.#eachBlock((block) => {
      if (this.#countOf(block) === 0) this.#setFree(block);
    });
  }

  /** Copies a string from its block into private memory and answers its length in bytes. */
  #load(reference: number): number {
    const page = this.#pageOf(reference);
    const block = reference % PAGE_WORDS;
    if (page === undefined) return 0;
    // Whatever string the block holds by now, its length fits the block: blocks never change their size.
    const length = Atomics.load(page, block + LENGTH);
    for (let i = 0; i * 4 < length; i++) this.#words[i] = Atomics.load(page, block + HEADER + i);
    return length;
  }

  /** Puts the string in private memory into a block of its own, as yet without a use. */
  #store(length: number, words: number): number | undefined {
    const size = SIZES.findIndex((bytes) => length <= bytes);
    const reference = this.#free[size]?.pop() ?? this.#newPage(size);
    const page = reference === undefined ? undefined : this.#pageOf(reference);
    if (reference === undefined || page === undefined) return undefined;
    const block = reference % PAGE_WORDS;
    Atomics.store(page, block + LENGTH, length);
    for (let i = 0; i < words; i++) Atomics.store(page, block + HEADER + i, this.#words[i] ?? 0);
    return reference;
  }

  /** Whether a block holds the string in private memory. Plain reads: only the writer, who is reading, writes. */
  #holds(reference: number, length: number, words: number): boolean {
    const page = this.#pageOf(reference);
    const block = reference % PAGE_WORDS;
    if (page?.[block + LENGTH] !== length) return false;
    for (let i = 0; i < words; i++) if (page[block + HEADER + i] !== this.#words[i]) return false;
    return true;
  }

  #storedHash(reference: number): number {
    return hashOf(this.#words, Math.ceil(this.#load(reference) / 4));
  }

  /** Opens a page for blocks of one size and answers the first; the others are free. */
  #newPage(size: number): number | undefined {
    const index = this.#pageCount;
    if (!growTo(this.#buffer, (index + 1) * PAGE_BYTES)) return undefined;
    const page = this.#pageOf(index * PAGE_WORDS);
    if (page === undefined) return undefined;
    Atomics.store(page, SIZE, size + 1);
    this.#pageCount++;
    this.#free[size]?.push(...this.#blocksOf(index).reverse());
    return this.#free[size]?.pop();
  }

  #blocksOf(index: number): number[] {
    const words = HEADER + (SIZES[this.#sizeOf(index * PAGE_WORDS)] ?? 0) / 4;
    const count = Math.floor((PAGE_WORDS - FIRST_BLOCK) / words);
    return Array.from({ length: count }, (_, i) => index * PAGE_WORDS + FIRST_BLOCK + i * words);
  }

  #eachBlock(visit: (reference: number) => void): void {
    for (let index = 0; index < this.#pageCount; index++) this.#blocksOf(index).forEach(visit);
  }

  /** Which of SIZES the blocks of this page have; negative while the page is not in use. */
  #sizeOf(reference: number): number {
    return (this.#pageOf(reference)?.[SIZE] ?? 0) - 1;
  }

  #setFree(reference: number): void {
    this.#free[this.#sizeOf(reference)]?.push(reference);
  }

  #countOf(reference: number): number {
    return this.#pageOf(reference)?.[(reference % PAGE_WORDS) + COUNT] ?? 0;
  }

  #setCount(reference: number, count: number): void {
    const page = this.#pageOf(reference);
    if (page !== undefined) page[(reference % PAGE_WORDS) + COUNT] = count;
  }

  /** Views of fixed length, one a page: a view that follows the growing buffer is six times slower. */
  #pageOf(reference: number): Int32Array | undefined {
    const index = Math.floor(reference / PAGE_WORDS);
    const known = this.#pages[index];
    if (known !== undefined || this.#buffer.byteLength < (index + 1) * PAGE_BYTES) return known;
    const page = new Int32Array(this.#buffer, index * PAGE_BYTES, PAGE_WORDS);
    this.#pages[index] = page;
    return page;
  }
}

/** FNV-1a, a word at a time; the shifts bring its high half down, since the index uses the low bits. */
const hashOf = (words: Int32Array, count: number): number => {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < count; i++) hash = Math.imul(hash ^ (words[i] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x01000193);
  return hash ^ (hash >>> 15);
};

/** What a block can hold. */
const SIZES = [16, 32, 64, 128, 256, 512, STRING_BYTES] as const;
const PAGE_BYTES = 16384;
const PAGE_WORDS = PAGE_BYTES / 4;
/** Word 0 of a page: index of its block size plus 1; 0 while unused. Blocks follow. */
const SIZE = 0;
const FIRST_BLOCK = 1;
/** Words of a block: length in bytes, uses (the writer's own business), then the bytes. */
const LENGTH = 0;
const COUNT = 1;
const HEADER = 2;
/** Node 20 makes no longer buffers. */
const MOST_BYTES = 2 ** 32;
