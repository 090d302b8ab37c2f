/** The language of assertions, RFC 2704 section 4: fields, strings, expressions, and what is refused with which words. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Assertion, parseAssertions, parseCredentials } from '../../../src/shared/keynote/assertion.ts';
import { literalValue, writtenLiteral } from '../../../src/shared/keynote/string-literals.ts';
import { ask, holds } from '../../helpers/keynote-query.ts';

const faults = (text: string): readonly string[] =>
  parseAssertions(text).faults.map(({ line, text: words }) => `${line}: ${words}`);

const only = (text: string): Assertion => {
  const { assertions, faults: wrong } = parseAssertions(text);
  assert.deepEqual(wrong, []);
  const [assertion] = assertions;
  assert.ok(assertion !== undefined && assertions.length === 1);
  return assertion;
};

/** Conditions that cannot be read, as their fault. */
const conditionFault = (conditions: string): string => {
  const [fault = ''] = faults(`Authorizer: "POLICY"\nConditions: ${conditions}\n`);
  return fault;
};

describe('fields', () => {
  it('come in any order and in any case, and go on in indented lines and behind comments', () => {
    const { authorizer, licensees, constants } = only(
      '#about it\nkeynote-VERSION: "2"\nCONDITIONS: a == "b"\n# between\n\t-> "true";\nlicensees: A\n \nlocal-constants: A = "x" # one\n  B = "y"\nauthorizer: "P"\n',
    );
    assert.deepEqual(authorizer, { kind: 'literal', value: 'P' });
    assert.deepEqual(licensees, { kind: 'principal', name: { kind: 'attribute', name: 'A' } });
    assert.deepEqual(
      [...constants],
      [
        ['A', 'x'],
        ['B', 'y'],
      ],
    ); // prettier-ignore
  });

  it('are refused with line and reason, one assertion at a time', () => {
    const text = [
      'Authorizer: "POLICY"',
      '',
      'Authorizer: "A"',
      'Licensees: "B"',
      'Licensees: "C"',
      '',
      '',
      '# only a comment',
      '',
      'Licensees: "A"',
      '',
      'Authorizer: "A"',
      'KeyNote-Version: 2',
      '',
      'KeyNote-Version: 3',
      'Authorizer: "A"',
      '',
      ' Authorizer: "A"',
      '',
      'Auth: "A"',
      '',
      'Authorizer: "A"',
      'Local-Constants: a="b"',
      '  a="c"',
      '',
      'Authorizer: "A"',
      'Local-Constants: _a="b"',
      '',
      'Authorizer "A"',
      '',
      'Authorizer:',
      '',
      'Authorizer: "B"',
    ].join('\n'); // prettier-ignore
    assert.deepEqual(
      faults(text).map((fault) => fault.slice(0, 56)),
      [
        '5: there is a second field "licensees"',
        '10: there is no Authorizer',
        '13: KeyNote-Version is the first field',
        '15: KeyNote-Version is "3"; only 2 is known',
        '18: a line that is not indented begins a field: KeyNote-V',
        '20: a line that is not indented begins a field: KeyNote-V',
        '24: there is a second constant "a"',
        '27: the constant "_a" begins with an underscore',
        '29: a line that is not indented begins a field: KeyNote-V',
        '31: authorizer: it ends too early (a clause of conditions',
      ].map((fault) => fault.slice(0, 56)),
    );
    assert.equal(parseAssertions(text).assertions.length, 2);
  });

  it('are never cut by a line of blanks: what is left could grant more than was meant', () => {
    const { assertions } = parseAssertions('Authorizer: "POLICY"\n \t\nConditions: false;\n');
    assert.equal(assertions[0]?.conditions?.length, 1);
  });

  it('may have the line ends of other systems', () => {
    const text = 'Authorizer: "POLICY"\r\nLicensees: "a\\\r\n  b"\r\n\r\nAuthorizer: "B"\r\n';
    const { assertions, faults: wrong } = parseAssertions(text);
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      assertions.map(({ line }) => line),
      [1, 5],
    ); // prettier-ignore
    assert.deepEqual(assertions[0]?.licensees, { kind: 'principal', name: { kind: 'literal', value: 'ab' } });
  });

  it('of a credential end with its signature, which covers all before that word, comments too', () => {
    const text = '# mine\nAuthorizer: "a" # key\n# more\nSignature: "sig-x"\nConditions: (((\n';
    const { assertions } = parseCredentials(Buffer.from(text));
    assert.equal(assertions[0]?.signedText, '# mine\nAuthorizer: "a" # key\n# more\n');
    assert.deepEqual(assertions[0]?.signature, { kind: 'literal', value: 'sig-x' });
    assert.equal(assertions[0]?.isLocal, false);
  });

  it('of a peer are limited in size, number and nesting', () => {
    const limits = { bytes: 200, assertions: 2, nesting: 5 };
    const refusal = (text: string): string => parseCredentials(Buffer.from(text), limits).faults[0]?.text ?? '';
    assert.match(refusal(`Authorizer: "${'a'.repeat(300)}"`), /bytes of credentials, 200 are the most/);
    assert.match(refusal('Authorizer: "a"\n\nAuthorizer: "b"\n\nAuthorizer: "c"'), /3 assertions, 2 are the most/);
    for (const deep of ['((((((a == b))))))', '!!!!!!true', '------1 == 1', '$$$$$$a == b', 'a -> {'.repeat(6)]) {
      assert.match(refusal(`Authorizer: "a"\nConditions: ${deep};`), /more than 5 levels of nesting/, deep);
    }
    assert.equal(
      refusal('Authorizer: "a"\nConditions: ((((a == "((((((((")))) || true && -1 -- 1 == 1; # ((((((((('),
      '',
    );
  });

  it('nested as deep as a policy may be do not exhaust the stack', () => {
    const nested = `${'(true && '.repeat(99)}true${')'.repeat(99)}`;
    assert.equal(holds(nested), true);
    assert.match(conditionFault(`${'('.repeat(100_000)}`), /more than 100 levels/);
  });
});

