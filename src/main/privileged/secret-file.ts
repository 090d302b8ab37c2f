/** Reading of files that may hold secrets (configuration, later policy and keys), by the permission rule of isakmpd(8). */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { secretFileFault } from '../../shared/cli/path-rules.ts';
import { ourUid } from './run-paths.ts';
import { causeOf, codeOf } from './system-fault.ts';

export type SecretFile =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  /** One sentence for the log. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads a regular file that belongs to root or to us and is closed to group and others. The checks are made on the open file. */
export const readSecretFile = (path: string): SecretFile => {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO in the file's place would stop the daemon.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (fault) {
    if (codeOf(fault) === 'ENOENT') return { kind: 'missing' };
    return refused(path, causeOf(fault));
  }
  try {
    const facts = fstatSync(descriptor);
    const reason = secretFileFault(facts, facts.isFile(), ourUid());
    if (reason !== undefined) return refused(path, reason);
    return { kind: 'bytes', bytes: readFileSync(descriptor) };
  } catch (fault) {
    return refused(path, causeOf(fault));
  } finally {
    closeSync(descriptor);
  }
};

const refused = (path: string, reason: string): SecretFile => ({
  kind: 'refused',
  reason: `${path} is not read: ${reason}`,
});
