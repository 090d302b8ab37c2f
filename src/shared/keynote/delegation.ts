/**
 * The graph of delegations (RFC 2704 section 5.3), from who asks up to POLICY. The graph may have cycles. Its values are the least ones that fulfil all
 * rules at once: they start at the lowest and rise as long as an assertion raises one, so that no order of evaluation and no cycle changes
 * them. Only assertions whose licensees have risen are looked at: a policy of many thousands costs what concerns the request.
 */
import type { Assertion } from './assertion.ts';
import { type ConditionsOutcome, evaluateConditions } from './conditions.ts';
import { type Environment, NotKnownYet } from './environment.ts';
import type { LicenseesExpression } from './expressions.ts';
import { licensedPrincipals, listed, type Policy } from './policy.ts';
import { POLICY, principalOf } from './principals.ts';
import type { SignatureVerdict } from './signatures.ts';

/** An assertion that a query has looked at. */
export interface Considered {
  readonly assertion: Assertion;
  /** Identity of its authorizer. */
  readonly authorizer: string;
  /** Indexes of compliance values; they rise while the graph is evaluated. */
  licensees: number;
  value: number;
  /** Undefined where it was not looked at. */
  conditions: ConditionsOutcome | undefined;
  /** Undefined where it was not looked at, or is not needed. */
  signature: SignatureVerdict | undefined;
}

export interface DelegationInput {
  readonly policy: Policy;
  readonly credentials: readonly Assertion[];
  readonly authorizers: readonly string[];
  readonly checkSignature: SignatureCheck;
}

export type SignatureCheck = (signedText: string, authorizer: string, signature: string) => SignatureVerdict;

export class Delegation {
  readonly #input: DelegationInput;
  readonly #environment: Environment;
  readonly #highest: number;
  readonly #considered = new Map<Assertion, Considered>();
  /** Those whose licensees have risen since they were looked at. */
  readonly #waiting = new Set<Considered>();
  /** Of texts that are not the same in every query. */
  readonly #texts = new Map<string, string>();
  readonly #licensees = new Map<LicenseesExpression, string>();
  /** Assertions that the index of the policy lacks, by the identity of a licensee. */
  readonly #others = new Map<string, Assertion[]>();
  /** The value of each principal by its identity, where it is not the lowest. */
  readonly #values = new Map<string, number>();

  constructor(input: DelegationInput, environment: Environment) {
    this.#input = input;
    this.#environment = environment;
    this.#highest = environment.values.length - 1;
  }

  /** In the order in which they were reached. */
  get considered(): readonly Considered[] {
    return [...this.#considered.values()];
  }

  /** Index of the value of POLICY. Throws WorkExceeded. */
  evaluate(): number {
    const { policy, credentials, authorizers } = this.#input;
    for (const assertion of [...policy.open, ...credentials]) this.#include(assertion);
    for (const text of authorizers) {
      const identity = this.#identity(text);
      // Nobody asks in the name of the policy itself.
      if (identity !== POLICY) this.#raise(identity, this.#highest);
    }
    // Grows while it is walked through.
    for (const considered of this.#waiting) {
      this.#waiting.delete(considered);
      this.#evaluate(considered);
      this.#raise(considered.authorizer, considered.value);
    }
    return this.#values.get(POLICY) ?? 0;
  }

  /** Makes it known to its licensees, and looks at it at once where it may license anybody. */
  #include(assertion: Assertion): void {
    this.#environment.charge(assertion.isLocal);
    for (const [expression, name] of licensedPrincipals(assertion)) {
      if (this.#input.policy.licensees.has(expression)) continue;
      const identity = this.#identity(this.#text(assertion, name));
      this.#licensees.set(expression, identity);
      listed(this.#others, identity).push(assertion);
    }
    if (assertion.licensees === undefined) this.#waiting.add(this.#consider(assertion));
  }

  #raise(identity: string, value: number): void {
    if (value <= (this.#values.get(identity) ?? 0)) return;
    this.#values.set(identity, value);
    for (const lists of [this.#input.policy.byLicensee, this.#others]) {
      for (const assertion of lists.get(identity) ?? []) this.#waiting.add(this.#consider(assertion));
    }
  }

  #consider(assertion: Assertion): Considered {
    const known = this.#considered.get(assertion);
    if (known !== undefined) return known;
    this.#environment.charge(assertion.isLocal);
    this.#environment.spend(STEPS_PER_ASSERTION);
    const authorizer =
      this.#input.policy.authorizers.get(assertion) ?? this.#identity(this.#text(assertion, assertion.authorizer));
    const considered = { assertion, authorizer, licensees: 0, value: 0, conditions: undefined, signature: undefined };
    this.#considered.set(assertion, considered);
    return considered;
  }

  #evaluate(considered: Considered): void {
    this.#environment.charge(considered.assertion.isLocal);
    considered.licensees = this.#licenseesValue(considered.assertion.licensees);
    considered.value = considered.licensees === 0 ? 0 : Math.min(considered.licensees, this.#ownValue(considered));
  }

  /** What the conditions give, and the lowest value for a credential that nobody has signed. */
  #ownValue(considered: Considered): number {
    const { assertion } = considered;
    considered.conditions ??=
      assertion.conditions === undefined
        ? { value: this.#highest, clauses: [] }
        : evaluateConditions(assertion.conditions, this.#environment, assertion.constants);
    if (assertion.isLocal || considered.conditions.value === 0) return considered.conditions.value;
    considered.signature ??= this.#verdict(assertion);
    return considered.signature.kind === 'refused' ? 0 : considered.conditions.value;
  }

  #verdict(assertion: Assertion): SignatureVerdict {
    const { signature, signedText, authorizer } = assertion;
    if (typeof signature !== 'object') return { kind: 'refused', reason: 'it has no signature' };
    this.#environment.spend(STEPS_PER_SIGNATURE + signedText.length);
    return this.#input.checkSignature(signedText, this.#text(assertion, authorizer), this.#text(assertion, signature));
  }

  #licenseesValue(licensees: Assertion['licensees']): number {
    if (licensees === undefined) return this.#highest;
    const rated = (expression: LicenseesExpression): number => {
      this.#environment.spend(1);
      switch (expression.kind) {
        case 'principal':
          return this.#principalValue(expression);
        case 'all':
          return expression.of.reduce((lowest, part) => Math.min(lowest, rated(part)), this.#highest);
        case 'any':
          return expression.of.reduce((highest, part) => Math.max(highest, rated(part)), 0);
        case 'threshold':
          return expression.of.map(rated).sort((left, right) => right - left)[expression.needed - 1] ?? 0;
      }
    };
    return licensees === 'nobody' ? 0 : rated(licensees);
  }

  #principalValue(expression: LicenseesExpression): number {
    const identity = this.#input.policy.licensees.get(expression) ?? this.#licensees.get(expression);
    return this.#values.get(identity ?? '') ?? 0;
  }

  #identity(text: string): string {
    this.#environment.spend(1);
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#environment.spend(text.length);
    const { identity } = principalOf(text);
    this.#texts.set(text, identity);
    return identity;
  }

  /** Whoever is named by an attribute that is not known yet is nobody. */
  #text({ constants }: Assertion, expression: Assertion['authorizer']): string {
    try {
      return this.#environment.string(expression, constants, undefined);
    } catch (fault) {
      if (!(fault instanceof NotKnownYet)) throw fault;
      return '';
    }
  }
}

const STEPS_PER_ASSERTION = 20;
const STEPS_PER_SIGNATURE = 5000;
