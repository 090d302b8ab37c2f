/** The connection core alone on a bench: the test plays the lanes, the kernel, the configuration and the clock. */
import assert from 'node:assert/strict';
import type { ConfigurationView } from '../../src/shared/connection/configuration-view.ts';
import { ConnectionCore, type CoreOptions } from '../../src/shared/connection/core.ts';
import type { ConnectionEffect, ConnectionEvent, PairFacts, SaEffect } from '../../src/shared/connection/events.ts';
import { IdType } from '../../src/shared/constants/ipsec-doi.ts';
import { type Flow, NO_ROUTE, type Route } from '../../src/shared/flow.ts';
import { identityOfAddress } from '../../src/shared/policy/identity.ts';
import type { Identity } from '../../src/shared/policy/peer-policy.ts';
import type {
  Agreement,
  Failure,
  IpsecSa,
  LaneEvent,
  LogRecord,
  NatTraversal,
  Path,
  RawKey,
} from '../../src/shared/threads/contract.ts';
import { BenchView, type ViewOptions } from './bench-view.ts';
import { Prng } from './prng.ts';

type Posted<K extends LaneEvent['kind']> = Extract<LaneEvent, { readonly kind: K }> & { readonly lane: number };

export interface BenchOptions extends ViewOptions {
  readonly lanes?: number;
  /** The test answers `add` effects itself. */
  readonly slowKernel?: boolean;
  readonly rule?: CoreOptions['rule'];
  /** So many. */
  readonly reqids?: number;
  readonly inherited?: CoreOptions['inherited'];
  readonly configuration?: ConfigurationView;
}

export interface Phase1Options {
  /** Certificates that the peer has shown; none without. */
  readonly chain?: readonly Uint8Array[];
  /** The raw key that it has proved itself with; none without. */
  readonly rawKey?: RawKey;
  readonly lane?: number;
  readonly peer?: string;
  readonly role?: 'initiator' | 'responder';
  readonly request?: number;
  readonly identity?: string;
  readonly startedAt?: number;
  readonly initialContact?: boolean;
  readonly nat?: NatTraversal;
  readonly remote?: { readonly address: string; readonly port: number };
}

export interface QuickModeOptions {
  readonly lane?: number;
  readonly connection?: string;
  readonly isakmp: string;
  readonly peer?: string;
  readonly identity?: string;
  readonly role?: 'initiator' | 'responder';
  readonly request?: number;
  readonly startedAt?: number;
  readonly nonce?: number;
  readonly lifeSeconds?: number;
  readonly localSelector?: Identity;
  readonly remoteSelector?: Identity;
  readonly peerChose?: Agreement['peerChose'];
  readonly route?: Route;
  readonly spiIn?: number;
  readonly nat?: NatTraversal;
  readonly remote?: { readonly address: string; readonly port: number };
}

export class ConnectionBench {
  readonly view: BenchView;
  readonly core: ConnectionCore;
  readonly logged: LogRecord[] = [];
  readonly effects: ConnectionEffect[] = [];
  /** What the table would show, by pair. */
  readonly rows = new Map<number, PairFacts>();
  /** SPIs of inbound and outbound SAs that the kernel holds. */
  readonly kernel = new Set<number>();
  /** Reqids of pairs, by the SPI of each of their SAs. */
  readonly reqids = new Map<number, number>();
  /** The kernel's policies. */
  readonly flows = new Map<number, Flow>();
  readonly lanes: number;
  now = 1_000_000;
  isDone = false;
  readonly #configuration: ConfigurationView;
  readonly #slowKernel: boolean;
  #sent: Posted<LaneEvent['kind']>[] = [];
  #counter = 0;

  constructor(options: BenchOptions = {}) {
    this.view = new BenchView(options);
    this.#configuration = options.configuration ?? this.view;
    this.lanes = options.lanes ?? 1;
    this.#slowKernel = options.slowKernel ?? false;
    const prng = new Prng(1);
    this.core = new ConnectionCore({
      lanes: this.lanes,
      view: this.#configuration,
      reqids: { first: 1000, count: options.reqids ?? 2 ** 20 },
      random: (size) => prng.bytes(size),
      now: this.now,
      laneOf: (cookie) => (cookie[0] ?? 0) % this.lanes,
      pathTo: ({ address }) => (address === undefined ? undefined : pathTo({ address, port: 500 })),
      ...(options.inherited === undefined ? {} : { inherited: options.inherited }),
      ...(options.rule === undefined ? {} : { rule: options.rule }),
    });
    if ((options.active ?? []).length > 0) this.tell({ kind: 'reconfigured' });
  }

  tell(event: ConnectionEvent): void {
    this.core.handle(event, this.now);
    this.#perform();
  }

