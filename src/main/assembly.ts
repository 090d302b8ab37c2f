/** The parts of a daemon put together: configuration, network, lanes and supervisor. Files, FIFO and signals are daemon.ts's. */
import { randomFillSync } from 'node:crypto';
import type { CaptureFormat } from '../shared/capture/formats.ts';
import { pooledRandom } from '../shared/crypto/random-pool.ts';
import { createSaTable, SaTable, type SharedSaTable } from '../shared/sa-table/sa-table.ts';
import type { Path } from '../shared/threads/contract.ts';
import { Capture, type CaptureOptions } from './capture/capture.ts';
import { DeadlineTimer, monotonicNow, schedule } from './clock.ts';
import type { DaemonConfiguration } from './configuration.ts';
import type { DaemonCredentials } from './credentials/daemon-credentials.ts';
import { TrustReview } from './credentials/trust-review.ts';
import type { OpenedKernel } from './kernel/kernels.ts';
import { TrafficCounters } from './kernel/traffic-counters.ts';
import { createEffects } from './lanes/effects.ts';
import type { Policies } from './lanes/lane-link.ts';
import { Lanes } from './lanes/lanes.ts';
import { Router } from './lanes/router.ts';
import type { Logger } from './log/log.ts';
import { Gate } from './network/gate.ts';
import { HostNames, resolveHost } from './network/host-names.ts';
import { Listening } from './network/listening.ts';
import { LocalAddresses } from './network/local-addresses.ts';
import { PeerAddresses } from './network/peer-addresses.ts';
import type { UdpSockets } from './network/sockets.ts';
import { Operator } from './operator.ts';
import { Faults } from './process/faults.ts';
import { EventFeed } from './status/event-feed.ts';
import { OnDemand } from './supervisor/on-demand.ts';
import { Supervisor } from './supervisor/supervisor.ts';

export interface AssemblyParts {
  readonly configuration: DaemonConfiguration;
  readonly credentials: Pick<DaemonCredentials, 'files' | 'trust' | 'onChange' | 'placesMayHaveChanged'>;
  readonly log: Logger;
  /** Debug level of each class. */
  readonly levels: Int32Array;
  readonly kernel: OpenedKernel;
  /** Lanes. */
  readonly workers: number;
  /** Our own port. */
  readonly port: number;
  readonly captureFormat: CaptureFormat;
  /** -N; undefined: -T */
  readonly encapsulationPort: number | undefined;
  /** As Privileged.openCaptureFile. */
  readonly openCaptureFile: CaptureOptions['open'];
  /** The network, which hands every datagram to `receive`. */
  readonly openNetwork: (receive: (path: Path, bytes: Uint8Array) => void) => UdpSockets;
}

export interface Assembly {
  /** Opened as writer 0. */
  readonly table: SaTable;
  readonly traffic: TrafficCounters;
  readonly network: UdpSockets;
  readonly lanes: Lanes;
  readonly supervisor: Supervisor;
  readonly operator: Operator;
  readonly peerAddresses: PeerAddresses;
  readonly listening: Listening;
  readonly gate: Gate;
  readonly capture: Capture;
  /** For the subscribers of the status socket. */
  readonly feed: EventFeed;
  readonly faults: Faults;
}

