/** From what the grammar read to typed expressions: what is an integer, a float, a string, a test or a principal, and what does not fit together. */
import type {
  ArithmeticOperator,
  ArithmeticStep,
  Clause,
  LicenseesExpression,
  NumberExpression,
  Program,
  Relation,
  StringExpression,
  Test,
} from './expressions.ts';
import { literalValue } from './string-literals.ts';
import { SyntaxFault } from './syntax-fault.ts';
import type { Tree, TreeClause, TreeLink } from './syntax-tree.ts';

/** Line of an offset in the field that is being read. */
export type LineOf = (offset: number) => number;

/** A conditions program. Throws SyntaxFault, as all of these do. */
export const typedProgram = (clauses: readonly TreeClause[], lineOf: LineOf): Program =>
  clauses.map(({ at, test, value }): Clause => {
    const typed = { test: typedTest(test, lineOf), line: lineOf(at) };
    if (value === null) return { ...typed, value: { kind: 'maximum' } };
    if (value.kind === 'program') {
      return { ...typed, value: { kind: 'program', program: typedProgram(value.clauses, lineOf) } };
    }
    return { ...typed, value: { kind: 'named', name: typedString(value, lineOf) } };
  });

export const typedLicensees = (tree: Tree, lineOf: LineOf): LicenseesExpression => {
  const typed = (operand: Tree): LicenseesExpression => typedLicensees(operand, lineOf);
  switch (tree.kind) {
    case 'and':
      return { kind: 'all', of: operands(tree).map(typed) };
    case 'or':
      return { kind: 'any', of: operands(tree).map(typed) };
    case 'threshold': {
      const needed = Number(tree.needed);
      if (needed > tree.of.length) {
        throw new SyntaxFault(
          lineOf(tree.at),
          `${tree.needed}-of needs ${tree.needed} principals and has ${tree.of.length}`,
        );
      }
      return { kind: 'threshold', needed, of: tree.of.map((member) => principal(member, lineOf)) };
    }
    default:
      return principal(tree, lineOf);
  }
};

const principal = (tree: Tree, lineOf: LineOf): LicenseesExpression => ({
  kind: 'principal',
  name: typedString(tree, lineOf),
});

export const typedString = (tree: Tree, lineOf: LineOf): StringExpression => {
  switch (tree.kind) {
    case 'string':
      return { kind: 'literal', value: literalValue(tree.text) };
    case 'name':
      return { kind: 'attribute', name: tree.name };
    case 'prefix':
      return tree.operators.reduceRight<StringExpression>(
        (of, operator) =>
          operator === '$'
            ? { kind: 'dereference', of }
            : fail(tree, lineOf, `"${operator}" makes no string, "$" does`),
        typedString(tree.of, lineOf),
      );
    case 'arithmetic': {
      const wrong = tree.rest.find(({ operator }) => operator !== '.');
      if (wrong !== undefined) return fail(tree, lineOf, `"${wrong.operator}" makes no string, "." joins two`);
      return { kind: 'concatenation', parts: operands(tree).map((part) => typedString(part, lineOf)) };
    }
    default:
      return fail(tree, lineOf, `${WORDS[tree.kind]} stands where a string is wanted`);
  }
};

const typedTest = (tree: Tree, lineOf: LineOf): Test => {
  const typed = (operand: Tree): Test => typedTest(operand, lineOf);
  switch (tree.kind) {
    case 'and':
    case 'or':
      return { kind: tree.kind, of: operands(tree).map(typed) };
    case 'prefix': {
      const wrong = tree.operators.find((operator) => operator !== '!');
      if (wrong !== undefined) return fail(tree, lineOf, `"${wrong}" makes no test: compare it with something`);
      return tree.operators.reduceRight<Test>((of) => ({ kind: 'not', of }), typed(tree.of));
    }
    case 'relation':
      return typedRelation(tree, lineOf);
    case 'name':
      // RFC 2704 section 4.6.5: true and false are names like others everywhere else.
      if (/^true$/i.test(tree.name)) return { kind: 'constant', value: true };
      if (/^false$/i.test(tree.name)) return { kind: 'constant', value: false };
      return fail(tree, lineOf, `"${tree.name}" is no test: compare it with something`);
    default:
      return fail(tree, lineOf, `${WORDS[tree.kind]} is no test: compare it with something`);
  }
};

