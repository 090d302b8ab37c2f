/**
 * The graph of delegations (RFC 2704 section 5.3): which assertions lead from POLICY to who asks, and what each principal is worth. The graph may have
 * cycles. Its values are the least ones that fulfil all rules at once: they start at the lowest and rise as long as an assertion raises
 * one, so that no order of evaluation and no cycle changes them. Conditions and signatures are looked at only where the licensees have a value.
 */
import type { Assertion } from './assertion.ts';
import { type ConditionsOutcome, evaluateConditions } from './conditions.ts';
import type { Environment } from './environment.ts';
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
  /** In the order in which POLICY leads to them. */
  readonly considered: Considered[] = [];
  readonly #input: DelegationInput;
  readonly #environment: Environment;
  readonly #highest: number;
  /** Of texts that are not the same in every query. */
  readonly #texts = new Map<string, string>();
  readonly #identities = new Map<LicenseesExpression, string>();
  /** Assertions that the index of the policy lacks, by the identity of their authorizer. */
  readonly #others = new Map<string, Assertion[]>();
  /** The value of each principal by its identity, where it is not the lowest. */
  readonly #values = new Map<string, number>();
  /** Which assertions may rise with a principal. */
  readonly #dependents = new Map<string, Considered[]>();

  constructor(input: DelegationInput, environment: Environment) {
    this.#input = input;
    this.#environment = environment;
    this.#highest = environment.values.length - 1;
  }

  /** Index of the value of POLICY. Throws WorkExceeded. */
  evaluate(): number {
    const { policy, credentials, authorizers } = this.#input;
    for (const text of authorizers) this.#values.set(this.#identity(text), this.#highest);
    // Nobody asks in the name of the policy itself.
    this.#values.delete(POLICY);
    for (const assertion of [...policy.varying, ...credentials]) {
      this.#environment.charge(assertion.isLocal);
      listed(this.#others, this.#identity(this.#text(assertion, assertion.authorizer))).push(assertion);
    }
    this.#discover();
    this.#raise();
    return this.#values.get(POLICY) ?? 0;
  }

  /** Finds whom POLICY licenses, whom those license, and so on, each once. */
  #discover(): void {
    const seen = new Set([POLICY]);
    // Grows while it is walked through.
    for (const authorizer of seen) {
      const assertions = [
        ...(this.#input.policy.byAuthorizer.get(authorizer) ?? []),
        ...(this.#others.get(authorizer) ?? []),
      ];
      for (const assertion of assertions) {
        this.#environment.charge(assertion.isLocal);
        this.#environment.spend(STEPS_PER_ASSERTION);
        const considered = {
          assertion,
          authorizer,
          licensees: 0,
          value: 0,
          conditions: undefined,
          signature: undefined,
        };
        this.considered.push(considered);
        for (const [expression, name] of licensedPrincipals(assertion)) {
          this.#environment.spend(1);
          const identity = this.#input.policy.identities.get(expression) ?? this.#identity(this.#text(assertion, name));
          this.#identities.set(expression, identity);
          listed(this.#dependents, identity).push(considered);
          seen.add(identity);
        }
      }
    }
  }

  /** Raises principals to what their assertions give, until none rises any more. */
  #raise(): void {
    const waiting = new Set(this.considered);
    for (const considered of waiting) {
      waiting.delete(considered);
      this.#environment.charge(considered.assertion.isLocal);
      considered.licensees = this.#licenseesValue(considered.assertion.licensees);
      considered.value = considered.licensees === 0 ? 0 : Math.min(considered.licensees, this.#ownValue(considered));
      if (considered.value <= (this.#values.get(considered.authorizer) ?? 0)) continue;
      this.#values.set(considered.authorizer, considered.value);
      for (const dependent of this.#dependents.get(considered.authorizer) ?? []) waiting.add(dependent);
    }
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
    if (assertion.signature === undefined) return { kind: 'refused', reason: 'it has no signature' };
    this.#environment.spend(STEPS_PER_SIGNATURE + assertion.signedText.length);
    const [authorizer, signature] = [assertion.authorizer, assertion.signature];
    return this.#input.checkSignature(
      assertion.signedText,
      this.#text(assertion, authorizer),
      this.#text(assertion, signature),
    );
  }

  #licenseesValue(licensees: Assertion['licensees']): number {
    if (licensees === undefined) return this.#highest;
    const rated = (expression: LicenseesExpression): number => {
      this.#environment.spend(1);
      switch (expression.kind) {
        case 'principal':
          return this.#values.get(this.#identities.get(expression) ?? '') ?? 0;
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

  #identity(text: string): string {
    this.#environment.spend(1);
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#environment.spend(text.length);
    const { identity } = principalOf(text);
    this.#texts.set(text, identity);
    return identity;
  }

  #text({ constants }: Assertion, expression: Assertion['authorizer']): string {
    return this.#environment.string(expression, constants, undefined);
  }
}

const STEPS_PER_ASSERTION = 20;
const STEPS_PER_SIGNATURE = 5000;
