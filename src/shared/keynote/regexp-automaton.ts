/** A regular expression as a nondeterministic automaton (Thompson's construction). */
import { RuntimeFault } from './arithmetic.ts';
import type { Spending } from './limits.ts';
import type { ByteSet } from './regexp-bracket.ts';
import type { RegexpTree } from './regexp-syntax.ts';

/** The part of the automaton that stands for one subexpression. Nothing inside it leads to `start` or away from `end`. */
export interface Fragment {
  readonly start: number;
  readonly end: number;
}

/** Of an endless repetition: the state between two repetitions, and the one before the first that may be the last. */
export interface Loop {
  readonly between: number;
  readonly entry: number;
}

export interface Edge {
  readonly to: number;
  /** What has to be there: a byte of a set, the start or the end of the text, nothing. */
  readonly needs: ByteSet | 'start' | 'end' | undefined;
}

export class Automaton {
  /** Of repeated subexpressions, which exist several times: the first. */
  readonly fragments = new Map<RegexpTree, Fragment>();
  readonly loops = new Map<RegexpTree, Loop>();
  readonly #out: Edge[][] = [];
  readonly #in: Edge[][] = [];
  readonly #budget: Spending;

  /** Throws RuntimeFault where the expression is too large. */
  constructor(root: RegexpTree, budget: Spending) {
    this.#budget = budget;
    this.#build(root);
  }

  get size(): number {
    return this.#out.length;
  }

  /** From `state` along the edges, or against them. */
  edges(state: number, isForward: boolean): readonly Edge[] {
    return (isForward ? this.#out : this.#in)[state] ?? [];
  }

  #build(tree: RegexpTree): Fragment {
    const fragment = { start: this.#state(), end: this.#state() };
    if (!this.fragments.has(tree)) this.fragments.set(tree, fragment);
    switch (tree.kind) {
      case 'bytes':
        this.#connect(fragment.start, fragment.end, tree.set);
        break;
      case 'empty':
        this.#connect(fragment.start, fragment.end);
        break;
      case 'start':
      case 'end':
        this.#connect(fragment.start, fragment.end, tree.kind);
        break;
      case 'group':
        this.#connect(this.#append(fragment.start, tree.of), fragment.end);
        break;
      case 'sequence': {
        let at = fragment.start;
        for (const part of tree.of) at = this.#append(at, part);
        this.#connect(at, fragment.end);
        break;
      }
      case 'choice':
        for (const branch of tree.of) this.#connect(this.#append(fragment.start, branch), fragment.end);
        break;
      case 'repeat':
        if (tree.most === Number.POSITIVE_INFINITY) this.#repeatForEver(tree, fragment);
        else this.#repeat(tree, fragment);
        break;
    }
    return fragment;
  }

  /** The subexpression behind the state `from`; answers where it ends. */
  #append(from: number, tree: RegexpTree): number {
    const { start, end } = this.#build(tree);
    this.#connect(from, start);
    return end;
  }

  #repeat({ of, least, most }: RegexpTree & { readonly kind: 'repeat' }, fragment: Fragment): void {
    let at = fragment.start;
    for (let done = 0; done < most; done++) {
      if (done >= least) this.#connect(at, fragment.end);
      at = this.#append(at, of);
    }
    this.#connect(at, fragment.end);
  }

  #repeatForEver(tree: RegexpTree & { readonly kind: 'repeat' }, fragment: Fragment): void {
    let at = fragment.start;
    for (let done = 1; done < tree.least; done++) at = this.#append(at, tree.of);
    const loop = { between: this.#state(), entry: this.#state() };
    if (!this.loops.has(tree)) this.loops.set(tree, loop);
    const { start, end } = this.#build(tree.of);
    this.#connect(at, loop.entry);
    this.#connect(loop.entry, tree.least === 0 ? loop.between : start);
    this.#connect(loop.between, start);
    this.#connect(end, loop.between);
    this.#connect(loop.between, fragment.end);
  }

  #state(): number {
    if (this.#out.length >= MOST_STATES) throw new RuntimeFault('a regular expression is too large');
    this.#budget.spend(STEPS_PER_STATE);
    this.#in.push([]);
    return this.#out.push([]) - 1;
  }

  #connect(from: number, to: number, needs?: Edge['needs']): void {
    this.#out[from]?.push({ to, needs });
    this.#in[to]?.push({ to: from, needs });
  }
}

const MOST_STATES = 10_000;

/** To make one costs more than to visit it. */
const STEPS_PER_STATE = 10;
