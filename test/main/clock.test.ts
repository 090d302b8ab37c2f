import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DeadlineTimer, monotonicNow, schedule } from '../../src/main/clock.ts';

it('calls back when the deadline has come, and at an earlier one that was set later', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  const timer = new DeadlineTimer(() => fired++);
  timer.set(monotonicNow() + 1000);
  timer.set(monotonicNow() + 100);
  t.mock.timers.tick(101);
  assert.equal(fired, 1);
  t.mock.timers.tick(5000);
  assert.equal(fired, 1);
});

it('leaves a timer that is too early alone: whoever it calls sets it again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fired: string[] = [];
  const timer = new DeadlineTimer(() => {
    fired.push('due');
    if (fired.length === 1) timer.set(monotonicNow() + 500);
  });
  timer.set(monotonicNow() + 100);
  timer.set(monotonicNow() + 500);
  timer.set(undefined);
  t.mock.timers.tick(101);
  assert.deepEqual(fired, ['due']);
  t.mock.timers.tick(501);
  assert.deepEqual(fired, ['due', 'due']);
});

it('timer overflow: a deadline years away does not come at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  new DeadlineTimer(() => fired++).set(monotonicNow() + 2 ** 40);
  schedule(2 ** 40, () => fired++);
  t.mock.timers.tick(1000);
  assert.equal(fired, 0);
});

it('does not call back what was cancelled', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  schedule(10, () => fired++)();
  t.mock.timers.tick(100);
  assert.equal(fired, 0);
});
