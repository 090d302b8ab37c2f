/**
 * Drives the connection core: hands it what lanes, kernel, FIFO and clock say, and carries out what it wants. Sockets, threads and timers belong to
 * others, so that tests can run the whole of it on a network and a clock of their own.
 */
import type { KernelBackend, KernelUpcalls, OwnState } from '../../kernel/backend.ts';
import type { Endpoint } from '../../shared/address.ts';
import type { ConfigurationView } from '../../shared/connection/configuration-view.ts';
import type { ConvergenceRule } from '../../shared/connection/convergence.ts';
import { ConnectionCore, type CoreCounts } from '../../shared/connection/core.ts';
import type { TimerListener } from '../../shared/connection/desk.ts';
import type { ConnectionEffect, ConnectionEvent, SaEffect } from '../../shared/connection/events.ts';
import type { News } from '../../shared/connection/news.ts';
import type { Proof } from '../../shared/connection/proofs.ts';
import type { ConnectionStatus } from '../../shared/connection/status.ts';
import { unreachable } from '../../shared/errors.ts';
import type { ReqidRange } from '../../shared/flow.ts';
import { type Acquire, isUsed } from '../../shared/kernel-news.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure } from '../../shared/log/records.ts';
import type { PeerPolicy } from '../../shared/policy/peer-policy.ts';
import type { SaTable } from '../../shared/sa-table/sa-table.ts';
import type { LaneEvent, LogRecord, Path } from '../../shared/threads/contract.ts';
import { FlowWork } from './flow-work.ts';
import { KernelWork } from './supervisor-kernel.ts';
import { PairRows } from './supervisor-table.ts';

export interface SupervisorOptions {
  readonly lanes: {
    readonly count: number;
    post(lane: number, event: LaneEvent): void;
    /** Makes sure that the lane has this peer's present policy. */
    ensurePeer(lane: number, name: string): boolean;
  };
  /** The router's: which lane serves a cookie. */
  readonly laneOf: (initiatorCookie: Uint8Array) => number;
  /** Our end and the peer's for a phase 1; undefined where the peer has no address or no socket fits. */
  readonly pathTo: (policy: PeerPolicy) => Path | undefined;
  /** One byte on the NAT-T port. */
  readonly sendKeepalive: (path: Path) => void;
  readonly view: ConfigurationView;
  readonly kernel: KernelBackend;
  readonly reqids: ReqidRange;
  /** What a predecessor left in the kernel and stays. */
  readonly kept: OwnState;
  /** Policies of it that nobody wants when the configuration is in place are removed. */
  readonly mayRemoveLeftovers: boolean;
  /** Opened as writer 0. */
  readonly table: SaTable;
  readonly log: (record: LogRecord) => void;
  /** Debug level of each class. */
  readonly levels: Int32Array;
  /** ms, the daemon's monotonic clock. */
  readonly now: () => number;
  /** ms since the epoch, the kernel's clock. */
  readonly wallClock: () => number;
  readonly random: (size: number) => Uint8Array;
  /** The next deadline may have changed: call `nextDeadline` and see. */
  readonly onChange: () => void;
  readonly rule?: ConvergenceRule;
  /** Shared-SADB */
  readonly isShared: () => boolean;
  /** A packet waits for an SA that no connection is for; whoever makes one tells `acquire`. */
  readonly onDemand: (acquire: Acquire) => void;
  /** Nothing is left of a connection that was made so. */
  readonly onDemandOver: (connection: string) => void;
  /** For those who listen. */
  readonly onNews?: (news: News) => void;
}

