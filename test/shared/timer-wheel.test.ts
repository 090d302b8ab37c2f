/** The timer wheel against a naive sorted list, and at the edges of its numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/shared/errors.ts';
import { type TimerHandle, TimerWheel } from '../../src/shared/timer-wheel.ts';

const YEAR = 365 * 24 * 3600 * 1000;

type Command =
  | { readonly kind: 'schedule'; readonly after: number }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'advance'; readonly by: number };

/** Spans from milliseconds to years, so that every level of the wheel is used. */
const span = fc.oneof(
  fc.integer({ min: -5, max: 70 }),
  fc.integer({ min: 0, max: 10_000 }),
  fc.integer({ min: 0, max: 100_000_000 }),
  fc.integer({ min: 0, max: 100 * YEAR }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: span.map((after) => ({ kind: 'schedule' as const, after })) },
  { weight: 2, arbitrary: fc.nat(100).map((which) => ({ kind: 'cancel' as const, which })) },
  { weight: 3, arbitrary: span.map((by) => ({ kind: 'advance' as const, by })) },
);

/** What the wheel replaces. */
class NaiveTimers {
  #waiting: { readonly at: number; readonly value: number }[] = [];
  schedule(at: number, value: number): void {
    this.#waiting.push({ at, value });
  }
  cancel(value: number): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((timer) => timer.value !== value);
    return this.#waiting.length < before;
  }
  advance(now: number): number[] {
    const due = this.#waiting.filter((timer) => timer.at <= now).sort((a, b) => a.at - b.at || a.value - b.value);
    this.#waiting = this.#waiting.filter((timer) => timer.at > now);
    return due.map((timer) => timer.value);
  }
  get size(): number {
    return this.#waiting.length;
  }
  get earliest(): number {
    return Math.min(...this.#waiting.map((timer) => timer.at));
  }
}

test('the wheel does what a sorted list does', () => {
  fc.assert(
    fc.property(fc.nat(10 * YEAR), fc.array(command, { maxLength: 200 }), (start, commands) => {
      const [wheel, naive] = [new TimerWheel<number>(start), new NaiveTimers()];
      const handles: TimerHandle[] = [];
      let now = start;
      for (const step of commands) {
        if (step.kind === 'schedule') {
          naive.schedule(now + step.after, handles.length);
          handles.push(wheel.schedule(now + step.after, handles.length));
        } else if (step.kind === 'cancel') {
          const value = step.which % Math.max(1, handles.length);
          assert.equal(wheel.cancel(handles[value] ?? 0), naive.cancel(value));
        } else {
          now = Math.max(now, now + step.by);
          assert.deepEqual(wheel.advance(now), naive.advance(now));
        }
        assert.equal(wheel.size, naive.size);
        const next = wheel.nextDeadline();
        assert.equal(next === undefined, naive.size === 0);
        assert.ok((next ?? 0) <= Math.max(now, naive.earliest), 'the next deadline is late');
      }
    }),
    { numRuns: 500 },
  );
});

test('sleeping from deadline to deadline fires every timer in its very millisecond', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100 * YEAR), { minLength: 1, maxLength: 50 }), (deadlines) => {
      const wheel = new TimerWheel<number>(0);
      for (const at of deadlines) wheel.schedule(at, at);
      let wakings = 0;
      for (let next = wheel.nextDeadline(); next !== undefined; next = wheel.nextDeadline()) {
        for (const at of wheel.advance(next)) assert.equal(at, next);
        assert.ok(++wakings <= 8 * deadlines.length + 1, 'the wheel wakes its owner too often');
      }
      assert.equal(wheel.size, 0);
    }),
  );
});

test('timers of one millisecond fire in the order they were scheduled, also after moving between levels', () => {
  const wheel = new TimerWheel<string>(0);
  wheel.schedule(100_000, 'first');
  wheel.advance(99_990);
  wheel.schedule(100_000, 'second');
  wheel.schedule(99_999, 'before');
  wheel.schedule(100_000, 'third');
  assert.deepEqual(wheel.advance(100_000), ['before', 'first', 'second', 'third']);
});

