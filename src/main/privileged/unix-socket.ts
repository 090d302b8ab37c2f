/** A Unix stream socket for our own user: never open to others for a moment, and never in the place of something else. */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { SystemError } from '../../shared/errors.ts';
import { causeOf, codeOf } from './system-fault.ts';

/**
 * A server that listens at `path` (resolved) with mode 0600. It is bound in a directory that only we can enter and then moved to its place. A socket that
 * nobody serves any more is a leftover and is replaced. Rejects with SystemError where somebody answers, or for anything else that is there.
 */
export const openUnixSocket = async (path: string): Promise<Server> => {
  let folder: string | undefined;
  const server = createServer({ allowHalfOpen: true });
  try {
    await refuseTaken(path);
    folder = mkdtempSync(join(dirname(path), '.socket-'));
    const made = join(folder, 's');
    await listen(server, made);
    chmodSync(made, 0o600);
    renameSync(made, path);
    return server;
  } catch (fault) {
    server.close();
    throw fault instanceof SystemError ? fault : new SystemError(`cannot open ${path}: ${causeOf(fault)}`);
  } finally {
    if (folder !== undefined) removeFolder(folder);
  }
};

const refuseTaken = async (path: string): Promise<void> => {
  const found = lstatIfAny(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new SystemError(`cannot open ${path}: something that is no socket is there`);
  if (await isServed(path)) throw new SystemError(`cannot open ${path}: another daemon answers there`);
};

const lstatIfAny = (path: string): Stats | undefined => {
  try {
    return lstatSync(path);
  } catch (fault) {
    if (codeOf(fault) === 'ENOENT') return undefined;
    throw fault;
  }
};

const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });

const removeFolder = (folder: string): void => {
  rmSync(join(folder, 's'), { force: true });
  rmdirSync(folder);
};
