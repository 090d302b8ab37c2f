/** The program: command line, configuration, and the daemon. bin/isakmpd imports it after the signal handlers. */
import { readFileSync } from 'node:fs';
import { ConfigError, SystemError } from '../shared/errors.ts';
import { faultText } from '../shared/log/fault-text.ts';
import { PEER_TRIGGERED } from '../shared/log/peer-triggered.ts';
import { printable } from '../shared/log/printable.ts';
import { failure, fatal, notice } from '../shared/log/records.ts';
import { Verbosity } from '../shared/log/verbosity.ts';
import { checkConfiguration } from './cli/check.ts';
import { readConfigurationFile } from './cli/configuration-file.ts';
import { missingSupport, type Options, parseCommandLine } from './cli/options.ts';
import { schedule } from './clock.ts';
import { DaemonConfiguration } from './configuration.ts';
import { runDaemon } from './daemon.ts';
import { handleUncaught } from './faults.ts';
import { createLogger, createWallClock, type Logger } from './log.ts';
import { openLogDestination } from './log-destination.ts';
import { createPrivileged, type Privileged } from './privileged/privileged.ts';
import { Syslog } from './syslog.ts';

/** Answers the exit status. */
const main = async (): Promise<number> => {
  const commandLine = await parseCommandLine(process.argv.slice(2), version());
  if (commandLine.kind === 'run') {
    const { options } = commandLine;
    return options.checkOnly ? checkConfiguration(options.configurationFile, process.stdout) : start(options);
  }
  const isRefused = commandLine.kind === 'refused';
  (isRefused ? process.stderr : process.stdout).write(`${commandLine.text}\n`);
  return isRefused ? 1 : 0;
};

const version = (): string => {
  const packageJson: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof packageJson === 'object' && packageJson !== null && 'version' in packageJson
    ? String(packageJson.version)
    : 'unknown';
};

const start = async (options: Options): Promise<number> => {
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
  try {
    const privileged = createPrivileged(options);
    handleUncaught(log.write, () => void privileged.removeRunFiles().finally(() => process.exit(1)));
    const configuration = await configured(options, privileged, log);
    verbosity.configure(configuration.general().daemon).forEach(log.write);
    const usesPolicy = options.policy && configuration.store.get('General', 'Use-Keynote')?.startsWith('yes') === true;
    const missing = missingSupport(options, usesPolicy);
    if (missing !== undefined) throw new ConfigError(missing);
    await runDaemon({ options, configuration, privileged, log, verbosity });
    log.close();
    log.write(notice('exit', 'isakmpd: exit'));
    return 0;
  } catch (fault) {
    const isExpected = fault instanceof SystemError || fault instanceof ConfigError;
    const text = isExpected ? fault.message : `isakmpd: internal fault: ${faultText(fault)}`;
    log.write(fatal('start-failed', text));
    // Whoever started it at a terminal looks there first.
    if (destination instanceof Syslog) process.stderr.write(`${printable(text)}\n`);
    return 1;
  } finally {
    await destination.close();
  }
};

const configured = async (options: Options, privileged: Privileged, log: Logger): Promise<DaemonConfiguration> => {
  const configuration = new DaemonConfiguration(log.write);
  const file = await readConfigurationFile(privileged, options.configurationFile);
  // One that may be read by others, or cannot be read at all, counts as missing: the daemon runs on what it is told through the FIFO.
  if (file.kind === 'text') configuration.load(file.text, options.configurationFile);
  else if (file.kind === 'refused') log.write(failure('configuration-error', file.reason));
  return configuration;
};

process.exit(await main());
