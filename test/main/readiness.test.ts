import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { policiesInPlace, READY_WITHIN } from '../../src/main/readiness.ts';

const deferred = () => {
  let resolve: () => void = () => undefined;
  let reject: (fault: unknown) => void = () => undefined;
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
};

/** Configuration and kernel that answer when they are told to, and a clock of our own. */
const rig = () => {
  const configuration = deferred();
  const kernel = deferred();
  const timers: { readonly milliseconds: number; readonly callback: () => void }[] = [];
  let answer: boolean | undefined;
  const waiting = policiesInPlace({
    operator: { settled: () => configuration.promise },
    supervisor: { flowsSettled: () => kernel.promise },
    schedule: (milliseconds, callback) => {
      const timer = { milliseconds, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
  waiting.then(
    (isInPlace) => {
      answer = isInPlace;
    },
    () => undefined,
  );
  const heard = async (): Promise<boolean | undefined> => {
    await nextTurn();
    return answer;
  };
  return { configuration, kernel, timers, waiting, heard };
};

test('the daemon is ready when the kernel has the policies that the whole configuration wants', async () => {
  const { configuration, kernel, timers, heard } = rig();
  kernel.resolve();
  assert.equal(await heard(), undefined, 'idle, because nothing was asked of it yet');
  configuration.resolve();
  assert.equal(await heard(), true);
  assert.deepEqual(timers, [], 'nothing is left behind');
});

test('the daemon becomes ready beside a kernel that never answers', async () => {
  const { configuration, timers, heard } = rig();
  configuration.resolve();
  assert.equal(await heard(), undefined);
  const [timer] = timers;
  assert.equal(timer?.milliseconds, READY_WITHIN);
  timer?.callback();
  assert.equal(await heard(), false);
});

test('a fault of ours is not taken for a slow kernel', async () => {
  const { configuration, waiting } = rig();
  configuration.reject(new RangeError('ours'));
  await assert.rejects(waiting, RangeError);
});
