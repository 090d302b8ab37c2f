/** The daemon's configuration: the store, what it resolves to, and the views of it that the lanes and the connection core have. */
import { fold } from '../shared/config/case-fold.ts';
import { checkInSteps, checkTag } from '../shared/config/check.ts';
import { contentInSteps, duplicatesIn, type FileContent, type SectionChange } from '../shared/config/file-content.ts';
import { type Finding, findingOf, placeOf, placeText } from '../shared/config/finding.ts';
import { hostsAmong } from '../shared/config/host-names.ts';
import type { KernelFit } from '../shared/config/kernel-fit.ts';
import { requireListenOn } from '../shared/config/listen-on.ts';
import { type NamedAlgorithms, namedAlgorithms } from '../shared/config/named-algorithms.ts';
import { type Problem, parseConfiguration, parseInSteps } from '../shared/config/parse.ts';
import type { ConfigurationSnapshot } from '../shared/config/reload-changes.ts';
import { type ResolvedGeneral, resolveGeneral } from '../shared/config/resolve-general.ts';
import type { RefusedPeer, ResolvedPeer } from '../shared/config/resolve-peer.ts';
import { ResolvedConfiguration } from '../shared/config/resolved.ts';
import { ConfigurationStore } from '../shared/config/store.ts';
import type { ConfigurationView } from '../shared/connection/configuration-view.ts';
import type { ConnectionEvent } from '../shared/connection/events.ts';
import { ConfigError, type ConfigPlace } from '../shared/errors.ts';
import { failure, notice } from '../shared/log/records.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import { atOnce, type Steps } from '../shared/steps.ts';
import type { LogFields, LogRecord } from '../shared/threads/contract.ts';
import { inSlices } from './slices.ts';

export class DaemonConfiguration {
  readonly store = new ConfigurationStore();
  readonly #resolved = new ResolvedConfiguration(this.store);
  readonly #log: (record: LogRecord) => void;
  /** The lines about each peer section (folded), and about [General], when it was last resolved. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  /** What those lines were about. */
  readonly #toldOf = new Map<string, ResolvedPeer | RefusedPeer>();
  /** How many peers were told a warning since the load, by what it says of them. */
  readonly #alike = new Map<string, number>();
  /** What was loaded last. */
  #file = '';
  #isAlwaysAcquireOnly = false;
  #toldGeneral: ResolvedGeneral | undefined;
  /** As of a revision of the store. */
  #named: { readonly revision: number; readonly algorithms: NamedAlgorithms } | undefined;
  /** What was said when an edit was made; it need not be said again when it takes effect. */
  readonly #toldEdits = new Set<string>();

  constructor(log: (record: LogRecord) => void) {
    this.#log = log;
  }

  /** Loads the text of a configuration file. Whatever is odd about it is logged; it loads all the same. */
  load(text: string, file: string): void {
    const parsed = parseConfiguration(text);
    const content = atOnce(contentInSteps(parsed.entries));
    const problems = [...parsed.problems, ...duplicatesIn(content), ...atOnce(checkInSteps(content))];
    this.#adopt({ file, content, problems }, atOnce(this.store.changesTo(content)));
  }

  /** At start, when there are no sockets yet that could stay: throws a ConfigError where nothing in Listen-on can be listened on. */
  requireListenOn(): void {
    requireListenOn(this.store);
  }

