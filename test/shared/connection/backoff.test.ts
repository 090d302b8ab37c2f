/** Waiting before the next attempt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff } from '../../../src/shared/connection/backoff.ts';

const CHECK = 60;
const failures = (count: number, random: number): number[] => {
  const backOff = new BackOff();
  return Array.from({ length: count }, () => backOff.failed(0, CHECK, random));
};

test('delays double from two seconds to five minutes', () => {
  assert.deepEqual(failures(9, 1), [2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]);
});

test('jitter takes away up to half of a delay', () => {
  assert.deepEqual(failures(3, 0), [1000, 2000, 4000]);
});

test('a short connection check lowers the limit, but not below a minute', () => {
  const last = (check: number): number => {
    const backOff = new BackOff();
    return Math.max(...Array.from({ length: 40 }, () => backOff.failed(0, check, 1)));
  };
  assert.equal(last(30), 150_000);
  assert.equal(last(5), 60_000);
  assert.equal(last(3600), 300_000);
});

test('the first DELETE of a peer costs nothing, repeated ones more and more', () => {
  const backOff = new BackOff();
  const delays = [0, 1000, 2000, 3000].map((now) => {
    backOff.succeeded(now);
    return backOff.deletedByPeer(now + 500, CHECK, 1);
  });
  assert.deepEqual(delays, [0, 2000, 4000, 8000]);
});

test('a minute of success forgives everything, a moment of it nothing', () => {
  const backOff = new BackOff();
  backOff.failed(0, CHECK, 1);
  backOff.failed(0, CHECK, 1);
  backOff.succeeded(1000);
  backOff.succeeded(50_000);
  assert.equal(backOff.failed(60_999, CHECK, 1), 8000);
  backOff.succeeded(61_000);
  assert.equal(backOff.failed(121_000, CHECK, 1), 2000);
});

test('the operator may forgive as well', () => {
  const backOff = new BackOff();
  backOff.failed(0, CHECK, 1);
  backOff.reset();
  assert.equal(backOff.failed(0, CHECK, 1), 2000);
});