describe('strings', () => {
  it('have the escapes of RFC 2704 section 4.3.1', () => {
    const table: readonly (readonly [string, string])[] = [
      ['like \\"this\\"', 'like "this"'],
      ['\\n\\r\\t\\f\\\\', '\n\r\t\f\\'],
      ['\\a\\z', 'az'],
      ['\\012\\101\\377', '\nA\xff'],
      ['\\0\\00\\000', '000000'],
      ['\\01x', '\u0001x'],
      ['\\0123', '\n3'],
      ['\\12', '12'],
      ['\\777', '777'],
      ['\\08', '08'],
      ['a\\\n \t b', 'ab'],
      ['a\\\n', 'a'],
    ]; // prettier-ignore
    for (const [written, value] of table) assert.equal(literalValue(written), value, JSON.stringify(written));
  });

  it('are the same in all four ways to write them that the RFC shows', () => {
    const [first, ...others] = [
      'this string contains a newline\\n followed by one space.',
      'this string contains a newline\\n \\\n        followed by one space.',
      'this str\\\n           ing contains a \\\n             newline\\n followed by one space.',
      'this string contains a newline\\012\\040followed by one space.',
    ].map(literalValue);
    for (const other of others) assert.equal(other, first);
  });

  it('are written out so that they read back the same, printable and on one line', () => {
    const every = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join('');
    assert.match(writtenLiteral(every), /^[ -~]*$/);
    assert.equal(literalValue(writtenLiteral(every)), every);
  });

  it('compare byte by byte', () => {
    assert.equal(
      holds('"a" < "b" && "a" < "aa" && "Z" < "a" && "\\377" > "a" && "" <= "" && "b" >= "a" && "a" != "A"'),
      true,
    );
  });

  it('can be attributes, their values, and attributes that are named by values', () => {
    const environment = { foo: 'bar', bar: 'xyz', xyz: 'qua' };
    const true_ = 'foo == "bar" && $("foo") == "bar" && $foo == "xyz" && $(foo) == "xyz" && $$foo == "qua"';
    assert.equal(holds(true_, environment), true);
    assert.equal(holds('$("no name") == "" && nosuch == "" && $"" == "" && @nosuch == 0', environment), true);
    assert.equal(holds('$foo . bar == ($foo) . bar && $foo . bar != $(foo . bar)', environment), true);
  });

  it('that are not bytes count as their UTF-8', () => {
    assert.equal(holds('a == "\\303\\251\\342\\202\\254"', { a: '\u00c3\u00a9\u00e2\u0082\u00ac' }), true);
    assert.equal(holds('a == "\\342\\202\\254"', { a: '€' }), true);
  });
});

