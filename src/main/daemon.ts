/** The daemon from start to shutdown: what it needs of the operating system, around the parts that assembly.ts puts together. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { nativeAddonFault } from '../kernel/native/native.ts';
import { CAPTURE_FORMATS } from '../shared/capture/formats.ts';
import type { CredentialPlaces } from '../shared/config/resolve-general.ts';
import { needsLegacyProvider } from '../shared/config/resolve-peer.ts';
import { failure, notice } from '../shared/log/records.ts';
import type { Verbosity } from '../shared/log/verbosity.ts';
import type { SaRow } from '../shared/sa-table/rows.ts';
import type { SaTable } from '../shared/sa-table/sa-table.ts';
import { type Assembly, type AssemblyParts, assemble } from './assembly.ts';
import { hasLegacyProvider } from './cli/legacy-provider.ts';
import type { Options } from './cli/options.ts';
import { monotonicNow, schedule } from './clock.ts';
import type { DaemonConfiguration } from './configuration.ts';
import { DaemonCredentials } from './credentials/daemon-credentials.ts';
import { makeFirstKey, makesFirstKey } from './credentials/host-key.ts';
import { PolicyFile } from './credentials/policy-file.ts';
import { commandStream, FifoReader } from './fifo/fifo.ts';
import { createFifoCommands, type FifoCommands } from './fifo/fifo-commands.ts';
import { KERNELS, type OpenedKernel, openKernel, socketOptions } from './kernel/kernels.ts';
import { ReqidJournal } from './kernel/reqid-journal.ts';
import { UpcallRelay } from './kernel/upcall-relay.ts';
import { createWallClock, type Logger } from './log/log.ts';
import { AddressWatch } from './network/address-watch.ts';
import type { Gate } from './network/gate.ts';
import { readInterfaces } from './network/interfaces.ts';
import { createUdpSockets } from './network/sockets.ts';
import type { Privileged } from './privileged/privileged.ts';
import { Ending } from './process/ending.ts';
import type { ServiceManager } from './process/service-manager.ts';
import { handleSignals } from './process/signals.ts';
import { policiesInPlace, READY_WITHIN } from './readiness.ts';
import { Reinitialization } from './reinitialization.ts';
import { reportSources } from './report/report-sources.ts';
import { createReports, type Reports } from './report/reports.ts';
import { serveStatus } from './status/serve-status.ts';

export interface DaemonParts {
  readonly options: Options;
  readonly configuration: DaemonConfiguration;
  readonly privileged: Privileged;
  readonly log: Logger;
  readonly verbosity: Verbosity;
  readonly serviceManager: ServiceManager;
  /** The daemon serves from now on. */
  readonly onReady: () => void;
  /** Starts the program again, with the ciphers of OpenSSL's legacy provider. */
  readonly restartWithLegacyProvider: () => Promise<never>;
}

/** Runs until it is told to end. Rejects with SystemError when it cannot start. */
export const runDaemon = async (parts: DaemonParts): Promise<void> => {
  const { options, configuration, privileged, log } = parts;
  if (!hasLegacyProvider()) {
    if (needsLegacyCiphers(configuration)) await parts.restartWithLegacyProvider();
    configuration.refuseLegacyCiphers();
  }
  log.write(notice('start', 'isakmpd: starting'));
  const relay = new UpcallRelay();
  sayWithoutAddon(log);
  try {
    const kernel = await openConfiguredKernel(parts, relay);
    configuration.limitTo({ ...kernel.kernel.capabilities, name: kernel.kernel.name });
    const { credentials, policy } = await loadCredentials(parts);
    const daemon = assembleDaemon(parts, credentials, kernel);
    await Promise.all([daemon.listening.rescan(), daemon.lanes.started]);
    // A daemon that cannot have its ports leaves the FIFO of another one alone.
    const descriptor = await privileged.openFifo();
    const watch = watchAddresses(configuration, daemon);
    const unwatch = credentials.watch();
    const ending = new Ending();
    relay.connect({
      ...daemon.supervisor.upcalls,
      failed: (error) => {
        log.write(failure('kernel-failed', `kernel: ${error.message}; ending`));
        ending.ask();
      },
    });
    const controls = controlsOf(parts, { credentials, policy }, daemon, ending);
    const reports = reportsOf(parts, daemon);
    const commands = listenToCommands(parts, daemon, controls, reports, descriptor);
    handleSignals({
      ...controls,
      reinitialize: commands.reinitialize,
      interrupt: options.foreground === 1,
      report: () => void reports.toFile().catch((fault) => daemon.faults.dropped('a report', fault)),
      say: (text) => log.write(notice('signal', text)),
    });
    if (options.captureFile !== undefined) await daemon.capture.start(options.captureFile);
    const closeStatus = await serveStatus({ ...parts, credentials }, daemon);
    if (options.startsPassive) controls.setMode('passive');
    if (!ending.isAsked) {
      daemon.operator.tell({ kind: 'reconfigured' });
      const isInPlace = await Promise.race([policiesInPlace({ ...daemon, schedule }), ending.asked]);
      if (isInPlace === false) sayUnfinished(log);
    }
    if (!ending.isAsked) {
      // From here on whoever reads it may rely on the policies.
      await privileged.writePidFile(process.pid);
      parts.onReady();
      parts.serviceManager.ready(statusOf(daemon.gate));
      haveKey(parts, credentials, daemon);
    }
    await ending.asked;
    parts.serviceManager.stopping();
    commands.close();
    watch.close();
    unwatch();
    await Promise.race([shutDown(parts, daemon, kernel), ending.hurried]);
    closeStatus();
  } finally {
    await privileged.removeRunFiles();
  }
};

