/** What the operator says, commands and edits of the configuration, on its way to the lanes and the connection core. */
import type { ConnectionEvent } from '../shared/connection/events.ts';
import { faultText } from '../shared/log/fault-text.ts';
import { failure, notice } from '../shared/log/records.ts';
import type { Steps } from '../shared/steps.ts';
import { schedule } from './clock.ts';
import type { DaemonConfiguration } from './configuration.ts';
import type { DaemonCredentials } from './credentials/daemon-credentials.ts';
import { UnsignedPeers } from './credentials/unsigned-peers.ts';
import type { Lanes } from './lanes/lanes.ts';
import type { Logger } from './log/log.ts';
import type { PeerAddresses } from './network/peer-addresses.ts';
import { inSlices } from './slices.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

export interface OperatorOptions {
  readonly configuration: DaemonConfiguration;
  readonly peerAddresses: Pick<PeerAddresses, 'learn'>;
  readonly supervisor: Pick<Supervisor, 'tell'>;
  readonly lanes: Pick<Lanes, 'peerChanged' | 'generalChanged'>;
  readonly credentials: Pick<DaemonCredentials, 'placesMayHaveChanged' | 'files'>;
  readonly log: Pick<Logger, 'write'>;
}

export class Operator {
  readonly #options: OperatorOptions;
  #last = Promise.resolve();
  /** Never rejects. */
  #learning = Promise.resolve();
  #isLearningDue = false;
  readonly #unsigned: UnsignedPeers;
  /** Set while the lanes have not heard of an edit. */
  #cancelPassing: (() => void) | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { credentials, log } = options;
    this.#unsigned = new UnsignedPeers(
      () => credentials.files,
      (record) => log.write(record),
    );
    options.configuration.store.subscribe(() => this.#edited());
  }

  /** Carries out one thing after the other, each once everything is known that it needs. What fails is logged. */
  tell(event: ConnectionEvent): void {
    this.#last = this.#last.then(() => this.#carryOut(event)).catch((fault) => this.#complain(event.kind, fault));
  }

  /** Resolves when what was told so far is carried out, and the connection core has heard of all peers that are in use. Never rejects. */
  async settled(): Promise<void> {
    await this.#last;
    await this.#learning;
  }

  /** The configuration; from here on the lanes go by it as it stands now. */
  upToDate(): DaemonConfiguration {
    if (this.#cancelPassing !== undefined) this.#passOn();
    return this.#options.configuration;
  }

  /** An edit that nobody asked for reaches the lanes when the script behind it pauses: half a peer section is no news. */
  #edited(): void {
    this.#cancelPassing?.();
    this.#cancelPassing = schedule(EDITS_PAUSE, () => this.#passOn());
  }

  #passOn(): void {
    const { configuration, lanes, credentials } = this.#options;
    this.#cancelPassing?.();
    this.#cancelPassing = undefined;
    const changed = configuration.takeChangedPeers();
    for (const name of changed) lanes.peerChanged(name);
    // Policies of the kernel hang on them as well.
    for (const peers of chunks(changed)) this.tell({ kind: 'peersChanged', peers });
    if (!configuration.takeGeneralChanged()) return;
    lanes.generalChanged();
    credentials.placesMayHaveChanged().catch((fault) => this.#complain('reconfigured', fault));
  }

  async #carryOut(event: ConnectionEvent): Promise<void> {
    const { configuration, peerAddresses, supervisor } = this.#options;
    if (event.kind === 'connect' && !this.#hasPhase(event.name)) return;
    configuration.note(event);
    this.#passOn();
    await peerAddresses.learn(neededFor(event, configuration));
    supervisor.tell(event);
    if (event.kind === 'reconfigured' || event.kind === 'reloaded') this.#learnOthers(event.kind);
  }

  /** Peers that nothing is begun with now: what is odd about them is said, and their addresses are there when they are wanted, as are the policies of their connections. Nothing waits for this. */
  #learnOthers(why: ConnectionEvent['kind']): void {
    const { configuration, peerAddresses } = this.#options;
    if (this.#isLearningDue) return;
    this.#isLearningDue = true;
    this.#learning = this.#learning
      .then(async () => {
        this.#isLearningDue = false;
        const others = await inSlices(configuration.peersInUseInSteps());
        for (const peers of Object.values(await inSlices(this.#byAddress(others)))) {
          if (peers.length === 0) continue;
          await peerAddresses.learn(peers);
          await inSlices(this.#tellPolicies(peers));
        }
        const { active, passive } = configuration.store.connectionLists();
        this.#options.supervisor.tell({ kind: 'configured', connections: [...active, ...passive] });
        this.#unsigned.tell(others.flatMap((name) => configuration.peer(name) ?? []));
      })
      .catch((fault) => this.#complain(why, fault));
  }

  /** Those that are behind a name come last: to look it up may take a while, and until there are policies packets leave in the clear. */
  *#byAddress(
    peers: readonly string[],
  ): Steps<{ readonly known: readonly string[]; readonly named: readonly string[] }> {
    const { configuration } = this.#options;
    const [known, named]: [string[], string[]] = [[], []];
    for (const peer of peers) {
      const isNamed = configuration.store.exists(peer) && configuration.hostOf(peer) !== undefined;
      (isNamed ? named : known).push(peer);
      yield;
    }
    return { known, named };
  }

  *#tellPolicies(names: readonly string[]): Steps<void> {
    for (const peers of chunks(names)) {
      this.#options.supervisor.tell({ kind: 'peersChanged', peers });
      yield;
    }
  }

  #complain(what: ConnectionEvent['kind'], fault: unknown): void {
    this.#options.log.write(failure('fault', `isakmpd: fault while carrying out ${what}: ${faultText(fault)}`));
  }

  /** Whether there is a connection or a peer of that name; if not, says so. */
  #hasPhase(name: string): boolean {
    const { configuration, log } = this.#options;
    const phase = Number.parseInt(configuration.store.get(name, 'Phase') ?? '', 10) || 0;
    if (phase === 1 || phase === 2) return true;
    const text = `exchange_establish: peer "${name}" does not have a correct phase (${phase})` as const;
    log.write(notice('command-failed', text));
    log.write(notice('command-failed', `connections have [${name}]:Phase=2, peers have [${name}]:Phase=1`));
    return false;
  }
}

/** The peers whose addresses must be known before the event is carried out. */
const neededFor = (event: ConnectionEvent, configuration: DaemonConfiguration): readonly string[] => {
  switch (event.kind) {
    case 'connect':
      return [configuration.view().connection(event.name)?.peer ?? event.name];
    case 'acquire':
      return [configuration.view().connection(event.connection ?? '')?.peer ?? []].flat();
    case 'peersChanged':
      return event.peers;
    case 'reconfigured':
      return configuration.activePeers();
    case 'reloaded':
      // Whose peers these identities are is known by their SAs only.
      if (event.renegotiate || event.renewIdentities.length > 0) return configuration.peersInUse();
      return [...configuration.activePeers(), ...event.renew];
    default:
      return [];
  }
};

/** So many that the daemon has time for others in between. */
function* chunks(peers: readonly string[]): Generator<readonly string[], void> {
  for (let at = 0; at < peers.length; at += CHUNK) yield peers.slice(at, at + CHUNK);
}
const CHUNK = 256;

/** ms */
const EDITS_PAUSE = 100;
