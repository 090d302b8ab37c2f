/** Reads command lines from the FIFO or standard input and has them carried out one after the other, however fast and many the writers are. */
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FifoLine, LineSplitter } from '../../shared/fifo/lines.ts';
import { failure } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

export interface FifoActions {
  /** Carries one line out; the next one waits for it. Must not reject. */
  readonly perform: (line: string) => Promise<void>;
  /** A line that cannot be carried out, and why: the end of a sentence that begins with "the line". */
  readonly refuse: (reason: string) => void;
  readonly log: (record: LogRecord) => void;
}

/** The stream behind Privileged.openFifo: 0 is standard input, anything else our FIFO. */
export const commandStream = (descriptor: number): Readable =>
  descriptor === 0 ? process.stdin : new Socket({ fd: descriptor, readable: true, writable: false });

export class FifoReader {
  readonly #stream: Readable;
  readonly #actions: FifoActions;
  readonly #splitter = new LineSplitter();
  #isClosed = false;
  #performed = 0;

  /** Starts to read at once. A fault of the stream is logged; the daemon goes on without commands. */
  constructor(stream: Readable, actions: FifoActions) {
    this.#stream = stream;
    this.#actions = actions;
    stream.on('data', (chunk: Uint8Array) => {
      // Whatever else was written stays in the pipe meanwhile, so memory is bounded by one chunk.
      stream.pause();
      void this.#take(this.#splitter.push(chunk));
    });
    stream.on('error', (fault) =>
      actions.log(failure('fifo-failed', `ui_handler: reading commands: ${fault.message}`)),
    );
  }

  /** No further line is carried out. */
  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
  }

  async #take(lines: readonly FifoLine[]): Promise<void> {
    for (const line of lines) {
      if (this.#isClosed) return;
      if (line.kind === 'line') await this.#actions.perform(line.text);
      else this.#actions.refuse(line.reason);
      this.#performed += 1;
      // Datagrams and timers get their turn during a burst.
      if (this.#performed % LINES_A_TURN === 0) await nextTurn();
    }
    if (!this.#isClosed) this.#stream.resume();
  }
}

const LINES_A_TURN = 64;
