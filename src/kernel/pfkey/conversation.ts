/**
 * Questions to the kernel and its answers over one PF_KEY socket: sequence numbers, a bounded number at a time, time-outs. PF_KEY tells everything
 * to every socket and drops what a full one cannot take, without a word: answers that are missing are the only sign of that.
 */
import { SystemError } from '../../shared/errors.ts';
import { KernelError } from '../backend.ts';
import type { KernelSocket, OpenKernelSocket } from '../kernel-socket.ts';
import { Errno, type MessageType, SaType } from './constants.ts';
import { buildMessage, type Message, parseMessage, readHeader } from './message.ts';
import { isDump, isFlush, isRepeatable, isUpcall, keyOf, type Question } from './question.ts';
import { AnswerLost, refusalOf } from './refusal.ts';
import type { Request } from './sa-requests.ts';

/** Calls back after some ms; the answer cancels. */
export type Schedule = (milliseconds: number, callback: () => void) => () => void;

export interface ConversationOptions {
  readonly open: OpenKernelSocket;
  /** Of this process: messages are told apart by it. */
  readonly pid: number;
  readonly schedule: Schedule;
  /** ACQUIRE, EXPIRE and X_NAT_T_NEW_MAPPING, in the kernel's order. Extensions may be kept but for keys, which are zeroed. */
  readonly upcall: (message: Message) => void;
  /** Messages were lost, perhaps upcalls, or all SAs or policies: what the kernel has is to be read anew. */
  readonly lost: () => void;
  readonly failed: (error: SystemError) => void;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #socket: KernelSocket;
  readonly #queue: Question[] = [];
  readonly #asked = new Map<string, Question>();
  #sequence = FIRST_SEQUENCE;
  #end: SystemError | undefined;

