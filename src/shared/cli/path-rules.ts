/** What makes a file, a directory or a path fit for the daemon. Pure: the facts are gathered by src/main/privileged. */

/** What stat(2) says, as far as the rules ask. */
export interface FileFacts {
  readonly uid: number;
  /** Type and permission bits. */
  readonly mode: number;
}

/** Whether `path` lies below `directory`. Both absolute and free of links, `.` and `..`; a directory does not lie below itself. */
export const isBelow = (directory: string, path: string): boolean => {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(prefix) && path.length > prefix.length;
};

/**
 * Why a directory for run-time files cannot be trusted: somebody else could replace files in it. Undefined: it can. `uid` is ours.
 */
export const directoryFault = (facts: FileFacts, uid: number): string | undefined => {
  if (!isTrusted(facts, uid)) return `it belongs to user ${facts.uid}, neither to root nor to us`;
  return (facts.mode & 0o022) === 0 ? undefined : 'group or others may write to it';
};

/** Why a file with secrets is not read. Undefined: it is. */
export const secretFileFault = (facts: FileFacts, isRegular: boolean, uid: number): string | undefined => {
  if (!isRegular) return 'it is not a regular file';
  if (!isTrusted(facts, uid)) return `it belongs to user ${facts.uid}, neither to root nor to us`;
  return (facts.mode & 0o077) === 0 ? undefined : 'group or others have access to it (chmod 600 would help)';
};

/** Why a file with what we trust, but nothing secret, is not read: somebody else could have put another one in its place. Undefined: it is. */
export const trustedFileFault = (facts: FileFacts, isRegular: boolean, uid: number): string | undefined => {
  if (!isRegular) return 'it is not a regular file';
  if (!isTrusted(facts, uid)) return `it belongs to user ${facts.uid}, neither to root nor to us`;
  return (facts.mode & 0o022) === 0 ? undefined : 'group or others may write to it (chmod 644 would help)';
};

const isTrusted = (facts: FileFacts, uid: number): boolean => facts.uid === 0 || facts.uid === uid;