  lane(effect: SaEffect, lane = 0): void {
    this.tell({ kind: 'lane', lane, effect });
  }

  /** Lets time pass, stopping at every deadline. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.core.nextDeadline;
      if (next === undefined || next > end) break;
      this.now = Math.max(next, this.now);
      this.core.advance(this.now);
      this.#perform();
    }
    this.now = end;
  }

  /** What has been posted to lanes since the last call, of one kind. */
  take<K extends LaneEvent['kind']>(kind: K): readonly Posted<K>[] {
    const isOne = (event: Posted<LaneEvent['kind']>): event is Posted<K> => event.kind === kind;
    const taken = this.#sent.filter(isOne);
    this.#sent = this.#sent.filter((event) => !isOne(event));
    return taken;
  }

  takeOne<K extends LaneEvent['kind']>(kind: K): Posted<K> {
    const taken = this.take(kind);
    assert.equal(taken.length, 1, `${taken.length} ${kind} instead of one`);
    const [one] = taken;
    assert.ok(one);
    return one;
  }

  /** A phase 1 is complete; answers its cookies. As initiator it answers the request that was posted, where there is one. */
  phase1(options: Phase1Options = {}): string {
    const { peer = 'peer-a', initialContact = false } = options;
    const begun =
      options.request === undefined && options.role !== 'responder' ? this.take('startPhase1')[0] : undefined;
    const isakmp = (0x1000 + this.#next()).toString(16).padStart(32, '0');
    this.lane(
      {
        kind: 'phase1Established',
        isakmp,
        request: options.request ?? begun?.request ?? 0,
        peer,
        role: options.role ?? 'initiator',
        path: { ...pathTo(options.remote ?? this.#remoteOf(peer)), encapsulated: options.nat !== undefined },
        localIdentity: 'us.example.org',
        remoteIdentity: options.identity ?? `${peer}.example.org`,
        startedAt: options.startedAt ?? this.now,
        softAt: this.now + 3_000_000,
        hardAt: this.now + 3_600_000,
        initialContact,
        nat: options.nat,
        answersProbes: true,
        chain: options.chain ?? [],
        rawKey: options.rawKey,
      },
      options.lane ?? begun?.lane ?? 0,
    );
    return isakmp;
  }

  agreement(options: QuickModeOptions): Agreement {
    const { isakmp, connection = 'net-a', role = 'responder', peer = 'peer-a' } = options;
    const number = this.#next();
    return {
      isakmp,
      peer,
      connection,
      role,
      messageId: number,
      path: { ...pathTo(options.remote ?? this.#remoteOf(peer)), encapsulated: options.nat !== undefined },
      localIdentity: 'us.example.org',
      remoteIdentity: options.identity ?? `${peer}.example.org`,
      localSelector: options.localSelector ?? identityOfAddress('172.16.0.1'),
      remoteSelector: options.remoteSelector ?? identityOfAddress('172.16.1.1'),
      peerChose: options.peerChose ?? 'nothing',
      lifeSeconds: options.lifeSeconds ?? 1000,
      lifeKilobytes: 0,
      group: 0,
      route: options.route ?? NO_ROUTE,
      startedAt: options.startedAt ?? this.now,
      lowestNonce: new Uint8Array(16).fill(options.nonce ?? 1),
      nat: options.nat,
      protocols: [
        {
          protocolId: 3,
          transformId: 12,
          authentication: 5,
          encapsulation: 1,
          keyLength: 128,
          encryptionKeyBytes: 16,
          authenticationKeyBytes: 32,
          spiIn: options.spiIn ?? 0x10000 + number,
          spiOut: 0x20000 + number,
        },
      ],
    };
  }

  /** A whole quick mode as the lane reports it. As initiator it answers the request that was posted, where there is one. */
  quickMode(options: QuickModeOptions): Agreement {
    const begun =
      options.role === 'initiator' && options.request === undefined ? this.take('startQuickMode')[0] : undefined;
    const lane = options.lane ?? begun?.lane ?? 0;
    const agreement = this.agreement(options);
    const exchange = agreement.messageId;
    if (agreement.role === 'responder') {
      this.lane({ kind: 'phase2Started', exchange, isakmp: agreement.isakmp, connection: agreement.connection }, lane);
    }
    this.install(agreement, exchange, lane);
    this.lane(
      { kind: 'phase2Established', exchange, request: options.request ?? begun?.request ?? 0, agreement },
      lane,
    );
    return agreement;
  }

  install(agreement: Agreement, exchange: number, lane = 0): readonly IpsecSa[] {
    const sas = this.sas(agreement);
    this.lane({ kind: 'install', exchange, agreement, sas }, lane);
    return sas;
  }

  sas({ protocols, path }: Agreement): readonly IpsecSa[] {
    return protocols.flatMap(({ spiIn, spiOut }) => [benchSa('in', spiIn, path), benchSa('out', spiOut, path)]);
  }

  quickModeFails(request: number, cause: Failure['cause'] = 'timeout', connection = 'net-a', isakmp = ''): void {
    const failure = { cause, reason: `it was a ${cause}` };
    this.lane({ kind: 'phase2Failed', exchange: 0, request, isakmp, messageId: 0, connection, failure });
  }

  phase1Fails(request: number, cause: Failure['cause'] = 'timeout', peer = 'peer-a'): void {
    this.lane({
      kind: 'phase1Failed',
      request,
      peer,
      isakmp: 'a'.repeat(16) + 'b'.repeat(16),
      failure: { cause, reason: `it was a ${cause}` },
    });
  }

  /** The peer deletes the pair of an agreement. */
  peerDeletes(agreement: Agreement, overrides: Partial<Extract<SaEffect, { readonly kind: 'retire' }>> = {}): void {
    this.lane({
      kind: 'retire',
      isakmp: agreement.isakmp,
      peer: agreement.peer,
      remoteIdentity: agreement.remoteIdentity,
      protocolId: 3,
      spis: agreement.protocols.map(({ spiOut }) => spiOut),
      ...overrides,
    });
  }

  /** Brings up peer-a and net-a as their initiator. */
  up(options: Partial<QuickModeOptions> = {}): { readonly isakmp: string; readonly pair: Agreement } {
    const isakmp = this.phase1();
    return { isakmp, pair: this.quickMode({ role: 'initiator', ...options, isakmp }) };
  }

  /** The row of a pair, if it is established. */
  row(agreement: Agreement): PairFacts | undefined {
    return [...this.rows.values()].find((facts) => facts.agreement.messageId === agreement.messageId);
  }

  /** The SPIs that lanes were told to delete since the last call. */
  deletedSpis(): readonly number[] {
    return this.take('sendDelete').flatMap(({ spis }) => spis);
  }

  #perform(): void {
    const effects = this.core.takeEffects();
    this.effects.push(...effects);
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'post':
        this.#sent.push({ ...effect.event, lane: effect.lane });
        return;
      case 'add':
        if (!this.#slowKernel) this.kernelAdds(effect);
        return;
      case 'remove':
        for (const { spi } of effect.sas) this.kernel.delete(spi);
        return;
      case 'move':
      case 'query':
      case 'demand':
      case 'demandOver':
      case 'removeLeftovers':
        return;
      case 'pair':
        this.rows.set(effect.facts.pair, effect.facts);
        return;
      case 'pairGone':
        this.rows.delete(effect.pair);
        return;
      case 'log':
        this.logged.push(effect.record);
        return;
      case 'news':
        return;
      case 'done':
        this.isDone = true;
        return;
      case 'keepalive':
        return;
      case 'putFlow':
        this.flows.set(effect.flow.id, effect.flow);
        return;
      case 'deleteFlow':
        assert.ok(this.flows.delete(effect.id), `flow ${effect.id} is deleted twice`);
        return;
    }
  }

  kernelAdds({ pair, sas, reqid }: Extract<ConnectionEffect, { readonly kind: 'add' }>): void {
    for (const { spi } of sas) {
      this.kernel.add(spi);
      this.reqids.set(spi, reqid);
    }
    this.tell({ kind: 'added', pair, sas });
  }

  #remoteOf(peer: string): { readonly address: string; readonly port: number } {
    return { address: this.#configuration.peer(peer)?.address ?? '198.51.100.1', port: 500 };
  }

  #next(): number {
    this.#counter++;
    return this.#counter;
  }
}

export const pathTo = (remote: Path['remote']): Path => ({
  local: { address: '192.0.2.1', port: 500 },
  remote,
  encapsulated: false,
});

const benchSa = (direction: 'in' | 'out', spi: number, { local, remote }: Path): IpsecSa => ({
  direction,
  protocolId: 3,
  spi,
  transformId: 12,
  authentication: 5,
  encapsulation: 1,
  keyLength: 128,
  encryptionKey: new Uint8Array(16).fill(7),
  authenticationKey: new Uint8Array(32).fill(8),
  source: direction === 'in' ? remote.address : local.address,
  destination: direction === 'in' ? local.address : remote.address,
  replayWindow: 64,
});

export const subnet = (third: number): Identity => ({
  type: IdType.IPV4_ADDR_SUBNET,
  protocol: 0,
  port: 0,
  data: Uint8Array.from([10, 9, third, 0, 255, 255, 255, 0]),
});
