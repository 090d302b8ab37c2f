/** A file of a packet capture: new with mode 0600, or an earlier one of ours that is continued. No link is followed. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { secretFileFault } from '../../shared/cli/path-rules.ts';
import { SystemError } from '../../shared/errors.ts';
import { ourUid } from './run-paths.ts';
import { causeOf, codeOf } from './system-fault.ts';

export interface CaptureFile {
  readonly path: string;
  /** Appends; one call at a time. What fails (SystemError) leaves whole records only, as far as the system lets us. */
  readonly append: (bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the file, whose `header` it must have, and gets if it is new. Rejects with SystemError. */
export const openCaptureFile = async (path: string, header: Uint8Array): Promise<CaptureFile> => {
  let handle: FileHandle | undefined;
  try {
    handle = await openFile(path);
    const facts = await handle.stat();
    const fault = secretFileFault(facts, facts.isFile(), ourUid());
    if (fault !== undefined) throw new SystemError(`capture file "${path}" is refused: ${fault}`);
    if (facts.size === 0) await handle.writeFile(header);
    else if (!(await beginsWith(handle, header))) {
      throw new SystemError(
        `capture file "${path}" is refused: it begins otherwise than this capture would, so it is not continued`,
      );
    }
    return captureFile(path, handle, Math.max(facts.size, header.length));
  } catch (fault) {
    await handle?.close();
    if (fault instanceof SystemError) throw fault;
    throw new SystemError(`capture file "${path}" cannot be opened: ${wordsOf(fault)}`);
  }
};

const captureFile = (path: string, handle: FileHandle, sizeBefore: number): CaptureFile => {
  let size = sizeBefore;
  return {
    path,
    append: async (bytes) => {
      try {
        await handle.writeFile(bytes);
        size += bytes.length;
      } catch (fault) {
        // Half a record would make the file unreadable when it is continued.
        await handle.truncate(size).catch(() => undefined);
        throw new SystemError(causeOf(fault));
      }
    },
    close: () => handle.close(),
  };
};

const openFile = async (path: string): Promise<FileHandle> => {
  const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Without O_NONBLOCK something that is no file could keep us waiting.
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  try {
    return await open(path, flags);
  } catch (fault) {
    if (codeOf(fault) !== 'ENOENT') throw fault;
    return await open(path, flags | O_CREAT | O_EXCL, 0o600);
  }
};

const beginsWith = async (handle: FileHandle, header: Uint8Array): Promise<boolean> => {
  const found = new Uint8Array(header.length);
  const { bytesRead } = await handle.read(found, 0, found.length, 0);
  return bytesRead === header.length && header.every((byte, index) => byte === found[index]);
};

const wordsOf = (fault: unknown): string => (codeOf(fault) === 'ELOOP' ? 'it is a symbolic link' : causeOf(fault));
