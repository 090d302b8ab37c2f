/** The known name that somebody probably meant. */
import { fold } from './case-fold.ts';

/** The name with the smallest edit distance, if that is small enough to be a slip of the fingers. */
export const nearestName = (wanted: string, known: Iterable<string>): string | undefined => {
  if (wanted.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Math.min(MOST_EDITS, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const distance = editDistance(fold(wanted), fold(name));
    if (distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
};

/** Levenshtein's distance. */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

const MOST_EDITS = 3;
/** Longer than any tag there is. */
const LONGEST = 40;
