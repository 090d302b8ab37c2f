/** Two lanes wired back to back by hand: a clock that only tests move, a network that tests can bend, and a kernel that says yes. */
import { createHash } from 'node:crypto';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  IdType,
  ProtocolId,
} from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
  LifeType,
} from '../../src/shared/constants/oakley.ts';
import { NO_ROUTE } from '../../src/shared/flow.ts';
import { createDebugLevels } from '../../src/shared/log/classes.ts';
import type {
  ConnectionPolicy,
  GeneralPolicy,
  Identity,
  PeerPolicy,
  Phase1Transform,
  Phase2Transform,
  Suite,
} from '../../src/shared/policy/peer-policy.ts';
import { createKeySlab, KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { createSaTable, SaTable } from '../../src/shared/sa-table/sa-table.ts';
import type { LaneEffect, LaneEvent, Path } from '../../src/shared/threads/contract.ts';
import { LaneCore } from '../../src/workers/lane-core.ts';

/** Deterministic bytes from a seed. */
export const seededRandom = (seed: string): ((size: number) => Uint8Array) => {
  let counter = 0;
  return (size) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < size; have += 32) {
      blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest());
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, size));
  };
};

export const aes128Sha256 = (group: number = GroupDescription.ECP_256): Phase1Transform => ({
  name: 'AES-128-SHA2-256',
  encryption: EncryptionAlgorithm.AES_CBC,
  keyLength: { offered: 128, least: 128, most: 128 },
  hash: HashAlgorithm.SHA2_256,
  authentication: AuthenticationMethod.PRE_SHARED,
  group,
  lifetimes: [{ type: LifeType.SECONDS, duration: { offered: 3600, least: 60, most: 86_400 } }],
});

export const espTransform = (changes: Partial<Phase2Transform> = {}): Phase2Transform => ({
  name: 'ESP-AES-SHA2',
  transformId: EspTransform.AES,
  encapsulation: EncapsulationMode.TUNNEL,
  authentication: AuthenticationAlgorithm.HMAC_SHA2_256,
  group: undefined,
  keyLength: { offered: 128, least: 128, most: 256 },
  lifetimes: [{ type: LifeType.SECONDS, duration: { offered: 1200, least: 60, most: 86_400 } }],
  ...changes,
});

export const espSuite = (changes: Partial<Phase2Transform> = {}): Suite => ({
  name: 'ESP-SUITE',
  protocols: [{ name: 'ESP', protocolId: ProtocolId.IPSEC_ESP, transforms: [espTransform(changes)], replayWindow: 64 }],
});

export const subnet = (a: number, b: number, c: number): Identity => ({
  type: IdType.IPV4_ADDR_SUBNET,
  protocol: 0,
  port: 0,
  data: Uint8Array.of(a, b, c, 0, 255, 255, 255, 0),
});

export const fqdn = (name: string): Identity => ({
  type: IdType.FQDN,
  protocol: 0,
  port: 0,
  data: new TextEncoder().encode(name),
});

export const connectionPolicy = (changes: Partial<ConnectionPolicy> = {}): ConnectionPolicy => ({
  name: 'net',
  localId: subnet(10, 1, 1),
  remoteId: subnet(10, 1, 2),
  natId: undefined,
  onDemand: false,
  activeOnly: false,
  route: NO_ROUTE,
  suites: [espSuite()],
  suitesTag: '[Default-quick-mode]:Suites',
  ...changes,
});

export const generalPolicy = (changes: Partial<GeneralPolicy> = {}): GeneralPolicy => ({
  retransmits: 3,
  exchangeMaxTimeSeconds: 120,
  fragmentSize: 1280,
  connectionlessSuites: [],
  identitySecrets: new Map(),
  encapsulationPort: undefined,
  ...changes,
});

export const peerPolicy = (changes: Partial<PeerPolicy> = {}): PeerPolicy => ({
  name: 'peer',
  address: '10.0.0.2',
  localAddress: undefined,
  port: 500,
  exchangeType: ExchangeType.ID_PROT,
  configuration: 'Default-phase-1-configuration',
  transforms: [aes128Sha256()],
  preSharedKey: new TextEncoder().encode('mekmitasdigoat'),
  localId: undefined,
  remoteId: undefined,
  checkSuites: true,
  legacyCrypto: false,
  unique: 'replace',
  deleteChildren: false,
  forceEncapsulation: false,
  sha2Truncation96: false,
  fragmentation: true,
  connections: [connectionPolicy()],
  ...changes,
});

