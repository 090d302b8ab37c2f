import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupSpec } from '../../../src/shared/crypto/dh.ts';
import { calibrate, type DhPath } from '../../../src/shared/crypto/dh-calibration.ts';

interface Cost {
  readonly publicValue: number;
  readonly sharedSecret: number;
}

/** Calibrates with engines that take the given times, and counts the rounds of each. */
const calibrateWith = (
  preferred: DhPath,
  otherIsCheap: boolean,
  costs: Readonly<Record<DhPath, Cost | readonly Cost[]>>,
) => {
  const spec = groupSpec(14);
  assert.ok(spec);
  let now = 0;
  const made: DhPath[] = [];
  const rounds = { object: 0, keyObject: 0 };
  const engine = (path: DhPath) => {
    made.push(path);
    const cost = (): Cost => {
      const row = [costs[path]].flat();
      return row[Math.min(rounds[path], row.length - 1)] ?? { publicValue: 0, sharedSecret: 0 };
    };
    return {
      publicValue: () => {
        now += cost().publicValue;
        return new Uint8Array(256);
      },
      sharedSecret: () => {
        now += cost().sharedSecret;
        rounds[path] += 1;
        return new Uint8Array(256);
      },
    };
  };
  const result = calibrate({ spec, preferred, engine, otherIsCheap }, () => now);
  return { result, made, rounds };
};

const each = (cost: number): Cost => ({ publicValue: cost, sharedSecret: cost });

test('a clearly faster path replaces the preferred one, in either direction', () => {
  const toKeyObject = calibrateWith('object', true, { object: each(2), keyObject: each(1) });
  assert.deepEqual(toKeyObject.result, { group: 14, path: 'keyObject', object: 4, keyObject: 2 });
  const toObject = calibrateWith('keyObject', true, { object: each(1), keyObject: each(2) });
  assert.deepEqual(toObject.result, { group: 14, path: 'object', object: 2, keyObject: 4 });
});

test('a slower path, or one that is faster by a hair, does not', () => {
  for (const keyObject of [2.5, 2, 1.75]) {
    const { result } = calibrateWith('object', true, { object: each(2), keyObject: each(keyObject) });
    assert.equal(result.path, 'object', `${keyObject}`);
  }
});

test('one slow round, as a busy machine gives, does not decide: the best of three counts', () => {
  const { result, rounds } = calibrateWith('keyObject', true, {
    object: each(2),
    keyObject: [each(40), each(40), each(1)],
  });
  assert.equal(result.path, 'keyObject');
  assert.deepEqual(rounds, { object: 3, keyObject: 3 });
});

test('a hopeless alternative is measured once only', () => {
  const { result, rounds } = calibrateWith('object', true, { object: each(1), keyObject: each(7) });
  assert.equal(result.path, 'object');
  assert.equal(rounds.keyObject, 1);
});

test('an alternative that may take seconds to make is not made without a reason', () => {
  const { result, made } = calibrateWith('keyObject', false, { object: each(1), keyObject: each(2) });
  assert.deepEqual(made, ['keyObject']);
  assert.deepEqual(result, { group: 14, path: 'keyObject', object: undefined, keyObject: 4 });
});

test('a shared secret that costs much more than a public value is a reason: the version of Node checks more than it must', () => {
  const keyObject = { publicValue: 1, sharedSecret: 6 };
  const { result } = calibrateWith('keyObject', false, { object: each(1), keyObject });
  assert.deepEqual(result, { group: 14, path: 'object', object: 2, keyObject: 7 });
});