test('a deadline in the past is due at the next advance, before later ones', () => {
  const wheel = new TimerWheel<string>(1000);
  wheel.schedule(1001, 'soon');
  wheel.schedule(1000, 'now');
  wheel.schedule(1, 'long ago');
  assert.equal(wheel.nextDeadline(), 1000);
  assert.deepEqual(wheel.advance(1000), ['long ago', 'now']);
  assert.deepEqual(wheel.advance(1001), ['soon']);
});

test('fractions of a millisecond never fire early', () => {
  const wheel = new TimerWheel<string>(0.5);
  wheel.schedule(10.2, 'timer');
  assert.deepEqual(wheel.advance(10.1), []);
  assert.deepEqual(wheel.advance(10.9), []);
  assert.deepEqual(wheel.advance(11), ['timer']);
});

test('threats.md, timer overflow: deadlines beyond 2^31 ms, years away, wait for their time', () => {
  const wheel = new TimerWheel<string>(1000);
  wheel.schedule(1000 + 2 ** 31, '25 days');
  wheel.schedule(1000 + 2 ** 32, '50 days');
  wheel.schedule(1000 + 50 * YEAR, '50 years');
  assert.deepEqual(wheel.advance(1000 + 2 ** 31 - 1), []);
  assert.deepEqual(wheel.advance(1000 + 2 ** 31), ['25 days']);
  assert.deepEqual(wheel.advance(1000 + 2 ** 32), ['50 days']);
  assert.deepEqual(wheel.advance(1000 + 50 * YEAR - 1), []);
  assert.deepEqual(wheel.advance(1000 + 50 * YEAR), ['50 years']);
});

test('threats.md, timer overflow: an endless lifetime never fires', () => {
  const wheel = new TimerWheel<string>(0);
  wheel.schedule(Number.POSITIVE_INFINITY, 'any');
  wheel.schedule(Number.MAX_SAFE_INTEGER, 'huge');
  assert.deepEqual(wheel.advance(5000 * YEAR), []);
  assert.equal(wheel.size, 2);
});

test('the handle of a fired timer does not cancel the timer that took its place', () => {
  const wheel = new TimerWheel<string>(0);
  const old = wheel.schedule(1, 'old');
  wheel.advance(1);
  const young = wheel.schedule(2, 'young');
  assert.notEqual(old, young);
  assert.equal(wheel.cancel(old), false);
  assert.deepEqual(wheel.advance(2), ['young']);
});

test('a timer is cancelled once', () => {
  const wheel = new TimerWheel<string>(0);
  const handle = wheel.schedule(5, 'timer');
  assert.deepEqual([wheel.cancel(handle), wheel.cancel(handle)], [true, false]);
  assert.deepEqual([wheel.size, wheel.nextDeadline(), wheel.advance(10)], [0, undefined, []]);
});

test('numbers that are no handles cancel nothing', () => {
  const wheel = new TimerWheel<string>(0);
  wheel.schedule(5, 'timer');
  for (const handle of [0, -1, 7, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER]) assert.equal(wheel.cancel(handle), false);
  assert.equal(wheel.size, 1);
});

test('a clock that steps back fires nothing twice and loses nothing', () => {
  const wheel = new TimerWheel<string>(1000);
  wheel.schedule(2000, 'timer');
  assert.deepEqual(wheel.advance(1500), []);
  assert.deepEqual(wheel.advance(10), []);
  assert.deepEqual(wheel.advance(2000), ['timer']);
});

test('a deadline that is not a number is refused', () => {
  const wheel = new TimerWheel<string>(0);
  assert.throws(() => wheel.schedule(Number.NaN, 'timer'), InvariantError);
  assert.equal(wheel.size, 0);
});

test('100,000 timers come out in order', () => {
  const wheel = new TimerWheel<number>(0);
  const deadlines = Array.from({ length: 100_000 }, (_, i) => (i * 7_919) % 3_600_000);
  for (const at of deadlines) wheel.schedule(at, at);
  const fired = [...wheel.advance(1_800_000), ...wheel.advance(3_600_000)];
  assert.deepEqual(
    fired,
    deadlines.sort((a, b) => a - b),
  );
});
