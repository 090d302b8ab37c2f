/** Faults of system calls in the operator's words. */

/** What an error of node:fs, node:dgram or node:child_process says about its cause: `EACCES: permission denied`. Rethrows anything else. */
export const causeOf = (fault: unknown): string => {
  if (!(fault instanceof Error) || codeOf(fault) === undefined) throw fault;
  // Node appends the call and the path, which our own line names already.
  return fault.message.split(',')[0] ?? fault.message;
};

/** The errno name of a system call's error: `ENOENT`. */
export const codeOf = (fault: unknown): string | undefined =>
  fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : undefined;
