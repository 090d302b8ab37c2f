/** The daemon's configuration: the store, what it resolves to, and the views of it that the lanes and the connection core have. */
import { fold } from '../shared/config/case-fold.ts';
import { checkInSteps, checkTag } from '../shared/config/check.ts';
import { contentInSteps, duplicatesIn } from '../shared/config/file-content.ts';
import { type Finding, findingOf, placeOf } from '../shared/config/finding.ts';
import { hostsAmong } from '../shared/config/host-names.ts';
import { requireListenOn } from '../shared/config/listen-on.ts';
import { type Problem, parseConfiguration } from '../shared/config/parse.ts';
import type { ConfigurationSnapshot } from '../shared/config/reload-changes.ts';
import { type ResolvedGeneral, resolveGeneral } from '../shared/config/resolve-general.ts';
import type { RefusedPeer, ResolvedPeer } from '../shared/config/resolve-peer.ts';
import { ResolvedConfiguration } from '../shared/config/resolved.ts';
import { ConfigurationStore } from '../shared/config/store.ts';
import type { ConfigurationView } from '../shared/connection/configuration-view.ts';
import type { ConnectionEvent } from '../shared/connection/events.ts';
import { ConfigError } from '../shared/errors.ts';
import { failure, notice } from '../shared/log/records.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import { atOnce } from '../shared/steps.ts';
import type { LogFields, LogRecord } from '../shared/threads/contract.ts';

export class DaemonConfiguration {
  readonly store = new ConfigurationStore();
  readonly #resolved = new ResolvedConfiguration(this.store);
  readonly #log: (record: LogRecord) => void;
  /** The lines about each peer section (folded), and about [General], when it was last resolved. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  /** What those lines were about. */
  readonly #toldOf = new Map<string, ResolvedPeer | RefusedPeer>();
  /** What was loaded last. */
  #file = '';
  #toldGeneral: ResolvedGeneral | undefined;
  /** What was said when an edit was made; it need not be said again when it takes effect. */
  readonly #toldEdits = new Set<string>();

  constructor(log: (record: LogRecord) => void) {
    this.#log = log;
  }

  /** Loads the text of a configuration file. Whatever is odd about it is logged; it loads all the same. */
  load(text: string, file: string): void {
    const { entries, problems } = parseConfiguration(text);
    const content = atOnce(contentInSteps(entries));
    this.store.adopt(content, atOnce(this.store.changesTo(content)));
    const all = [...problems, ...duplicatesIn(content), ...atOnce(checkInSteps(content))];
    this.#file = file;
    for (const problem of [...all].sort((a, b) => a.line - b.line)) problemRecords(file, problem).forEach(this.#log);
    this.#told.clear();
    this.#toldOf.clear();
  }

  /** At start, when there are no sockets yet that could stay: throws a ConfigError where nothing in Listen-on can be listened on. */
  requireListenOn(): void {
    requireListenOn(this.store);
  }

  /** Loads the text of a file in place of everything, or throws a ConfigError when it cannot be read as configuration: then nothing has changed. */
  reload(text: string, file: string): void {
    const { entries, problems } = parseConfiguration(text);
    const broken = problems.filter(({ severity }) => severity === 'error');
    for (const problem of broken) problemRecords(file, problem).forEach(this.#log);
    if (broken.length > 0) throw new ConfigError(`${file} has ${broken.length} lines that cannot be read`);
    const candidate = new ConfigurationStore();
    candidate.load(entries.filter(({ section }) => fold(section) === GENERAL));
    resolveGeneral(candidate);
    this.load(text, file);
  }

  /** What is configured now, for a comparison with later. */
  snapshot(): ConfigurationSnapshot {
    const { active, passive } = this.store.connectionLists();
    const peers = this.peersInUse();
    const policies = new Map(peers.map((name) => [fold(name), this.peer(name)]));
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

  /** From here on peers whose ciphers only OpenSSL's legacy provider has are refused: it is loaded at start or never. */
  refuseLegacyCiphers(): void {
    this.#resolved.refuseLegacyCiphers();
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
    if (event.kind === 'connect') this.#resolved.connect(event.name);
    else if (event.kind === 'teardown' && event.phase === 2 && event.target.kind === 'name') {
      this.#resolved.disconnect(event.target.name);
    }
  }

  /** The names of hosts that are the addresses of these peers, or in Listen-on. */
  hostsOf(peers: readonly string[]): readonly string[] {
    const ofPeers = peers.map((peer) => this.store.get(peer, 'Address'));
    return hostsAmong([...(this.general().daemon.listenOn ?? []), ...ofPeers], this.store.addressBook);
  }

  /** Every peer section that a listed connection or [Phase 1] names. */
  peersInUse(): readonly string[] {
    const { active, passive } = this.store.connectionLists();
    const ofConnections = [...active, ...passive].map((name) => this.store.get(name, 'ISAKMP-peer'));
    const ofAddresses = this.store.tags('Phase 1').map(({ value }) => value);
    const names = [...ofConnections, ...ofAddresses].filter((name) => name !== undefined);
    return [...new Set(names.map((name) => this.store.nameOf(name)))];
  }

  /** The Diffie-Hellman groups that these peers may use. */
  groupsInUse(): readonly number[] {
    const groups = new Set<number>();
    for (const name of this.peersInUse()) {
      const { transforms = [], connections = [] } = this.peer(name) ?? {};
      const protocols = connections.flatMap(({ suites }) => suites.flatMap((suite) => suite.protocols));
      const ofPhase2 = protocols.flatMap((protocol) => protocol.transforms);
      for (const { group } of [...transforms, ...ofPhase2]) if (typeof group === 'number') groups.add(group);
    }
    return [...groups];
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
    };
  }

  /** The generated default peer that nobody has given a secret is no peer: its refusal would be news to the operator. */
  #isUnwritten(name: string): boolean {
    return fold(name) === DEFAULT_PEER && this.store.tags(name).length === 0;
  }

  /** Says those of the lines that were not said the last time. */
  #tell(key: string, findings: readonly Finding[], peer?: string): void {
    const before = this.#told.get(key);
    this.#told.set(key, new Set(findings.map(({ text }) => text)));
    for (const { severity, text, place } of findings) {
      if (before?.has(text) === true || this.#toldEdits.delete(text)) continue;
      const line = this.store.lineOf(place);
      const record = severity === 'error' ? error : oddity;
      this.#log(record(line === 0 ? text : `${this.#file}:${line}: ${text}`, peer === undefined ? {} : { peer }));
    }
  }
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
