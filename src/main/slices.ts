/** Long work on the main thread in slices, so that datagrams, timers and commands get their turn meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Steps } from '../shared/steps.ts';
import { monotonicNow } from './clock.ts';

/** Runs the steps; resolves with their answer, rejects with what they throw. What takes less than a slice is done within this turn. */
export const inSlices = async <T>(steps: Steps<T>, now = monotonicNow): Promise<T> => {
  for (let end = now() + SLICE; ; ) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (now() < end) continue;
    await nextTurn();
    end = now() + SLICE;
  }
};

/** ms. A datagram waits no longer than for a Diffie-Hellman. */
const SLICE = 10;
