/**
 * Questions to the kernel and their answers. The kernel answers in the order of the questions, but for the later parts of dumps; so an answer tells
 * that those to earlier questions, if they have not come, were lost.
 */
import type { SystemError } from '../../shared/errors.ts';
import { KernelError } from '../backend.ts';
import type { KernelSocket, OpenKernelSocket } from '../kernel-socket.ts';
import { HOST_IS_LITTLE } from './draft.ts';
import { MessageType } from './layout.ts';
import { type Fields, type Message, readDatagram, readVerdict } from './reader.ts';
import { type Question, refusalOf } from './refusals.ts';

/** Calls back after some ms; the answer cancels. */
export type Schedule = (milliseconds: number, callback: () => void) => () => void;

export interface Listener {
  /** ACQUIRE, EXPIRE or MAPPING. The bytes are zeroed afterwards. */
  upcall(message: Message): void;
  /** Messages of the kernel were lost, answers perhaps among them: the answer to any later question, a dump for example, shows which. */
  overrun(): void;
  failed(error: SystemError): void;
}

/** The kernel may or may not have done what was asked. */
export class AnswerLost extends KernelError {
  constructor(what: string, why: string) {
    super('failed', `${what}: ${why}`);
  }
}

interface Pending {
  readonly question: Question;
  readonly what: string;
  /** Zeroed when it is sent, or never will be. */
  readonly message: Uint8Array;
  readonly kind: 'acknowledged' | 'answered' | 'dumped';
  /** One answer or part of a dump. */
  readonly take: (payload: Fields) => void;
  readonly resolve: () => void;
  readonly reject: (error: KernelError) => void;
  cancelTimer: () => void;
}

/** What a question is made of; `what` says in errors what was tried and on what. */
export interface Asked {
  readonly question: Question;
  readonly what: string;
  readonly message: Uint8Array;
}

export class Conversation {
  readonly #socket: KernelSocket;
  readonly #schedule: Schedule;
  readonly #listener: Listener;
  readonly #queue: Pending[] = [];
  readonly #dumps: Pending[] = [];
  /** In the order they were sent. */
  readonly #inFlight = new Map<number, Pending>();
  #sequence = 0;
  /** Ours, as the kernel drew it at bind; 0 until its first answer tells. */
  #portId = 0;
  #end: KernelError | undefined;

