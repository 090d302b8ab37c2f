/** Expressions of conditions written out again, for explanations: on one line, printable, short, without passphrases. */
import type { NumberExpression, Relation, StringExpression } from './expressions.ts';
import { writtenLiteral } from './string-literals.ts';

export const relationText = (relation: Relation): string => {
  switch (relation.kind) {
    case 'match':
      return shortened(`${stringText(relation.text)} ~= ${stringText(relation.pattern)}`);
    case 'strings':
      return shortened(`${stringText(relation.left)} ${relation.operator} ${stringText(relation.right)}`);
    case 'integers':
    case 'floats': {
      const sign = relation.kind === 'integers' ? '@' : '&';
      return shortened(`${numberText(relation.left, sign)} ${relation.operator} ${numberText(relation.right, sign)}`);
    }
  }
};

/** The value as a string literal. */
export const quoted = (value: string): string =>
  `"${shortened(writtenLiteral(masked(value.slice(0, MOST_CHARACTERS))))}"`;

/** Names of action attributes in a comparison, reserved ones left out: what these stand for may be secret. */
export const attributesOf = (relation: Relation): ReadonlySet<string> => {
  const names = new Set<string>();
  const fromString = (expression: StringExpression): void => {
    if (expression.kind === 'attribute' && !expression.name.startsWith('_')) names.add(expression.name);
    if (expression.kind === 'dereference') fromString(expression.of);
    if (expression.kind === 'concatenation') expression.parts.forEach(fromString);
  };
  const fromNumber = (expression: NumberExpression): void => {
    if (expression.kind === 'conversion') fromString(expression.of);
    if (expression.kind === 'negation') fromNumber(expression.of);
    if (expression.kind === 'arithmetic') {
      fromNumber(expression.first);
      for (const { operand } of expression.rest) fromNumber(operand);
    }
  };
  switch (relation.kind) {
    case 'match':
      [relation.text, relation.pattern].forEach(fromString);
      break;
    case 'strings':
      [relation.left, relation.right].forEach(fromString);
      break;
    default:
      [relation.left, relation.right].forEach(fromNumber);
  }
  return names;
};

const stringText = (expression: StringExpression): string => {
  switch (expression.kind) {
    case 'literal':
      return quoted(expression.value);
    case 'attribute':
      return expression.name;
    case 'dereference':
      return `$${nested(expression.of)}`;
    case 'concatenation':
      return expression.parts.slice(0, MOST_PARTS).map(nested).join(' . ');
  }
};

const nested = (expression: StringExpression): string =>
  expression.kind === 'concatenation' ? `(${stringText(expression)})` : stringText(expression);

const numberText = (expression: NumberExpression, sign: string): string => {
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'conversion':
      return `${sign}${nested(expression.of)}`;
    case 'negation':
      return `-${operandText(expression.of, sign)}`;
    case 'arithmetic':
      return [
        operandText(expression.first, sign),
        ...expression.rest
          .slice(0, MOST_PARTS)
          .map(({ operator, operand }) => `${operator} ${operandText(operand, sign)}`),
      ].join(' ');
  }
};

const operandText = (expression: NumberExpression, sign: string): string =>
  expression.kind === 'arithmetic' ? `(${numberText(expression, sign)})` : numberText(expression, sign);

const masked = (text: string): string => text.replace(/passphrase[\s\S]*/i, 'passphrase...');

const shortened = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;

const MOST_CHARACTERS = 120;
const MOST_PARTS = 8;
