/** What the kernel's error numbers mean, by what was asked. */
import { getSystemErrorMap } from 'node:util';
import { KernelError, type KernelRefusal } from '../backend.ts';
import type { Verdict } from './reader.ts';

/** What was asked: the same number means different things. */
export type Question = 'reserve' | 'put SA' | 'name SA' | 'put policy' | 'name policy' | 'other';

/** The error for a verdict that is no acknowledgement; `what` says what was tried and on what. */
export const refusalOf = (question: Question, what: string, { errno, text }: Verdict): KernelError => {
  const [name, meaning] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'no reason known'];
  const reason = REASONS[question][name] ?? 'failed';
  if (question === 'reserve' && reason === 'exists') return new KernelError(reason, `${what}: the SPI is taken`);
  return new KernelError(reason, `${what}: ${name}, ${text === '' ? meaning : text}`);
};

const UNSUPPORTED = {
  ENOSYS: 'unsupported',
  EPROTONOSUPPORT: 'unsupported',
  ENOTSUP: 'unsupported',
  EAFNOSUPPORT: 'unsupported',
  // A key or a check value of a length that the algorithm does not take.
  EINVAL: 'unsupported',
  // No such algorithm.
  ENOENT: 'unsupported',
} as const satisfies Readonly<Record<string, KernelRefusal>>;

const REASONS: Readonly<Record<Question, Readonly<Record<string, KernelRefusal>>>> = {
  // The only SPI that may be chosen is taken.
  reserve: { ENOENT: 'exists', EEXIST: 'exists', EPROTONOSUPPORT: 'unsupported' },
  'put SA': { ...UNSUPPORTED, EEXIST: 'exists', ESRCH: 'missing' },
  'name SA': { ESRCH: 'missing', ENOENT: 'missing' },
  'put policy': { EEXIST: 'exists', ENOENT: 'missing', EPROTONOSUPPORT: 'unsupported' },
  'name policy': { ENOENT: 'missing', ESRCH: 'missing' },
  other: {},
};