/** The other side's view of the same connection. */
export const mirrored = (connection: ConnectionPolicy): ConnectionPolicy => ({
  ...connection,
  localId: connection.remoteId,
  remoteId: connection.localId,
});

export type Kind<K extends LaneEffect['kind']> = Extract<LaneEffect, { readonly kind: K }>;
type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

/** What the kernel says to `install`; undefined: nothing for now. */
export type KernelAnswer = 'yes' | { readonly refused: string } | undefined;

/** One lane of a daemon at `address`, with everything it ever wanted done. */
export class LaneHost {
  readonly address: string;
  readonly core: LaneCore;
  readonly shared = createSaTable({ writers: 2, maxRows: 4096 });
  readonly slabBuffer = createKeySlab(1024);
  readonly table = new SaTable(this.shared, 1);
  readonly levels = createDebugLevels();
  readonly done: LaneEffect[] = [];
  readonly outbox: { readonly path: Path; readonly bytes: Uint8Array }[] = [];
  /** Keys of IPsec SAs, copied when they were handed over. */
  readonly ipsecKeys: Uint8Array[] = [];
  kernel: (effect: Kind<'install'>) => KernelAnswer = () => 'yes';
  #policy: PeerPolicy | undefined;

  constructor(address: string, seed: string, now: () => number, wallClock: () => number = Date.now) {
    this.address = address;
    const slab = new KeySlab(this.slabBuffer);
    this.core = new LaneCore({
      lane: 0,
      now,
      wallClock,
      random: seededRandom(seed),
      table: this.table,
      slab,
      levels: this.levels,
    });
  }

  /** The policy of `peer` that it was told last. */
  get policy(): PeerPolicy {
    if (this.#policy === undefined) throw new RangeError('no policy yet');
    return this.#policy;
  }

  tell(event: LaneEvent): void {
    if (event.kind === 'peer') this.#policy = event.policy;
    // As over the port: a lane erases what it was given.
    this.core.handle(event.kind === 'credentials' ? structuredClone(event) : event);
    this.settle();
  }

  /** Sorts effects, and lets the kernel answer. */
  settle(): void {
    for (let effects = this.core.takeEffects(); effects.length > 0; effects = this.core.takeEffects()) {
      for (const effect of effects) {
        this.done.push(effect);
        if (effect.kind === 'send') this.outbox.push({ path: effect.path, bytes: effect.bytes });
        if (effect.kind === 'install') this.#install(effect);
      }
    }
  }

  #install(effect: Kind<'install'>): void {
    for (const { encryptionKey, authenticationKey } of effect.sas) {
      this.ipsecKeys.push(encryptionKey.slice(), authenticationKey.slice());
    }
    const { exchange } = effect;
    const answer = this.kernel(effect);
    if (answer === 'yes') this.core.handle({ kind: 'installed', exchange });
    else if (answer !== undefined) this.core.handle({ kind: 'refused', exchange, reason: answer.refused });
  }

  /** A datagram from the outside, without anybody's network in between; answers what went out because of it. */
  hear(bytes: Uint8Array, from = '10.0.0.1', port = 500, more: Partial<Datagram> = {}): readonly Uint8Array[] {
    const before = this.outbox.length;
    this.tell({
      kind: 'datagram',
      path: { local: { address: this.address, port: 500 }, remote: { address: from, port }, encapsulated: false },
      peer: 'peer',
      firstContact: true,
      bytes: bytes.slice(),
      ...more,
    });
    return this.outbox.splice(before).map((sent) => sent.bytes);
  }

  all<K extends LaneEffect['kind']>(kind: K): readonly Kind<K>[] {
    return this.done.filter((effect): effect is Kind<K> => effect.kind === kind);
  }

  get log(): readonly string[] {
    return this.all('log').map(({ record }) => record.text);
  }

  /** isakmpd's own lines about what was refused, and everything else that is no explanation of ours. */
  get plainLog(): readonly string[] {
    return this.all('log').flatMap(({ record }) => (record.event === 'refusal' ? [] : [record.text]));
  }

  /** What is said in words about refusals. */
  get explanations(): readonly string[] {
    return this.all('log').flatMap(({ record }) => (record.event === 'refusal' ? [record.text] : []));
  }

