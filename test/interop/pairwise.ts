/** All-pairs selection: few rows of a matrix that still show every pair of values of every two axes. */
import { InvariantError } from '../../src/shared/errors.ts';

export type Axes = Readonly<Record<string, readonly (string | number | boolean)[]>>;
export type Row<A extends Axes> = { readonly [K in keyof A]: A[K][number] };

/** Every row of the matrix that `allowed` lets pass, in the order of the axes. */
export const product = <A extends Axes>(axes: A, allowed: (row: Row<A>) => boolean): readonly Row<A>[] => {
  let rows: readonly Readonly<Record<string, unknown>>[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [axis]: value })));
  }
  return rows.filter((row): row is Row<A> => isRow(axes, row)).filter(allowed);
};

/**
 * A selection of `rows` that covers every pair of values found in them: greedily the row with most uncovered pairs and,
 * where several have as many, the one whose pairs were taken least so far, so that the rows which are there for the
 * sake of one pair spread evenly over the other axes. The answer is always the same.
 */
export const pairwise = <A extends Axes>(axes: A, rows: readonly Row<A>[]): readonly Row<A>[] => {
  const candidates = rows.map((row) => ({ row, pairs: pairsOf(placesOf(axes, row)) }));
  const uncovered = new Set(candidates.flatMap((candidate) => candidate.pairs));
  const taken = new Map<number, number>();
  const chosen: Row<A>[] = [];
  while (uncovered.size > 0) {
    const best = mostOf(candidates, ({ pairs }) => {
      const news = pairs.reduce((count, pair) => count + (uncovered.has(pair) ? 1 : 0), 0);
      return news - pairs.reduce((sum, pair) => sum + (taken.get(pair) ?? 0), 0) / TIE;
    });
    chosen.push(best.row);
    for (const pair of best.pairs) {
      uncovered.delete(pair);
      taken.set(pair, (taken.get(pair) ?? 0) + 1);
    }
  }
  return chosen;
};

/** Every value of every axis has a number: its place in the list of all of them. */
const placesOf = <A extends Axes>(axes: A, row: Row<A>): readonly number[] => {
  let offset = 0;
  return Object.entries(axes).map(([axis, values]) => {
    const place = offset + values.indexOf(row[axis] ?? '');
    offset += values.length;
    return place;
  });
};

const pairsOf = (places: readonly number[]): readonly number[] =>
  places.flatMap((one, index) => places.slice(index + 1).map((other) => one * PLACES + other));

const mostOf = <T extends object>(candidates: readonly T[], score: (candidate: T) => number): T => {
  const [first, ...others] = candidates;
  if (first === undefined) throw new InvariantError('nothing to choose from');
  let best = { candidate: first, score: score(first) };
  for (const candidate of others) {
    const value = score(candidate);
    if (value > best.score) best = { candidate, score: value };
  }
  return best.candidate;
};

const isRow = <A extends Axes>(axes: A, row: Readonly<Record<string, unknown>>): row is Row<A> =>
  Object.keys(axes).every((axis) => axis in row);

/** More than all uses of the pairs of a row can add up to, so usage only breaks ties. */
const TIE = 1e6;
/** More than there are values on all axes together. */
const PLACES = 1000;
