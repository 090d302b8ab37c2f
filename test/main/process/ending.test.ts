import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Ending } from '../../../src/main/process/ending.ts';

it('is in order the first time, at once the second time, and nothing more after that', async () => {
  const ending = new Ending();
  const happened: string[] = [];
  void ending.asked.then(() => happened.push('asked'));
  void ending.hurried.then(() => happened.push('hurried'));
  assert.equal(ending.isAsked, false);
  ending.ask();
  await nextTurn();
  assert.deepEqual([ending.isAsked, happened], [true, ['asked']]);
  ending.ask();
  ending.ask();
  await nextTurn();
  assert.deepEqual(happened, ['asked', 'hurried']);
});
