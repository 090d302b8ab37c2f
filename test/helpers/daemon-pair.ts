/**
 * A daemon without sockets and threads: the real supervisor, connection core, lanes and exchanges on a virtual clock, network and kernel. Messages between
 * main and a lane take time, as between threads; a lane can be killed, and so can the daemon.
 */

import { Supervisor } from '../../src/main/supervisor/supervisor.ts';
import type { ConfigurationView } from '../../src/shared/connection/configuration-view.ts';
import type { ConvergenceRule } from '../../src/shared/connection/convergence.ts';
import { createDebugLevels } from '../../src/shared/log/classes.ts';
import type { GeneralPolicy, PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { createKeySlab, KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { SaFlag, type SaRow } from '../../src/shared/sa-table/rows.ts';
import { createSaTable, SaTable, type SharedSaTable } from '../../src/shared/sa-table/sa-table.ts';
import { type SipKey, siphash, sipKey } from '../../src/shared/siphash.ts';
import type { LaneEffect, LaneEvent } from '../../src/shared/threads/contract.ts';
import { LaneCore } from '../../src/workers/lane-core.ts';
import { type KernelWorld, MemoryKernel } from './memory-kernel.ts';
import type { Network } from './network.ts';

export interface DaemonOptions {
  readonly name: string;
  readonly address: string;
  readonly lanes: number;
  readonly policy: PeerPolicy;
  readonly general: GeneralPolicy;
  readonly active: readonly string[];
  readonly checkIntervalSeconds: number;
  readonly rule: ConvergenceRule | undefined;
}

export interface World extends KernelWorld {
  readonly network: Network;
  readonly trace: ((line: string) => void) | undefined;
}

export class Daemon {
  readonly options: DaemonOptions;
  readonly #world: World;
  #life: Life | undefined;

  constructor(options: DaemonOptions, world: World) {
    this.options = options;
    this.#world = world;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  start(): void {
    const life = new Life(this.options, this.#world);
    this.#life = life;
    this.#world.network.attach(this.options.address, (from, bytes) => life.receive(from, bytes));
    life.supervisor.tell({ kind: 'reconfigured' });
  }

  /** Without a word to anyone. */
  crash(): void {
    this.#world.network.detach(this.options.address);
    this.#life?.end();
    this.#life = undefined;
  }
}

/** One life of a daemon. */
export class Life {
  readonly kernel: MemoryKernel;
  readonly supervisor: Supervisor;
  readonly #options: DaemonOptions;
  readonly #world: World;
  readonly #shared: SharedSaTable;
  readonly #table: SaTable;
  readonly #siphash: SipKey;
  readonly #lanes: VirtualLane[];
  #isOver = false;

  constructor(options: DaemonOptions, world: World) {
    this.#options = options;
    this.#world = world;
    this.#siphash = sipKey(world.prng.bytes(16));
    this.#shared = createSaTable({ writers: options.lanes + 1, maxRows: 1024 });
    this.#table = new SaTable(this.#shared, 0);
    this.kernel = new MemoryKernel(world);
    this.#lanes = Array.from({ length: options.lanes }, (_, lane) => this.#lane(lane, createKeySlab(256)));
    this.supervisor = this.#supervisor();
    for (const lane of this.#lanes) lane.post({ kind: 'general', policy: options.general });
  }

  get lanes(): readonly VirtualLane[] {
    return this.#lanes;
  }

  /** When something of ours is due, ms. */
  get next(): number {
    let next = this.supervisor.nextDeadline() ?? Number.POSITIVE_INFINITY;
    for (const { core } of this.#lanes) next = Math.min(next, core.nextDeadline() ?? Number.POSITIVE_INFINITY);
    return next;
  }

  end(): void {
    this.#isOver = true;
    for (const lane of this.#lanes) lane.isDead = true;
  }

  /** Fires what is due. */
  advance(): void {
    const { now } = this.#world.schedule;
    for (const lane of this.#lanes) if ((lane.core.nextDeadline() ?? Number.POSITIVE_INFINITY) <= now) lane.advance();
    if ((this.supervisor.nextDeadline() ?? Number.POSITIVE_INFINITY) <= now) this.supervisor.advance();
  }

  receive(from: string, bytes: Uint8Array): void {
    const path = {
      local: { address: this.#options.address, port: 500 },
      remote: { address: from, port: 500 },
      encapsulated: false,
    };
    const begins = bytes.subarray(8, 16).every((byte) => byte === 0);
    const lane = this.#lanes[this.#laneOf(bytes.subarray(0, 8))];
    const peer = begins ? this.#options.policy.name : '';
    if (begins) lane?.ensurePeer();
    const firstContact = begins && this.supervisor.firstContact(peer, path.remote);
    lane?.post({ kind: 'datagram', path, peer, firstContact, bytes });
  }

  /** The lane's thread dies with all that it was doing; its successor takes over what is in shared memory. */
  killLane(index: number): void {
    const lane = this.#lanes[index];
    if (lane === undefined) return;
    lane.isDead = true;
    const successor = this.#lane(index, lane.slab);
    this.#lanes[index] = successor;
    successor.post({ kind: 'general', policy: this.#options.general });
    successor.ensurePeer();
    const silentUntil = this.#world.schedule.now + this.#options.general.exchangeMaxTimeSeconds * 1000;
    successor.post({ kind: 'takeOver', silentUntil });
    this.supervisor.laneLost(index);
  }

  rows(): readonly SaRow[] {
    return [...this.#table.all()].map(({ row }) => row);
  }

  /** The rows of current pairs, by connection. */
  current(connection: string): readonly SaRow[] {
    return this.rows().filter(
      ({ phase, name, flags }) => phase === 2 && name === connection && (flags & SaFlag.REPLACED) === 0,
    );
  }

  /** Keys of ISAKMP SAs in all slabs. */
  get slabSlots(): number {
    return this.#lanes.reduce((sum, { slab }) => sum + [...new KeySlab(slab).liveSlots()].length, 0);
  }

  #lane(index: number, slab: SharedArrayBuffer): VirtualLane {
    const lane = new VirtualLane(this.#options, this.#world, {
      index,
      slab,
      table: new SaTable(this.#shared, index + 1),
      onEffect: (effect) => this.#carryOut(index, effect),
    });
    return lane;
  }

  #laneOf(cookie: Uint8Array): number {
    return siphash(this.#siphash, cookie) % this.#options.lanes;
  }

  #supervisor(): Supervisor {
    const { schedule, prng } = this.#world;
    const { address } = this.#options;
    return new Supervisor({
      levels: createDebugLevels(),
      lanes: {
        count: this.#options.lanes,
        post: (lane, event) => this.#lanes[lane]?.post(event),
        ensurePeer: (lane) => this.#lanes[lane]?.ensurePeer() ?? false,
      },
      laneOf: (cookie) => this.#laneOf(cookie),
      pathTo: ({ address: remote, port }) =>
        remote === undefined
          ? undefined
          : { local: { address, port: 500 }, remote: { address: remote, port }, encapsulated: false },
      sendKeepalive: () => {},
      view: viewOf(this.#options),
      kernel: this.kernel,
      reqids: REQIDS,
      kept: { sas: [], policies: [] },
      mayRemoveLeftovers: true,
      isShared: () => false,
      onDemand: () => {},
      onDemandOver: () => {},
      table: this.#table,
      log: ({ severity, text }) => this.#world.trace?.(`${this.#options.name} ${severity}: ${text}`),
      now: () => schedule.now,
      wallClock: () => schedule.now,
      random: (size) => prng.bytes(size),
      onChange: () => {},
      ...(this.#options.rule === undefined ? {} : { rule: this.#options.rule }),
    });
  }

  #carryOut(lane: number, effect: LaneEffect): void {
    if (this.#isOver) return;
    const { trace, network } = this.#world;
    if (effect.kind === 'send') network.send(effect.path.local.address, effect.path.remote.address, effect.bytes);
    else if (effect.kind === 'log') trace?.(`${this.#options.name}/${lane} ${effect.record.text}`);
    else if (effect.kind !== 'captured' && effect.kind !== 'captureKey') {
      trace?.(`${this.#options.name}/${lane} > ${summary(effect)}`);
      this.supervisor.laneEffect(lane, effect);
    }
  }
}

const viewOf = ({ policy, active, checkIntervalSeconds }: DaemonOptions): ConfigurationView => ({
  connection: (name) =>
    policy.connections.some((connection) => connection.name === name) ? { name, peer: policy.name } : undefined,
  peer: (name) => (name === policy.name ? policy : undefined),
  active,
  checkIntervalSeconds,
  keepaliveSeconds: 20,
  deadPeerSeconds: 0,
  isAcquireOnly: false,
  blocksOnExit: false,
});

/** A lane behind two queues that keep their order and take a moment. */
export class VirtualLane {
  readonly core: LaneCore;
  readonly slab: SharedArrayBuffer;
  isDead = false;
  readonly #options: DaemonOptions;
  readonly #world: World;
  readonly #index: number;
  readonly #onEffect: (effect: LaneEffect) => void;
  #hasPeer = false;
  #inboundAt = 0;
  #outboundAt = 0;

  constructor(
    options: DaemonOptions,
    world: World,
    parts: {
      readonly index: number;
      readonly slab: SharedArrayBuffer;
      readonly table: SaTable;
      readonly onEffect: (effect: LaneEffect) => void;
    },
  ) {
    this.#options = options;
    this.#world = world;
    this.#index = parts.index;
    this.slab = parts.slab;
    this.#onEffect = parts.onEffect;
    this.core = new LaneCore({
      lane: parts.index,
      now: () => world.schedule.now,
      wallClock: Date.now,
      random: (size) => world.prng.bytes(size),
      table: parts.table,
      slab: new KeySlab(parts.slab),
      levels: createDebugLevels(),
    });
  }

  ensurePeer(): boolean {
    if (!this.#hasPeer) {
      this.#hasPeer = true;
      this.post({ kind: 'peer', policy: this.#options.policy });
    }
    return true;
  }

  post(event: LaneEvent): void {
    const { schedule, prng, trace } = this.#world;
    this.#inboundAt = Math.max(this.#inboundAt, schedule.now + prng.between(0, HOP_MS));
    schedule.at(this.#inboundAt, () => {
      if (this.isDead) return;
      if (event.kind !== 'datagram') trace?.(`${this.#options.name}/${this.#index} < ${summary(event)}`);
      this.core.handle(event);
      this.#flush();
    });
  }

  advance(): void {
    this.core.advance();
    this.#flush();
  }

  #flush(): void {
    const effects = this.core.takeEffects();
    if (effects.length === 0) return;
    const { schedule, prng } = this.#world;
    this.#outboundAt = Math.max(this.#outboundAt, schedule.now + prng.between(0, HOP_MS));
    schedule.at(this.#outboundAt, () => {
      if (this.isDead) return;
      for (const effect of effects) this.#onEffect(effect);
    });
  }
}

const summary = (message: LaneEvent | LaneEffect): string =>
  JSON.stringify(message, (key, value: unknown) => {
    if (key === 'policy' || key === 'sas') return undefined;
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex').slice(0, 16) : value;
  }).slice(0, 400);

const REQIDS = { first: 1000, count: 1000 };

/** ms between main and a lane. */
const HOP_MS = 1;
