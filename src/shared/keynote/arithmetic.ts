/** Numbers of conditions, RFC 2704 sections 4.4 and 5.3.4: integers of 32 bits, and floats. */
import type { ArithmeticOperator, OrderOperator } from './expressions.ts';

/** A test that cannot be evaluated counts as false, whatever surrounds it. Never leaves this folder. */
export class RuntimeFault extends Error {
  override readonly name = 'RuntimeFault';
}

/** The number that a string says; zero for all but digits with at most one point among them. A sign is none, as in the original. */
export const numberOf = (text: string): number =>
  /^\d+$/.test(text) || (text !== '.' && /^\d*\.\d*$/.test(text)) ? Number(text) : 0;

/** `@`: rounded down. What does not fit into 32 bits becomes the largest integer, so that it stays larger than any limit. */
export const integerOf = (text: string): number => Math.min(Math.floor(numberOf(text)), MOST);

/** Throws RuntimeFault for a division by zero and for results that do not fit: the original went on with a wrong number. */
export const integerArithmetic = (operator: ArithmeticOperator, left: number, right: number): number => {
  if ((operator === '/' || operator === '%') && right === 0) throw new RuntimeFault('a division by zero');
  // A power that fits is exact as a double; a negative exponent gives 0 as in the original.
  const result = operator === '^' && right < 0 ? 0 : Math.trunc(resultOf(operator, left, right));
  if (result < LEAST || result > MOST) throw new RuntimeFault(`"${operator}" has a result beyond 32 bits`);
  // Of minus zero, too.
  return result | 0;
};

export const floatArithmetic = (operator: ArithmeticOperator, left: number, right: number): number => {
  if (operator === '/' && right === 0) throw new RuntimeFault('a division by zero');
  const result = resultOf(operator, left, right);
  if (!Number.isFinite(result)) throw new RuntimeFault(`"${operator}" has no finite result`);
  return result;
};

const resultOf = (operator: ArithmeticOperator, left: number, right: number): number => {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return left ** right;
  }
};

/** Numbers by value, byte strings byte by byte. */
export const compared = <Operand extends number | string>(
  operator: OrderOperator,
  left: Operand,
  right: Operand,
): boolean => {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
  }
};

const LEAST = -0x8000_0000;
const MOST = 0x7fff_ffff;
