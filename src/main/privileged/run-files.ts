/** Pid file and result file: written so that no link is followed and no reader sees half a file. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { SystemError } from '../../shared/errors.ts';
import { causeOf, codeOf } from './system-fault.ts';

/** A file that we made. It is held open, because a removed file's inode number would soon be another's. */
export interface OwnFile {
  readonly path: string;
  readonly descriptor: number;
}

/** Replaces a file in one step: a reader sees the old text or the new one. `what` is for the message. Throws SystemError. */
export const replaceFile = (path: string, text: string, { mode = 0o600, what = '' } = {}): void => {
  const temporary = `${path}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeNew(temporary, text, mode);
    renameSync(temporary, path);
  } catch (fault) {
    throw new SystemError(`cannot write ${what}${path}: ${causeOf(fault)}`);
  }
};

/** Replaces the pid file, as `replaceFile`: the number and a newline, readable by everybody. */
export const writePidFile = (path: string, pid: number): void =>
  replaceFile(path, `${pid}\n`, { mode: 0o644, what: 'pid file ' });

/** The first bytes of a file, no link; undefined where there is none. Throws SystemError. */
export const readSmallFile = (path: string): string | undefined => {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (fault) {
    if (codeOf(fault) === 'ENOENT') return undefined;
    throw new SystemError(`cannot read ${path}: ${causeOf(fault)}`);
  }
  try {
    const bytes = new Uint8Array(MOST_SMALL);
    return new TextDecoder().decode(bytes.subarray(0, readSync(descriptor, bytes)));
  } catch (fault) {
    throw new SystemError(`cannot read ${path}: ${causeOf(fault)}`);
  } finally {
    closeSync(descriptor);
  }
};

/** Remembers a file that we have just made. Throws SystemError. */
export const holdFile = (path: string): OwnFile => {
  try {
    return { path, descriptor: openSync(path, O_PATH | constants.O_NOFOLLOW) };
  } catch (fault) {
    throw new SystemError(`cannot open ${path}: ${causeOf(fault)}`);
  }
};

/** Removes a file of ours unless it is gone or another one has taken its name. Throws SystemError. */
export const removeOwnFile = ({ path, descriptor }: OwnFile): void => {
  try {
    const ours = fstatSync(descriptor);
    const found = lstatSync(path);
    if (found.dev === ours.dev && found.ino === ours.ino) unlinkSync(path);
  } catch (fault) {
    if (codeOf(fault) !== 'ENOENT') throw new SystemError(`cannot remove ${path}: ${causeOf(fault)}`);
  } finally {
    closeSync(descriptor);
  }
};

/** Linux: names a file of any kind, sockets included, without opening it. node:constants does not have it. */
const O_PATH = 0o10000000;

/** A file that was not there, with this mode whatever our umask is. Throws what node:fs throws. */
export const writeNew = (path: string, text: string, mode: number): void => {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
};
/** Bytes. */
const MOST_SMALL = 256;
