import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { LARGEST_WINDOW, ReplayWindow } from '../../../src/shared/esp/replay-window.ts';

/** The window as RFC 4303 §3.4.3 says it, with all the time in the world. */
class Ledger {
  readonly #seen = new Set<number>();
  readonly #size: number;
  #highest = 0;

  constructor(size: number) {
    this.#size = size;
  }

  isFresh(sequence: number): boolean {
    return sequence > 0 && sequence > this.#highest - this.#size && !this.#seen.has(sequence);
  }

  accept(sequence: number): void {
    this.#seen.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
  }
}

describe('replay window', () => {
  it('agrees with a list of all numbers, for any size and order', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: -300, max: 400 }), fc.boolean()), { maxLength: 400 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(2 ** 32 - 1), steps, (size, first, moves) => {
        const window = new ReplayWindow(size);
        const ledger = new Ledger(size);
        let around = first;
        for (const [move, isAuthentic] of moves) {
          const sequence = Math.min(Math.max(around + move, 0), 2 ** 32 - 1);
          assert.equal(window.isFresh(sequence), ledger.isFresh(sequence), `${sequence} of ${size}`);
          if (!window.isFresh(sequence) || !isAuthentic) continue;
          window.accept(sequence);
          ledger.accept(sequence);
          around = Math.max(around, sequence);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('takes every number once, the last one of all included', () => {
    const window = new ReplayWindow(64);
    for (const sequence of [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      assert.ok(window.isFresh(sequence));
      window.accept(sequence);
      assert.ok(!window.isFresh(sequence));
      assert.equal(window.highest, sequence);
    }
    assert.ok(window.isFresh(2 ** 32 - 64));
    assert.ok(!window.isFresh(2 ** 32 - 65));
    assert.ok(!window.isFresh(0));
  });

  it('refuses sizes that Linux refuses', () => {
    for (const size of [0, -1, 1.5, LARGEST_WINDOW + 1]) assert.throws(() => new ReplayWindow(size), InvariantError);
    const window = new ReplayWindow(LARGEST_WINDOW);
    window.accept(LARGEST_WINDOW);
    assert.ok(window.isFresh(1));
  });
});
