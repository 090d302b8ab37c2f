/** The daemon from start to shutdown: what it needs of the operating system, around the parts that assembly.ts puts together. */
import { availableParallelism } from 'node:os';
import { createNoneBackend } from '../kernel/none/none-backend.ts';
import { needsLegacyProvider } from '../shared/config/resolve-peer.ts';
import { notice } from '../shared/log/records.ts';
import type { Verbosity } from '../shared/log/verbosity.ts';
import { type Assembly, assemble } from './assembly.ts';
import { hasLegacyProvider, restartWithLegacyProvider } from './cli/legacy-provider.ts';
import type { Options } from './cli/options.ts';
import { monotonicNow, schedule } from './clock.ts';
import type { DaemonConfiguration } from './configuration.ts';
import { commandStream, FifoReader } from './fifo.ts';
import { createFifoCommands } from './fifo-commands.ts';
import type { Logger } from './log.ts';
import type { Privileged } from './privileged/privileged.ts';
import { createReports } from './reports.ts';
import { handleSignals } from './signals.ts';
import { createUdpSockets } from './sockets.ts';

export interface DaemonParts {
  readonly options: Options;
  readonly configuration: DaemonConfiguration;
  readonly privileged: Privileged;
  readonly log: Logger;
  readonly verbosity: Verbosity;
}

/** Runs until it is told to end. Rejects with SystemError when it cannot start. */
export const runDaemon = async (parts: DaemonParts): Promise<void> => {
  const { options, configuration, privileged, log } = parts;
  await provideLegacyCiphers(configuration);
  log.write(notice('start', 'isakmpd: starting'));
  try {
    const descriptor = await privileged.openFifo();
    const daemon = assemble({
      configuration,
      log,
      kernel: createNoneBackend(),
      workers: options.workers ?? availableParallelism(),
      port: options.port,
      openNetwork: (onDatagram) => createUdpSockets({ ...options, privileged, log, onDatagram }),
    });
    await Promise.all([daemon.network.listen(configuration.general().daemon.listenOn), daemon.lanes.started]);
    const shutdown = new AbortController();
    const stopCommands = listenToCommands(parts, daemon, descriptor, () => shutdown.abort());
    handleSignals({ interrupt: options.foreground === 1, shutdown: () => shutdown.abort(), log: log.write });
    // From here on whoever reads it may send signals.
    await privileged.writePidFile(process.pid);
    if (!shutdown.signal.aborted) daemon.operator.tell({ kind: 'reconfigured' });
    await aborted(shutdown.signal);
    stopCommands();
    await shutDown(parts, daemon);
  } finally {
    await privileged.removeRunFiles();
  }
};

/** Blowfish and CAST are there only in a process that was started for them. */
const provideLegacyCiphers = async (configuration: DaemonConfiguration): Promise<void> => {
  const needed = configuration.peersInUse().some((name) => {
    const policy = configuration.peer(name);
    return policy !== undefined && needsLegacyProvider(policy);
  });
  if (needed && !hasLegacyProvider()) await restartWithLegacyProvider();
};

/** The answer ends it. */
const listenToCommands = (
  { configuration, privileged, log, verbosity }: DaemonParts,
  { table, operator, faults }: Assembly,
  descriptor: number,
  shutdown: () => void,
): (() => void) => {
  const rows = function* () {
    for (const { row } of table.all()) yield row;
  };
  const reports = createReports({ rows, now: monotonicNow, writeResult: privileged.writeResult, log: log.write });
  const commands = createFifoCommands({
    configuration: configuration.store,
    tell: (event) => operator.tell(event),
    shutdown,
    reports,
    rows,
    verbosity,
    log: log.write,
    schedule,
  });
  const perform = (line: string): Promise<void> =>
    commands.perform(line).catch((fault) => faults.dropped('a command', fault));
  const reader = new FifoReader(commandStream(descriptor), { perform, log: log.write });
  return () => {
    reader.close();
    commands.close();
  };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const shutDown = async ({ configuration, log }: DaemonParts, daemon: Assembly): Promise<void> => {
  log.write(notice('shutdown', 'isakmpd: shutting down...'));
  daemon.operator.tell({ kind: 'shutdown', deleteSas: configuration.general().daemon.deleteSas });
  const patience = new Promise<void>((resolve) => schedule(SHUTDOWN_PATIENCE, resolve));
  await Promise.race([daemon.supervisor.stopped, patience]);
  await daemon.lanes.stop();
  await daemon.network.close();
};

/** ms, for a daemon that hangs: telling some ten thousand peers goodbye takes a while, and the supervisor knows itself when to give up. */
const SHUTDOWN_PATIENCE = 60_000;
