/** Local assertions as queries want them: found by their authorizer, with their keys decoded once. */
import type { Assertion } from './assertion.ts';
import type { LicenseesExpression, StringExpression } from './expressions.ts';
import { principalOf } from './principals.ts';

export interface Policy {
  readonly size: number;
  /** By the identity of the authorizer, where that is the same in every query. */
  readonly byAuthorizer: ReadonlyMap<string, readonly Assertion[]>;
  /** Those whose authorizer depends on the action. */
  readonly varying: readonly Assertion[];
  /** Identities of the principals among their licensees that are the same in every query. */
  readonly identities: ReadonlyMap<LicenseesExpression, string>;
}

/** The local assertions of a policy file; what is not local is left out. */
export const createPolicy = (assertions: readonly Assertion[]): Policy => {
  const local = assertions.filter(({ isLocal }) => isLocal);
  const byAuthorizer = new Map<string, Assertion[]>();
  const varying: Assertion[] = [];
  const identities = new Map<LicenseesExpression, string>();
  for (const assertion of local) {
    const authorizer = constantString(assertion.authorizer, assertion.constants);
    if (authorizer === undefined) varying.push(assertion);
    else listed(byAuthorizer, principalOf(authorizer).identity).push(assertion);
    for (const [expression, name] of licensedPrincipals(assertion)) {
      const text = constantString(name, assertion.constants);
      if (text !== undefined) identities.set(expression, principalOf(text).identity);
    }
  }
  return { size: local.length, byAuthorizer, varying, identities };
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

/** Undefined where the action has a say in it. */
const constantString = (expression: StringExpression, constants: ReadonlyMap<string, string>): string | undefined => {
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