describe('tests', () => {
  it('bind as the RFC says: ! before && before ||', () => {
    assert.equal(holds('true || false && false'), true);
    assert.equal(holds('!false && false'), false);
    assert.equal(holds('!"a" == "b" && TRUE && !False'), true);
  });

  it('take true and false as names where they are compared', () => {
    assert.equal(holds('true == "x" && false == ""', { true: 'x' }), true);
  });

  it('calculate with integers of 32 bits, from left to right', () => {
    const table = [
      '2 ^ 3 ^ 2 == 64',
      '-2 ^ 2 == 4',
      '2 + 3 * 4 == 14',
      '10 - 2 - 3 == 5',
      '7 / 2 == 3',
      '-7 / 2 == -3',
      '-7 % 3 == -1',
      '2 ^ -1 == 0',
      '0 ^ 0 == 1',
      '-(2 + 3) == -5',
      '- - 5 == 5',
      '1 - -1 == 2',
      '2147483647 == 99999999999',
      '-1 * 12 == -12',
      '3 * (2 - 1) % 2 == 1',
      '0 * -1 == 0',
      '(1 + 2) * 3 == 9',
    ]; // prettier-ignore
    for (const test of table) assert.equal(holds(test), true, test);
  });

  it('take what is no plain number for zero, and what is too large for the largest', () => {
    for (const text of ['', '.', 'x', '1x', ' 1', '+1', '-1', '1e3', '0x10', '1.2.3', '1,5']) {
      assert.equal(holds('@a == 0 && &a <= 0.0 && &a >= 0.0', { a: text }), true, text);
    }
    assert.equal(holds('@a == 3 && &a > 3.7', { a: '3.75' }), true);
    assert.equal(holds('@a == 5 && @b == 0', { a: '005.', b: '.5' }), true);
    assert.equal(holds('@a > 2000000000', { a: '9'.repeat(400) }), true);
  });

  it('calculate with floats and order them', () => {
    assert.equal(
      holds('&a * 2.0 > 6.4 && &a / 2.0 < 1.7 && 2.0 ^ 0.5 < 1.5 && -1.5 + 1.0 <= -0.5 && 1.0 - 2.0 < 0.0', {
        a: '3.25',
      }),
      true,
    );
  });

  it('that cannot be evaluated are false, whatever is around them, and others go on', () => {
    const wrong = [
      '1 / 0 == 1',
      '1 % 0 == 1',
      '1.0 / 0.0 > 1.0',
      '0.0 ^ -1.0 > 0.0',
      '2147483647 + 1 > 0',
      '2 ^ 31 > 0',
      '-2147483647 - 2 < 0',
      '65536 * 65536 == 0',
      '"a" ~= "("',
      '10.0 ^ 400.0 > 1.0',
    ]; // prettier-ignore
    for (const test of wrong) {
      for (const around of [test, `!(${test})`, `${test} || true`]) assert.equal(holds(around), false, around);
      assert.equal(holds(`${test}; true`), true, test);
      assert.equal(holds(`true || ${test}`), true, test);
    }
  });

  it('find expressions, whose groups are known for the rest of the clause and its block only', () => {
    const environment = { a: 'bar' };
    assert.equal(
      holds('a ~= "(b)(x)?(.)" && _0 == "3" && _1 == "b" && _2 == "" && _3 == "a" && _4 == ""', environment),
      true,
    );
    assert.equal(
      holds('a ~= "(b)" -> { false; _1 == "b" -> { a ~= "(r)" && _1 == "r"; }; _1 == "b" && false; }', environment),
      true,
    );
    assert.equal(holds('a ~= "(b)" && false; _1 == "b" || _0 == "1"', environment), false);
    assert.equal(holds('a ~= "(b)" && (a ~= "(x)" || _1 == "")', environment), true);
    assert.equal(holds('a ~= "^b.r$" && a ~= (".") . "r" && !(a ~= "B")', environment), true);
  });

  it('know the reserved names, and no others that begin with an underscore', () => {
    const { value } = ask({
      assertions: [
        'Authorizer: "POLICY"\nConditions: _MIN_TRUST == "no" && _MAX_TRUST == "yes" && _VALUES == "no,so,yes" && _ACTION_AUTHORIZERS == "A,B" && _other == "" && _00 == "" -> _MAX_TRUST;\n',
      ],
      authorizers: ['A', 'B'],
      environment: { _other: 'x', _MIN_TRUST: 'x' },
      values: ['no', 'so', 'yes'],
    });
    assert.equal(value, 'yes');
  });

  it('are refused where types do not fit, with what would', () => {
    const table: readonly (readonly [string, RegExp])[] = [
      ['foo;', /"foo" is no test: compare it with something/],
      ['"a";', /a string is no test/],
      ['1;', /an integer is no test/],
      ['@a;', /"@" makes no test/],
      ['a == 1;', /compares strings with integers: "@" makes integers of strings/],
      ['1 == 1.0;', /compares integers with floats/],
      ['1.0 == 1.0;', /floats are not compared with "=="/],
      ['1 ~= 1;', /"~=" compares strings only/],
      ['1.5 % 2.0 < 1.0;', /"%" is no operator of floats/],
      ['"a" + "b" == "ab";', /"\+" makes no string, "\." joins two/],
      ['1 . 2 == 12;', /"\." is no operator of integers/],
      ['@a + b == 1;', /a string stands where an integer is wanted: "@" converts it/],
      ['1 + @-a == 1;', /"-" makes no string/],
      ['!a == "b" == "c";', /"==" cannot stand here/],
      ['(a == b) == c;', /a comparison stands where a string is wanted/],
      ['2-of("a", "b") == "a";', /a threshold stands where a string is wanted/],
      ['true -> 1;', /an integer stands where a string is wanted/],
      ['true', /it ends too early \(a clause of conditions ends with ";"\)/],
      ['true -> "true"', /it ends too early/],
      ['0x10 == 16;', /"x10" cannot stand here/],
      ['a = "b";', /"=" cannot stand here/],
      ['a == "b;', /a string stands where none can be, or is not closed on its line/],
      ['true -> { true };', /"}" cannot stand here/],
    ];
    for (const [conditions, words] of table) assert.match(conditionFault(conditions), words, conditions);
    assert.match(
      faults('Authorizer: "POLICY"\nConditions: true;\n  a == "b" ||\n  foo;\n')[0] ?? '',
      /^4: "foo" is no test/,
    );
  });
});

