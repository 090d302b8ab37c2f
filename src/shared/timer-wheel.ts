/**
 * Deadlines of one thread: a hierarchical wheel of 8 levels with 64 slots each, in steps of 1 ms. It neither sleeps nor reads a clock: its owner
 * asks for the next deadline, sleeps, and says what time it is.
 */
import { InvariantError } from './errors.ts';

/** Names one scheduled timer; never 0, and never the name of a later timer that took its place. */
export type TimerHandle = number;

/** `T` is what the owner wants back when the deadline has passed. All times are milliseconds on the owner's monotonic clock. */
export class TimerWheel<T extends NonNullable<unknown>> {
  /** All deadlines up to this whole millisecond have been handed out or lie in the overdue list. */
  #elapsed: number;
  #sequence = 0;
  #size = 0;
  #free = NONE;
  readonly #heads = new Int32Array(LISTS).fill(NONE);
  /** One bit per slot of a level that holds timers, in two words per level. */
  readonly #occupied = new Int32Array(LEVELS * 2);
  #timers = new Timers(64);
  #values: (T | undefined)[] = [];

  constructor(now: number) {
    this.#elapsed = wholeDown(now);
  }

  /** Timers that wait. */
  get size(): number {
    return this.#size;
  }

  /** Arms a timer; one in the past is due at the next `advance`. Fractions of a millisecond count as the next whole one. */
  schedule(at: number, value: T): TimerHandle {
    const deadline = wholeUp(at);
    const index = this.#take();
    this.#timers.at[index] = deadline;
    this.#timers.sequence[index] = this.#sequence++;
    this.#values[index] = value;
    this.#place(index);
    this.#size++;
    return index + word(this.#timers.generation, index) * INDEXES;
  }

  /** False when that timer has fired or was cancelled before. */
  cancel(handle: TimerHandle): boolean {
    if (!this.#isArmed(handle)) return false;
    const index = handle % INDEXES;
    this.#unlink(index);
    this.#release(index);
    return true;
  }

  /** When a timer is due, ms; undefined when it has fired or was cancelled. */
  deadlineOf(handle: TimerHandle): number | undefined {
    return this.#isArmed(handle) ? word(this.#timers.at, handle % INDEXES) : undefined;
  }

  /** Moves to `now` (a step back is ignored) and hands out all that is due, by deadline, ties in the order they were scheduled. */
  advance(now: number): readonly T[] {
    const due: T[] = [];
    const target = wholeDown(now);
    this.#fire(OVERDUE, due);
    for (;;) {
      const list = this.#earliestList();
      if (list === undefined || this.#startOf(list) > target) break;
      this.#elapsed = this.#startOf(list);
      if (list < SLOTS) this.#fire(list, due);
      else this.#cascade(list);
      this.#fire(OVERDUE, due);
    }
    this.#elapsed = Math.max(this.#elapsed, target);
    return due;
  }

  /** When to call `advance` next; undefined while nothing waits. It may be too early, never too late; what is overdue counts as due now. */
  nextDeadline(): number | undefined {
    if (word(this.#heads, OVERDUE) !== NONE) return this.#elapsed;
    const list = this.#earliestList();
    return list === undefined ? undefined : this.#startOf(list);
  }

  #isArmed(handle: TimerHandle): boolean {
    const index = handle % INDEXES;
    const isWaiting = index < this.#values.length && word(this.#timers.list, index) !== NONE;
    return isWaiting && word(this.#timers.generation, index) === Math.floor(handle / INDEXES);
  }

  /** Hands out one list whose timers are all due. Cascading loses the order of scheduling, hence the sort; lists are of one millisecond, so short. */
  #fire(list: number, due: T[]): void {
    const { at, sequence } = this.#timers;
    const indexes = this.#empty(list);
    if (indexes.length > 1) {
      indexes.sort((a, b) => word(at, a) - word(at, b) || word(sequence, a) - word(sequence, b));
    }
    for (const index of indexes) {
      const value = this.#values[index];
      if (value !== undefined) due.push(value);
      this.#release(index);
    }
  }

  /** Time has reached this slot of a coarse level: its timers move to finer ones, or are due. */
  #cascade(list: number): void {
    for (const index of this.#empty(list)) this.#place(index);
  }

  /** The list of the timer: the level is that of the highest 6-bit digit in which deadline and present differ. */
  #place(index: number): void {
    const at = word(this.#timers.at, index);
    const list = at <= this.#elapsed ? OVERDUE : listOf(this.#elapsed, at);
    const head = word(this.#heads, list);
    this.#timers.list[index] = list;
    this.#timers.previous[index] = NONE;
    this.#timers.next[index] = head;
    if (head !== NONE) this.#timers.previous[head] = index;
    this.#heads[list] = index;
    if (list < OVERDUE) this.#occupied[list >> 5] = word(this.#occupied, list >> 5) | (1 << (list & 31));
  }

  #unlink(index: number): void {
    const [previous, next] = [word(this.#timers.previous, index), word(this.#timers.next, index)];
    const list = word(this.#timers.list, index);
    if (next !== NONE) this.#timers.previous[next] = previous;
    if (previous !== NONE) this.#timers.next[previous] = next;
    else this.#heads[list] = next;
    if (word(this.#heads, list) === NONE) this.#vacate(list);
  }

  #empty(list: number): number[] {
    const indexes: number[] = [];
    for (let index = word(this.#heads, list); index !== NONE; index = word(this.#timers.next, index)) {
      indexes.push(index);
    }
    this.#heads[list] = NONE;
    this.#vacate(list);
    return indexes;
  }

  #vacate(list: number): void {
    if (list < OVERDUE) this.#occupied[list >> 5] = word(this.#occupied, list >> 5) & ~(1 << (list & 31));
  }

  /** The lowest occupied level holds the earliest timers, since they share the most digits with the present. */
  #earliestList(): number | undefined {
    for (let half = 0; half < LEVELS * 2; half++) {
      const bits = word(this.#occupied, half);
      if (bits !== 0) return half * 32 + 31 - Math.clz32(bits & -bits);
    }
    return undefined;
  }

  /** The first millisecond of a slot: the present with the digit of that level replaced and the finer ones zero. */
  #startOf(list: number): number {
    const level = list >> 6;
    const above = SLOTS ** (level + 1);
    return Math.floor(this.#elapsed / above) * above + (list & 63) * SLOTS ** level;
  }

  #take(): number {
    if (this.#free === NONE) {
      const index = this.#values.length;
      if (index >= INDEXES) throw new InvariantError('more timers than a handle can name');
      if (index >= this.#timers.at.length) this.#timers = new Timers(index * 2, this.#timers);
      this.#values.push(undefined);
      this.#timers.generation[index] = 1;
      return index;
    }
    const index = this.#free;
    this.#free = word(this.#timers.next, index);
    return index;
  }

  #release(index: number): void {
    this.#values[index] = undefined;
    this.#timers.list[index] = NONE;
    this.#timers.generation[index] = (word(this.#timers.generation, index) % GENERATIONS) + 1;
    this.#timers.next[index] = this.#free;
    this.#free = index;
    this.#size--;
  }
}

/** The timers' columns; typed arrays, so that 100,000 of them give the garbage collector nothing to visit. */
class Timers {
  readonly at: Float64Array;
  readonly sequence: Float64Array;
  readonly generation: Uint32Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** The list a timer is in; NONE for an unused index. */
  readonly list: Int32Array;

  constructor(capacity: number, old?: Timers) {
    this.at = new Float64Array(capacity);
    this.sequence = new Float64Array(capacity);
    this.generation = new Uint32Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.list = new Int32Array(capacity).fill(NONE);
    if (old === undefined) return;
    this.at.set(old.at);
    this.sequence.set(old.sequence);
    this.generation.set(old.generation);
    this.next.set(old.next);
    this.previous.set(old.previous);
    this.list.set(old.list);
  }
}

/** The list for a deadline after `elapsed`. Halves of 24 bits, because the bit operators stop at 32. */
const listOf = (elapsed: number, at: number): number => {
  const coarse = Math.floor(at / HALF) ^ Math.floor(elapsed / HALF);
  const fine = (at % HALF) ^ (elapsed % HALF);
  const level = coarse !== 0 ? 4 + digitOf(coarse) : digitOf(fine);
  return level * SLOTS + (Math.floor(at / SLOTS ** level) % SLOTS);
};

const digitOf = (difference: number): number => Math.floor((31 - Math.clz32(difference)) / 6);

const word = (column: Int32Array | Uint32Array | Float64Array, index: number): number => column[index] ?? NONE;

const wholeDown = (time: number): number => Math.floor(inRange(time));

const wholeUp = (time: number): number => Math.ceil(inRange(time));

/** Lifetimes of "any" length come as huge numbers or Infinity: they wait at the end of time. */
const inRange = (time: number): number => {
  if (Number.isNaN(time)) throw new InvariantError('a deadline that is not a number');
  return Math.min(Math.max(time, 0), END_OF_TIME);
};

const LEVELS = 8;
const SLOTS = 64;
/** Lists are numbered level by level; after the slots comes the list of what is due already. */
const OVERDUE = LEVELS * SLOTS;
const LISTS = OVERDUE + 1;
/** 48 bits of milliseconds: 8,900 years. */
const END_OF_TIME = SLOTS ** LEVELS - 1;
const HALF = 2 ** 24;
/** A handle is a safe integer: 24 bits of index, 29 bits of generation. */
const INDEXES = 2 ** 24;
const GENERATIONS = 2 ** 29 - 1;
const NONE = -1;
