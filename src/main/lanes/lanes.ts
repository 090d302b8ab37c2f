/** The lanes: one never-ending Piscina task per thread. A lane that dies is started again with the same SA table and key slab. */
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { FixedQueue, Piscina } from 'piscina';
import { SystemError } from '../../shared/errors.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure } from '../../shared/log/records.ts';
import { createKeySlab } from '../../shared/sa-table/key-slab.ts';
import type { SharedSaTable } from '../../shared/sa-table/sa-table.ts';
import type { LaneEffect, LaneEvent, LaneExchanges, LaneStatistics, LogRecord } from '../../shared/threads/contract.ts';
import type { Logger } from '../log/log.ts';
import { LaneLink, type Policies } from './lane-link.ts';

export interface LanesOptions {
  readonly count: number;
  /** Made for `count` + 1 writers: lane n is writer n + 1. */
  readonly table: SharedSaTable;
  /** Established ISAKMP SAs of one lane, at most. */
  readonly keyRecords: number;
  readonly policies: Policies;
  /** Debug level of each class. */
  readonly levels: Int32Array;
  /** Diffie-Hellman groups in the configuration as it stands. */
  readonly groups: () => readonly number[];
  /** Names of the peers in the table rows of a lane. */
  readonly peersOf: (lane: number) => Iterable<string>;
  /** The daemon's monotonic clock, ms. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'write'>;
  /** In the order in which the lane had them; of a dead lane none come any more. */
  readonly onEffects: (lane: number, effects: readonly LaneEffect[]) => void;
  /** A lane died: its exchanges are gone, its established SAs will be resumed. What is posted from here on reaches its successor. */
  readonly onLost: (lane: number) => void;
  /** The module with the task `lane`, for tests. */
  readonly worker?: URL;
}