describe('licensees', () => {
  const value = (licensees: string, ...authorizers: readonly string[]): string =>
    ask({ assertions: [`Authorizer: "POLICY"\nLicensees: ${licensees}\n`], authorizers }).value;

  it('are combined by &&, || and thresholds', () => {
    assert.equal(value('"A" && ("B" || "C")', 'A', 'C'), 'true');
    assert.equal(value('"C" || "A" && "B"', 'A'), 'false');
    assert.equal(value('("a" . "b")', 'ab'), 'true');
    assert.equal(value('("a") . "b" && 2-of("x", ("y") . "z", "w")', 'ab', 'yz', 'w'), 'true');
    assert.equal(value('2-of("A", "B", "C")', 'C'), 'false');
    assert.equal(value('', 'A'), 'false');
  });

  it('are refused where a threshold is out of reach or something else is no principal', () => {
    const fault = (licensees: string): string => faults(`Authorizer: "POLICY"\nLicensees: ${licensees}\n`)[0] ?? '';
    assert.match(fault('3-of("A", "B")'), /3-of needs 3 principals and has 2/);
    assert.match(fault('0-of("A")'), /cannot stand here/);
    assert.match(fault('2-of("A" && "B", "C")'), /cannot stand here/);
    assert.match(fault('2-of(1-of("A"), "C")'), /a threshold stands where a string is wanted/);
    assert.match(fault('!"A"'), /makes no string/);
    assert.match(fault('"A" == "B"'), /a comparison stands where a string is wanted/);
  });
});
