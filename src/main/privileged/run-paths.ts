/** Where the run-time files really lie: links resolved, and only below a run directory that nobody else can write to. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { directoryFault, isBelow } from '../../shared/cli/path-rules.ts';
import { SystemError } from '../../shared/errors.ts';
import { causeOf } from './system-fault.ts';

/** The run directory without links. Throws SystemError when it is missing, not a directory or not trustworthy. */
export const resolveRunDirectory = (path: string): string => checkedDirectory(path, `run directory ${path}`);

/**
 * The path of a run-time file with every link but the last component resolved; the file need not exist. `what` names it in the SystemError
 * that is thrown when it would lie outside `runDirectory` (resolved) or in a directory where somebody else could replace it.
 */
export const resolveRunPath = (runDirectory: string, path: string, what: string): string => {
  const absolute = resolve(path);
  const resolved = join(checkedDirectory(dirname(absolute), `${what} ${path}`), basename(absolute));
  if (isBelow(runDirectory, resolved)) return resolved;
  throw new SystemError(`${what} ${path}: only paths below the run directory ${runDirectory} are allowed`);
};

/** Our effective user. */
export const ourUid = (): number => process.geteuid?.() ?? 0;

const checkedDirectory = (path: string, what: string): string => {
  const resolved = system(what, () => realpathSync(path));
  const facts: Stats = system(what, () => statSync(resolved));
  const fault = facts.isDirectory() ? directoryFault(facts, ourUid()) : 'it is not a directory';
  if (fault === undefined) return resolved;
  throw new SystemError(`${what}: ${resolved} cannot be trusted: ${fault}`);
};

const system = <T>(what: string, call: () => T): T => {
  try {
    return call();
  } catch (fault) {
    throw new SystemError(`${what}: ${causeOf(fault)}`);
  }
};