/** Every message in clear; `withKeys`: also the keys of ISAKMP SAs. */
export interface LaneCapture {
  readonly withKeys: boolean;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #pool: Piscina;
  readonly #filename: string;
  readonly #slots: readonly Slot[];
  readonly #started: Promise<void>;
  #stopping = false;
  /** Undefined: none runs. */
  #capture: LaneCapture | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#filename = (options.worker ?? LANE_MODULE).href;
    this.#pool = new Piscina({
      minThreads: options.count,
      maxThreads: options.count,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With its default a worker's timers never fire.
      atomics: 'disabled',
      // The default queue is one for all pools of the process.
      taskQueue: new FixedQueue(),
      recordTiming: false,
    });
    // A thread that dies without a task; one that dies with its task fails the task.
    this.#pool.on('error', (fault) => this.#log(failure('lane-thread', `a lane's thread failed: ${reasonOf(fault)}`)));
    this.#slots = Array.from(
      { length: options.count },
      (_, lane) => new Slot(lane, this.#link(lane), options.keyRecords),
    );
    this.#started = Promise.all(this.#slots.map((slot) => slot.answered)).then(() => undefined);
    // Whoever does not ask hears of it by the log.
    this.#started.catch(() => undefined);
    for (const slot of this.#slots) this.#launch(slot);
  }

  /** Resolves when every lane has answered once; rejects with SystemError when one died before. */
  get started(): Promise<void> {
    return this.#started;
  }

  get count(): number {
    return this.#slots.length;
  }

  /** The threads of the pool; LaneStatistics says which thread a lane has. */
  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  /** Tells a lane something; what is told within a tick arrives together and in order. */
  post(lane: number, event: LaneEvent): void {
    this.#slot(lane).link.post(event);
  }

  /** Makes sure that a lane has the peer's present policy before whatever is posted next. False when there is none. */
  ensurePeer(lane: number, name: string): boolean {
    return this.#slot(lane).link.ensurePeer(name);
  }

  /** Sections that make up this peer were changed: the lanes that have its policy get the new one. */
  peerChanged(name: string): void {
    for (const { link } of this.#slots) link.peerChanged(name);
  }

  generalChanged(): void {
    for (const { link } of this.#slots) link.generalChanged();
  }

  credentialsChanged(): void {
    for (const { link } of this.#slots) link.credentialsChanged();
  }

  /** What the lanes hand out for a capture from here on; undefined: nothing. */
  capture(wanted: LaneCapture | undefined): void {
    this.#capture = wanted;
    for (const { link } of this.#slots) link.post(captureEvent(wanted));
  }

  /** Rejects with SystemError when the lane dies or does not answer. */
  statistics(lane: number): Promise<LaneStatistics> {
    return this.#slot(lane).link.statistics(PATIENCE);
  }

  /** Rejects as `statistics`. */
  exchanges(lane: number): Promise<LaneExchanges> {
    return this.#slot(lane).link.exchanges(PATIENCE);
  }

  /** Ends all lanes, after what was posted; their last effects are handed out before it resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#slots.map((slot) => this.#stop(slot)));
    await this.#pool.destroy();
  }

  #slot(lane: number): Slot {
    const slot = this.#slots[lane];
    if (slot === undefined) throw new SystemError(`there is no lane ${lane}`);
    return slot;
  }

  #link(lane: number): LaneLink {
    return new LaneLink(lane, this.#options.policies, (effects) => this.#options.onEffects(lane, effects));
  }

  #launch(slot: Slot): void {
    const { link } = slot;
    const { table, groups, levels } = this.#options;
    const { start, transferList } = link.launch({ table, slab: slot.slab, groups: groups(), levels });
    if (isPrinted(levels, LogClass.MISC, 40)) {
      this.#options.log.write(
        debugRecord(LogClass.MISC, 40, `lane ${slot.lane}: starting, groups ${start.groups.join(' ')}`),
      );
    }
    const abort = new AbortController();
    slot.backOff = undefined;
    slot.launchedAt = this.#options.now();
    const options = { filename: this.#filename, name: 'lane', signal: abort.signal, transferList: [...transferList] };
    slot.ended = this.#pool.run(start, options).then(
      () => this.#onEnd(slot, link, 'its task ended'),
      (fault) => this.#onEnd(slot, link, reasonOf(fault)),
    );
    // A thread that could not start leaves its task in Piscina's queue for ever: aborting takes it out.
    link.statistics(START_PATIENCE).then(
      () => slot.onAnswer(),
      () => {
        if (slot.link === link && !this.#stopping) abort.abort();
      },
    );
  }

  #onEnd(slot: Slot, link: LaneLink, reason: string): void {
    if (this.#stopping) return;
    const why = new SystemError(`lane ${slot.lane} died: ${reason}`);
    link.close(why);
    slot.onDeath(why);
    const delay = this.#backOff(slot);
    const when = delay === 0 ? 'starting it again' : `starting it again in ${delay} ms`;
    this.#log(failure('lane-lost', `lane ${slot.lane} died: ${reason}; ${when}`));
    slot.link = this.#successor(slot.lane);
    slot.backOff = setTimeout(() => this.#launch(slot), delay);
    this.#options.onLost(slot.lane);
  }

  /** A lane that knows what its predecessor's SAs need, and only then may hear of anything else. */
  #successor(lane: number): LaneLink {
    const { now, policies, peersOf } = this.#options;
    const link = this.#link(lane);
    for (const name of peersOf(lane)) link.ensurePeer(name);
    const silentUntil = now() + policies.general().exchangeMaxTimeSeconds * 1000;
    link.post({ kind: 'takeOver', silentUntil });
    if (this.#capture !== undefined) link.post(captureEvent(this.#capture));
    return link;
  }

  /** No wait for the first death in a while, then longer ones: ms. */
  #backOff(slot: Slot): number {
    const lived = this.#options.now() - slot.launchedAt;
    slot.deaths = lived > LONG_LIFE ? 1 : slot.deaths + 1;
    return slot.deaths === 1 ? 0 : Math.min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** (slot.deaths - 2));
  }

  async #stop(slot: Slot): Promise<void> {
    clearTimeout(slot.backOff);
    const { link } = slot;
    if (slot.backOff === undefined) {
      // A lane that died meanwhile, or hangs, is ended by the pool.
      const stopped = link.stop(PATIENCE).then(
        () => slot.ended,
        () => undefined,
      );
      await Promise.race([stopped, slot.ended]);
      link.drain();
    }
    link.close(new SystemError(`lane ${slot.lane} was stopped`));
  }

  #log(record: LogRecord): void {
    this.#options.log.write(record);
  }
}

/** One lane through all its lives. */
class Slot {
  readonly lane: number;
  readonly slab: SharedArrayBuffer;
  link: LaneLink;
  launchedAt = 0;
  /** Deaths without a long life between them. */
  deaths = 0;
  /** Set while it waits to be launched. */
  backOff: NodeJS.Timeout | undefined;
  /** Never rejects. */
  ended: Promise<void> = Promise.resolve();
  /** Rejects when it dies before it ever answered. */
  readonly answered: Promise<void>;
  /** These count once. */
  onAnswer: () => void = () => undefined;
  onDeath: (why: SystemError) => void = () => undefined;

  constructor(lane: number, link: LaneLink, keyRecords: number) {
    this.lane = lane;
    this.link = link;
    this.slab = createKeySlab(keyRecords);
    this.answered = new Promise((resolve, reject) => {
      this.onAnswer = resolve;
      this.onDeath = reject;
    });
  }
}

const captureEvent = (wanted: LaneCapture | undefined): LaneEvent => ({
  kind: 'capture',
  isOn: wanted !== undefined,
  withKeys: wanted?.withKeys ?? false,
});

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** Beside this module, in the compiled tree as in the sources. */
const LANE_MODULE = new URL(`../../workers/lane${extname(import.meta.url)}`, import.meta.url);

/** ms. A lane answers between two turns, so after one Diffie-Hellman or a few; a new one has to load its modules first. */
const PATIENCE = 2000;
const START_PATIENCE = 60_000;
const LONG_LIFE = 60_000;
const FIRST_BACK_OFF = 250;
const LONGEST_BACK_OFF = 5000;
