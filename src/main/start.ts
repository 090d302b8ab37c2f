/** The daemon's process: log and configuration, then the daemon until it ends. */
import { ConfigError, SystemError } from '../shared/errors.ts';
import { faultText } from '../shared/log/fault-text.ts';
import { PEER_TRIGGERED } from '../shared/log/peer-triggered.ts';
import { printable } from '../shared/log/printable.ts';
import { failure, fatal, notice } from '../shared/log/records.ts';
import { Verbosity } from '../shared/log/verbosity.ts';
import { readConfigurationFile } from './cli/configuration-file.ts';
import { restartWithLegacyProvider } from './cli/legacy-provider.ts';
import type { Options } from './cli/options.ts';
import { schedule } from './clock.ts';
import { DaemonConfiguration } from './configuration.ts';
import { runDaemon } from './daemon.ts';
import { createLogger, createWallClock, type Logger } from './log/log.ts';
import { openLogDestination } from './log/log-destination.ts';
import { learnSystemNames } from './network/system-names.ts';
import { createPrivileged, type Privileged } from './privileged/privileged.ts';
import type { StartReport } from './process/background.ts';
import { handleUncaught } from './process/faults.ts';
import { ServiceManager } from './process/service-manager.ts';

/** Answers the exit status. `report`: how the caller hears of it, where the daemon runs in the background. */
export const start = async (options: Options, report: StartReport | undefined): Promise<number> => {
  const verbosity = new Verbosity(options.verbose);
  const destination = openLogDestination(options);
  const log = createLogger({
    format: options.logFormat,
    destination,
    isVerbose: () => verbosity.isVerbose,
    levels: verbosity.levels,
    peerTriggered: PEER_TRIGGERED,
    wallClock: createWallClock(),
    schedule,
  });
  verbosity.readOptions(options.debug).forEach(log.write);
  const pids = [process.pid, process.ppid];
  const serviceManager = new ServiceManager({ environment: process.env, pids, log: log.write });
  try {
    const privileged = createPrivileged(options);
    handleUncaught(log.write, () => void privileged.removeRunFiles().finally(() => process.exit(1)));
    const configuration = await configured(options, privileged, log);
    verbosity.configure(configuration.general().daemon).forEach(log.write);
    await runDaemon({
      options,
      configuration,
      privileged,
      log,
      verbosity,
      serviceManager,
      onReady: () => report?.ready(),
      restartWithLegacyProvider: report?.restartWithLegacyProvider ?? restartWithLegacyProvider,
    });
    log.close();
    log.write(notice('exit', 'isakmpd: exit'));
    return 0;
  } catch (fault) {
    const isExpected = fault instanceof SystemError || fault instanceof ConfigError;
    const text = isExpected ? fault.message : `isakmpd: internal fault: ${faultText(fault)}`;
    log.write(fatal('start-failed', text));
    report?.failed(printable(text));
    return 1;
  } finally {
    await serviceManager.close(SERVICE_MANAGER_PATIENCE);
    await destination.close();
  }
};

const configured = async (options: Options, privileged: Privileged, log: Logger): Promise<DaemonConfiguration> => {
  const configuration = new DaemonConfiguration(log.write);
  if (options.acquireOnly) configuration.setAcquireOnly();
  learnSystemNames(configuration.store.addressBook);
  const file = await readConfigurationFile(privileged, options.configurationFile);
  // One that may be read by others, or cannot be read at all, counts as missing: the daemon runs on what it is told through the FIFO.
  if (file.kind === 'text') configuration.load(file.text, options.configurationFile);
  else if (file.kind === 'refused') log.write(failure('configuration-error', file.reason));
  configuration.requireListenOn();
  return configuration;
};

/** ms */
const SERVICE_MANAGER_PATIENCE = 500;
