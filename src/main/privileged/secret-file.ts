/** Reading of files by the permission rules of isakmpd(8): those that may hold secrets (configuration, policy, private keys), and those that only have to be ours. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { secretFileFault, trustedFileFault } from '../../shared/cli/path-rules.ts';
import { ourUid } from './run-paths.ts';
import { causeOf, codeOf } from './system-fault.ts';

export type SecretFile =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  /** One sentence for the log. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads a regular file that belongs to root or to us and is closed to group and others. The checks are made on the open file. */
export const readSecretFile = (path: string): SecretFile => readByRule(path, secretFileFault);

/** Reads a regular file that belongs to root or to us and that nobody else may write to. The checks are made on the open file. */
export const readTrustedFile = (path: string): SecretFile => readByRule(path, trustedFileFault);

/** The paths of what lies in a directory, directories below it included down to a depth that no name reaches; sorted. Hidden files are left out. */
export const listFiles = (directory: string): FileList => {
  try {
    return { kind: 'files', files: filesBelow(directory, DEEPEST).toSorted() };
  } catch (fault) {
    if (codeOf(fault) === 'ENOENT') return { kind: 'missing' };
    return refused(directory, causeOf(fault));
  }
};

/** What stat(2) says of files and of what lies in directories: another text when any of it was changed, came or went. */
export const stampFiles = (paths: readonly string[]): string =>
  paths
    .flatMap((path) => {
      const found = listFiles(path);
      return found.kind === 'files' ? found.files.map(stampOf) : [stampOf(path)];
    })
    .join('\n');

const stampOf = (path: string): string => {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    return `${path} ${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch (fault) {
    return `${path} ${codeOf(fault) ?? 'not there'}`;
  }
};

export type FileList =
  | { readonly kind: 'files'; readonly files: readonly string[] }
  | { readonly kind: 'missing' }
  /** One sentence for the log. */
  | { readonly kind: 'refused'; readonly reason: string };

const filesBelow = (directory: string, depth: number): readonly string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) return [path];
    return depth === 0 ? [] : filesBelow(path, depth - 1);
  });

const readByRule = (path: string, faultOf: typeof secretFileFault): SecretFile => {
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
    const reason = faultOf(facts, facts.isFile(), ourUid());
    if (reason !== undefined) return refused(path, reason);
    return { kind: 'bytes', bytes: readFileSync(descriptor) };
  } catch (fault) {
    return refused(path, causeOf(fault));
  } finally {
    closeSync(descriptor);
  }
};

const refused = (path: string, reason: string): { readonly kind: 'refused'; readonly reason: string } => ({
  kind: 'refused',
  reason: `${path} is not read: ${reason}`,
});

/** Distinguished names as paths have a directory for each part. */
const DEEPEST = 16;
