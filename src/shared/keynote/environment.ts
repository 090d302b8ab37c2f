/** What names stand for while an assertion is evaluated (RFC 2704 sections 3, 4.4 and 4.6.2). */
import type { StringExpression } from './expressions.ts';
import { Budget } from './limits.ts';
import type { Groups } from './regexp.ts';

/** What a query is about. */
export interface Action {
  /** Texts of the principals that ask, as they are. */
  readonly authorizers: readonly string[];
  /**
   * The value of an action attribute, '' for one that there is not. Asked only for names that are used, and once for each. Undefined: it is not known yet,
   * and the query tells the highest value that may come of it.
   */
  readonly attributes: (name: string) => string | undefined;
  /** Compliance values from the lowest to the highest, two at least. */
  readonly values: readonly string[];
}

/** Of the last match in a clause; `unknown`: what it matched is not known yet. */
export type MatchGroups = Groups | undefined | 'unknown';

/** What is evaluated hangs on an attribute without a value. Never leaves this folder. */
export class NotKnownYet extends Error {
  override readonly name = 'NotKnownYet';
}

/** The names of one query, and its steps: those of the policy's assertions and those of credentials are counted apart. */
export class Environment {
  readonly #local: Budget;
  readonly #foreign: Budget;
  #budget: Budget;
  readonly values: readonly string[];
  readonly #reserved: ReadonlyMap<string, string>;
  readonly #attributes: Action['attributes'];
  readonly #known = new Map<string, string>();

  constructor(action: Action, steps: { readonly local: number; readonly foreign: number }) {
    this.#local = new Budget(steps.local);
    this.#foreign = new Budget(steps.foreign);
    this.#budget = this.#local;
    this.values = action.values;
    this.#attributes = action.attributes;
    this.#reserved = new Map([
      ['_MIN_TRUST', action.values[0] ?? ''],
      ['_MAX_TRUST', action.values.at(-1) ?? ''],
      ['_VALUES', action.values.join(',')],
      ['_ACTION_AUTHORIZERS', byteString(action.authorizers.join(','))],
    ]);
  }

  /** `groups`: of the last match in the same clause. Throws NotKnownYet. */
  string(expression: StringExpression, constants: ReadonlyMap<string, string>, groups: MatchGroups): string {
    switch (expression.kind) {
      case 'literal':
        this.#budget.spend(1);
        return expression.value;
      case 'attribute':
        return this.#lookup(expression.name, constants, groups);
      case 'dereference':
        return this.#lookup(this.string(expression.of, constants, groups), constants, groups);
      case 'concatenation': {
        const parts = expression.parts.map((part) => this.string(part, constants, groups));
        for (const part of parts) this.#budget.spend(part.length);
        return parts.join('');
      }
    }
  }

  /** Whose steps are spent from now on. */
  charge(isLocal: boolean): void {
    this.#budget = isLocal ? this.#local : this.#foreign;
  }

  /** Throws WorkExceeded when they run out. */
  spend(steps: number): void {
    this.#budget.spend(steps);
  }

  /** The value of an attribute that has been asked for. */
  told(name: string): string | undefined {
    return this.#known.get(name);
  }

  /** Reserved names, then constants of the assertion, then the action; what is no name of an attribute has no value. */
  #lookup(name: string, constants: ReadonlyMap<string, string>, groups: MatchGroups): string {
    this.#budget.spend(1);
    if (name.startsWith('_')) return this.#reserved.get(name) ?? groupValue(name, groups);
    return constants.get(name) ?? this.#known.get(name) ?? this.#ask(name);
  }

  #ask(name: string): string {
    if (!/^[A-Za-z]\w*$/.test(name)) return '';
    const given = this.#attributes(name);
    if (given === undefined) throw new NotKnownYet(name);
    const value = byteString(given);
    this.#budget.spend(value.length);
    this.#known.set(name, value);
    return value;
  }
}

/** `_0` is the number of groups, `_1` what the first one matched. */
const groupValue = (name: string, groups: MatchGroups): string => {
  if (groups === 'unknown') throw new NotKnownYet(name);
  if (groups === undefined || !/^_(?:0|[1-9]\d{0,8})$/.test(name)) return '';
  const index = Number(name.slice(1));
  return index === 0 ? String(groups.length) : (groups[index - 1] ?? '');
};

/** UTF-8 of a text with characters that are no bytes. */
const byteString = (text: string): string =>
  /^[\0-\xff]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
