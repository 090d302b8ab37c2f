/** The thread around a lane's turns: its two ports, its one timer, and the end of its task. */
import { type MessagePort, receiveMessageOnPort, threadId } from 'node:worker_threads';
import { expose } from 'comlink';
import type { LaneControl, LaneStart } from '../shared/threads/contract.ts';
import { controlEndpoint } from '../shared/threads/control-port.ts';
import { type Core, Turns } from './turns.ts';

/** The daemon's clock in ms: the same in all threads, which performance.now() is not. */
export const monotonicNow = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

/** Runs a lane until main says stop; the promise is the Piscina task. Main closes the ports. */
export const runLane = (start: LaneStart<MessagePort, unknown, unknown>, core: Core): Promise<void> =>
  new Promise((resolve) => {
    const thread = new LaneThread(start, core);
    const { lane } = start;
    const control: LaneControl = {
      statistics: () => thread.statistics(lane),
      exchanges: () => core.exchanges(),
      stop: () => {
        thread.stop();
        // After the answer to this call has left.
        setImmediate(() => {
          start.control.removeAllListeners('message');
          resolve();
        });
      },
    };
    expose(control, controlEndpoint(start.control));
  });

class LaneThread {
  readonly #data: MessagePort;
  readonly #core: Core;
  readonly #turns: Turns;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(start: LaneStart<MessagePort, unknown, unknown>, core: Core) {
    this.#data = start.data;
    this.#core = core;
    this.#turns = new Turns(start.lane, core, monotonicNow);
    this.#data.on('message', (batch) => this.#accept(batch));
    this.#sleep();
  }

  statistics(lane: number): ReturnType<LaneControl['statistics']> {
    const { fast, slow, shed } = this.#turns.queues;
    const { isakmpSas, halfOpen, phase2Exchanges } = this.#core.counts;
    const { diffieHellman } = this.#core;
    return {
      lane,
      threadId,
      isakmpSas,
      halfOpen,
      phase2Exchanges,
      queuedFast: fast,
      queuedSlow: slow,
      shed,
      diffieHellman,
    };
  }

  /** Does what main had asked before (the ports are two: its last batch may still wait) and falls silent. */
  stop(): void {
    for (let next = receiveMessageOnPort(this.#data); next !== undefined; next = receiveMessageOnPort(this.#data)) {
      this.#accept(next.message);
    }
    this.#post(this.#turns.finish());
    this.#data.removeAllListeners('message');
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
  }

  #accept(batch: unknown): void {
    if (batch instanceof ArrayBuffer) this.#turns.accept(batch);
    this.#turn ??= setImmediate(() => this.#run());
  }

  /** One turn; the next one waits until the port has been served. */
  #run(): void {
    this.#turn = undefined;
    this.#post(this.#turns.take());
    if (this.#turns.busy) this.#turn = setImmediate(() => this.#run());
    this.#sleep();
  }

  #post(batch: ArrayBuffer | undefined): void {
    if (batch !== undefined) this.#data.postMessage(batch, [batch]);
  }

  /** Arms the timer for the next deadline. One that is too early stays: its turn finds nothing due and arms it anew. */
  #sleep(): void {
    const at = this.#turns.nextAt() ?? Number.POSITIVE_INFINITY;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    const delay = Math.ceil(at - monotonicNow());
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#turn ??= setImmediate(() => this.#run());
      },
      Math.min(Math.max(delay, 1), LONGEST_TIMEOUT),
    );
  }
}

/** setTimeout fires at once for anything longer (threats: timer overflow). */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