const sayUnfinished = (log: Logger): void =>
  log.write(
    notice(
      'policies-unfinished',
      `kernel: after ${READY_WITHIN / 1000} s not all policies are in place: isakmpd is ready without them`,
    ),
  );

interface Loaded {
  readonly credentials: DaemonCredentials;
  readonly policy: PolicyFile;
}

const loadCredentials = async ({ options, configuration, privileged, log }: DaemonParts): Promise<Loaded> => {
  const places = (): CredentialPlaces => configuration.general().credentials;
  const policy = new PolicyFile({
    privileged,
    path: () => (options.policy ? places().policyFile : undefined),
    log: log.write,
  });
  await policy.load();
  const parts = { privileged, places, policy: () => policy.text, log: log.write, wallClock: Date.now, schedule };
  const credentials = new DaemonCredentials(parts);
  await credentials.load();
  return { credentials, policy };
};

/** Nothing waits for the key of the first start. */
const haveKey = (
  { options, configuration, privileged, log }: DaemonParts,
  credentials: DaemonCredentials,
  { faults }: Assembly,
): void => {
  const places = configuration.general().credentials;
  if (!makesFirstKey(options.kernel, places)) return;
  void makeFirstKey({ privileged, places, log: log.write })
    .then((isNew) => (isNew ? credentials.load() : undefined))
    .catch((fault) => faults.dropped('the first key', fault));
};

const assembleDaemon = (parts: DaemonParts, credentials: DaemonCredentials, kernel: OpenedKernel): Assembly => {
  const { options, configuration, privileged, log, verbosity } = parts;
  return assemble({
    configuration,
    credentials,
    log,
    levels: verbosity.levels,
    kernel,
    workers: options.workers ?? availableParallelism(),
    port: options.port,
    captureFormat: CAPTURE_FORMATS[options.captureFormat],
    encapsulationPort: options.encapsulationPort,
    openCaptureFile: privileged.openCaptureFile,
    openNetwork: networkOf(parts, kernel),
  });
};

const networkOf =
  ({ options, privileged, log, verbosity }: DaemonParts, { kernel }: OpenedKernel): AssemblyParts['openNetwork'] =>
  (onDatagram) =>
    createUdpSockets({
      ...{ ...options, privileged, log, levels: verbosity.levels, onDatagram },
      socketOptions: (family, isEncapsulated) => socketOptions(kernel.name, family, isEncapsulated),
      encapsulation: kernel.encapsulation,
    });

const sayWithoutAddon = (log: Logger): void => {
  const addonFault = nativeAddonFault();
  if (addonFault !== undefined) {
    log.write(
      notice(
        'no-addon',
        `no native addon (${addonFault}): datagrams are read one by one, and there are no kernel interfaces`,
      ),
    );
  }
};

/** With -n nothing is configured: there is none. */
const openConfiguredKernel = async (
  { options, configuration, privileged, log, verbosity }: DaemonParts,
  upcalls: UpcallRelay,
): Promise<OpenedKernel> => {
  const { kernel: choice, deleteSas } = configuration.general().daemon;
  return openKernel({
    choice: options.kernel ? choice : 'none',
    allowsUserland: options.allowsUserland,
    journal: await ReqidJournal.open({ read: privileged.readReqids, write: privileged.writeReqids }, randomInt),
    keepsLeftovers: options.startsPassive || !deleteSas,
    kernels: KERNELS,
    upcalls,
    ports: options.encapsulationPort === undefined ? [options.port] : [options.port, options.encapsulationPort],
    log: log.write,
    levels: verbosity.levels,
  });
};

/** Peers whose sections name an interface hear of it through the configuration; all others are found anew by the kernel's routes. */
const watchAddresses = ({ store }: DaemonConfiguration, { faults, listening, peerAddresses }: Assembly): AddressWatch =>
  new AddressWatch({
    read: readInterfaces,
    book: store.addressBook,
    onLook: (isChanged) => {
      if (isChanged) peerAddresses.forget();
      // Hosts in Listen-on; what a name server says is there at the next look.
      void peerAddresses.learn([]);
      if (!isChanged && !listening.isDue) return;
      void listening.addressesChanged().catch((fault) => faults.dropped('a change of addresses', fault));
    },
    schedule,
  });