/** Starts the lanes; nothing else happens before the network listens and the operator says something. */
export const assemble = (parts: AssemblyParts): Assembly => {
  const { configuration, credentials, log, levels, kernel, workers } = parts;
  const shared = createSaTable({ writers: workers + 1, maxRows: MOST_SAS });
  const table = new SaTable(shared, 0);
  const faults = new Faults(log.write, monotonicNow);
  const gate = new Gate();
  const feed = new EventFeed(() => new Date().toISOString());
  const random = pooledRandom(randomFillSync);
  const timer = new DeadlineTimer(() => faults.guard('a timer', () => supervisor.advance()));
  const lanes = new Lanes({
    count: workers,
    table: shared,
    keyRecords: MOST_SAS,
    policies: policiesOf(parts),
    groups: () => configuration.namedAlgorithms().groups,
    peersOf: (lane) => peersOf(table, lane),
    now: monotonicNow,
    levels,
    log,
    onEffects: (lane, effects) => carryOut(lane, effects),
    onLost: (lane) => faults.guard('the loss of a lane', () => supervisor.laneLost(lane)),
  });
  const router = new Router({
    lanes,
    random,
    peerOf: (address) => operator.upToDate().peerForAddress(address),
    firstContact: (peer, remote) => supervisor.firstContact(peer, remote),
    log,
    levels,
  });
  const network = parts.openNetwork((path, bytes) => {
    if (gate.admits()) faults.guard('a datagram', () => router.receive(path, bytes));
  });
  const listening = new Listening({ configuration, network, log: log.write });
  const peerAddresses = peerAddressesOf(configuration, parts.port, network);
  const supervisor: Supervisor = new Supervisor({
    lanes,
    laneOf: (cookie) => router.laneOf(cookie),
    pathTo: (policy) => peerAddresses.pathTo(policy),
    sendKeepalive: (path) => sender.sendKeepalive(path),
    view: configuration.view(),
    ...kernel,
    table,
    log: log.write,
    levels,
    now: monotonicNow,
    wallClock: Date.now,
    random,
    onChange: () => timer.set(supervisor.nextDeadline()),
    onNews: (news) => feed.publish(news),
    isShared: () => configuration.general().daemon.sharedSadb,
    onDemand: (acquire) => onDemand.demand(acquire),
    onDemandOver: (connection) => onDemand.over(connection),
  });
  const sender = senderBehind(gate, network);
  const capture = captureOf(parts, lanes);
  const trustReview = reviewTrust(parts, lanes, supervisor, faults);
  const carryOut = createEffects({ network: sender, log, capture, supervisor, trustReview, faults });
  const operator = new Operator({ configuration, credentials, peerAddresses, supervisor, lanes, log });
  const onDemand = new OnDemand({ configuration, tell: (event) => operator.tell(event), log: log.write });
  const traffic = trafficOf(kernel, shared);
  return {
    ...{ table, traffic, network, lanes, supervisor, operator },
    ...{ peerAddresses, listening, gate, capture, feed, faults },
  };
};

/** Lanes hear of new credentials before anything else does. */
const reviewTrust = (
  { configuration, credentials }: AssemblyParts,
  lanes: Lanes,
  supervisor: Supervisor,
  faults: Faults,
): TrustReview => {
  const review = new TrustReview({
    trust: () => credentials.trust,
    files: () => credentials.files,
    proofs: () => supervisor.proofs(),
    onDistrust: (reasons) => supervisor.tell({ kind: 'distrusted', reasons }),
    exchangesEndWithin: () => configuration.general().policy.exchangeMaxTimeSeconds * 1000,
    now: monotonicNow,
    wallClock: Date.now,
  });
  credentials.onChange(() => {
    lanes.credentialsChanged();
    void review.changed().catch((fault) => faults.dropped('a change of certificates', fault));
  });
  return review;
};

const trafficOf = ({ kernel }: OpenedKernel, { counters }: SharedSaTable): TrafficCounters =>
  new TrafficCounters({ kernel, memory: counters, now: monotonicNow, wallClock: Date.now });

const policiesOf = ({ configuration, credentials, encapsulationPort }: AssemblyParts): Policies => ({
  general: () => ({ ...configuration.general().policy, encapsulationPort }),
  credentials: () => credentials.files,
  peer: (name) => configuration.peer(name),
});

const senderBehind = (gate: Gate, network: UdpSockets): Pick<UdpSockets, 'send' | 'sendKeepalive'> => ({
  send: (path, bytes) => {
    if (gate.releases()) network.send(path, bytes);
  },
  sendKeepalive: (path) => {
    if (gate.releases()) network.sendKeepalive(path);
  },
});

const peerAddressesOf = (
  configuration: DaemonConfiguration,
  port: number,
  { localAddressFor }: UdpSockets,
): PeerAddresses => {
  const book = configuration.store.addressBook;
  return new PeerAddresses({
    configuration,
    hostNames: new HostNames({ book, resolve: resolveHost, now: monotonicNow, schedule }),
    localAddresses: new LocalAddresses({ port, localAddressFor }),
  });
};

const captureOf = ({ captureFormat, openCaptureFile, log }: AssemblyParts, lanes: Lanes): Capture =>
  new Capture({
    format: captureFormat,
    open: openCaptureFile,
    onSwitch: (wanted) => lanes.capture(wanted),
    log: log.write,
    wallClock: () => (performance.timeOrigin + performance.now()) * 1000,
    now: monotonicNow,
  });

/** The peers whose policies a lane's successor needs: those of the SAs that it will read back. Lane n is writer n + 1. */
const peersOf = (table: SaTable, lane: number): ReadonlySet<string> =>
  new Set(Array.from(table.of(lane + 1), ({ row }) => row.peerName));

/** Rows of the SA table and records of each key slab, at most; memory is taken as they fill. */
const MOST_SAS = 262_144;
