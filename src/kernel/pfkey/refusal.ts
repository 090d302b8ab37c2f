/** What the kernel's errno means for what was asked. */
import { getSystemErrorName } from 'node:util';
import { KernelError, type KernelRefusal } from '../backend.ts';
import { Errno, MessageType } from './constants.ts';

/** The answer to this request did not come, and asking twice is not the same as asking once: whoever asked has to look what the kernel has. */
export class AnswerLost extends KernelError {
  constructor(type: number) {
    super('failed', `PF_KEY ${requestName(type)}: no answer of the kernel`);
  }
}

/** `errno` > 0. */
export const refusalOf = (type: number, errno: number): KernelError =>
  new KernelError(reasonOf(type, errno), `PF_KEY ${requestName(type)}: ${errnoName(errno)}`);

const reasonOf = (type: number, errno: number): KernelRefusal => {
  switch (errno) {
    case Errno.EEXIST:
      return 'exists';
    case Errno.ENOENT:
      // RFC 2367 §3.1.1 wants EEXIST, Linux has no SPI left in a range of one.
      return type === MessageType.GETSPI ? 'exists' : 'missing';
    case Errno.ESRCH:
      return 'missing';
    case Errno.EINVAL:
      return type === MessageType.ADD || type === MessageType.UPDATE ? 'unsupported' : 'failed';
    case Errno.ENOSYS:
    case Errno.ENOPROTOOPT:
    case Errno.EPROTONOSUPPORT:
    case Errno.EOPNOTSUPP:
      return 'unsupported';
    default:
      return 'failed';
  }
};

const requestName = (type: number): string =>
  Object.entries(MessageType).find(([, number]) => number === type)?.[0] ?? `message ${type}`;

const errnoName = (errno: number): string => getSystemErrorName(-errno) ?? `errno ${errno}`;
