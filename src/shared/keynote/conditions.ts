/** The value of a conditions program (RFC 2704 section 5.3.4), and which comparison decided. */
import { compared, floatArithmetic, integerArithmetic, integerOf, numberOf, RuntimeFault } from './arithmetic.ts';
import { type Environment, type MatchGroups, NotKnownYet } from './environment.ts';
import type { Clause, NumberExpression, Program, Relation, StringExpression, Test } from './expressions.ts';
import { matchRegexp } from './regexp.ts';

/** Why the test of a clause came out as it did. */
export interface ClauseOutcome {
  readonly clause: Clause;
  readonly holds: boolean;
  /** The comparison that was looked at last: with && and || that is the one that decided. */
  readonly decisive: Relation | undefined;
  /** Where the test could not be evaluated. */
  readonly fault: string | undefined;
}

export interface ConditionsOutcome {
  /** Index among the query's compliance values. */
  readonly value: number;
  /** The clause with the highest value; where all have the lowest, the first ones that failed. */
  readonly clauses: readonly ClauseOutcome[];
}

/** Throws WorkExceeded. */
export const evaluateConditions = (
  program: Program,
  environment: Environment,
  constants: ReadonlyMap<string, string>,
): ConditionsOutcome => new Evaluation(environment, constants).program(program, undefined);

class Evaluation {
  readonly #environment: Environment;
  readonly #constants: ReadonlyMap<string, string>;
  /** Of the last match in the clause that is being evaluated. */
  #groups: MatchGroups;
  /**
   * Whether the clause had a comparison of what is not known yet: then neither is what follows it in the clause certain to be evaluated, nor
   * what is skipped certain to be skipped. So matches and faults may come out otherwise.
   */
  #isUncertain = false;
  #decisive: Relation | undefined;

  constructor(environment: Environment, constants: ReadonlyMap<string, string>) {
    this.#environment = environment;
    this.#constants = constants;
  }

  /** `groups`: of the clause around the program, of which it is a part. */
  program(clauses: Program, groups: MatchGroups): ConditionsOutcome {
    const highest = this.#environment.values.length - 1;
    let best: ConditionsOutcome = { value: 0, clauses: [] };
    for (const clause of clauses) {
      this.#groups = groups;
      this.#isUncertain = false;
      const outcome = this.#clause(clause, highest);
      if (outcome.value > best.value) best = outcome;
      else if (best.value === 0 && best.clauses.length < MOST_EXPLAINED) {
        best = { value: 0, clauses: [...best.clauses, ...outcome.clauses] };
      }
      if (best.value === highest) break;
    }
    return best;
  }

  #clause(clause: Clause, highest: number): ConditionsOutcome {
    const outcome = this.#outcome(clause);
    if (!outcome.holds) return { value: 0, clauses: [outcome] };
    switch (clause.value.kind) {
      case 'maximum':
        return { value: highest, clauses: [outcome] };
      case 'named': {
        const { name } = clause.value;
        const value = this.#known(() => this.#environment.values.indexOf(this.#string(name)), highest);
        return { value: Math.max(value, 0), clauses: [outcome] };
      }
      case 'program': {
        const inner = this.program(clause.value.program, this.#isUncertain ? 'unknown' : this.#groups);
        return inner.clauses.length === 0 ? { value: 0, clauses: [outcome] } : inner;
      }
    }
  }

  #outcome(clause: Clause): ClauseOutcome {
    this.#decisive = undefined;
    try {
      const holds = this.#holds(clause.test, true);
      return { clause, holds, decisive: this.#decisive, fault: undefined };
    } catch (fault) {
      if (!(fault instanceof RuntimeFault)) throw fault;
      return { clause, holds: this.#isUncertain, decisive: this.#decisive, fault: fault.message };
    }
  }

  /** `otherwise`: of a comparison of what is not known yet. Behind a ! that is false, so that the test as a whole holds if it can. */
  #holds(test: Test, otherwise: boolean): boolean {
    this.#environment.spend(1);
    switch (test.kind) {
      case 'constant':
        return test.value;
      case 'not':
        return !this.#holds(test.of, !otherwise);
      case 'and':
        return test.of.every((part) => this.#holds(part, otherwise));
      case 'or':
        return test.of.some((part) => this.#holds(part, otherwise));
      default:
        this.#decisive = test;
        return this.#known(() => this.#compares(test), otherwise);
    }
  }

  #compares(relation: Relation): boolean {
    switch (relation.kind) {
      case 'integers':
      case 'floats': {
        const isInteger = relation.kind === 'integers';
        return compared(
          relation.operator,
          this.#number(relation.left, isInteger),
          this.#number(relation.right, isInteger),
        );
      }
      case 'strings': {
        const [left, right] = [this.#string(relation.left), this.#string(relation.right)];
        this.#environment.spend(Math.min(left.length, right.length));
        return compared(relation.operator, left, right);
      }
      case 'match':
        return this.#matches(relation);
    }
  }

  #matches({ text, pattern }: Extract<Relation, { readonly kind: 'match' }>): boolean {
    const [given, wanted] = [this.#string(text), this.#string(pattern)];
    this.#groups = undefined;
    this.#groups = matchRegexp(wanted, given, this.#environment);
    return this.#groups !== undefined;
  }

  #known<Result>(evaluate: () => Result, otherwise: Result): Result {
    try {
      return evaluate();
    } catch (fault) {
      if (!(fault instanceof NotKnownYet)) throw fault;
      this.#isUncertain = true;
      return otherwise;
    }
  }

  #number(expression: NumberExpression, isInteger: boolean): number {
    this.#environment.spend(1);
    switch (expression.kind) {
      case 'number':
        return expression.value;
      case 'conversion': {
        const text = this.#string(expression.of);
        this.#environment.spend(text.length);
        return isInteger ? integerOf(text) : numberOf(text);
      }
      case 'negation':
        // Of zero, too, and of the least integer.
        return (isInteger ? integerArithmetic : floatArithmetic)('-', 0, this.#number(expression.of, isInteger));
      case 'arithmetic':
        return expression.rest.reduce(
          (left, { operator, operand }) =>
            (isInteger ? integerArithmetic : floatArithmetic)(operator, left, this.#number(operand, isInteger)),
          this.#number(expression.first, isInteger),
        );
    }
  }

  #string(expression: StringExpression): string {
    return this.#environment.string(expression, this.#constants, this.#isUncertain ? 'unknown' : this.#groups);
  }
}

/** Failed clauses that are kept for the explanation. */
const MOST_EXPLAINED = 3;
