/**
 * Finds a stored string by its hash: a window of a few entries in typed arrays, nothing for the garbage collector to visit. An entry that finds no room
 * in its window is simply left out, and its string then shares no block with its equals: so strings made to collide cost no time.
 */

export class StringIndex {
  #references = new Uint32Array(FIRST_SIZE);
  #hashes = new Int32Array(FIRST_SIZE);
  #count = 0;

  /** The first reference with this hash that `isWanted`, else 0. */
  find(hash: number, isWanted: (reference: number) => boolean): number {
    for (let i = 0; i < WINDOW; i++) {
      const at = this.#position(hash, i);
      const reference = this.#references[at] ?? 0;
      if (reference !== 0 && this.#hashes[at] === hash && isWanted(reference)) return reference;
    }
    return 0;
  }

  add(hash: number, reference: number): void {
    if (this.#count * 2 >= this.#references.length) this.#double();
    this.#insert(hash, reference);
  }

  remove(hash: number, reference: number): void {
    for (let i = 0; i < WINDOW; i++) {
      const at = this.#position(hash, i);
      if (this.#references[at] !== reference) continue;
      this.#references[at] = 0;
      this.#count--;
    }
  }

  #insert(hash: number, reference: number): void {
    for (let i = 0; i < WINDOW; i++) {
      const at = this.#position(hash, i);
      if (this.#references[at] !== 0) continue;
      this.#references[at] = reference;
      this.#hashes[at] = hash;
      this.#count++;
      return;
    }
  }

  #double(): void {
    const [references, hashes] = [this.#references, this.#hashes];
    this.#references = new Uint32Array(references.length * 2);
    this.#hashes = new Int32Array(references.length * 2);
    this.#count = 0;
    for (const [i, reference] of references.entries()) if (reference !== 0) this.#insert(hashes[i] ?? 0, reference);
  }

  #position(hash: number, i: number): number {
    return (hash + i) & (this.#references.length - 1);
  }
}

/** Entries at the start; a power of two, doubled when half full. */
const FIRST_SIZE = 256;
const WINDOW = 8;
