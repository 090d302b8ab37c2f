/** Threats: a poison packet or an uncaught rejection must not take the daemon down. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { it } from 'node:test';
import { Faults } from '../../../src/main/process/faults.ts';
import { InvariantError } from '../../../src/shared/errors.ts';

const FAULTS = new URL(`../../../src/main/process/faults${extname(import.meta.url)}`, import.meta.url).href;

const setUp = () => {
  const lines: string[] = [];
  const clock = { now: 0 };
  const faults = new Faults(
    ({ severity, text }) => lines.push(`${severity} ${text}`),
    () => clock.now,
  );
  return { faults, lines, clock };
};

const poison = (): void => {
  throw new InvariantError('poison');
};

it('does what is guarded, and says what was dropped when it throws', () => {
  const { faults, lines } = setUp();
  const done: number[] = [];
  faults.guard('a datagram', () => done.push(1));
  faults.guard('a datagram', poison);
  faults.guard('a timer', () => done.push(2));
  assert.deepEqual(done, [1, 2]);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^error isakmpd: a datagram dropped, internal fault: InvariantError: poison at .*faults\.test/,
  );
});

it('does not let a thousand faults fill the log', () => {
  const { faults, lines, clock } = setUp();
  for (let i = 0; i < 1000; i++) faults.guard('a datagram', poison);
  assert.equal(lines.length, 10);
  clock.now = 5000;
  for (let i = 0; i < 1000; i++) faults.guard('a datagram', poison);
  assert.equal(lines.length, 15);
});

/** A program that reports faults on its standard output, and ends with status 7 when it is told to end. */
const run = (body: string) => {
  const program = `
    const { handleUncaught } = await import(${JSON.stringify(FAULTS)});
    handleUncaught(({ severity, text }) => console.log(severity, text), () => process.exit(7));
    ${body}`;
  const argv = ['--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 20_000 });
  return { status, stdout, stderr };
};

it('goes on after a rejection that nobody handled, and says so', () => {
  const { status, stdout, stderr } = run(
    `void Promise.reject(new RangeError('forgotten')); setTimeout(() => console.log('still here'), 10);`,
  );
  assert.equal(status, 0);
  assert.match(stdout, /^error isakmpd: a failure that nobody handled: RangeError: forgotten at .*\nstill here\n$/);
  assert.equal(stderr, '');
});

it('ends in order after an exception that nobody caught', () => {
  const { status, stdout, stderr } = run(
    `setTimeout(() => { throw new RangeError('out of nowhere'); }, 1); setTimeout(() => console.log('still here'), 5000);`,
  );
  assert.equal(status, 7);
  assert.match(stdout, /^error isakmpd: an exception that nobody caught, ending: RangeError: out of nowhere at .*\n$/);
  assert.equal(stderr, '');
});