  /** Reads the text of a file that is to be `reloaded`: nothing has changed yet. Rejects with a ConfigError when it cannot be read as configuration. */
  async read(text: string, file: string): Promise<ReadFile> {
    const parsed = await inSlices(parseInSteps(text));
    const broken = parsed.problems.filter(({ severity }) => severity === 'error');
    for (const problem of broken) problemRecords(file, problem).forEach(this.#log);
    if (broken.length > 0) throw new ConfigError(`${file} has ${broken.length} lines that cannot be read`);
    const candidate = new ConfigurationStore();
    candidate.load(parsed.entries.filter(({ sectionKey }) => sectionKey === GENERAL));
    resolveGeneral(candidate);
    const content = await inSlices(contentInSteps(parsed.entries));
    const odd = await inSlices(checkInSteps(content));
    return { file, content, problems: [...parsed.problems, ...duplicatesIn(content), ...odd] };
  }

  /** Takes what was read in place of everything. */
  async reload(read: ReadFile): Promise<void> {
    const { revision } = this.store;
    const changes = await inSlices(this.store.changesTo(read.content));
    const isCurrent = this.store.revision === revision;
    this.#adopt(read, isCurrent ? changes : atOnce(this.store.changesTo(read.content)));
  }

  /** What is configured now, for a comparison with later. Resolves all peers in use. */
  *snapshotInSteps(): Steps<ConfigurationSnapshot> {
    const { active, passive } = this.store.connectionLists();
    const peers = yield* this.peersInUseInSteps();
    const policies = new Map<string, PeerPolicy | undefined>();
    for (const name of peers) {
      policies.set(fold(name), this.peer(name));
      yield;
    }
    return {
      connections: [...new Set([...active, ...passive])],
      peers,
      policy: (name) => policies.get(fold(name)),
      identitySecrets: this.general().policy.identitySecrets,
    };
  }

  /** [General] as it stands; in place of a value that cannot be, the last one that could counts. */
  general(): ResolvedGeneral {
    const general = this.#resolved.general();
    if (general !== this.#toldGeneral) this.#tell(GENERAL, general.findings);
    this.#toldGeneral = general;
    return general;
  }

  /** Whether [General] was edited since the last call, whoever has read it since. */
  takeGeneralChanged(): boolean {
    return this.#resolved.takeGeneralChanged();
  }

  /** A tag was set through the FIFO: what is wrong or odd about it is logged, each line once. */
  checkEdit(section: string, tag: string): void {
    const problem = checkTag(this.store, section, tag);
    if (problem === undefined || this.#toldEdits.has(problem.text)) return;
    if (this.#toldEdits.size >= MOST_TOLD_EDITS) this.#toldEdits.clear();
    this.#toldEdits.add(problem.text);
    this.#log(problem.severity === 'error' ? error(problem.text) : oddity(problem.text));
  }

  /** The policy of a peer section, if it can be used; why not, and what is odd about it, is logged once. */
  peer(name: string): PeerPolicy | undefined {
    const key = fold(name);
    const resolved = this.#resolved.peer(name);
    if (this.#toldOf.get(key) !== resolved) {
      this.#toldOf.set(key, resolved);
      this.#tell(key, 'error' in resolved ? [findingOf(resolved.error, placeOf(name))] : resolved.findings, name);
    }
    return 'error' in resolved ? undefined : resolved.policy;
  }

  /** -a counts like Acquire-Only. */
  setAcquireOnly(): void {
    this.#isAlwaysAcquireOnly = true;
  }

  get isAcquireOnly(): boolean {
    return this.#isAlwaysAcquireOnly || this.general().daemon.acquireOnly;
  }

  /** From here on peers whose ciphers only OpenSSL's legacy provider has are refused: it is loaded at start or never. */
  refuseLegacyCiphers(): void {
    this.#resolved.refuseLegacyCiphers();
  }

  /** From here on suites that this kernel cannot do are left out, and connections without any other. */
  limitTo(kernel: KernelFit): void {
    this.#resolved.limitTo(kernel);
  }

  /** The peer section for a source address, '' where there is none. */
  peerForAddress(address: string): string {
    const name = this.store.peerForAddress(address);
    return name === undefined || this.#isUnwritten(name) ? '' : name;
  }

  /** Peers whose policy changed since the last call. */
  takeChangedPeers(): readonly string[] {
    return this.#resolved.takeChangedPeers();
  }

  /** `c name` makes a connection count although [Phase 2] does not list it; `t name` takes that back. */
  note(event: ConnectionEvent): void {
    if (event.kind === 'connect') this.list(event.name, true);
    else if (event.kind === 'teardown' && event.phase === 2 && event.target.kind === 'name') {
      this.list(event.target.name, false);
    }
  }

  /** A connection counts although [Phase 2] does not list it, or no longer. */
  list(connection: string, isListed: boolean): void {
    if (isListed) this.#resolved.connect(connection);
    else this.#resolved.disconnect(connection);
  }

  /** The name of a host that is the address of this peer. */
  hostOf(peer: string): string | undefined {
    return hostsAmong([this.store.get(peer, 'Address')], this.store.addressBook)[0];
  }

  /** The names of hosts in Listen-on. */
  listenHosts(): readonly string[] {
    return hostsAmong(this.general().daemon.listenOn ?? [], this.store.addressBook);
  }

  /** Every peer section that a listed connection or [Phase 1] names. */
  peersInUse(): readonly string[] {
    return atOnce(this.peersInUseInSteps());
  }

  *peersInUseInSteps(): Steps<readonly string[]> {
    const { active, passive } = this.store.connectionLists();
    const names = new Set<string>();
    for (const connection of [...active, ...passive]) {
      const peer = this.store.get(connection, 'ISAKMP-peer');
      if (peer !== undefined) names.add(this.store.nameOf(peer));
      yield;
    }
    for (const { value } of this.store.tags('Phase 1')) {
      names.add(this.store.nameOf(value));
      yield;
    }
    return [...names];
  }

  /** Those of them whose connections are to be kept up. */
  activePeers(): readonly string[] {
    const { active } = this.store.connectionLists();
    const peers = active.flatMap((connection) => this.store.get(connection, 'ISAKMP-peer') ?? []);
    return [...new Set(peers.map((name) => this.store.nameOf(name)))];
  }

  /** What the configuration names of algorithms, whether a peer uses it or not. */
  namedAlgorithms(): NamedAlgorithms {
    const { revision } = this.store;
    if (this.#named?.revision !== revision) this.#named = { revision, algorithms: namedAlgorithms(this.store) };
    return this.#named.algorithms;
  }

  view(): ConfigurationView {
    const configuration = this;
    return {
      connection: (name) => {
        const peer = configuration.store.get(name, 'ISAKMP-peer');
        return peer === undefined || !configuration.#resolved.isUsed(name)
          ? undefined
          : { name: configuration.store.nameOf(name), peer: configuration.store.nameOf(peer) };
      },
      peer: (name) => configuration.peer(name),
      get active() {
        return configuration.store.connectionLists().active;
      },
      get checkIntervalSeconds() {
        return configuration.general().daemon.checkIntervalSeconds;
      },
      get deadPeerSeconds() {
        return configuration.general().daemon.deadPeerSeconds;
      },
      get keepaliveSeconds() {
        return configuration.general().daemon.keepaliveSeconds;
      },
      get isAcquireOnly() {
        return configuration.isAcquireOnly;
      },
      get blocksOnExit() {
        return configuration.general().daemon.blockOnExit;
      },
    };
  }

  #adopt({ file, content, problems }: ReadFile, changes: readonly SectionChange[]): void {
    this.store.adopt(content, changes);
    this.#file = file;
    for (const problem of problems.toSorted((a, b) => a.line - b.line)) {
      problemRecords(file, problem).forEach(this.#log);
    }
    this.#told.clear();
    this.#toldOf.clear();
    this.#alike.clear();
  }

  /** The generated default peer that nobody has given a secret is no peer: its refusal would be news to the operator. */
  #isUnwritten(name: string): boolean {
    return fold(name) === DEFAULT_PEER && this.store.tags(name).length === 0;
  }

  /** Ten thousand peers of one make have ten thousand times the same weakness. */
  #isOneOfMany(text: string, place: ConfigPlace): boolean {
    const said = text.slice(placeText(place).length).replace(/\d+/g, 'N');
    const count = (this.#alike.get(said) ?? 0) + 1;
    this.#alike.set(said, count);
    if (count === MOST_ALIKE + 1) {
      this.#log(
        oddity(
          `${this.#file}: more peers than ${MOST_ALIKE} are warned alike, the others without a line each: isakmpd --check lists them`,
        ),
      );
    }
    return count > MOST_ALIKE;
  }

  /** Says those of the lines that were not said the last time. */
  #tell(key: string, findings: readonly Finding[], peer?: string): void {
    const before = this.#told.get(key);
    if (findings.length > 0) this.#told.set(key, new Set(findings.map(({ text }) => text)));
    else this.#told.delete(key);
    for (const { severity, text, place } of findings) {
      if (before?.has(text) === true || this.#toldEdits.delete(text)) continue;
      if (peer !== undefined && severity === 'warning' && this.#isOneOfMany(text, place)) continue;
      const line = this.store.lineOf(place);
      const record = severity === 'error' ? error : oddity;
      this.#log(record(line === 0 ? text : `${this.#file}:${line}: ${text}`, peer === undefined ? {} : { peer }));
    }
  }
}

/** Of so many peers a warning that says the same is logged. */
const MOST_ALIKE = 20;

/** A file that was read and not taken yet. */
export interface ReadFile {
  /** Its path. */
  readonly file: string;
  readonly content: FileContent;
  /** What is odd about it. */
  readonly problems: readonly Problem[];
}

const problemRecords = (file: string, { line, severity, text, original }: Problem): readonly LogRecord[] => {
  const record = severity === 'error' ? error : oddity;
  return [...(original === undefined ? [] : [record(original)]), record(`${file}:${line}: ${text}`)];
};

const error = (text: string, fields: LogFields = {}): LogRecord => failure('configuration-error', text, fields);
const oddity = (text: string, fields: LogFields = {}): LogRecord => notice('configuration', text, fields);

const GENERAL = 'general';
/** So many different lines about edits are remembered. */
const MOST_TOLD_EDITS = 1000;
/** What [Phase 1]:Default is where nobody wrote it. */
const DEFAULT_PEER = 'default-phase-1';
