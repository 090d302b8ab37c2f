/** The command FIFO as a file: created afresh, opened so that it never ends, and removed only while it is still ours. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs';
import { nativeAddon, nativeAddonFault } from '../../kernel/native/native.ts';
import { SystemError } from '../../shared/errors.ts';
import { ourUid } from './run-paths.ts';
import { causeOf, codeOf } from './system-fault.ts';

/**
 * Creates the FIFO at `path` (resolved) with mode 0600 and opens it for reading and writing, so that it has a writer for ever; answers the
 * descriptor. A FIFO that is there is a leftover and is replaced. Throws SystemError for anything else that is there, links included.
 */
export const createFifo = (path: string): number => {
  const old = lstatIfAny(path);
  if (old !== undefined && !old.isFIFO()) throw fault(path, `EEXIST: ${kindOf(old)} is there`);
  try {
    if (old !== undefined) unlinkSync(path);
    // mkfifo(2) follows no link and fails if something appeared meanwhile.
    if (nativeAddonFault() === undefined) nativeAddon().createFifo(path, 0o600);
    else runMkfifo(path);
    return openFifo(path);
  } catch (thrown) {
    throw thrown instanceof SystemError ? thrown : fault(path, causeOfFailure(thrown));
  }
};

const runMkfifo = (path: string): void => {
  execFileSync('mkfifo', ['-m', '600', path], { env: { PATH: SYSTEM_PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
};

const openFifo = (path: string): number => {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const facts = fstatSync(descriptor);
  if (facts.isFIFO() && facts.uid === ourUid() && (facts.mode & 0o777) === 0o600) return descriptor;
  closeSync(descriptor);
  throw fault(path, 'somebody replaced it while it was made');
};

const lstatIfAny = (path: string): Stats | undefined => {
  try {
    return lstatSync(path);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw fault(path, causeOf(thrown));
  }
};

const kindOf = (facts: Stats): string => {
  if (facts.isFile()) return 'a regular file';
  if (facts.isSymbolicLink()) return 'a symbolic link';
  return facts.isDirectory() ? 'a directory' : 'something that is no FIFO';
};

/** What mkfifo(1) said, or what a system call did. */
const causeOfFailure = (thrown: unknown): string =>
  thrown instanceof Error && 'stderr' in thrown && String(thrown.stderr) !== ''
    ? String(thrown.stderr).trim()
    : causeOf(thrown);

const fault = (path: string, cause: string): SystemError =>
  new SystemError(`ui_init: could not create FIFO "${path}": ${cause}`);

const SYSTEM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
