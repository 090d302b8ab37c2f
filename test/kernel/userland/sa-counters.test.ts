import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CounterSlots, createCounterMemory, SaCounters } from '../../../src/kernel/userland/sa-counters.ts';
import { InvariantError, SystemError } from '../../../src/shared/errors.ts';

describe('counters of userland SAs', () => {
  it('are the same for everyone who looks at the memory', () => {
    const memory = createCounterMemory();
    const [thread, main] = [new SaCounters(memory), new SaCounters(memory)];
    const slot = new CounterSlots(memory).take();
    thread.begin(slot, 1000);
    thread.count(slot, 84, 1001);
    assert.equal(thread.count(slot, 2 ** 33, 1002), 2 ** 33 + 84);
    assert.deepEqual(main.usage(slot), { bytes: 2 ** 33 + 84, packets: 2, addedAt: 1000, usedAt: 1002 });
  });

  it('reserve every sequence number once, from 1 on, whoever asks', () => {
    const memory = createCounterMemory();
    const [a, b] = [new SaCounters(memory), new SaCounters(memory)];
    a.begin(0, 0);
    assert.deepEqual([a.reserve(0), b.reserve(0), a.reserve(0)], [1, 2, 3]);
    // A slot is used again for another SA, which begins anew.
    a.begin(0, 0);
    assert.equal(b.reserve(0), 1);
  });

  it('have slots for as many SAs as anybody has, and use them again', () => {
    const memory = createCounterMemory();
    const counters = new SaCounters(memory);
    const slots = new CounterSlots(memory);
    const taken = Array.from({ length: 5000 }, () => slots.take());
    assert.equal(new Set(taken).size, 5000);
    counters.begin(4999, 7);
    assert.equal(counters.usage(4999).addedAt, 7);
    slots.giveBack(17);
    assert.equal(slots.take(), 17);
    assert.throws(() => counters.usage(1_000_000), InvariantError);
  });

  it('say so when there are no more slots', () => {
    const slots = new CounterSlots(new SharedArrayBuffer(40, { maxByteLength: 80 }));
    assert.deepEqual([slots.take(), slots.take()], [0, 1]);
    assert.throws(() => slots.take(), SystemError);
  });
});
