/** What an assertion and a query may cost. A peer writes its credentials itself: nothing in them is free. */

export interface AssertionLimits {
  /** Bytes of a text with assertions. */
  readonly bytes: number;
  /** Assertions in one text. */
  readonly assertions: number;
  /** Parentheses, braces and prefix operators inside one another. The parser's stack grows with it. */
  readonly nesting: number;
}

/** A policy file: the operator's own, so only what would exhaust the stack is refused. */
export const LOCAL_LIMITS: AssertionLimits = { bytes: 64 * 1024 * 1024, assertions: 1_000_000, nesting: 100 };

/** What a peer may send in one CERT payload. */
export const CREDENTIAL_LIMITS: AssertionLimits = { bytes: 32 * 1024, assertions: 64, nesting: 50 };

/**
 * Steps that credentials may take in one query: a character copied, a state of a regular expression at one position, a principal looked at. The
 * assertions of the policy have as many of their own, and more with their number.
 */
export const QUERY_STEPS = 500_000;
export const LOCAL_STEPS_PER_ASSERTION = 2000;

/** The query has used up its steps. Never leaves this folder. */
export class WorkExceeded extends Error {
  override readonly name = 'WorkExceeded';
}

/** Whatever counts steps; throws WorkExceeded when they run out. */
export interface Spending {
  spend(steps: number): void;
}

/** The steps that are left. */
export class Budget implements Spending {
  #left: number;
  readonly #steps: number;
  constructor(steps: number) {
    this.#left = steps;
    this.#steps = steps;
  }
  /** Throws WorkExceeded when they run out. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new WorkExceeded(`it takes more work than the ${this.#steps} steps it may take`);
  }
}
