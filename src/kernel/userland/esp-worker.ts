/** Main's end of one ESP thread: its calls and their answers. What becomes of it when it dies is the backend's business. */
import { Worker } from 'node:worker_threads';
import { SystemError } from '../../shared/errors.ts';
import { KernelError, type KernelUpcalls } from '../backend.ts';
import type { EspAnswer, EspCommand, EspMessage, EspThreadStart } from './contract.ts';

export interface EspWorkerEvents extends Pick<KernelUpcalls, 'acquire' | 'expire' | 'mapping'> {
  /** Once, unless it was stopped. Calls that wait have been rejected. */
  readonly died: (why: SystemError) => void;
}

export class EspWorker {
  readonly #worker: Worker;
  readonly #events: EspWorkerEvents;
  readonly #calls = new Map<number, Waiting>();
  #lastCall = 0;
  #fault: Error | undefined;
  #isOver = false;

  /** Resolves when device and sockets are open; rejects with SystemError. */
  static async start(start: EspThreadStart, events: EspWorkerEvents): Promise<EspWorker> {
    const worker = new EspWorker(start, events);
    await worker.#ready;
    return worker;
  }

  readonly #ready: Promise<void>;
  #settle: { readonly resolve: () => void; readonly reject: (why: SystemError) => void } | undefined;

  private constructor(start: EspThreadStart, events: EspWorkerEvents) {
    this.#events = events;
    this.#worker = new Worker(THREAD, { workerData: start });
    this.#ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#worker.on('message', (message: EspMessage) => this.#take(message));
    this.#worker.on('error', (fault) => {
      this.#fault = fault;
    });
    this.#worker.on('exit', (code) => this.#end(code));
  }

  /** Rejects with KernelError; 'failed' also when the thread dies before it answers. */
  call(command: EspCommand, transfer: readonly ArrayBuffer[] = []): Promise<EspAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(new KernelError('failed', 'the ESP thread is not there'));
      const call = ++this.#lastCall;
      this.#calls.set(call, { resolve, reject });
      this.#worker.postMessage({ call, command }, transfer);
    });
  }

  /** The device and its routes go with it. */
  async stop(): Promise<void> {
    this.#settle = undefined;
    this.#isOver = true;
    await this.#worker.terminate();
  }

  #take(message: EspMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#settle?.resolve();
        this.#settle = undefined;
        break;
      case 'done':
        this.#answered(message.call)?.resolve(message.value);
        break;
      case 'refused':
        this.#answered(message.call)?.reject(new KernelError(message.reason, message.text));
        break;
      case 'acquire':
        this.#events.acquire(message.acquire);
        break;
      case 'expire':
        this.#events.expire(message.expire);
        break;
      case 'mapping':
        this.#events.mapping(message.mapping);
        break;
    }
  }

  #answered(call: number): Waiting | undefined {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    return waiting;
  }

  #end(code: number): void {
    const why = new SystemError(`the ESP thread ended: ${this.#fault?.message ?? `exit code ${code}`}`);
    const wasStopped = this.#isOver;
    this.#isOver = true;
    for (const { reject } of this.#calls.values()) reject(new KernelError('failed', why.message));
    this.#calls.clear();
    if (this.#settle !== undefined) this.#settle.reject(why);
    else if (!wasStopped) this.#events.died(why);
  }
}

interface Waiting {
  readonly resolve: (value: EspAnswer) => void;
  readonly reject: (why: KernelError) => void;
}

const THREAD = new URL('./esp-thread.js', import.meta.url);