/** What there is, for reports and tests. */
export interface SupervisorCounts extends CoreCounts {
  readonly rows: number;
  readonly kernelCalls: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #core: ConnectionCore;
  readonly #rows: PairRows;
  readonly #kernel: KernelWork;
  readonly #flows: FlowWork;
  readonly #stopped: Promise<void>;
  #onStopped: (() => void) | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#rows = new PairRows(options.table, options.log, options.levels);
    this.#kernel = new KernelWork(options);
    this.#flows = new FlowWork({ ...options, onRefusal: (id) => this.#answer({ kind: 'flowRefused', id }) });
    this.#core = new ConnectionCore({
      ...options,
      lanes: options.lanes.count,
      now: options.now(),
      inherited: inheritedOf(options.kept),
      onTimer: (...news) => this.#traceTimer(...news),
    });
    this.#stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
  }

  get counts(): SupervisorCounts {
    return { ...this.#core.counts, rows: this.#rows.size, kernelCalls: this.#kernel.running + this.#flows.running };
  }

  /** When all active connections are looked after, ms; undefined before the first time. */
  get nextCheckAt(): number | undefined {
    return this.#core.nextCheckAt;
  }

  /** The connections that should be up, as they are. */
  activeStatus(): Iterable<ConnectionStatus> {
    return this.#core.activeStatus();
  }

  /** A connection of any kind, as it is. */
  statusOf(name: string): ConnectionStatus {
    return this.#core.statusOf(name);
  }

  /** The certificates that SAs of either phase rest on, each once. */
  proofs(): Iterable<Proof> {
    return this.#core.proofs();
  }

  /** Resolves when a shutdown has said to the peers what there was to say. */
  get stopped(): Promise<void> {
    return this.#stopped;
  }

  /** When to call `advance`, ms; undefined: not before something else happens. */
  nextDeadline(): number | undefined {
    return this.#core.nextDeadline;
  }

  /** Does what is due. */
  advance(): void {
    this.#core.advance(this.#options.now());
    this.#perform();
  }

  /** An operator's command, or news of the configuration. `reconfigured` at start brings up the active connections. */
  tell(event: ConnectionEvent): void {
    this.#core.handle(event, this.#options.now());
    this.#perform();
  }

  laneEffect(lane: number, effect: SaEffect): void {
    this.tell({ kind: 'lane', lane, effect });
  }

  /** The lane died; what is posted from now on reaches its successor, which has been told to take over. */
  laneLost(lane: number): void {
    this.tell({ kind: 'laneLost', lane });
  }

  /** For the kernel. What it says of a daemon that ends is of no interest to anybody. */
  get upcalls(): Omit<KernelUpcalls, 'failed'> {
    return {
      acquire: (acquire) => this.#answer({ kind: 'acquire', acquire, connection: undefined }),
      expire: (expire) => this.#answer({ kind: 'expire', expire }),
      mapping: (mapping) => this.#answer({ kind: 'mapping', mapping }),
      lost: (gone) => this.#answer({ kind: 'lost', gone }),
    };
  }

  /** For the router: no SA with this peer section at this place exists, so INITIAL-CONTACT is due. */
  firstContact(peer: string, remote: Endpoint): boolean {
    return this.#core.isFirstContact(peer, remote.address);
  }

  /** Resolves when the kernel has taken all policies that are wanted by now, or their refusal is logged. */
  flowsSettled(): Promise<void> {
    return this.#flows.idle();
  }

  /** Resolves when the kernel has answered all that it was asked. */
  async settled(): Promise<void> {
    while (this.#kernel.running + this.#flows.running > 0) await Promise.all([this.#kernel.idle(), this.#flows.idle()]);
  }

  #perform(): void {
    for (const effect of this.#core.takeEffects()) this.#carryOut(effect);
    this.#options.onChange();
  }

  #carryOut(effect: ConnectionEffect): void {
    const { lanes, log } = this.#options;
    switch (effect.kind) {
      case 'post':
        // A lane that cannot get the policy says itself why the request fails.
        if (effect.peer !== undefined) lanes.ensurePeer(effect.lane, effect.peer);
        this.#trace(effect);
        lanes.post(effect.lane, effect.event);
        return;
      case 'add':
        void this.#install(effect);
        return;
      case 'remove':
        void this.#kernel.remove(effect.sas);
        return;
      case 'move':
        void this.#move(effect);
        return;
      case 'query':
        void this.#query(effect);
        return;
      case 'putFlow':
        this.#flows.put(effect.flow);
        return;
      case 'deleteFlow':
        this.#flows.remove(effect.id);
        return;
      case 'removeLeftovers':
        void this.#removeLeftovers();
        return;
      case 'demand':
        this.#options.onDemand(effect.acquire);
        return;
      case 'demandOver':
        this.#options.onDemandOver(effect.connection);
        return;
      case 'pair':
        this.#rows.put(effect.facts);
        return;
      case 'pairGone':
        this.#rows.remove(effect.pair);
        return;
      case 'keepalive':
        this.#options.sendKeepalive(effect.path);
        return;
      case 'log':
        log(effect.record);
        return;
      case 'news':
        this.#options.onNews?.(effect.news);
        return;
      case 'done':
        this.#onStopped?.();
        return;
      default:
        unreachable(effect);
    }
  }

  #traceTimer(...[what, event, subject, milliseconds]: Parameters<TimerListener>): void {
    const { levels, log } = this.#options;
    if (!isPrinted(levels, LogClass.TIMER, 10)) return;
    const name = subject === '' ? event : `${event}(${subject})`;
    const text =
      what === 'added'
        ? `timer_add_event: event ${name} added, expiration in ${(milliseconds / 1000).toFixed(1)}s`
        : `timer_handle_expirations: event ${name}`;
    log(debugRecord(LogClass.TIMER, 10, text));
  }

  /** What was decided to be negotiated, and with whom. */
  #trace({ lane, event, peer }: Extract<ConnectionEffect, { readonly kind: 'post' }>): void {
    const { levels, log } = this.#options;
    if (!isPrinted(levels, LogClass.POLICY, 40)) return;
    if (event.kind === 'startPhase1') {
      const { local, remote } = event.path;
      const text = `exchange_establish: phase 1 with ${event.peer}, ${local.address}:${local.port} to ${remote.address}:${remote.port}, lane ${lane}`;
      const fields = { peer: event.peer, address: remote.address, port: remote.port };
      log(debugRecord(LogClass.POLICY, 40, text, fields));
    } else if (event.kind === 'startQuickMode') {
      const { isakmp, connection } = event;
      const text = `exchange_establish: quick mode for ${connection} under ISAKMP SA ${isakmp.slice(0, 16)}:${isakmp.slice(16)}, lane ${lane}`;
      const fields = { connection, cookies: isakmp, ...(peer === undefined ? {} : { peer }) };
      log(debugRecord(LogClass.POLICY, 40, text, fields));
    }
  }

  async #removeLeftovers(): Promise<void> {
    if (!this.#options.mayRemoveLeftovers || (await this.#flows.removeLeftovers())) return;
    this.#answer({ kind: 'configured', connections: [] });
  }

  async #install(effect: EffectOf<'add'>): Promise<void> {
    const installation = await this.#kernel.install(effect);
    this.#answer({ ...installation, pair: effect.pair });
  }

  async #move({ pair, moves }: EffectOf<'move'>): Promise<void> {
    this.#answer({ kind: 'moved', pair, ...(await this.#kernel.move(moves)) });
  }

  async #query({ of, sas }: EffectOf<'query'>): Promise<void> {
    const usages = await this.#kernel.query(sas);
    const { now, wallClock } = this.#options;
    const seconds = usages.reduce((latest, { usedAt }) => Math.max(latest, usedAt), 0);
    const usedAt = seconds === 0 ? 0 : now() - (wallClock() - seconds * 1000);
    this.#answer({ kind: 'usage', of, isUsed: usages.some(isUsed), usedAt });
  }

  /** An answer of the kernel, for which nobody waits whom a fault could reach. */
  #answer(event: ConnectionEvent): void {
    try {
      this.tell(event);
    } catch (fault) {
      const text = fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
      this.#options.log(failure('fault', `fault after an answer of the kernel: ${text}`));
    }
  }
}

const inheritedOf = ({ sas, policies }: OwnState) => ({
  reqids: [...sas, ...policies].map(({ reqid }) => reqid),
  flows: policies,
});

type EffectOf<K extends ConnectionEffect['kind']> = Extract<ConnectionEffect, { readonly kind: K }>;
