/**
 * Matching of POSIX extended regular expressions: the leftmost of the longest matches, and what its groups matched. A peer may write both expression
 * and text, so nothing here goes back and tries again (that takes exponential time): a match is found in two runs over the text. The groups
 * then come from the tree, outside in: every part, from left to right, takes as much as leaves the others possible.
 */
import { InvariantError } from '../errors.ts';
import type { Spending } from './limits.ts';
import { Automaton, type Fragment } from './regexp-automaton.ts';
import { type Positions, Runs } from './regexp-runs.ts';
import { parseRegexp, type RegexpTree } from './regexp-syntax.ts';

/** What each group matched, from the first one; undefined for those that took no part. */
export type Groups = readonly (string | undefined)[];

/** Undefined: no match. Throws RuntimeFault for a wrong expression and WorkExceeded when the steps run out. */
export const matchRegexp = (pattern: string, text: string, budget: Spending): Groups | undefined => {
  budget.spend(pattern.length * STEPS_PER_CHARACTER + text.length);
  const { root, groups } = parseRegexp(pattern);
  const finder = new GroupFinder(new Automaton(root, budget), text, budget);
  const span = finder.leftmostLongest(root);
  if (span === undefined) return undefined;
  finder.find(root, span);
  return Array.from({ length: groups }, (_, i) => {
    const found = finder.found.get(i + 1);
    return found === undefined ? undefined : text.slice(found.from, found.to);
  });
};

interface Span {
  readonly from: number;
  readonly to: number;
}

type Repeat = RegexpTree & { readonly kind: 'repeat' };

class GroupFinder {
  /** By index of the group. */
  readonly found = new Map<number, Span>();
  readonly #automaton: Automaton;
  readonly #length: number;
  readonly #runs: Runs;
  readonly #withGroups = new Map<RegexpTree, boolean>();
  constructor(automaton: Automaton, text: string, budget: Spending) {
    this.#automaton = automaton;
    this.#length = text.length;
    this.#runs = new Runs(automaton, text, budget);
  }

  leftmostLongest(root: RegexpTree): Span | undefined {
    const fragment = this.#fragment(root);
    const from = this.#runs.startsTo(fragment, this.#runs.positions().fill(1), 0, this.#length).indexOf(1);
    if (from < 0) return undefined;
    return { from, to: this.#runs.latestEnd(fragment, from, this.#length, () => true) };
  }

  /** Finds the groups of a part that matches exactly the span. */
  find(tree: RegexpTree, span: Span): void {
    if (!this.#hasGroups(tree)) return;
    switch (tree.kind) {
      case 'group':
        this.found.set(tree.index, span);
        this.find(tree.of, span);
        break;
      case 'sequence':
        this.#findInSequence(tree.of, span);
        break;
      case 'choice': {
        const taken = tree.of.find((branch) => this.#matches(branch, span));
        if (taken !== undefined) this.find(taken, span);
        break;
      }
      case 'repeat': {
        // POSIX: groups inside report the last repetition only.
        const last = this.#lastRepetition(tree, span);
        if (last !== undefined) this.find(tree.of, last);
        break;
      }
      default:
        break;
    }
  }

  #findInSequence(parts: readonly RegexpTree[], { from, to }: Span): void {
    // From where what is behind each part gets to the end.
    const behind: Positions[] = [];
    let latest = this.#runs.positions(to);
    for (const part of parts.toReversed()) {
      behind.unshift(latest);
      latest = this.#runs.startsTo(this.#fragment(part), latest, from, to);
    }
    let at = from;
    parts.forEach((part, i) => {
      const end = this.#longest(part, { from: at, to }, behind[i]);
      this.find(part, { from: at, to: end });
      at = end;
    });
  }

  #lastRepetition(tree: Repeat, { from, to }: Span): Span | undefined {
    if (tree.most === 0) return undefined;
    if (from === to) return this.#matches(tree.of, { from, to }) ? { from, to } : undefined;
    const behind = this.#behindRepetitions(tree, { from, to });
    let last: Span | undefined;
    for (let at = from, done = 0; at < to || done < tree.least; done++) {
      const end = this.#longest(tree.of, { from: at, to }, behind[Math.min(done, behind.length - 1)]);
      last = { from: at, to: end };
      if (end === at) break;
      at = end;
    }
    return last;
  }

  /** From where the rest gets to the end after one repetition, after two and so on; the last entry serves for all that follow. */
  #behindRepetitions(tree: Repeat, { from, to }: Span): readonly Positions[] {
    const loop = this.#automaton.loops.get(tree);
    const fragment = this.#fragment(tree.of);
    let latest =
      loop === undefined ? this.#runs.positions(to) : this.#runs.repetitionsTo(this.#fragment(tree), loop, from, to);
    const behind = [latest];
    for (let done = (loop === undefined ? tree.most : Math.max(tree.least, 1)) - 1; done >= 1; done--) {
      latest = this.#runs.startsTo(fragment, latest, from, to);
      if (done >= tree.least) latest[to] = 1;
      behind.unshift(latest);
    }
    return behind;
  }

  /** The latest end of a part that starts at `from` among the wanted ones. */
  #longest(tree: RegexpTree, { from, to }: Span, wanted: Positions | undefined): number {
    const end = this.#runs.latestEnd(this.#fragment(tree), from, to, (at) => wanted?.[at] === 1);
    if (end < 0) throw new InvariantError('a part of a regular expression matches no more what it has matched');
    return end;
  }

  #matches(tree: RegexpTree, { from, to }: Span): boolean {
    return this.#runs.latestEnd(this.#fragment(tree), from, to, (at) => at === to) >= 0;
  }

  #fragment(tree: RegexpTree): Fragment {
    const fragment = this.#automaton.fragments.get(tree);
    if (fragment === undefined) throw new InvariantError('a part of a regular expression is missing in its automaton');
    return fragment;
  }

  #hasGroups(tree: RegexpTree): boolean {
    const known = this.#withGroups.get(tree);
    if (known !== undefined) return known;
    const parts = 'of' in tree ? (Array.isArray(tree.of) ? tree.of : [tree.of]) : [];
    const has = tree.kind === 'group' || parts.some((part: RegexpTree) => this.#hasGroups(part));
    this.#withGroups.set(tree, has);
    return has;
  }
}

/** A bracket expression of two characters makes a set of 256 bytes. */
const STEPS_PER_CHARACTER = 20;
