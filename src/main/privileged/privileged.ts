/**
 * Everything that needs privilege: sockets, files below /etc/isakmpd and the run directory, the FIFO. For now it runs in the daemon's own
 * process; the privileged process of isakmpd(8) will stand behind the same interface, which is why every answer is a promise.
 */
import type { Server } from 'node:net';
import { join, resolve } from 'node:path';
import type { UdpRequest, UdpSocket } from '../../kernel/udp/udp-socket.ts';
import { type CaptureFile, openCaptureFile } from './capture-file.ts';
import { createFifo } from './fifo-file.ts';
import { existingPaths, type NewFile, writeNewFiles } from './new-file.ts';
import { holdFile, type OwnFile, readSmallFile, removeOwnFile, replaceFile, writePidFile } from './run-files.ts';
import { resolveRunDirectory, resolveRunPath } from './run-paths.ts';
import {
  type FileList,
  listFiles,
  readSecretFile,
  readTrustedFile,
  type SecretFile,
  stampFiles,
} from './secret-file.ts';
import { openUdpSocket } from './udp-socket.ts';
import { openUnixSocket } from './unix-socket.ts';

export interface Privileged {
  /** A bound socket that does not receive yet. Rejects with SystemError. */
  readonly openUdpSocket: (request: UdpRequest) => Promise<UdpSocket>;
  /** Configuration and private keys, by the permission rule of isakmpd(8). */
  readonly readSecretFile: (path: string) => Promise<SecretFile>;
  /** What we trust but need not hide: public keys, certificates, revocation lists. */
  readonly readTrustedFile: (path: string) => Promise<SecretFile>;
  /** The files in a directory and below it, as paths. */
  readonly listFiles: (directory: string) => Promise<FileList>;
  /** Files and directories as they are now: another text when something in them was changed, came or went. */
  readonly stampFiles: (paths: readonly string[]) => Promise<string>;
  /** Those of the paths that there is something at. */
  readonly existing: (paths: readonly string[]) => Promise<readonly string[]>;
  /** Writes files that are not there, whole, with the directories that they need; none of them if one is there. Rejects with SystemError. */
  readonly writeNewFiles: (files: readonly NewFile[]) => Promise<void>;
  /** Makes the command FIFO and opens it; answers a descriptor that never reads an end. Rejects with SystemError. */
  readonly openFifo: () => Promise<number>;
  /** Opens the status socket, a server that nobody serves yet. Rejects with SystemError. */
  readonly openStatusSocket: () => Promise<Server>;
  /** After the signal handlers are in place: who reads the pid may send signals at once. Rejects with SystemError. */
  readonly writePidFile: (pid: number) => Promise<void>;
  /** Replaces the result file in one step; calls take effect in their order. Rejects with SystemError. */
  readonly writeResult: (text: string) => Promise<void>;
  /** Replaces the report file, as `writeResult`. */
  readonly writeReport: (text: string) => Promise<void>;
  /** Opens a capture file below the run directory, where a relative path begins; a new one gets `header`, an old one must have it. Rejects with SystemError. */
  readonly openCaptureFile: (path: string, header: Uint8Array) => Promise<CaptureFile>;
  /** Which reqids are ours, as a predecessor wrote it; undefined where none did. Rejects with SystemError. */
  readonly readReqids: () => Promise<string | undefined>;
  /** Replaces that file, as `writeResult`. */
  readonly writeReqids: (text: string) => Promise<void>;
  /** At exit: FIFO, status socket and pid file, as far as they are still ours. Rejects with SystemError. */
  readonly removeRunFiles: () => Promise<void>;
}

/** Paths as on the command line, absolute. `fifo` undefined: commands come from standard input. */
export interface RunFiles {
  readonly runDirectory: string;
  readonly fifo: string | undefined;
  readonly pidFile: string;
  readonly resultFile: string;
  readonly reportFile: string;
  /** Captured into from the start; undefined: nothing is. */
  readonly captureFile: string | undefined;
}

/** Privilege in our own process. Throws SystemError when the run directory or one of the paths is not allowed; nothing is touched then. */
export const createPrivileged = (files: RunFiles): Privileged => {
  const runDirectory = resolveRunDirectory(files.runDirectory);
  const pidFile = resolveRunPath(runDirectory, files.pidFile, 'pid file');
  const resultFile = resolveRunPath(runDirectory, files.resultFile, 'result file');
  const reportFile = resolveRunPath(runDirectory, files.reportFile, 'report file');
  const fifo = files.fifo === undefined ? undefined : resolveRunPath(runDirectory, files.fifo, 'FIFO');
  if (files.captureFile !== undefined) resolveRunPath(runDirectory, files.captureFile, 'capture file');
  const statusSocket = join(runDirectory, 'isakmpd.sock');
  const reqids = join(runDirectory, 'isakmpd.reqids');
  const ours: OwnFile[] = [];
  return {
    openUdpSocket: (request) => openUdpSocket(request),
    readSecretFile: async (path) => readSecretFile(path),
    readTrustedFile: async (path) => readTrustedFile(path),
    listFiles: async (directory) => listFiles(directory),
    stampFiles: async (paths) => stampFiles(paths),
    existing: async (paths) => existingPaths(paths),
    writeNewFiles: async (files) => writeNewFiles(files, false),
    openFifo: async () => {
      if (fifo === undefined) return STANDARD_INPUT;
      const descriptor = createFifo(fifo);
      ours.push(holdFile(fifo));
      return descriptor;
    },
    openStatusSocket: async () => {
      const server = await openUnixSocket(statusSocket);
      ours.push(holdFile(statusSocket));
      return server;
    },
    writePidFile: async (pid) => {
      writePidFile(pidFile, pid);
      ours.push(holdFile(pidFile));
    },
    writeResult: async (text) => replaceFile(resultFile, text),
    writeReport: async (text) => replaceFile(reportFile, text),
    openCaptureFile: async (path, header) => {
      const wanted = resolveRunPath(runDirectory, resolve(runDirectory, path), 'capture file');
      return openCaptureFile(wanted, header);
    },
    readReqids: async () => readSmallFile(reqids),
    writeReqids: async (text) => replaceFile(reqids, text),
    removeRunFiles: async () => ours.splice(0).forEach(removeOwnFile),
  };
};

const STANDARD_INPUT = 0;
