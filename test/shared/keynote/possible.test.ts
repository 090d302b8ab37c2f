/** Queries before all attributes are known: what may come of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ask } from '../../helpers/keynote-query.ts';

const possibleOf = (
  conditions: string,
  environment: Readonly<Record<string, string>>,
  unknown: readonly string[] = [],
): string =>
  ask({
    assertions: [`Authorizer: "POLICY"\nLicensees: "K"\nConditions: ${conditions};\n`],
    authorizers: ['K'],
    values: ['false', 'maybe', 'true'],
    environment,
    unknown,
  }).value;

describe('a query before all attributes are known', () => {
  for (const [conditions, value] of [
    ['u == "1"', 'true'],
    ['!(u == "1")', 'true'],
    ['u == "1" && a == "1"', 'true'],
    ['u == "1" && a == "2"', 'false'],
    ['a == "2" || u == "1"', 'true'],
    ['!(u == "1" || a == "1")', 'false'],
    ['!(u == "1" && a == "1")', 'true'],
    ['u == "1" -> "maybe"', 'maybe'],
    ['a == "1" -> u', 'true'],
    ['u == "1" -> { a == "2" }', 'false'],
    ['@u > 3 && &u < 1.5', 'true'],
    ['1 / @u == 1', 'true'],
    ['$("u") == "1"', 'true'],
    ['$u == "1"', 'true'],
    ['("x" . u) ~= "^y"', 'true'],
    // What a comparison that is not known has matched is not known either.
    ['u ~= "^(.)" && _1 == "9"', 'true'],
    ['a ~= "^(.)" && _1 == "9"', 'false'],
    ['u ~= "^(.)" && _1 ~= "(.)" && _1 == "9"', 'true'],
    ['u ~= "^(.)" && a ~= "^(.)" && _1 == "9"', 'true'],
    // What decides whether something is evaluated decides about its match and its fault.
    ['(u == "1" || a ~= "(.)") && _1 == "1"', 'true'],
    ['((u == "1" && a ~= "(.)") || true) && _1 == ""', 'true'],
    ['(u == "1" && 1 / 0 == 1) || a == "1"', 'true'],
    ['a == "1" || (u == "1" && 1 / 0 == 1)', 'true'],
    ['a == "2" && u == "1" && 1 / 0 == 1', 'false'],
    ['1 / 0 == 1 || u == "1"', 'false'],
    ['(u == "1" || a ~= "(.)") -> { _1 == "1" -> "maybe"; }', 'maybe'],
  ] as const) {
    it(`gives ${value} for ${conditions}`, () => {
      assert.equal(possibleOf(conditions, { a: '1' }, ['u']), value);
    });
  }

  it('asks nobody who is named by an attribute that is not known', () => {
    const assertions = ['Authorizer: "POLICY"\nLicensees: u\n'];
    assert.equal(ask({ assertions, authorizers: ['K'], unknown: ['u'] }).value, 'false');
    assert.equal(ask({ assertions, authorizers: ['K'], environment: { u: 'K' } }).value, 'true');
  });

  it('is never below what comes of it', () => {
    const values = ['', '1', '2'];
    fc.assert(
      fc.property(conditions, fc.constantFrom(...values), fc.boolean(), (text, a, isOtherKnown) => {
        const possible = possibleOf(text, { a, v: '1' }, isOtherKnown ? ['u'] : ['u', 'v']);
        for (const u of values) {
          for (const v of isOtherKnown ? ['1'] : values) {
            const value = possibleOf(text, { a, u, v });
            assert.ok(RANKS.indexOf(value) <= RANKS.indexOf(possible), `${value} for u=${u}, v=${v}: ${possible}`);
          }
        }
      }),
    );
  });
});

const RANKS = ['false', 'maybe', 'true'];

const attribute = fc.constantFrom('a', 'u', 'v');
const literal = fc.constantFrom('"1"', '"2"', '""');
const relation = fc.oneof(
  fc.tuple(attribute, fc.constantFrom('==', '!=', '<'), fc.oneof(attribute, literal)).map((parts) => parts.join(' ')),
  fc.tuple(attribute, attribute).map(([left, right]) => `@${left} < 1 + @${right}`),
  attribute.map((name) => `1 / @${name} == 1`),
  attribute.map((name) => `${name} ~= "^(.)"`),
  literal.map((text) => `_1 == ${text}`),
);
const { tests } = fc.letrec<{ readonly tests: string }>((tie) => ({
  tests: fc.oneof(
    { maxDepth: 4 },
    relation.map((text) => `(${text})`),
    tie('tests').map((text) => `!(${text})`),
    fc.tuple(tie('tests'), fc.constantFrom('&&', '||'), tie('tests')).map((parts) => `(${parts.join(' ')})`),
  ),
}));
const clause = fc.oneof(
  tests,
  fc
    .tuple(tests, fc.constantFrom('"maybe"', 'a', 'u', '{ u == "1"; _1 == "2" -> "maybe"; }'))
    .map(([test, arrow]) => `${test} -> ${arrow}`),
);
const conditions = fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses) => clauses.join('; '));
