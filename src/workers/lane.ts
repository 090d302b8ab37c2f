/** What Piscina starts in each thread: a lane with its exchanges, for as long as the daemon runs. */
import { randomFillSync } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { calibrateDiffieHellman } from '../shared/crypto/dh.ts';
import { pooledRandom } from '../shared/crypto/random-pool.ts';
import { KeySlab } from '../shared/sa-table/key-slab.ts';
import { SaTable, type SharedSaTable } from '../shared/sa-table/sa-table.ts';
import type { LaneStart } from '../shared/threads/contract.ts';
import { LaneCore } from './lane-core.ts';
import { monotonicNow, runLane } from './lane-thread.ts';

/** The task; main names it as `lane`. Ends when main says stop. */
export const lane = (start: LaneStart<MessagePort, SharedSaTable, SharedArrayBuffer>): Promise<void> => {
  // Some groups take tens of milliseconds to set up: no peer has to wait for that.
  calibrateDiffieHellman(start.groups, monotonicNow);
  const core = new LaneCore({
    lane: start.lane,
    now: monotonicNow,
    wallClock: Date.now,
    random: pooledRandom(randomFillSync),
    // Writer 0 is main.
    table: new SaTable(start.table, start.lane + 1),
    slab: new KeySlab(start.slab),
    levels: start.levels,
  });
  return runLane(start, core);
};
