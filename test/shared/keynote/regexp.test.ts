/** POSIX extended regular expressions: what matches, what the groups are, and that no expression takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RuntimeFault } from '../../../src/shared/keynote/arithmetic.ts';
import { Budget, WorkExceeded } from '../../../src/shared/keynote/limits.ts';
import { matchRegexp } from '../../../src/shared/keynote/regexp.ts';

const match = (pattern: string, text: string, steps = 10_000_000): readonly (string | undefined)[] | undefined =>
  matchRegexp(pattern, text, new Budget(steps));

test('POSIX decides what matches, and what the groups hold', () => {
  // Pattern, text, groups. Those with alternatives are among the classic tests of POSIX matchers: the longest match wins, then the longest first part.
  const table: readonly (readonly [string, string, readonly (string | undefined)[] | undefined])[] = [
    ['abc', 'xabcy', []],
    ['^abc$', 'xabcy', undefined],
    ['a|ab', 'ab', []],
    ['(a|ab)(c|bcd)(d*)', 'abcd', ['ab', 'c', 'd']],
    ['(a|ab)(bcd|c)(d*)', 'abcd', ['ab', 'c', 'd']],
    ['(ab|a)(bcd|c)(d|.*)', 'abcd', ['ab', 'c', 'd']],
    ['(a*)(b|abc)(c*)', 'abc', ['a', 'b', 'c']],
    ['(a*)(abc|b)(c*)', 'abc', ['a', 'b', 'c']],
    ['(a|ab)(c|bcd)*', 'abcd', ['a', 'bcd']],
    ['(.*)(b+)', 'aabbb', ['aabb', 'b']],
    ['(a*)*', 'b', ['']],
    ['(a*)*', 'a', ['a']],
    ['(a*)+', 'a', ['a']],
    ['(a|b)*', 'x', [undefined]],
    ['((a)|b)*', 'ab', ['b', undefined]],
    ['(a)|(b)', 'b', [undefined, 'b']],
    ['(a?)((ab)?)', 'ab', ['', 'ab', 'ab']],
    ['(a?)((ab)?)(b?)', 'ab', ['a', '', undefined, 'b']],
    ['(foo|foobar)*', 'foobarfoo', ['foo']],
    ['x{2,3}', 'axxxx', []],
    ['^x{2,3}$', 'xxxx', undefined],
    ['^x{0}$', '', []],
    ['^(ab){2}c$', 'ababc', ['ab']],
    ['^(a{1,2}){2}$', 'aaa', ['a']],
    ['a{', 'a{', []],
    ['()', '', ['']],
    ['[]a]+', ']a', []],
    ['[^]a]', 'b', []],
    ['[a-]', '-', []],
    ['[[:digit:]]+[[:alpha:]_]', 'x12_', []],
    ['[[.-.]-0]', '.', []],
    ['[[=a=]]', 'a', []],
    ['\\.\\*\\(', '.*(', []],
    ['.', '\n', []],
    ['\xe9', 'caf\xe9', []],
    ['^$', '', []],
    ['a^b', 'a^b', undefined],
    ['(^a|b)+', 'ab', ['b']],
    ['^.*@keynote\\.research\\.att\\.com$', 'mab@keynote.research.att.com', []],
  ];
  for (const [pattern, text, groups] of table) assert.deepEqual(match(pattern, text), groups, `${pattern} on ${text}`);
});

test('what POSIX does not define is wrong, never something else', () => {
  const wrong = [
    '',
    '(',
    ')',
    'a)',
    '(a',
    '|a',
    'a|',
    'a||b',
    '(|a)',
    '*a',
    '+',
    'a**',
    'a+?',
    '^*',
    '$+',
    '{1}',
    'a{2,1}',
    'a{256}',
    'a{1',
    'a{1,x}',
    '[',
    '[a',
    '[z-a]',
    '[[:nope:]]',
    '[[.ab.]]',
    '\\',
    '\\d',
    '\\1',
    '(a)\\1',
    '[[:alpha:]',
    `${'('.repeat(60)}a${')'.repeat(60)}`,
    '((a{255}){255}){255}',
  ]; // prettier-ignore
  for (const pattern of wrong) assert.throws(() => match(pattern, 'a'), RuntimeFault, pattern);
});

/** Expressions that mean the same in POSIX and in JavaScript, as long as nobody asks what was matched. */
const common = fc.letrec<{ expression: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '[a-c]', '\\.'),
    tie('expression').map((inner) => `(${inner})`),
  ),
  expression: fc
    .array(
      fc
        .tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}'))
        .map(([atom, repetition]) => atom + repetition),
      { minLength: 1, maxLength: 4 },
    )
    .chain((pieces) => fc.constantFrom(pieces.join(''), pieces.join('|'))),
})).expression;

