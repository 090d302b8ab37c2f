import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfiguration } from '../../../src/shared/config/parse.ts';

/** Entries as `section|tag|value|line`, problems as `line severity`. */
const read = (text: string): readonly [readonly string[], readonly string[]] => {
  const { entries, problems } = parseConfiguration(text);
  return [
    entries.map(({ section, tag, value, line }) => [section, tag, value, line].join('|')),
    problems.map(({ line, severity }) => `${line} ${severity}`),
  ];
};

const CASES: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['an assignment belongs to the section above it', '[a]\nb=c\n', ['a|b|c|2'], []],
  ['blanks around = and at the end do not count', '[a]\nb \t= \t c d \t\n', ['a|b|c d|2'], []],
  ['a value may contain = and #', '[a]\nb=c=d#e\n', ['a|b|c=d#e|2'], []],
  ['a # after a blank stays in the value, with a warning', '[a]\nb=c # d\n', ['a|b|c # d|2'], ['2 warning']],
  ['a value may be empty', '[a]\nb=\n', ['a|b||2'], []],
  ['# and ; in the first column begin comments', '# x\n[a]\n;b=c\n#d=e\n', [], []],
  ['a comment elsewhere is forgiven', '[a]\n  # b=c\n', [], ['2 warning']],
  ['blanks before a tag are forgiven', '[a]\n  b=c\n', ['a|b|c|2'], ['2 warning']],
  ['blanks before a section are forgiven', ' [a]\nb=c\n', ['a|b|c|2'], ['1 warning']],
  ['blanks around a section name are forgiven', '[ a ]\nb=c\n', ['a|b|c|2'], ['1 warning']],
  ['a section name ends at the first ]', '[a] x]\nb=c\n', ['a|b|c|2'], ['1 warning']],
  ['a comment after a section is no fault', '[a] # x\nb=c\n', ['a|b|c|2'], []],
  ['a section name may contain blanks and brackets', '[Phase 1[]\nb=c\n', ['Phase 1[|b|c|2'], []],
  ['a tag is one word', '[a]\nb x =c\n', ['a|b|c|2'], ['2 warning']],
  [
    'a [ without ] drops everything up to the next section',
    '[a]\nb=c\n[d\ne=f\n#\ng\n[h]\ni=j\n',
    ['a|b|c|2', 'h|i|j|8'],
    ['3 error'],
  ],
  ['a section needs a name', '[]\nb=c\n[d]\ne=f\n', ['d|e|f|4'], ['1 error']],
  ['an assignment before any section is dropped', 'a=b\n[c]\nd=e\n', ['c|d|e|3'], ['1 error']],
  ['other text is dropped', '[a]\nhello\nb=c\n', ['a|b|c|3'], ['2 error']],
  ['an assignment without tag is dropped', '[a]\n=b\n \t = c\n', [], ['2 error', '3 error']],
  [
    'a backslash at the end goes on in the next line',
    '[a]\nb=c,\\\nd,\\\n  e\nf=g\n',
    ['a|b|c,  d,    e|2', 'a|f|g|5'],
    [],
  ],
  ['a comment can go on, with a warning', '[a]\n# x \\\nb=c\nd=e\n', ['a|d|e|4'], ['2 warning']],
  ['the last line needs no newline', '[a]\nb=c', ['a|b|c|2'], ['2 warning']],
  ['a backslash at the very end is text', '[a]\nb=c\\', ['a|b|c\\|2'], ['2 warning']],
  ['CR LF counts as LF', '[a]\r\nb=c,\\\r\nd\r\n', ['a|b|c,  d|2'], ['1 warning']],
  ['a byte order mark does not count', '\ufeff[a]\nb=c\n', ['a|b|c|2'], []],
  ['equal sections stay apart until they are stored', '[a]\nb=c\n[A]\nB=d\n', ['a|b|c|2', 'A|B|d|4'], []],
  ['an empty file says nothing', '', [], []],
  ['blank lines say nothing', '\n \t\n\n', [], []],
];
for (const [name, text, entries, problems] of CASES) {
  test(name, () => {
    assert.deepEqual(read(text), [entries, problems]);
  });
}

test('a problem says where and what would be right', () => {
  const texts = parseConfiguration('x=y\n[a]\nhello\n').problems.map((problem) => problem.text);
  assert.deepEqual(texts, [
    'the line belongs to no section and is ignored: write the [section] above it',
    'syntax error: expected [section], tag=value, or a comment that begins with #',
  ]);
});

test('threat __proto__: names of JavaScript are names like any other', () => {
  const text = '[__proto__]\n__proto__=a\nconstructor=b\n[constructor]\nprototype=c\n';
  assert.deepEqual(read(text)[0], [
    '__proto__|__proto__|a|2',
    '__proto__|constructor|b|3',
    'constructor|prototype|c|5',
  ]);
});

test('any text is read without throwing, and every entry names a line of it', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('[a]', '=', '\\', '\n', '\r\n', '#', 'b=c', ' ', '[', ']'));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      const lines = text.split('\n').length;
      for (const { tag, value, line } of parseConfiguration(text).entries) {
        assert.ok(line >= 1 && line <= lines);
        assert.ok(tag !== '' && value === value.trim());
      }
    }),
  );
});

test('what was written comes back', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.:/@-]{1,12}$/);
  const value = fc.stringMatching(/^[!-~]{0,20}$/).filter((text) => !text.endsWith('\\'));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name, value), { maxLength: 20 }), (triples) => {
      const text = triples.map(([section, tag, v]) => `[${section}]\n${tag}=${v}\n`).join('');
      const { entries, problems } = parseConfiguration(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        entries.map((entry) => [entry.section, entry.tag, entry.value]),
        triples,
      );
    }),
  );
});

test('threat: time is linear in a file of backslashes, brackets or one endless line', (t) => {
  const began = performance.now();
  for (const unit of ['\\\n', '[', '= ', '[a] # \n', 'a = b\\\n']) parseConfiguration(unit.repeat(400_000));
  t.diagnostic(`5 files of up to 2.8 MB: ${Math.round(performance.now() - began)} ms`);
});
