/** Local assertions as queries want them: found by whom they license, with their keys decoded once. */
import type { Assertion } from './assertion.ts';
import type { LicenseesExpression, StringExpression } from './expressions.ts';
import { POLICY, principalOf } from './principals.ts';

export interface Policy {
  readonly size: number;
  /** Whether any assertion is, or may be, by POLICY. */
  readonly hasRoot: boolean;
  /** By the identity of a licensee, where that is the same in every query. */
  readonly byLicensee: ReadonlyMap<string, readonly Assertion[]>;
  /** Those that license anybody, or somebody whom the action names. */
  readonly open: readonly Assertion[];
  /** Identities of authorizers that are the same in every query. */
  readonly authorizers: ReadonlyMap<Assertion, string>;
  /** Identities of licensees that are the same in every query. */
  readonly licensees: ReadonlyMap<LicenseesExpression, string>;
}

/** The local assertions of a policy file; what is not local is left out. */
export const createPolicy = (assertions: readonly Assertion[]): Policy => {
  const local = assertions.filter(({ isLocal }) => isLocal);
  const byLicensee = new Map<string, Assertion[]>();
  const open: Assertion[] = [];
  const authorizers = new Map<Assertion, string>();
  const licensees = new Map<LicenseesExpression, string>();
  for (const assertion of local) {
    const authorizer = constantString(assertion.authorizer, assertion.constants);
    if (authorizer !== undefined) authorizers.set(assertion, principalOf(authorizer).identity);
    let isOpen = assertion.licensees === undefined;
    for (const [expression, name] of licensedPrincipals(assertion)) {
      const text = constantString(name, assertion.constants);
      if (text === undefined) isOpen = true;
      else {
        const { identity } = principalOf(text);
        licensees.set(expression, identity);
        listed(byLicensee, identity).push(assertion);
      }
    }
    if (isOpen) open.push(assertion);
  }
  const hasRoot = local.some((assertion) => (authorizers.get(assertion) ?? POLICY) === POLICY);
  return { size: local.length, hasRoot, byLicensee, open, authorizers, licensees };
};

/** The principals that an assertion licenses, each with the expression of its text. */
export const licensedPrincipals = ({
  licensees,
}: Assertion): readonly (readonly [LicenseesExpression, StringExpression])[] => {
  const found: (readonly [LicenseesExpression, StringExpression])[] = [];
  const collect = (expression: LicenseesExpression): void => {
    if (expression.kind === 'principal') found.push([expression, expression.name]);
    else expression.of.forEach(collect);
  };
  if (typeof licensees === 'object') collect(licensees);
  return found;
};

/** The list of a key, made where there is none. */
export const listed = <Item>(lists: Map<string, Item[]>, key: string): Item[] => {
  const list = lists.get(key) ?? [];
  if (list.length === 0) lists.set(key, list);
  return list;
};

/** The value of an expression that is the same in every query; undefined where the action has a say in it. */
export const constantString = (
  expression: StringExpression,
  constants: ReadonlyMap<string, string>,
): string | undefined => {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'attribute':
      return constants.get(expression.name);
    case 'dereference':
      return constants.get(constantString(expression.of, constants) ?? '');
    case 'concatenation': {
      const parts = expression.parts.map((part) => constantString(part, constants));
      return parts.includes(undefined) ? undefined : parts.join('');
    }
  }
};
