/** Two daemons under a storm that a seed describes, then fair weather; and what must be true of them afterwards. */

import type { ConvergenceRule } from '../../src/shared/connection/convergence.ts';
import { IdType } from '../../src/shared/constants/ipsec-doi.ts';
import { GroupDescription, LifeType } from '../../src/shared/constants/oakley.ts';
import type { ConnectionPolicy, GeneralPolicy, Lifetime, PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import type { SaRow } from '../../src/shared/sa-table/rows.ts';
import { Daemon, type Life, type World } from './daemon-pair.ts';
import { aes128Sha256, connectionPolicy, espSuite, mirrored, peerPolicy } from './lane-pair.ts';
import { FAIR, Network, Schedule, type Weather } from './network.ts';
import { Prng } from './prng.ts';

export interface ScenarioOptions {
  readonly seed: number;
  readonly rule?: ConvergenceRule;
  /** Fair weather, and nothing but one connection that both ends start at the same moment. */
  readonly isDuel?: boolean;
  readonly trace?: (line: string) => void;
}

/** Lifetimes in seconds. */
interface Setting {
  readonly connections: readonly string[];
  readonly actives: readonly [readonly string[], readonly string[]];
  readonly lanes: readonly [number, number];
  readonly life1: number;
  readonly life2: number;
  readonly pfs: boolean;
}

export class Scenario {
  readonly schedule = new Schedule();
  readonly network: Network;
  readonly left: Daemon;
  readonly right: Daemon;
  readonly setting: Setting;
  /** An end has crashed and does not begin all connections itself: the other must first notice, by its next renewal. */
  hasForgotten = false;
  readonly #prng: Prng;
  readonly #world: World & { kernel: { delay: number; refusals: number } };

  constructor({ seed, rule, isDuel = false, trace }: ScenarioOptions) {
    this.#prng = new Prng(seed);
    this.schedule.now = 1_000_000;
    this.network = new Network(this.schedule, this.#prng);
    this.setting = isDuel ? { ...drawSetting(this.#prng), ...DUEL } : drawSetting(this.#prng);
    this.#world = {
      schedule: this.schedule,
      network: this.network,
      prng: this.#prng,
      kernel: { delay: 5, refusals: 0 },
      trace: trace === undefined ? undefined : (line) => trace(`${(this.schedule.now / 1000).toFixed(3)} ${line}`),
    };
    [this.left, this.right] = this.#daemons(rule);
  }

  /** The storm, to its end. */
  async storm(): Promise<void> {
    const { schedule } = this;
    const end = schedule.now + this.#prng.between(30_000, 150_000);
    this.network.weather = drawWeather(this.#prng);
    this.#world.kernel = { delay: this.#prng.pick([0, 5, 50]), refusals: this.#prng.pick([0, 0, 0.02]) };
    const apart = this.#prng.pick([0, 0, 50, 2000]);
    for (const daemon of [this.left, this.right]) schedule.after(this.#prng.between(0, apart), () => daemon.start());
    this.#planAccidents(end);
    await this.runTo(end);
    this.#world.trace?.('--- fair weather ---');
    this.network.weather = FAIR;
    this.network.isCut = false;
    this.#world.kernel = { delay: 5, refusals: 0 };
    for (const daemon of [this.left, this.right]) if (!daemon.isUp) daemon.start();
  }

  /** Under one ISAKMP SA both ends are told to connect, a few milliseconds apart. */
  async duel(): Promise<void> {
    this.network.weather = { ...FAIR, delay: [5, 100] };
    for (const daemon of [this.left, this.right]) daemon.start();
    this.left.life?.supervisor.tell({ kind: 'connect', name: 'peer' });
    await this.pass(5000);
    for (const life of this.lives()) {
      const connect = (): void => life.supervisor.tell({ kind: 'connect', name: 'net-0' });
      this.schedule.after(this.#prng.between(0, 20), connect);
    }
    await this.pass(1000);
  }

  async pass(milliseconds: number): Promise<void> {
    await this.runTo(this.schedule.now + milliseconds);
  }

  async runTo(end: number): Promise<void> {
    const { schedule } = this;
    for (;;) {
      const lives = this.lives();
      const next = Math.min(schedule.next, ...lives.map((life) => life.next));
      if (next > end) break;
      schedule.now = Math.max(schedule.now, next);
      while (schedule.step()) {
        // All that is due now, in order.
      }
      for (const life of lives) life.advance();
      if (this.lives().some(({ kernel }) => kernel.hasAnswered())) await settled();
    }
    schedule.now = end;
  }

  lives(): readonly Life[] {
    return [this.left.life, this.right.life].filter((life) => life !== undefined);
  }

  /** Lets time pass until both ends agree, but not more than that; false when they do not. */
  async agrees(milliseconds: number): Promise<boolean> {
    for (const end = this.schedule.now + milliseconds; this.schedule.now < end; await this.pass(1000)) {
      if (this.disagreements().length === 0) return true;
    }
    return false;
  }

  /** Lets time pass until no exchange runs; false when that does not come. */
  async becomesQuiet(milliseconds: number): Promise<boolean> {
    for (const end = this.schedule.now + milliseconds; this.schedule.now < end; await this.pass(500)) {
      if (this.lives().every(isQuiet)) return true;
    }
    return false;
  }

  /** What is wrong with the connections: every one must have one current pair at each end, the same. */
  disagreements(): readonly string[] {
    const [left, right] = [this.left.life, this.right.life];
    if (left === undefined || right === undefined) return ['a daemon is down'];
    return this.setting.connections.flatMap((name) => {
      const [ours, theirs] = [left.current(name), right.current(name)];
      const text = `${name}: left ${pairTexts(ours)}, right ${pairTexts(theirs)}`;
      const [mine] = ours;
      const [yours] = theirs;
      if (mine === undefined || yours === undefined || ours.length + theirs.length !== 2) return [text];
      if (!areMirrored(mine, yours)) return [text];
      return [...misdirected(left, mine, name), ...misdirected(right, yours, name)];
    });
  }

  /** What does not add up in either daemon at a quiet moment. */
  leaks(): readonly string[] {
    return this.lives().flatMap((life, index) => {
      const counts = life.supervisor.counts;
      const established = life.lanes.reduce((sum, { core }) => sum + core.counts.isakmpSas, 0);
      const rows = life.rows();
      const [phase1, phase2] = [rows.filter(({ phase }) => phase === 1), rows.filter(({ phase }) => phase === 2)];
      const balance: readonly (readonly [string, number, number])[] = [
        ['larval pairs', counts.larval, 0],
        ['half-open phase 1s', life.lanes.reduce((sum, { core }) => sum + core.counts.halfOpen, 0), 0],
        ['ISAKMP SAs of lanes and core', established, counts.isakmpSas],
        ['phase 1 rows', phase1.length, counts.isakmpSas],
        ['slab slots', life.slabSlots, counts.isakmpSas],
        ['phase 2 rows', phase2.length, counts.pairs],
        ['kernel SAs', life.kernel.sas.size, 2 * counts.pairs],
        ['flows', life.kernel.flows.size, counts.flows],
      ];
      return balance.flatMap(([what, is, ought]) => (is === ought ? [] : [`${index}: ${what}: ${is}, not ${ought}`]));
    });
  }

  /** Ends both daemons in order; answers what is left of them. */
  async remainsAfterShutdown(): Promise<readonly string[]> {
    for (const { supervisor } of this.lives()) supervisor.tell({ kind: 'shutdown', deleteSas: true });
    await this.pass(GENERAL.exchangeMaxTimeSeconds * 1000 + 10_000);
    return this.lives().flatMap((life, index) => {
      const { larval, running, deletes, timers, pairs, isakmpSas, rows, flows, kernelCalls } = life.supervisor.counts;
      const lanes = life.lanes.map(({ core }) => core.counts);
      const left = {
        ...{ larval, running, deletes, timers, pairs, isakmpSas, rows, flows, kernelCalls },
        tableRows: life.rows().length,
        slabSlots: life.slabSlots,
        kernelSas: life.kernel.sas.size,
        kernelFlows: life.kernel.flows.size,
        laneSas: lanes.reduce((sum, counts) => sum + counts.isakmpSas + counts.halfOpen + counts.phase2Exchanges, 0),
        laneTimers: life.lanes.filter(({ core }) => core.nextDeadline() !== undefined).length,
      };
      return Object.entries(left).flatMap(([what, count]) => (count === 0 ? [] : [`${index}: ${count} ${what}`]));
    });
  }

  #daemons(rule: ConvergenceRule | undefined): [Daemon, Daemon] {
    const { connections: names, actives, lanes, pfs, life1, life2 } = this.setting;
    const connections = names.map((name, index) => connectionOf(name, index, life2, pfs));
    const common = { general: GENERAL, checkIntervalSeconds: 10, rule };
    const policy = (address: string, own: readonly ConnectionPolicy[]): PeerPolicy =>
      peerPolicy({
        address,
        transforms: [{ ...aes128Sha256(GroupDescription.ECP_256), lifetimes: [seconds(life1)] }],
        connections: own,
      });
    const left = new Daemon(
      {
        ...common,
        name: 'left',
        address: '10.0.0.1',
        lanes: lanes[0],
        active: actives[0],
        policy: policy('10.0.0.2', connections),
      },
      this.#world,
    );
    const right = new Daemon(
      {
        ...common,
        name: 'right',
        address: '10.0.0.2',
        lanes: lanes[1],
        active: actives[1],
        policy: policy('10.0.0.1', connections.map(mirrored)),
      },
      this.#world,
    );
    return [left, right];
  }

  #planAccidents(end: number): void {
    const start = this.schedule.now;
    const sometime = (): number => this.#prng.between(start, end);
    for (let i = this.#prng.pick([0, 0, 1, 2]); i > 0; i--) {
      const daemon = this.#prng.pick([this.left, this.right]);
      const downtime = this.#prng.between(0, 8000);
      this.schedule.at(sometime(), () => {
        if (!daemon.isUp) return;
        this.#world.trace?.(`--- ${daemon.options.name} crashes ---`);
        daemon.crash();
        this.hasForgotten ||= daemon.options.active.length < this.setting.connections.length;
        this.schedule.after(downtime, () => {
          if (!daemon.isUp) daemon.start();
        });
      });
    }
    for (let i = this.#prng.pick([0, 0, 1, 2]); i > 0; i--) {
      const daemon = this.#prng.pick([this.left, this.right]);
      const lane = this.#prng.word() % daemon.options.lanes;
      this.schedule.at(sometime(), () => {
        this.#world.trace?.(`--- ${daemon.options.name} loses lane ${lane} ---`);
        daemon.life?.killLane(lane);
      });
    }
    if (!this.#prng.chance(0.3)) return;
    const [cutAt, duration] = [sometime(), this.#prng.between(1000, 40_000)];
    this.schedule.at(cutAt, () => {
      this.network.isCut = true;
    });
    this.schedule.at(Math.min(cutAt + duration, end), () => {
      this.network.isCut = false;
    });
  }
}

/** Two lifetimes: what is still wrong when the storm ends has expired by then, and what was made since has been made in fair weather. */
export const recoveryMs = ({ setting }: Scenario): number => setting.life2 * 1000 + 90_000;

const DUEL = { connections: ['net-0'], actives: [[], []] } as const;

/** Every connection is active at one end at least. */
const drawSetting = (prng: Prng): Setting => {
  const connections = ['net-0', 'net-1', 'net-2'].slice(0, prng.pick([1, 1, 2, 3]));
  const activeHere = (side: 0 | 1, choice: number): readonly string[] =>
    connections.filter((_, index) => choice === 2 || (choice + index) % 2 === side);
  const choice = prng.pick([2, 2, 0, 1]);
  return {
    connections,
    actives: [activeHere(0, choice), activeHere(1, choice)],
    lanes: [prng.pick([1, 2]), prng.pick([1, 2])],
    life1: prng.pick([200, 400, 3600]),
    life2: Math.round(prng.between(100, 160)),
    pfs: prng.chance(0.2),
  };
};

const drawWeather = (prng: Prng): Weather => ({
  loss: prng.pick([0, 0.05, 0.2, 0.4]),
  duplication: prng.pick([0, 0.1, 0.3]),
  straggling: prng.pick([0, 0.1, 0.3]),
  delay: prng.pick<readonly [number, number]>([
    [1, 5],
    [5, 100],
    [100, 800],
  ]),
  longDelay: prng.pick([500, 5000, 20_000]),
});

const connectionOf = (name: string, index: number, life: number, pfs: boolean): ConnectionPolicy =>
  connectionPolicy({
    name,
    localId: net(1, index),
    remoteId: net(2, index),
    suites: [espSuite({ lifetimes: [seconds(life)], ...(pfs ? { group: GroupDescription.ECP_256 } : {}) })],
  });

const net = (side: number, index: number) => ({
  type: IdType.IPV4_ADDR_SUBNET,
  protocol: 0,
  port: 0,
  data: Uint8Array.of(10, side, index, 0, 255, 255, 255, 0),
});

const seconds = (life: number): Lifetime => ({
  type: LifeType.SECONDS,
  duration: { offered: life, least: 60, most: 86_400 },
});

const isQuiet = ({ supervisor, lanes }: Life): boolean => {
  const { larval, running, kernelCalls, settling } = supervisor.counts;
  return larval + running + kernelCalls + settling === 0 && lanes.every(({ core }) => core.counts.halfOpen === 0);
};

const areMirrored = (mine: SaRow, yours: SaRow): boolean => {
  const [a] = mine.protocols;
  const [b] = yours.protocols;
  return a !== undefined && a.spiIn === b?.spiOut && a.spiOut === b.spiIn;
};

/** What is wrong with where the packets of a connection go: the kernel must have one flow for it, which leads to the outbound SA of the current pair. */
const misdirected = ({ kernel }: Life, { protocols: [current] }: SaRow, name: string): readonly string[] => {
  const third = name.slice('net-'.length);
  const flows = [...kernel.flows.values()].filter(({ local }) => local.address.split('.')[2] === third);
  const spis = flows.flatMap((flow) => kernel.senders(flow).map(({ id }) => id.spi));
  const isRight = flows.length === 1 && spis.length === 1 && spis[0] === current?.spiOut;
  return isRight ? [] : [`${name}: ${flows.length} flows to ${spis.map((spi) => spi.toString(16)).join(', ')}`];
};

const pairTexts = (rows: readonly SaRow[]): string =>
  `[${rows.map(({ protocols: [one] }) => `in ${one?.spiIn.toString(16)} out ${one?.spiOut.toString(16)}`).join('; ')}]`;

/** Lets promises go on that have been resolved. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const GENERAL: GeneralPolicy = {
  retransmits: 3,
  fragmentSize: 1280,
  exchangeMaxTimeSeconds: 40,
  connectionlessSuites: [],
  identitySecrets: new Map(),
  encapsulationPort: undefined,
};
