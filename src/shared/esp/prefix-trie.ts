/** A map from address prefixes of one family to values, that finds all prefixes of an address: a binary trie without nodes that decide nothing. */
import { InvariantError } from '../errors.ts';

export class PrefixTrie<T extends NonNullable<unknown>> {
  #root: Node<T> | undefined;
  #size = 0;

  /** Prefixes that have a value. */
  get size(): number {
    return this.#size;
  }

  /** The value of exactly this prefix. Bits of `address` behind the prefix do not matter. */
  get(address: Uint8Array, length: number): T | undefined {
    let node = this.#root;
    while (node !== undefined && node.length <= length && isWithin(node, address, 0)) {
      if (node.length === length) return node.value;
      node = childOf(node, address, 0);
    }
    return undefined;
  }

  /** Adds the prefix or replaces its value. */
  set(address: Uint8Array, length: number, value: T): void {
    if (length < 0 || length > address.length * 8) throw new InvariantError(`a prefix of ${length} bits`);
    this.#root = this.#inserted(this.#root, address, length, value);
  }

  delete(address: Uint8Array, length: number): void {
    this.#root = this.#removed(this.#root, address, length);
  }

  /** Appends to `into` the values of all prefixes of the address at `bytes[at]`, the shortest first. */
  collect(bytes: Uint8Array, at: number, into: T[]): void {
    let node = this.#root;
    while (node !== undefined && isWithin(node, bytes, at)) {
      if (node.value !== undefined) into.push(node.value);
      node = node.length < node.prefix.length * 8 ? childOf(node, bytes, at) : undefined;
    }
  }

  /** The values of all prefixes that contain this one or lie within it. */
  *overlapping(address: Uint8Array, length: number): Generator<T, void> {
    let node = this.#root;
    while (node !== undefined && node.length < length && isWithin(node, address, 0)) {
      if (node.value !== undefined) yield node.value;
      node = childOf(node, address, 0);
    }
    yield* this.#below(node, address, length);
  }

  /** The values of this prefix and of all that lie within it. */
  *within(address: Uint8Array, length: number): Generator<T, void> {
    let node = this.#root;
    while (node !== undefined && node.length < length && isWithin(node, address, 0)) node = childOf(node, address, 0);
    yield* this.#below(node, address, length);
  }

  /** `node`: the first one on the way down that is not shorter. */
  *#below(node: Node<T> | undefined, address: Uint8Array, length: number): Generator<T, void> {
    const isInside = node !== undefined && node.length >= length && beginsWith(node.prefix, 0, address, length);
    if (isInside) yield* valuesOf(node);
  }

  #inserted(node: Node<T> | undefined, address: Uint8Array, length: number, value: T): Node<T> {
    if (node === undefined) {
      this.#size++;
      return new Node(address, length, value);
    }
    const common = commonBits(node.prefix, address, Math.min(node.length, length));
    if (common === node.length) {
      if (common === length) {
        if (node.value === undefined) this.#size++;
        node.value = value;
      } else if (bitOf(address, 0, common) === 1) {
        node.one = this.#inserted(node.one, address, length, value);
      } else {
        node.zero = this.#inserted(node.zero, address, length, value);
      }
      return node;
    }
    const parent = new Node<T>(address, common, undefined);
    if (bitOf(node.prefix, 0, common) === 1) parent.one = node;
    else parent.zero = node;
    return this.#inserted(parent, address, length, value);
  }

  #removed(node: Node<T> | undefined, address: Uint8Array, length: number): Node<T> | undefined {
    if (node === undefined || node.length > length || !isWithin(node, address, 0)) return node;
    if (node.length === length) {
      if (node.value !== undefined) this.#size--;
      node.value = undefined;
    } else if (bitOf(address, 0, node.length) === 1) {
      node.one = this.#removed(node.one, address, length);
    } else {
      node.zero = this.#removed(node.zero, address, length);
    }
    if (node.value !== undefined || (node.zero !== undefined && node.one !== undefined)) return node;
    return node.zero ?? node.one;
  }
}

class Node<T> {
  readonly prefix: Uint8Array;
  readonly length: number;
  value: T | undefined;
  zero: Node<T> | undefined = undefined;
  one: Node<T> | undefined = undefined;

  constructor(address: Uint8Array, length: number, value: T | undefined) {
    this.prefix = address.slice();
    this.length = length;
    this.value = value;
  }
}

function* valuesOf<T>(node: Node<T>): Generator<T, void> {
  if (node.value !== undefined) yield node.value;
  if (node.zero !== undefined) yield* valuesOf(node.zero);
  if (node.one !== undefined) yield* valuesOf(node.one);
}

/** Whether the address at `bytes[at]` begins with the prefix of the node. */
const isWithin = <T>(node: Node<T>, bytes: Uint8Array, at: number): boolean =>
  beginsWith(bytes, at, node.prefix, node.length);

/** Whether the bits at `bytes[at]` begin with the first `length` bits of `prefix`. */
export const beginsWith = (bytes: Uint8Array, at: number, prefix: Uint8Array, length: number): boolean => {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (bytes[at + i] !== prefix[i]) return false;
  const rest = length & 7;
  return rest === 0 || (((bytes[at + whole] ?? 0) ^ (prefix[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
};

const childOf = <T>(node: Node<T>, bytes: Uint8Array, at: number): Node<T> | undefined =>
  bitOf(bytes, at, node.length) === 1 ? node.one : node.zero;

const bitOf = (bytes: Uint8Array, at: number, index: number): number =>
  ((bytes[at + (index >> 3)] ?? 0) >> (7 - (index & 7))) & 1;

const commonBits = (a: Uint8Array, b: Uint8Array, most: number): number => {
  for (let i = 0; i * 8 < most; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0);
    if (difference !== 0) return Math.min(most, i * 8 + Math.clz32(difference) - 24);
  }
  return most;
};