  /** Throws SystemError where there is no PF_KEY. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#socket = options.open({
      message: (bytes) => this.#received(bytes),
      overrun: () => this.#overrun(),
      failed: (error) => this.#fail(error),
    });
  }

  /**
   * Resolves with the kernel's answer, whose keys are zeroed. Rejects with KernelError: what the kernel says, AnswerLost where it does not and the
   * question is not one to be asked again. `answered` gets the answer before any message after it is looked at.
   */
  ask(request: Request, answered: (answer: Message) => void = () => {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      const settle = (answer: Message): void => {
        answered(answer);
        resolve(answer);
      };
      this.#enqueue({ request, answer: settle, fail: reject, restart: () => {} });
    });
  }

  /**
   * For what the kernel answers with a refusal or, in a message that does not name us, not at all: the answer to `next`, which is asked right
   * behind it, tells that it was done. Rejects with KernelError of either.
   */
  async askThen(silent: Request, next: Request): Promise<Message> {
    const refused = new Promise<never>((_, reject) => {
      this.#enqueue({
        request: silent,
        answer: () => {},
        fail: reject,
        restart: () => {},
        isSilent: true,
      });
    });
    // Before the second question has an answer, the refusal of the first one has come.
    return Promise.race([refused, this.ask(next)]);
  }

  /** DELETE or X_SPDDELETE. Whether there was something to remove, as far as that can be known; now there is not. Rejects with KernelError. */
  async askUntilGone(request: Request): Promise<boolean> {
    const first = await this.#refusal(request);
    if (first === undefined) return true;
    const last = first instanceof AnswerLost ? await this.#refusal(request) : first;
    if (last !== undefined && last.reason !== 'missing') throw last;
    return first instanceof AnswerLost;
  }

  async #refusal(request: Request): Promise<KernelError | undefined> {
    try {
      await this.ask(request);
      return undefined;
    } catch (fault) {
      if (fault instanceof KernelError) return fault;
      throw fault;
    }
  }

  /** DUMP or X_SPDDUMP: what `read` makes of each message but undefined. Rejects with KernelError. */
  dump<T>(
    type: typeof MessageType.DUMP | typeof MessageType.X_SPDDUMP,
    read: (one: Message) => T | undefined,
  ): Promise<T[]> {
    return new Promise((resolve, reject) => {
      const found: T[] = [];
      const take = (message: Message): void => {
        const one = message.extensions.length === 0 ? undefined : read(message);
        if (one !== undefined) found.push(one);
        if (message.sequence === 0 || message.extensions.length === 0) resolve(found);
      };
      const request = { type, saType: SaType.UNSPEC, extensions: [] };
      this.#enqueue({ request, answer: take, fail: reject, restart: () => found.splice(0) });
    });
  }

  /** Rejects everything that has no answer yet. */
  close(): void {
    if (this.#end !== undefined) return;
    this.#stop(new SystemError('PF_KEY: closed'));
    this.#socket.close();
  }

  #enqueue(question: Omit<Question, 'key' | 'cancel' | 'attempts'>): void {
    if (this.#end !== undefined) question.fail(new KernelError('failed', this.#end.message));
    else {
      this.#queue.push({ ...question, key: '', cancel: () => {}, attempts: 0 });
      this.#send();
    }
  }

  /** In order: what has to wait holds up what comes behind it. */
  #send(): void {
    while (this.#asked.size < MOST_AT_ONCE && this.#end === undefined) {
      const question = this.#queue[0];
      if (question === undefined) return;
      const sequence = question.request.sequence ?? this.#nextSequence();
      const key = keyOf(question.request.type, sequence);
      if (this.#asked.has(key)) return;
      this.#queue.shift();
      this.#put(question, key, sequence);
    }
  }

  #put(question: Question, key: string, sequence: number): void {
    question.key = key;
    question.attempts++;
    const { type, saType, extensions } = question.request;
    let bytes: Uint8Array = new Uint8Array();
    try {
      bytes = buildMessage({ type, errno: 0, saType, sequence, pid: this.#options.pid, reserved: 0, extensions });
      this.#asked.set(key, question);
      this.#await(question);
      this.#socket.send(bytes);
    } catch (fault) {
      this.#forget(question);
      question.fail(fault instanceof SystemError ? new KernelError('failed', fault.message) : fault);
    } finally {
      bytes.fill(0);
    }
  }

  #nextSequence(): number {
    const sequence = this.#sequence;
    this.#sequence = sequence === LAST_SEQUENCE ? FIRST_SEQUENCE : sequence + 1;
    return sequence;
  }

  #await(question: Question): void {
    question.cancel();
    question.cancel = this.#options.schedule(TIME_OUT, () => {
      // A process that was held up may have the answer in its socket: timers come before sockets.
      question.cancel = this.#options.schedule(GRACE, () => {
        this.#unanswered(question);
        this.#send();
        if (!isDump(question.request.type)) this.#options.lost();
      });
    });
  }

  #unanswered(question: Question): void {
    this.#forget(question);
    if (!isRepeatable(question.request.type)) question.fail(new AnswerLost(question.request.type));
    else if (question.attempts >= ATTEMPTS) {
      question.fail(new KernelError('failed', new AnswerLost(question.request.type).message));
    } else {
      question.restart();
      this.#queue.unshift(question);
    }
  }

  #forget(question: Question): void {
    question.cancel();
    this.#asked.delete(question.key);
  }

  #received(bytes: Uint8Array): void {
    try {
      this.#look(bytes);
    } finally {
      // The kernel says keys to everybody.
      bytes.fill(0);
      this.#send();
    }
  }

  /** What is no message is of whoever made the kernel say it; a question whose answer it was runs out of time. */
  #look(bytes: Uint8Array): void {
    const header = wellFormed(() => readHeader(bytes));
    if (header === undefined) return;
    if (isFlush(header.type)) {
      this.#options.lost();
      return;
    }
    const isForUs = isUpcall(header) || this.#questionOf(header) !== undefined;
    const message = isForUs ? wellFormed(() => parseMessage(bytes)) : undefined;
    if (message === undefined) return;
    const question = this.#questionOf(message);
    if (question === undefined) this.#options.upcall(message);
    else if (isDump(message.type)) this.#dumped(question, message);
    else this.#answered(question, message);
  }

  #questionOf({ type, sequence, pid }: Omit<Message, 'extensions'>): Question | undefined {
    if (pid !== this.#options.pid) return undefined;
    const question = this.#asked.get(keyOf(type, sequence));
    return question?.request.type === type ? question : undefined;
  }

  #answered(question: Question, message: Message): void {
    this.#done(question);
    if (message.errno === 0) question.answer(message);
    else question.fail(refusalOf(message.type, message.errno));
  }

  #dumped(question: Question, message: Message): void {
    const isEmpty = message.errno === Errno.ENOENT && message.extensions.length === 0;
    if (message.errno !== 0 && !isEmpty) {
      this.#done(question);
      question.fail(refusalOf(message.type, message.errno));
      return;
    }
    if (isEmpty || message.sequence === 0) this.#done(question);
    else this.#await(question);
    question.answer(message);
  }

  /** The kernel answers in order: silent questions from before this one have been done. */
  #done(question: Question): void {
    for (const earlier of this.#asked.values()) {
      if (earlier === question) break;
      if (earlier.isSilent === true) this.#forget(earlier);
    }
    this.#forget(question);
  }

  #overrun(): void {
    // Linux stops a dump before it fills the socket, and goes on when there is room: only its pace tells whether it is lost.
    const open = [...this.#asked.values()].filter(({ request }) => !isDump(request.type));
    for (const question of open.reverse()) this.#unanswered(question);
    this.#send();
    this.#options.lost();
  }

  #fail(error: SystemError): void {
    if (this.#end !== undefined) return;
    this.#stop(error);
    this.#options.failed(error);
  }

  #stop(error: SystemError): void {
    this.#end = error;
    const open = [...this.#asked.values(), ...this.#queue.splice(0)];
    this.#asked.clear();
    for (const question of open) {
      question.cancel();
      question.fail(new KernelError('failed', error.message));
    }
  }
}

const wellFormed = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof SystemError) return undefined;
    throw fault;
  }
};

/** Small ones are the kernel's: a message with the sequence of an ACQUIRE answers it. */
const FIRST_SEQUENCE = 0x40000000;
const LAST_SEQUENCE = 0xffffffff;

/** Answers of this many fit the smallest receive buffer many times. */
const MOST_AT_ONCE = 64;

/** ms. The kernel answers within the call that asks, so what is late is lost, unless this process was held up. */
const TIME_OUT = 5000;
const GRACE = 100;

const ATTEMPTS = 3;
