/** The other end of a PF_KEY socket: what was sent to the kernel as messages, and answers of a test's choice. With a clock that stands still. */
import assert from 'node:assert/strict';
import type { KernelSocketEvents, OpenKernelSocket } from '../../src/kernel/kernel-socket.ts';
import type { Extension } from '../../src/kernel/pfkey/extension.ts';
import { buildMessage, type Message, parseMessage } from '../../src/kernel/pfkey/message.ts';
import type { SystemError } from '../../src/shared/errors.ts';

export class PfKeySocket {
  /** Whatever was sent and not yet looked at; copies, for the buffers are zeroed. */
  readonly sent: Message[] = [];
  /** The buffers that were sent. */
  readonly buffers: Uint8Array[] = [];
  isClosed = false;
  /** What the next call of send() says. */
  refusal: SystemError | undefined;
  #events: KernelSocketEvents | undefined;
  /** Looks at what is sent; answers what the kernel answers to it. */
  onSent: (message: Message) => void = () => {};

  readonly open: OpenKernelSocket = (events) => {
    this.#events = events;
    return {
      send: (bytes) => {
        const { refusal } = this;
        this.refusal = undefined;
        if (refusal !== undefined) throw refusal;
        const message = parseMessage(bytes.slice());
        this.sent.push(message);
        this.buffers.push(bytes);
        this.onSent(message);
      },
      close: () => {
        this.isClosed = true;
      },
    };
  };

  get events(): KernelSocketEvents {
    assert.ok(this.#events);
    return this.#events;
  }

  /** The next message to the kernel. */
  next(): Message {
    const message = this.sent.shift();
    assert.ok(message, 'nothing was sent');
    return message;
  }

  /** What the kernel says; the buffer as the listener leaves it. */
  say(message: Partial<Message>): Uint8Array {
    const bytes = buildMessage({
      type: 0,
      errno: 0,
      saType: 3,
      sequence: 0,
      pid: 0,
      reserved: 0,
      extensions: [],
      ...message,
    });
    this.events.message(bytes);
    return bytes;
  }

  /** The kernel's answer to a request, with its errno or these extensions. */
  answer({ type, saType, sequence, pid }: Message, what: number | readonly Extension[]): Uint8Array {
    return typeof what === 'number'
      ? this.say({ type, saType, sequence, pid, errno: what })
      : this.say({ type, saType, sequence, pid, extensions: what });
  }
}

/** Timers that wait until the clock is moved. */
export class StandingClock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly schedule = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  };

  get waiting(): number {
    return this.#timers.length;
  }

  /** Everything that is due by then happens in its order; promises are settled in between. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = due.at;
      due.callback();
      await settled();
    }
    this.#now = until;
    await settled();
  }
}

/** Promises that can go on have gone on. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
