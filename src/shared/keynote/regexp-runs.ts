/**
 * Runs of an automaton over a text: all its states at once, one position after the other, so that a run costs at most states times characters
 * whatever the expression is.
 */
import type { Spending } from './limits.ts';
import type { Automaton, Fragment, Loop } from './regexp-automaton.ts';

/** Positions in a text, from 0 to its length: 1 for a member. */
export type Positions = Uint8Array;

export class Runs {
  readonly #automaton: Automaton;
  readonly #text: string;
  readonly #budget: Spending;
  /** For each state when it was entered last, so that it is entered once at each position of a run. */
  readonly #entered: Int32Array;
  #now = 0;
  constructor(automaton: Automaton, text: string, budget: Spending) {
    this.#automaton = automaton;
    this.#text = text;
    this.#budget = budget;
    this.#entered = new Int32Array(automaton.size);
  }

  /** The latest wanted position, not behind `high`, where the fragment can end when it starts at `from`; -1: none. */
  latestEnd({ start, end }: Fragment, from: number, high: number, isWanted: (at: number) => boolean): number {
    let latest = -1;
    let active = [start];
    for (let at = from; at <= high && active.length > 0; at++) {
      active = this.#step(active, at, true, end);
      if (this.#entered[end] === this.#now && isWanted(at)) latest = at;
    }
    return latest;
  }

  /** Where the fragment can start, not before `low`, so that it ends at one of the positions. */
  startsTo({ start, end }: Fragment, ends: Positions, low: number, high: number): Positions {
    return this.#backwards(end, ends, { low, high, goal: start, barrier: start });
  }

  /** From where any number of further repetitions end at `high`. `fragment` is that of the whole repetition. */
  repetitionsTo({ end }: Fragment, { between, entry }: Loop, low: number, high: number): Positions {
    return this.#backwards(end, this.positions(high), { low, high, goal: between, barrier: entry });
  }

  positions(...members: readonly number[]): Positions {
    this.#budget.spend(this.#text.length + 1);
    const positions = new Uint8Array(this.#text.length + 1);
    for (const member of members) positions[member] = 1;
    return positions;
  }

  /** Where `goal` is entered on the way back from `source`, which begins at the seeds. No run goes on from the barrier: it ends its fragment. */
  #backwards(
    source: number,
    seeds: Positions,
    {
      low,
      high,
      goal,
      barrier,
    }: { readonly low: number; readonly high: number; readonly goal: number; readonly barrier: number },
  ): Positions {
    const reached = this.positions();
    let active: number[] = [];
    for (let at = high; at >= low; at--) {
      if (seeds[at] === 1) active.push(source);
      if (active.length === 0) continue;
      active = this.#step(active, at, false, barrier);
      if (this.#entered[goal] === this.#now) reached[at] = 1;
    }
    return reached;
  }

  /** Enters the states of the list and all that they lead to without a character; answers those behind the next character. */
  #step(active: number[], at: number, isForward: boolean, barrier: number): number[] {
    this.#now += 1;
    const next: number[] = [];
    const byte = this.#text.charCodeAt(isForward ? at : at - 1);
    // Grows while it is walked through.
    for (const state of active) {
      this.#budget.spend(1);
      if (this.#entered[state] === this.#now) continue;
      this.#entered[state] = this.#now;
      if (state !== barrier) this.#follow(state, isForward, { at, byte, active, next });
    }
    return next;
  }

  #follow(
    state: number,
    isForward: boolean,
    {
      at,
      byte,
      active,
      next,
    }: { readonly at: number; readonly byte: number; readonly active: number[]; readonly next: number[] },
  ): void {
    for (const { to, needs } of this.#automaton.edges(state, isForward)) {
      if (typeof needs === 'object') {
        if (needs[byte] === 1) next.push(to);
      } else if (needs === undefined || at === (needs === 'start' ? 0 : this.#text.length)) active.push(to);
    }
  }
}
