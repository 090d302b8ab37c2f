/**
 * Conditions, licensees and principals as they are evaluated (RFC 2704 section 4): every expression has its type. Strings here and everywhere in
 * this folder are byte strings: one character, U+0000 to U+00FF, for each byte (`latin1`), so that order, length and signatures are those of bytes.
 */

export type StringExpression =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'attribute'; readonly name: string }
  /** `$`: the attribute whose name is the value of the expression. */
  | { readonly kind: 'dereference'; readonly of: StringExpression }
  | { readonly kind: 'concatenation'; readonly parts: readonly StringExpression[] };

/** Whether it is an integer or a float is said by the relation above it. */
export type NumberExpression =
  | { readonly kind: 'number'; readonly value: number }
  /** `@` or `&` of a string. */
  | { readonly kind: 'conversion'; readonly of: StringExpression }
  | { readonly kind: 'negation'; readonly of: NumberExpression }
  /** Operators of one class of precedence, applied from left to right. */
  | { readonly kind: 'arithmetic'; readonly first: NumberExpression; readonly rest: readonly ArithmeticStep[] };

export interface ArithmeticStep {
  readonly operator: ArithmeticOperator;
  readonly operand: NumberExpression;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';
export type OrderOperator = '==' | '!=' | '<' | '>' | '<=' | '>=';

export type Test =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Test }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Test[] }
  | Relation;

export type Relation =
  | {
      readonly kind: 'integers' | 'floats';
      readonly operator: OrderOperator;
      readonly left: NumberExpression;
      readonly right: NumberExpression;
      readonly line: number;
    }
  | {
      readonly kind: 'strings';
      readonly operator: OrderOperator;
      readonly left: StringExpression;
      readonly right: StringExpression;
      readonly line: number;
    }
  | {
      readonly kind: 'match';
      readonly text: StringExpression;
      readonly pattern: StringExpression;
      readonly line: number;
    };

export interface Clause {
  readonly test: Test;
  readonly value:
    | { readonly kind: 'maximum' }
    | { readonly kind: 'named'; readonly name: StringExpression }
    | { readonly kind: 'program'; readonly program: Program };
  /** In the text the assertion came from, from 1. */
  readonly line: number;
}

export type Program = readonly Clause[];

export type LicenseesExpression =
  | { readonly kind: 'principal'; readonly name: StringExpression }
  | { readonly kind: 'all' | 'any'; readonly of: readonly LicenseesExpression[] }
  | { readonly kind: 'threshold'; readonly needed: number; readonly of: readonly LicenseesExpression[] };
