/**
 * Sequence numbers and usage of userland SAs in memory that main and the ESP thread share: main reads without asking, and what was counted outlives the thread.
 * Main hands out the slots; the thread that seals with an SA is the only one to write its slot.
 */
import { InvariantError, SystemError } from '../../shared/errors.ts';
import type { SaUsage } from '../backend.ts';

export class SaCounters {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #words: Int32Array;

  /** Over memory of `createCounterMemory`. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#numbers = new Float64Array(memory);
    this.#words = new Int32Array(memory);
  }

  /** A new SA in this slot; epoch seconds. */
  begin(slot: number, addedAt: number): void {
    const at = this.#at(slot);
    this.#numbers.fill(0, at, at + NUMBERS);
    this.#numbers[at + ADDED] = addedAt;
  }

  /**
   * Reserves the next sequence number, which then belongs to nobody else whatever becomes of the packet. 0: there are no more (RFC 4303 §3.3.3:
   * the SA has to go).
   */
  reserve(slot: number): number {
    const word = this.#at(slot) * 2 + SEQUENCE_WORD;
    const before = Atomics.load(this.#words, word) >>> 0;
    if (before === LAST_SEQUENCE) return 0;
    return (Atomics.add(this.#words, word, 1) + 1) >>> 0;
  }

  /** Counts a packet of `size` bytes; epoch seconds. Answers the bytes of the SA so far. */
  count(slot: number, size: number, usedAt: number): number {
    const at = this.#at(slot);
    const bytes = (this.#numbers[at + BYTES] ?? 0) + size;
    this.#numbers[at + BYTES] = bytes;
    this.#numbers[at + PACKETS] = (this.#numbers[at + PACKETS] ?? 0) + 1;
    this.#numbers[at + USED] = usedAt;
    return bytes;
  }

  usage(slot: number): SaUsage {
    const at = this.#at(slot);
    const number = (column: number): number => this.#numbers[at + column] ?? 0;
    return { bytes: number(BYTES), packets: number(PACKETS), addedAt: number(ADDED), usedAt: number(USED) };
  }

  #at(slot: number): number {
    const at = slot * NUMBERS;
    if (slot < 0 || at + NUMBERS > this.#numbers.length) throw new InvariantError(`there is no counter slot ${slot}`);
    return at;
  }
}

/** Which slots are free; main has it. */
export class CounterSlots {
  readonly #memory: SharedArrayBuffer;
  readonly #free: number[] = [];
  #next = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
  }

  /** Throws SystemError when there are none left. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const end = (this.#next + 1) * SLOT_BYTES;
    if (end > this.#memory.maxByteLength) throw new SystemError(`no more than ${this.#next} userland SAs`);
    if (end > this.#memory.byteLength) {
      this.#memory.grow(Math.min(this.#memory.byteLength * 2, this.#memory.maxByteLength));
    }
    return this.#next++;
  }

  /** For a slot that nobody writes any more. */
  giveBack(slot: number): void {
    this.#free.push(slot);
  }
}

export const createCounterMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer(FIRST_SLOTS * SLOT_BYTES, { maxByteLength: MOST_SLOTS * SLOT_BYTES });

/** Columns, as doubles: bytes, packets, used and added. Behind them the sequence number as a 32-bit word. */
const BYTES = 0;
const PACKETS = 1;
const USED = 2;
const ADDED = 3;
const NUMBERS = 5;
const SEQUENCE_WORD = 8;
const SLOT_BYTES = NUMBERS * 8;
const FIRST_SLOTS = 1024;
const MOST_SLOTS = 1_048_576;
/** 32-bit sequence numbers never begin anew. */
const LAST_SEQUENCE = 0xffffffff;