  /** Throws SystemError where the socket cannot be opened. */
  constructor(open: OpenKernelSocket, schedule: Schedule, listener: Listener) {
    this.#schedule = schedule;
    this.#listener = listener;
    this.#socket = open({
      message: (bytes) => this.#onDatagram(bytes),
      overrun: () => this.#onOverrun(),
      failed: (error) => this.#onFailed(error),
    });
  }

  /** Resolves when the kernel has done it. Rejects with KernelError. All messages are zeroed once they are sent. */
  acknowledged(asked: Asked): Promise<void> {
    return this.#ask(asked, 'acknowledged', () => {});
  }

  /** `read` must copy what it keeps: the answer is zeroed. Rejects with KernelError also where it makes nothing of the answer. */
  async answered<T>(asked: Asked, read: (payload: Fields) => T | undefined): Promise<T> {
    let answer: T | undefined;
    await this.#ask(asked, 'answered', (payload) => {
      answer = read(payload);
    });
    if (answer === undefined) throw new KernelError('failed', `${asked.what}: the kernel's answer makes no sense`);
    return answer;
  }

  /** Calls `each` for every part, which is zeroed afterwards. Rejects with KernelError. */
  dumped(asked: Asked, each: (payload: Fields) => void): Promise<void> {
    return this.#ask(asked, 'dumped', each);
  }

  close(): void {
    if (this.#end !== undefined) return;
    this.#finish(new KernelError('failed', 'the kernel backend is closed'));
    this.#socket.close();
  }

  #ask(asked: Asked, kind: Pending['kind'], take: Pending['take']): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = { ...asked, kind, take, resolve, reject, cancelTimer: () => {} };
      if (this.#end !== undefined) this.#drop(pending, this.#end);
      else {
        (kind === 'dumped' ? this.#dumps : this.#queue).push(pending);
        this.#pump();
      }
    });
  }

  /** The kernel runs one dump of a socket at a time, and its answers have to fit our receive buffer. */
  #pump(): void {
    while (this.#inFlight.size < MOST_IN_FLIGHT) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#send(next);
    }
    const isDumping = [...this.#inFlight.values()].some(({ kind }) => kind === 'dumped');
    const dump = isDumping ? undefined : this.#dumps.shift();
    if (dump !== undefined) this.#send(dump);
  }

  #send(pending: Pending): void {
    const { message } = pending;
    this.#sequence = this.#sequence === MAX_SEQUENCE ? 1 : this.#sequence + 1;
    const sequence = this.#sequence;
    new DataView(message.buffer, message.byteOffset).setUint32(8, sequence, HOST_IS_LITTLE);
    this.#inFlight.set(sequence, pending);
    this.#watch(sequence, pending);
    try {
      this.#socket.send(message);
      message.fill(0);
    } catch (fault) {
      const text = fault instanceof Error ? fault.message : String(fault);
      this.#take(sequence);
      this.#drop(pending, new KernelError('failed', `${pending.what}: ${text}`));
    }
  }

  #watch(sequence: number, pending: Pending): void {
    pending.cancelTimer();
    const giveUp = (): void => {
      this.#take(sequence);
      pending.reject(new AnswerLost(pending.what, `no answer within ${LONGEST_WAIT_MS / 1000} s`));
      this.#pump();
    };
    // The kernel may have kept this thread busy (it loads a cipher, for example): then the answer is there and could not be read yet.
    pending.cancelTimer = this.#schedule(LONGEST_WAIT_MS, () => {
      pending.cancelTimer = this.#schedule(GRACE_MS, giveUp);
    });
  }

  #onDatagram(bytes: Uint8Array): void {
    try {
      const { messages, isWhole } = readDatagram(bytes);
      for (const message of messages) this.#onMessage(message);
      if (!isWhole) this.#onOverrun();
    } finally {
      bytes.fill(0);
    }
    this.#pump();
  }

  #onMessage(message: Message): void {
    if (UPCALLS.has(message.type)) {
      this.#listener.upcall(message);
      return;
    }
    const pending = this.#inFlight.get(message.sequence);
    if (pending === undefined || (this.#portId !== 0 && message.portId !== this.#portId)) return;
    this.#portId = message.portId;
    this.#giveUpBefore(message.sequence);
    if (message.type === MessageType.ERROR || message.type === MessageType.DONE) this.#onVerdict(message, pending);
    else this.#onAnswer(message, pending);
  }

  #onVerdict(message: Message, pending: Pending): void {
    const verdict = readVerdict(message);
    // The dump has begun, but its first part found no room: it comes when we have read what is there.
    if (pending.kind === 'dumped' && verdict?.errno === ENOBUFS) return;
    this.#take(message.sequence);
    if (verdict?.errno === 0) pending.resolve();
    else if (verdict === undefined) pending.reject(new AnswerLost(pending.what, "the kernel's answer is cut"));
    else pending.reject(refusalOf(pending.question, pending.what, verdict));
  }

  #onAnswer({ sequence, payload }: Message, pending: Pending): void {
    pending.take(payload);
    if (pending.kind === 'dumped') this.#watch(sequence, pending);
    else if (pending.kind === 'answered') {
      this.#take(sequence);
      pending.resolve();
    }
  }

  #giveUpBefore(sequence: number): void {
    for (const [earlier, pending] of this.#inFlight) {
      if (earlier === sequence) return;
      if (pending.kind === 'dumped') continue;
      this.#take(earlier);
      pending.reject(new AnswerLost(pending.what, "the kernel's answer was lost"));
    }
  }

  #onOverrun(): void {
    if (this.#end === undefined) this.#listener.overrun();
  }

  #onFailed(error: SystemError): void {
    if (this.#end !== undefined) return;
    this.#finish(new KernelError('failed', error.message));
    this.#listener.failed(error);
  }

  #finish(end: KernelError): void {
    this.#end = end;
    const left = [...this.#inFlight.values(), ...this.#queue.splice(0), ...this.#dumps.splice(0)];
    this.#inFlight.clear();
    for (const pending of left) this.#drop(pending, end);
  }

  #drop(pending: Pending, error: KernelError): void {
    pending.cancelTimer();
    pending.message.fill(0);
    pending.reject(error);
  }

  #take(sequence: number): void {
    this.#inFlight.get(sequence)?.cancelTimer();
    this.#inFlight.delete(sequence);
  }
}

const UPCALLS: ReadonlySet<number> = new Set([MessageType.ACQUIRE, MessageType.EXPIRE, MessageType.MAPPING]);
/** An answer is some hundred bytes. */
const MOST_IN_FLIGHT = 64;
const LONGEST_WAIT_MS = 10_000;
const GRACE_MS = 500;
const ENOBUFS = 105;
const MAX_SEQUENCE = 0xffff_ffff;
