/** The kinds of questions to the kernel, and of messages from it. */
import { MessageType } from './constants.ts';
import type { Message } from './message.ts';
import type { Request } from './sa-requests.ts';

/** What was asked, or will be, and who waits for the answer. */
export interface Question {
  readonly request: Request;
  readonly answer: (message: Message) => void;
  readonly fail: (error: unknown) => void;
  /** It is asked again: what came so far does not count. */
  readonly restart: () => void;
  readonly isSilent?: boolean;
  key: string;
  cancel: () => void;
  attempts: number;
}

/** The same for a question and its answer. */
export const keyOf = (type: number, sequence: number): string => (isDump(type) ? DUMP_KEY : `${type} ${sequence}`);

export const isDump = (type: number): boolean => type === MessageType.DUMP || type === MessageType.X_SPDDUMP;

/** Linux makes one dump per socket at a time. */
const DUMP_KEY = 'dump';

/** Asked twice is the same as asked once, and no key was needed. */
export const isRepeatable = (type: number): boolean => REPEATABLE.has(type);

const REPEATABLE: ReadonlySet<number> = new Set([
  MessageType.GET,
  MessageType.DUMP,
  MessageType.X_SPDDUMP,
  MessageType.X_SPDUPDATE,
]);

/** The kernel's own messages have no pid. */
export const isUpcall = ({ type, pid }: Omit<Message, 'extensions'>): boolean => pid === 0 && UPCALLS.has(type);

const UPCALLS: ReadonlySet<number> = new Set([
  MessageType.ACQUIRE,
  MessageType.EXPIRE,
  MessageType.X_NAT_T_NEW_MAPPING,
]);

/** Somebody has removed everything, ours too; of that there are no EXPIREs. We never ask for it. */
export const isFlush = (type: number): boolean => type === MessageType.FLUSH || type === MessageType.X_SPDFLUSH;
