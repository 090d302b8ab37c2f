/**
 * Which of two SA pairs of one connection is used, by a rule that both ends can follow without a word (as RFC 7296 §2.8.1): the pair in
 * whose quick mode the lowest of all four nonces appeared loses, where both ends started at once. Otherwise the newer one replaces the older.
 */

/** What the rule looks at. Times are ms on this end's own clock. */
export interface Contender {
  /** When the first message of its quick mode was sent or received here. */
  readonly startedAt: number;
  /** When it was complete here. */
  readonly establishedAt: number;
  /** The lower of its two nonces. */
  readonly lowestNonce: Uint8Array;
}

/** What becomes of the newer pair: it replaces the older, or the two were simultaneous and it wins or loses. */
export type Verdict = 'replaces' | 'wins' | 'loses';

export type ConvergenceRule = (older: Contender, newer: Contender) => Verdict;

/** `older` was established here before `newer`. */
export const converge: ConvergenceRule = (older, newer) => {
  if (newer.startedAt >= older.establishedAt) return 'replaces';
  const order = compareNonces(newer.lowestNonce, older.lowestNonce);
  if (order === 0) return 'replaces';
  return order > 0 ? 'wins' : 'loses';
};

/** Byte by byte as RFC 7296 §2.8.1 compares: of two equal beginnings the shorter nonce is the lower. */
export const compareNonces = (a: Uint8Array, b: Uint8Array): number => {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
};