  /** Lines that are printed without -v. */
  get notices(): readonly string[] {
    return this.all('log').flatMap(({ record }) => (record.severity === 'verbose' ? [] : [record.text]));
  }

  /** Forgets what was done so far. */
  clear(): void {
    this.done.length = 0;
  }
}

const LEFT = { address: '10.0.0.1', port: 500 };
const RIGHT = { address: '10.0.0.2', port: 500 };

/** The way from 10.0.0.1 to 10.0.0.2. */
export const PATH: Path = { local: LEFT, remote: RIGHT, encapsulated: false };
const BACK: Path = { local: RIGHT, remote: LEFT, encapsulated: false };

/** Two hosts, 10.0.0.1 (left) and 10.0.0.2 (right), each with the peer policy it was given. */
export class LanePair {
  now = 1_000;
  readonly left: LaneHost;
  readonly right: LaneHost;
  /** Every datagram that was sent, in order, for inspection. */
  readonly wire: { readonly from: LaneHost; readonly bytes: Uint8Array }[] = [];
  /** Answers what arrives of a datagram: none, one, changed, several. `index` counts the datagrams of both sides from 0. */
  bend: (from: LaneHost, bytes: Uint8Array, index: number) => readonly Uint8Array[] = (_from, bytes) => [bytes];

  constructor(leftPolicy: PeerPolicy, rightPolicy: PeerPolicy, seed = 'seed', wallClock?: () => number) {
    this.left = new LaneHost(LEFT.address, `${seed}/left`, () => this.now, wallClock);
    this.right = new LaneHost(RIGHT.address, `${seed}/right`, () => this.now, wallClock);
    this.left.tell({ kind: 'peer', policy: leftPolicy });
    this.right.tell({ kind: 'peer', policy: rightPolicy });
  }

  get hosts(): readonly [LaneHost, LaneHost] {
    return [this.left, this.right];
  }

  /** Left begins a phase 1. */
  start(request = 1, firstContact = true): void {
    const initiatorCookie = seededRandom(`cookie/${request}`)(8);
    this.left.tell({
      kind: 'startPhase1',
      request,
      peer: this.left.policy.name,
      path: PATH,
      initiatorCookie,
      firstContact,
    });
    this.run();
  }

  /** `host` begins a quick mode under its newest phase 1. */
  quick(request = 2, connection = 'net', host: LaneHost = this.left): void {
    host.tell({ kind: 'startQuickMode', request, isakmp: this.isakmp(host), connection });
    this.run();
  }

  /** Cookies of the newest phase 1, '' when there is none. */
  isakmp(host: LaneHost = this.left): string {
    return host.all('phase1Established').at(-1)?.isakmp ?? '';
  }

  /** Carries datagrams until there are none. */
  run(): void {
    for (;;) {
      const from = this.left.outbox.length > 0 ? this.left : this.right;
      const next = from.outbox.shift();
      if (next === undefined) return;
      const index = this.wire.push({ from, bytes: next.bytes }) - 1;
      for (const bytes of this.bend(from, next.bytes, index)) this.deliver(from, bytes, next.path);
    }
  }

  /** Hands a datagram of `from` to the other side; `path` is the sender's view of the way it went. */
  deliver(from: LaneHost, bytes: Uint8Array, path: Path = from === this.left ? PATH : BACK): void {
    const to = from === this.left ? this.right : this.left;
    to.tell({
      kind: 'datagram',
      path: { local: path.remote, remote: path.local, encapsulated: path.encapsulated },
      peer: to.policy.name,
      firstContact: true,
      bytes: bytes.slice(),
    });
  }

  /** Moves the clock on, from deadline to deadline, and lets both sides act. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (this.now < end) {
      const deadlines = this.hosts.map(({ core }) => core.nextDeadline() ?? end);
      this.now = Math.max(this.now + 1, Math.min(end, ...deadlines));
      for (const host of this.hosts) {
        host.core.advance();
        host.settle();
      }
      this.run();
    }
  }
}

/** A pair whose two sides have the same connection, seen from each end. */
export const lanePair = (
  changes: Partial<PeerPolicy> = {},
  connections: readonly ConnectionPolicy[] = [connectionPolicy()],
  seed = 'seed',
): LanePair =>
  new LanePair(
    peerPolicy({ connections, ...changes }),
    peerPolicy({ address: LEFT.address, connections: connections.map(mirrored), ...changes }),
    seed,
  );