const typedRelation = (tree: Tree & { readonly kind: 'relation' }, lineOf: LineOf): Relation => {
  const { operator, left, right } = tree;
  const line = lineOf(tree.at);
  const [leftKind, rightKind] = [operandKind(left), operandKind(right)];
  if (leftKind !== rightKind) {
    return fail(
      tree,
      lineOf,
      `"${operator}" compares ${leftKind} with ${rightKind}: "@" makes integers of strings, "&" floats`,
    );
  }
  if (leftKind === 'strings') {
    const [first, second] = [typedString(left, lineOf), typedString(right, lineOf)];
    if (operator === '~=') return { kind: 'match', text: first, pattern: second, line };
    return { kind: 'strings', operator, left: first, right: second, line };
  }
  if (operator === '~=') return fail(tree, lineOf, '"~=" compares strings only');
  if (leftKind === 'floats' && (operator === '==' || operator === '!=')) {
    return fail(tree, lineOf, `floats are not compared with "${operator}", only with <, >, <= and >=`);
  }
  return {
    kind: leftKind,
    operator,
    left: typedNumber(left, leftKind, lineOf),
    right: typedNumber(right, leftKind, lineOf),
    line,
  };
};

/** What an operand looks like from its first part; the rest is checked when it is typed. */
const operandKind = (tree: Tree): 'strings' | 'integers' | 'floats' => {
  switch (tree.kind) {
    case 'integer':
      return 'integers';
    case 'float':
      return 'floats';
    case 'prefix': {
      const operator = tree.operators.find((mark) => mark !== '-');
      if (operator === undefined) return operandKind(tree.of);
      return operator === '@' ? 'integers' : operator === '&' ? 'floats' : 'strings';
    }
    case 'arithmetic':
      return operandKind(tree.first);
    default:
      return 'strings';
  }
};

const typedNumber = (tree: Tree, kind: 'integers' | 'floats', lineOf: LineOf): NumberExpression => {
  const article = kind === 'integers' ? 'an integer' : 'a float';
  switch (tree.kind) {
    case 'integer':
    case 'float':
      if (tree.kind !== kind.slice(0, -1)) return fail(tree, lineOf, `"${tree.digits}" is not ${article}`);
      return { kind: 'number', value: kind === 'integers' ? Math.min(Number(tree.digits), MOST) : Number(tree.digits) };
    case 'prefix':
      return typedPrefix(tree, kind, lineOf);
    case 'arithmetic': {
      const step = ({ operator, operand }: TreeLink): ArithmeticStep => {
        const known = OPERATORS.find((one) => one === operator && (one !== '%' || kind === 'integers'));
        if (known === undefined) return fail(tree, lineOf, `"${operator}" is no operator of ${kind}`);
        return { operator: known, operand: typedNumber(operand, kind, lineOf) };
      };
      return { kind: 'arithmetic', first: typedNumber(tree.first, kind, lineOf), rest: tree.rest.map(step) };
    }
    case 'string':
    case 'name':
      return fail(
        tree,
        lineOf,
        `a string stands where ${article} is wanted: "${kind === 'integers' ? '@' : '&'}" converts it`,
      );
    default:
      return fail(tree, lineOf, `${WORDS[tree.kind]} stands where ${article} is wanted`);
  }
};

/** Minus signs, then at most one conversion, then "$" of the string behind it. */
const typedPrefix = (
  tree: Tree & { readonly kind: 'prefix' },
  kind: 'integers' | 'floats',
  lineOf: LineOf,
): NumberExpression => {
  const [operator = '', ...others] = tree.operators;
  const of: Tree = others.length === 0 ? tree.of : { ...tree, operators: others };
  if (operator === '-') return { kind: 'negation', of: typedNumber(of, kind, lineOf) };
  if (operator === (kind === 'integers' ? '@' : '&')) return { kind: 'conversion', of: typedString(of, lineOf) };
  return fail(tree, lineOf, `"${operator}" makes no ${kind}`);
};

const operands = (tree: { readonly first: Tree; readonly rest: readonly TreeLink[] }): readonly Tree[] => [
  tree.first,
  ...tree.rest.map(({ operand }) => operand),
];

const fail = (tree: Tree, lineOf: LineOf, text: string): never => {
  throw new SyntaxFault(lineOf(tree.at), text);
};

const WORDS: Readonly<Record<Tree['kind'], string>> = {
  string: 'a string',
  name: 'an attribute',
  integer: 'an integer',
  float: 'a float',
  prefix: 'an operator',
  or: '"||"',
  and: '"&&"',
  arithmetic: 'an expression',
  relation: 'a comparison',
  threshold: 'a threshold',
};

const OPERATORS: readonly ArithmeticOperator[] = ['+', '-', '*', '/', '%', '^'];

/** RFC 2704 section 4.4: integers have 32 bits. What is larger stays larger than all others. */
const MOST = 0x7fff_ffff;
