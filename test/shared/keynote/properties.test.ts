/** What holds for every text: reading and asking give a value, whatever it is made of, within the steps that are allowed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAssertions, parseCredentials } from '../../../src/shared/keynote/assertion.ts';
import { ask } from '../../helpers/keynote-query.ts';

test('any bytes are assertions or faults with a line', () => {
  const alphabet = fc.constantFrom(...'ab:"\\\n\n (){};#&|!=<>~@$-.^1', 'Authorizer:', 'Conditions:', 'Licensees:');
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (tokens, bytes) => {
      for (const text of [tokens.join(''), Buffer.from(bytes).toString('latin1')]) {
        const lines = text.split('\n').length;
        for (const { line } of parseAssertions(text).faults) assert.ok(line >= 1 && line <= lines);
        parseCredentials(Buffer.from(text, 'latin1'));
      }
    }),
    { numRuns: 2000 },
  );
});

/** Conditions of every kind, as text. */
const { program } = fc.letrec<{ string: string; integer: string; test: string; program: string }>((tie) => ({
  string: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('a', 'b', '"x"', '"(x|y)*"', '"a"', '""', '_1', '_VALUES'),
    fc.tuple(tie('string'), tie('string')).map(([left, right]) => `(${left} . ${right})`),
    tie('string').map((of) => `$${of}`),
  ),
  integer: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('0', '1', '7', '2147483647', '@n'),
    fc
      .tuple(tie('integer'), fc.constantFrom(...'+-*/%^'), tie('integer'))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie('integer').map((of) => `-${of}`),
    tie('string').map((of) => `@${of}`),
  ),
  test: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('true', 'false', '&n / 2.0 < 1.5'),
    fc.tuple(tie('string'), fc.constantFrom('==', '!=', '<', '~='), tie('string')).map((parts) => parts.join(' ')),
    fc.tuple(tie('integer'), fc.constantFrom('==', '!=', '<', '>='), tie('integer')).map((parts) => parts.join(' ')),
    fc.tuple(tie('test'), fc.constantFrom('&&', '||'), tie('test')).map((parts) => `(${parts.join(' ')})`),
    tie('test').map((of) => `!(${of})`),
  ),
  program: fc
    .array(
      fc.oneof(
        { maxDepth: 2 },
        tie('test'),
        fc.tuple(tie('test'), tie('string')).map(([test_, value]) => `${test_} -> ${value}`),
        fc.tuple(tie('test'), tie('program')).map(([test_, inner]) => `${test_} -> { ${inner} }`),
      ),
      { maxLength: 4 },
    )
    .map((clauses) => clauses.map((clause) => `${clause};`).join(' ')),
}));

test('any program of conditions can be read, has a value, and has it again', () => {
  fc.assert(
    fc.property(program, fc.string({ maxLength: 5 }), fc.nat({ max: 99 }), (conditions, a, n) => {
      const assertions = [`Authorizer: "POLICY"\nConditions: ${conditions}\n`];
      assert.deepEqual(parseAssertions(assertions[0] ?? '').faults, []);
      const question = {
        assertions,
        authorizers: ['K'],
        environment: { a, b: 'a', n: String(n) },
        values: ['', 'x', 'a'],
      };
      const { value, decision } = ask(question);
      assert.ok(question.values.includes(value));
      assert.match(decision, /^[ -~]+$/);
      assert.deepEqual(ask(question).value, value);
    }),
    { numRuns: 1000 },
  );
});
