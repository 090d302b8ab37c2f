/** A supervisor with a virtual clock, one lane that only listens, a kernel that says yes, and a real table. */
import type { KernelBackend } from '../../src/kernel/backend.ts';
import { createNoneBackend } from '../../src/kernel/none/none-backend.ts';
import { Supervisor } from '../../src/main/supervisor/supervisor.ts';
import { NO_ROUTE } from '../../src/shared/flow.ts';
import type { Acquire } from '../../src/shared/kernel-news.ts';
import { createDebugLevels } from '../../src/shared/log/classes.ts';
import type { SaRow } from '../../src/shared/sa-table/rows.ts';
import { createSaTable, SaTable } from '../../src/shared/sa-table/sa-table.ts';
import type { IpsecSa, LaneEvent, LogRecord } from '../../src/shared/threads/contract.ts';
import { BenchView } from './bench-view.ts';
import { ConnectionBench, pathTo } from './connection-bench.ts';
import { Prng } from './prng.ts';

/** Agreements and SAs are made on a bench of their own. */
const maker = new ConnectionBench();
export const ISAKMP = 'a1b2c3d4e5f60718192a3b4c5d6e7f80';
/** The wall clock when the daemon's own begins, ms. */
export const EPOCH = 1_700_000_000_000;

export class SupervisorRig {
  readonly posted: { readonly lane: number; readonly event: LaneEvent }[] = [];
  readonly ensured: string[] = [];
  readonly logged: LogRecord[] = [];
  readonly table: SaTable;
  readonly supervisor: Supervisor;
  readonly view = new BenchView({ active: ['net-a'] });
  now = 1000;
  changes = 0;
  isShared = false;
  readonly demands: Acquire[] = [];

  constructor(kernel: Partial<KernelBackend> = {}, maxRows = 16) {
    const prng = new Prng(1);
    this.table = new SaTable(createSaTable({ writers: 2, maxRows }), 0);
    this.supervisor = new Supervisor({
      levels: createDebugLevels(),
      lanes: {
        count: 1,
        post: (lane, event) => this.posted.push({ lane, event }),
        ensurePeer: (lane, name) => this.ensured.push(`${lane} ${name}`) > 0,
      },
      laneOf: () => 0,
      pathTo: ({ address }) => (address === undefined ? undefined : pathTo({ address, port: 500 })),
      sendKeepalive: () => {},
      view: this.view,
      kernel: { ...createNoneBackend(), ...kernel },
      reqids: { first: 1000, count: 1000 },
      kept: { sas: [], policies: [] },
      mayRemoveLeftovers: true,
      isShared: () => this.isShared,
      onDemand: (acquire) => this.demands.push(acquire),
      onDemandOver: () => {},
      table: this.table,
      log: (record) => this.logged.push(record),
      now: () => this.now,
      wallClock: () => EPOCH + this.now,
      random: (size) => prng.bytes(size),
      onChange: () => {
        this.changes++;
      },
    });
  }

  events<K extends LaneEvent['kind']>(kind: K): readonly Extract<LaneEvent, { readonly kind: K }>[] {
    const isOne = (event: LaneEvent): event is Extract<LaneEvent, { readonly kind: K }> => event.kind === kind;
    return this.posted.map(({ event }) => event).filter(isOne);
  }

  rows(): readonly SaRow[] {
    return [...this.table.all()].map(({ row }) => row);
  }

  /** With a peer that can be asked whether it lives. */
  establishPhase1(): void {
    const { path } = maker.agreement({ isakmp: ISAKMP, role: 'initiator' });
    this.supervisor.laneEffect(0, {
      kind: 'phase1Established',
      ...{ isakmp: ISAKMP, request: 0, peer: 'peer-a', role: 'initiator', path, startedAt: this.now },
      ...{ localIdentity: 'us.example.org', remoteIdentity: 'peer-a.example.org', initialContact: false },
      ...{
        softAt: this.now + 3_000_000,
        hardAt: this.now + 3_600_000,
        nat: undefined,
        answersProbes: true,
        chain: [],
        rawKey: undefined,
      },
    });
  }

  install(
    exchange: number,
    route = NO_ROUTE,
  ): {
    readonly agreement: ReturnType<typeof maker.agreement>;
    readonly sas: readonly IpsecSa[];
  } {
    const agreement = maker.agreement({ isakmp: ISAKMP, role: 'initiator', route });
    const keys = (): Pick<IpsecSa, 'encryptionKey' | 'authenticationKey'> => ({
      encryptionKey: new Uint8Array(16).fill(1),
      authenticationKey: new Uint8Array(32).fill(2),
    });
    const [one] = agreement.protocols;
    const common = {
      ...{ protocolId: 3, transformId: 12, authentication: 5, encapsulation: 1, keyLength: 128, replayWindow: 64 },
      ...{ source: '192.0.2.1', destination: '10.0.0.1' },
    };
    const sas: readonly IpsecSa[] = [
      { ...common, ...keys(), direction: 'in', spi: one?.spiIn ?? 0 },
      { ...common, ...keys(), direction: 'out', spi: one?.spiOut ?? 0 },
    ];
    this.supervisor.laneEffect(0, { kind: 'install', exchange, agreement, sas });
    return { agreement, sas };
  }

  async establish(exchange: number): Promise<ReturnType<typeof maker.agreement>> {
    const { agreement } = this.install(exchange);
    await settled();
    this.supervisor.laneEffect(0, { kind: 'phase2Established', exchange, request: 0, agreement });
    return agreement;
  }
}

/** What the kernel was asked before is answered. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
