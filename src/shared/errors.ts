/** The four kinds of fault this program knows. Nothing in it throws a plain Error. */
import type { NotifyType } from './constants/isakmp.ts';

/** A fault in what the PEER sent. Carries the notify we owe the peer; `run.ts` may still choose silence. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly notify: NotifyType;
  /** Where in the message, outermost first: ['SA', 'P[0]', 'T[2]', 'attributes']. */
  readonly path: readonly string[];
  constructor(notify: NotifyType, message: string, path: readonly string[] = []) {
    super(message);
    this.notify = notify;
    this.path = path;
  }
  /** The same fault seen from the enclosing payload. Built only on the failing path, so good messages pay nothing. */
  within(part: string): ProtocolError {
    return new ProtocolError(this.notify, this.message, [part, ...this.path]);
  }
}

/** A fault of OURS: an invariant this code promised was broken. Never sent to the peer. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** A section of isakmpd.conf, or one tag of it. */
export interface ConfigPlace {
  readonly section: string;
  readonly tag: string | undefined;
}

/** The operator's fault: the message names section, tag and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Undefined where no single section is at fault. */
  readonly place: ConfigPlace | undefined;
  constructor(message: string, place?: ConfigPlace) {
    super(message);
    this.place = place;
  }
}

/** The system's fault (socket, file, thread): the message names what was tried and on what. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The errno name of the failed call, `EADDRINUSE`; undefined where there was none. */
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Marks a switch as exhaustive: does not compile while a case is missing. */
export const unreachable = (value: never): never => {
  throw new InvariantError(`unhandled ${String(value)}`);
};
