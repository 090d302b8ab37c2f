import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalise } from '../../../src/shared/cli/getopt.ts';
import { OPTIONS, usage } from '../../../src/shared/cli/option-table.ts';

/** [command line, what yargs is given]; the forms of the manual, of rc scripts and of the recorded clients. */
const FORMS: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[], []],
  [['-46'], ['--4', '--6']],
  [['-nKd'], ['--n', '--K', '--d']],
  [
    ['-d', '-d'],
    ['--d', '--d'],
  ],
  [['-DA=99'], ['--D=A=99']],
  [['-D', 'A=99'], ['--D=A=99']],
  [['-p0x1f4'], ['--p=0x1f4']],
  [['-Rreport'], ['--R=report']],
  [
    ['-nKdf', '/run/x.fifo', '-v'],
    ['--n', '--K', '--d', '--f=/run/x.fifo', '--v'],
  ],
  [
    ['-dc', 'east.conf', '-feast.fifo'],
    ['--d', '--c=east.conf', '--f=east.fifo'],
  ],
  [['-f', '-'], ['--f=-']],
  [['-f-'], ['--f=-']],
  [['-i', '-n'], ['--i=-n']],
  [['-i', '--'], ['--i=--']],
  [['-v', '--'], ['--v']],
  [['--run-dir', '/run/a'], ['--run-dir=/run/a']],
  [['--run-dir=/run/a=b'], ['--run-dir=/run/a=b']],
  [['--workers', '4'], ['--workers=4']],
  [['--help'], ['--help']],
];

for (const [argv, list] of FORMS) {
  test(`the command line [${argv.join(' ')}] is understood as getopt does`, () => {
    assert.deepEqual(normalise(argv, OPTIONS), { kind: 'arguments', list, operands: [] });
  });
}

test('a program that takes operands has them between options and behind --', () => {
  const argv = ['a', '-vc', 'file', '-', 'b', '--', '-n', '--'];
  assert.deepEqual(normalise(argv, OPTIONS, { takesOperands: true }), {
    kind: 'arguments',
    list: ['--v', '--c=file'],
    operands: ['a', '-', 'b', '-n', '--'],
  });
});

const MISUSES: readonly (readonly [readonly string[], RegExp])[] = [
  [['-Z'], /unknown option: -Z/],
  [['-nZ'], /unknown option: -Z/],
  [['-h'], /unknown option: -h/],
  [['--n'], /unknown option: --n/],
  [['--no-v'], /unknown option: --no-v/],
  [['--__proto__'], /unknown option: --__proto__/],
  [['-c'], /requires an argument: -c/],
  [['-c', ''], /requires an argument: -c/],
  [['--run-dir='], /requires an argument: --run-dir/],
  [['--workers'], /requires an argument: --workers/],
  [['--help=yes'], /takes no argument: --help/],
  [['start'], /no operands/],
  [['-n', 'start'], /no operands/],
  [['-'], /no operands/],
  [['--', '-n'], /no operands/],
];

for (const [argv, problem] of MISUSES) {
  test(`the command line [${argv.join(' ')}] is refused`, () => {
    const result = normalise(argv, OPTIONS);
    assert.equal(result.kind, 'misuse');
    assert.match(result.kind === 'misuse' ? result.problem : '', problem);
  });
}

test('the usage line has every option of the table', () => {
  const line = usage(OPTIONS);
  assert.match(line, /^usage: isakmpd \[-46adKLnSTv\] \[-c config-file\] \[-D class=level\]/);
  assert.match(line, /\[-R report-file\] \[--run-dir directory\]/);
});
