/** Blowfish and CAST are in OpenSSL's legacy provider, which Node loads only by an option of its own: the program starts itself again with it. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const OPTION = '--openssl-legacy-provider';

/** Whether this process was started with the legacy provider. */
export const hasLegacyProvider = (): boolean => {
  const { NODE_OPTIONS = '' } = process.env;
  return process.execArgv.includes(OPTION) || NODE_OPTIONS.split(/\s+/).includes(OPTION);
};

/** What node needs to start the same program in the same way. */
export const argumentsOfThisProcess = (): readonly string[] => [...process.execArgv, ...process.argv.slice(1)];

/** The same with the legacy provider. */
export const argumentsWithLegacyProvider = (): readonly string[] => [
  ...process.execArgv,
  OPTION,
  ...process.argv.slice(1),
];

/**
 * Starts the same command line again with the legacy provider; does not return. Call it before anything is opened or written. Where Node can, the
 * process is replaced and keeps its pid; else the new one is a child, signals are passed on to it and its exit status becomes ours.
 */
export const restartWithLegacyProvider = (): Promise<never> => {
  const argumentsOfNode = argumentsWithLegacyProvider();
  const replace: unknown = Reflect.get(process, 'execve');
  if (typeof replace === 'function') {
    Reflect.apply(replace, process, [process.execPath, [process.execPath, ...argumentsOfNode], process.env]);
  }
  const child = spawn(process.execPath, argumentsOfNode, { stdio: 'inherit' });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  return new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) =>
      process.exit(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
};

const PASSED_ON = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1'] as const;
