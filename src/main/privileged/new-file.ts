/** Files that are there whole or not at all, and take nobody else's place: keys, certificates, CRLs. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SystemError } from '../../shared/errors.ts';
import { writeNew } from './run-files.ts';
import { causeOf, codeOf } from './system-fault.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** For its owner only, and a directory that is made for it is, too. */
  readonly isSecret: boolean;
}

/** Those of the paths that there is something at; what cannot be looked at counts. */
export const existingPaths = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => {
    try {
      lstatSync(path);
      return true;
    } catch (fault) {
      return codeOf(fault) !== 'ENOENT' && codeOf(fault) !== 'ENOTDIR';
    }
  });

/**
 * Writes the files, and the directories that they need. Without `replaces` nothing is written if one of them is there already. Each is on the
 * disk before it has its name. Throws SystemError; its code is EEXIST for a file that is there.
 */
export const writeNewFiles = (files: readonly NewFile[], replaces: boolean): void => {
  const [taken] = replaces ? [] : existingPaths(files.map(({ path }) => path));
  if (taken !== undefined) throw existing(taken);
  for (const file of files) writeFile(file, replaces);
};

const writeFile = ({ path, text, isSecret }: NewFile, replaces: boolean): void => {
  const directory = dirname(path);
  // Hidden: who reads the directory meanwhile passes it over.
  const temporary = join(directory, `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    mkdirSync(directory, { recursive: true, mode: isSecret ? 0o700 : 0o755 });
    writeNew(temporary, text, isSecret ? 0o600 : 0o644);
    sync(temporary);
    // A link, unlike a renaming, leaves alone what came there in the meantime.
    if (replaces) renameSync(temporary, path);
    else linkSync(temporary, path);
  } catch (fault) {
    throw codeOf(fault) === 'EEXIST' ? existing(path) : unwritable(path, fault);
  } finally {
    rmSync(temporary, { force: true });
  }
};

const sync = (path: string): void => {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const existing = (path: string): SystemError => new SystemError(`${path} is there already`, 'EEXIST');
const unwritable = (path: string, fault: unknown): SystemError =>
  new SystemError(`cannot write ${path}: ${causeOf(fault)}`, codeOf(fault));