/** Blowfish and CAST are there only in a process that was started for them. */
const needsLegacyCiphers = (configuration: DaemonConfiguration): boolean =>
  configuration.namedAlgorithms().hasLegacyCipher &&
  configuration.peersInUse().some((name) => {
    const policy = configuration.peer(name);
    return policy !== undefined && needsLegacyProvider(policy);
  });

/** What signals and commands can do to the daemon as a whole. */
interface Controls {
  readonly shutdown: () => void;
  readonly reinitialize: () => Promise<void>;
  readonly setMode: (mode: 'active' | 'passive') => void;
}

const controlsOf = (
  { options, configuration, privileged, log, verbosity, serviceManager }: DaemonParts,
  { credentials, policy }: Loaded,
  { operator, peerAddresses, listening, gate }: Assembly,
  ending: Ending,
): Controls => {
  const reinitialization = new Reinitialization({
    ...options,
    configuration,
    credentials,
    policy,
    privileged,
    operator,
    peerAddresses,
    listening,
    verbosity,
    onBegin: () => serviceManager.reloading(monotonicNow()),
    onEnd: () => serviceManager.ready(statusOf(gate)),
    log: log.write,
  });
  return {
    shutdown: () => ending.ask(),
    reinitialize: () => reinitialization.request(),
    setMode: (mode) => {
      gate.set(mode);
      operator.tell({ kind: 'mode', mode });
      serviceManager.status(statusOf(gate));
    },
  };
};

/** For `systemctl status`. */
const statusOf = ({ isOpen }: Gate): string => (isOpen ? 'active' : 'passive: nothing is sent to peers');

const reportsOf = ({ options, configuration, privileged, log }: DaemonParts, daemon: Assembly): Reports =>
  createReports({
    ...privileged,
    rows: () => rowsOf(daemon.table),
    now: monotonicNow,
    wallClock: createWallClock(),
    sources: (now) => reportSources({ ...options, ...daemon, configuration }, now),
    log: log.write,
  });

function* rowsOf(table: SaTable): Generator<SaRow, void> {
  for (const { row } of table.all()) yield row;
}

/** `close` ends it. */
const listenToCommands = (
  { configuration, log, verbosity }: DaemonParts,
  { table, operator, capture, faults }: Assembly,
  controls: Controls,
  reports: Reports,
  descriptor: number,
): Pick<FifoCommands, 'reinitialize' | 'close'> => {
  const commands = createFifoCommands({
    ...controls,
    configuration: configuration.store,
    checkEdit: (section, tag) => configuration.checkEdit(section, tag),
    tell: (event) => operator.tell(event),
    reports,
    capture,
    rows: () => rowsOf(table),
    verbosity,
    log: log.write,
    schedule,
  });
  const perform = (line: string): Promise<void> =>
    commands.perform(line).catch((fault) => faults.dropped('a command', fault));
  const reader = new FifoReader(commandStream(descriptor), { ...commands, perform, log: log.write });
  return {
    reinitialize: commands.reinitialize,
    close: () => {
      reader.close();
      commands.close();
    },
  };
};

const shutDown = async (
  { options, configuration, log }: DaemonParts,
  daemon: Assembly,
  { kernel }: OpenedKernel,
): Promise<void> => {
  log.write(notice('shutdown', 'isakmpd: shutting down...'));
  const deleteSas = !options.startsPassive && configuration.general().daemon.deleteSas;
  daemon.operator.tell({ kind: 'shutdown', deleteSas });
  const patience = new Promise<void>((resolve) => schedule(SHUTDOWN_PATIENCE, resolve));
  await Promise.race([daemon.supervisor.stopped, patience]);
  await Promise.race([daemon.supervisor.settled(), patience]);
  // What a predecessor's configuration had and ours has not.
  if (deleteSas && !configuration.general().daemon.blockOnExit) await Promise.race([purged(kernel, log), patience]);
  await kernel.close();
  await daemon.lanes.stop();
  await daemon.capture.close();
  await daemon.network.close();
};

const purged = (kernel: OpenedKernel['kernel'], log: Logger): Promise<void> =>
  kernel.purgeOwn().catch((fault: unknown) => {
    log.write(
      failure('kernel', `kernel: purge flow leftovers: ${fault instanceof Error ? fault.message : String(fault)}`),
    );
  });

/** ms, for a daemon that hangs: telling some ten thousand peers goodbye takes a while, and the supervisor knows itself when to give up. */
const SHUTDOWN_PATIENCE = 60_000;