const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 6 });

test('it matches where JavaScript does', () => {
  fc.assert(
    fc.property(common, texts, fc.boolean(), (pattern, text, isWhole) => {
      const whole = isWhole ? `^(${pattern})$` : pattern;
      assert.equal(match(whole, text) !== undefined, new RegExp(whole, 's').test(text), `${whole} on ${text}`);
    }),
    { numRuns: 1000 },
  );
});

test('the match is the leftmost of the longest, and its parts are the longest from left to right', () => {
  fc.assert(
    fc.property(fc.array(common, { minLength: 1, maxLength: 3 }), texts, (parts, text) => {
      const counted = parts.map((part) => (part.match(/\((?!\?)/g) ?? []).length);
      const found = match(parts.map((part) => `(${part})`).join(''), text);
      assert.deepEqual(
        found && outerGroups(found, counted),
        bruteForce(parts, text),
        `${parts.join(' then ')} on ${text}`,
      );
    }),
    { numRuns: 200 },
  );
});

/** The groups around the parts, without those inside them. */
const outerGroups = (
  groups: readonly (string | undefined)[],
  inner: readonly number[],
): readonly (string | undefined)[] => {
  let at = 0;
  return inner.map((count) => {
    const group = groups[at];
    at += count + 1;
    return group;
  });
};

/** Tries every start, every end and every cut. */
const bruteForce = (parts: readonly string[], text: string): readonly string[] | undefined => {
  const whole = parts.map((part) => new RegExp(`^(?:${part})$`, 's'));
  const cut = (from: number, to: number, rest: readonly RegExp[]): readonly string[] | undefined => {
    const [first, ...others] = rest;
    if (first === undefined) return from === to ? [] : undefined;
    for (let end = to; end >= from; end--) {
      const behind = first.test(text.slice(from, end)) ? cut(end, to, others) : undefined;
      if (behind !== undefined) return [text.slice(from, end), ...behind];
    }
    return undefined;
  };
  for (let from = 0; from <= text.length; from++) {
    for (let to = text.length; to >= from; to--) {
      const found = cut(from, to, whole);
      if (found !== undefined) return found;
    }
  }
  return undefined;
};

test('expressions that make others take exponential time cost a few steps for each character', () => {
  const text = 'a'.repeat(2000);
  for (const pattern of [
    '^(a*)*b$',
    '^b(a*)*$',
    '^(a|aa)+b$',
    '^b(a|aa)+$',
    '(a|a)*b',
    '^[A-Z](([a-z])+.)+$',
    '^(([a-z])+.)+[A-Z]$',
    '(x+x+)+y',
    '^(a?){50}a{50}b$',
  ]) {
    const budget = new Budget(5_000_000);
    assert.equal(matchRegexp(pattern, text, budget), undefined, pattern);
  }
});

test('an expression that is too much work ends when its steps do', () => {
  assert.throws(() => match('((a*)*b)*', 'a'.repeat(100_000), 100_000), WorkExceeded);
  assert.throws(() => match('(a{255}){10}', 'a'.repeat(10_000), 1_000_000), WorkExceeded);
});
