/** An end of a tunnel (end.ts) as the tests see it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type Acquire,
  type Capabilities,
  type Expire,
  type KernelBackend,
  KernelError,
  type Mapping,
  type OwnState,
} from '../../../src/kernel/backend.ts';
import type { Endpoint } from '../../../src/shared/address.ts';
import type { SaId } from '../../../src/shared/connection/events.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { Awaited } from '../../helpers/awaited.ts';
import type { Call, EndCommand, EndMessage, Method, Outcome } from './end.ts';
import type { Name } from './implementations.ts';

/** What the kernel said to an end, in its order. */
export interface Heard {
  readonly acquire: Awaited<Acquire>;
  readonly expire: Awaited<Expire>;
  readonly mapping: Awaited<Mapping>;
  readonly lost: Awaited<readonly SaId[]>;
  readonly failed: Awaited<string>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(why: Error): void;
}

export class EndProcess {
  /** Texts of all refusals. */
  readonly refusals: string[] = [];
  readonly heard: Heard = {
    acquire: new Awaited(),
    expire: new Awaited(),
    mapping: new Awaited(),
    lost: new Awaited(),
    failed: new Awaited(),
  };
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(namespace: string) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    this.#child.on('message', (message: EndMessage) => this.#take(message));
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new InvariantError('this end is gone'));
    });
  }

  async open(name: Name, receiveBuffer?: number): Promise<Capabilities> {
    this.forget();
    return (await this.#do({
      kind: 'open',
      name,
      ...(receiveBuffer === undefined ? {} : { receiveBuffer }),
    })) as Capabilities;
  }

  /** Of what was heard so far. */
  forget(): void {
    for (const queue of Object.values(this.heard)) queue.forget();
  }

  addSa(...args: Parameters<KernelBackend['addSa']>): Promise<void> {
    return this.#call({ method: 'addSa', args });
  }

  moveSa(...args: Parameters<KernelBackend['moveSa']>): Promise<SaId> {
    return this.#call({ method: 'moveSa', args });
  }

  deleteSa(...args: Parameters<KernelBackend['deleteSa']>): Promise<void> {
    return this.#call({ method: 'deleteSa', args });
  }

  querySa(...args: Parameters<KernelBackend['querySa']>): ReturnType<KernelBackend['querySa']> {
    return this.#call({ method: 'querySa', args });
  }

  putFlow(...args: Parameters<KernelBackend['putFlow']>): Promise<void> {
    return this.#call({ method: 'putFlow', args });
  }

  deleteFlow(...args: Parameters<KernelBackend['deleteFlow']>): Promise<void> {
    return this.#call({ method: 'deleteFlow', args });
  }

  /** With the number of policies. */
  async listOwn(): Promise<{ readonly sas: OwnState['sas']; readonly policies: number }> {
    const { sas, policies } = await this.#call<'listOwn'>({ method: 'listOwn', args: [] });
    return { sas, policies: policies.length };
  }

  purgeOwn(): Promise<void> {
    return this.#call({ method: 'purgeOwn', args: [] });
  }

  removeLeftovers(): Promise<number> {
    return this.#call<'removeLeftovers'>({ method: 'removeLeftovers', args: [] });
  }

  close(): Promise<void> {
    return this.#call({ method: 'close', args: [] });
  }

  async callDeaf(command: string, calls: readonly Call[]): Promise<readonly Outcome[]> {
    const outcomes = (await this.withTime(this.#do({ kind: 'callDeaf', command, calls }))) as readonly Outcome[];
    for (const outcome of outcomes) if ('text' in outcome) this.refusals.push(outcome.text);
    return outcomes;
  }

  async bend(what: 'lose' | 'hold', skip: number): Promise<void> {
    await this.#do({ kind: 'bend', what, skip });
  }

  async straighten(): Promise<boolean> {
    return (await this.#do({ kind: 'straighten' })) === true;
  }

  async elapse(milliseconds: number): Promise<void> {
    await this.#do({ kind: 'elapse', milliseconds });
  }

  /** Time passes until the promise is settled. */
  async withTime<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let round = 0; !isSettled; round++) {
      if (round === MOST_ROUNDS) throw new InvariantError(`not settled after ${(MOST_ROUNDS * ROUND_MS) / 1000} s`);
      await this.elapse(ROUND_MS);
    }
    return promise;
  }

  async encapsulate(local: Endpoint): Promise<void> {
    await this.#do({ kind: 'encapsulate', local });
  }

  async listen(local: Endpoint): Promise<void> {
    await this.#do({ kind: 'listen', local });
  }

  async received(local: Endpoint, count: number): Promise<number> {
    return (await this.#do({ kind: 'received', local, count })) as number;
  }

  async send(from: Endpoint, to: Endpoint, count: number, size: number): Promise<number> {
    return (await this.#do({ kind: 'send', from, to, count, size })) as number;
  }

  /** One datagram, past all policies. */
  async sendIke(from: Endpoint, to: Endpoint): Promise<void> {
    await this.#do({ kind: 'send', from, to, count: 1, size: 10, isIke: true });
  }

  /** As a crash: at once, and without a word to the kernel. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  async #call<M extends Method>(call: Extract<Call, { readonly method: M }>): Promise<Answer<M>> {
    return (await this.#do({ kind: 'call', call })) as Answer<M>;
  }

  #do(command: EndCommand): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = ++this.#last;
      this.#waiting.set(call, { resolve, reject });
      this.#child.send({ call, command });
    });
  }

  #take(message: EndMessage): void {
    if ('upcall' in message) {
      // What comes over IPC is what end.ts has sent: each queue gets its own kind.
      (this.heard[message.upcall] as Awaited<unknown>).put(message.value);
      return;
    }
    const waiting = this.#waiting.get(message.call);
    this.#waiting.delete(message.call);
    if (!('text' in message)) waiting?.resolve(message.value);
    else if (message.reason === 'fault') waiting?.reject(new InvariantError(message.text));
    else {
      this.refusals.push(message.text);
      waiting?.reject(new KernelError(message.reason, message.text));
    }
  }
}

type Answer<M extends Method> = globalThis.Awaited<ReturnType<KernelBackend[M]>>;

const PROGRAM = fileURLToPath(new URL('./end.js', import.meta.url));
/** More than any time-out of a backend, with its repetitions. */
const ROUND_MS = 2000;
const MOST_ROUNDS = 100;
