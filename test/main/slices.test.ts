import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inSlices } from '../../src/main/slices.ts';
import type { Steps } from '../../src/shared/steps.ts';

/** Runs `steps` steps that take `milliseconds` each; answers how many turns others have had by then. */
const turnsDuring = async (steps: number, milliseconds: number): Promise<number> => {
  let turns = 0;
  let now = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const working = function* (): Steps<string> {
    for (let i = 0; i < steps; i++, now += milliseconds) yield;
    return 'done';
  };
  assert.equal(await inSlices(working(), () => now), 'done');
  isDone = true;
  return turns;
};

it('lets others have their turn after each ten milliseconds of work', async () => {
  const turns = await turnsDuring(100, 1);
  assert.ok(turns >= 9 && turns <= 11, `${turns} turns`);
});

it('does short work within one turn', async () => {
  assert.equal(await turnsDuring(9, 1), 0);
});

it('rejects with what a step throws', async () => {
  const broken = function* (): Steps<void> {
    yield;
    throw new RangeError('broken');
  };
  await assert.rejects(inSlices(broken()), RangeError);
});
