/** One client of the status socket: its requests one after the other, and events in between. What it does not read is not made, or not for long. */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorAnswer } from '../../shared/report/error-answer.ts';
import { EVENT_KINDS } from '../../shared/report/event-kinds.ts';
import { jsonText } from '../../shared/report/json-text.ts';
import type { ErrorAnswer, StatusAnswer, StatusEvent } from '../../shared/report/status-schema.ts';
import { schedule } from '../clock.ts';
import type { Faults } from '../process/faults.ts';
import type { EventFeed } from './event-feed.ts';
import type { Question } from './status-answers.ts';

export interface StatusClientOptions {
  readonly feed: Pick<EventFeed, 'subscribe'>;
  /** The pieces of an answer's line. */
  readonly answer: (question: Question) => AsyncIterable<string>;
  readonly faults: Pick<Faults, 'dropped'>;
}

export class StatusClient {
  readonly #socket: Socket;
  readonly #options: StatusClientOptions;
  /** Events that wait until an answer is complete, or until the client reads. */
  readonly #events: string[] = [];
  #isAnswering = false;
  #isFull = false;
  #unsubscribe: (() => void) | undefined;

  constructor(socket: Socket, options: StatusClientOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('drain', () => {
      this.#isFull = false;
      this.#sendEvents();
    });
    socket.on('close', () => this.#unsubscribe?.());
    // A client that went away; 'close' follows.
    socket.on('error', () => undefined);
  }

  /** Answers until the client has said all it wanted; resolves then. While an answer is on its way, nothing more is read. */
  async serve(): Promise<void> {
    let rest: Uint8Array = new Uint8Array(0);
    try {
      for await (const chunk of this.#socket) {
        // Leaving the loop would close the socket before its last line is out.
        if (!this.#socket.writable) continue;
        rest = Buffer.concat([rest, chunk]);
        for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
          await this.#answer(rest.subarray(0, end));
          rest = rest.subarray(end + 1);
        }
        if (rest.length > LONGEST_LINE) {
          this.#end(errorAnswer('line-too-long', `a request has at most ${LONGEST_LINE} bytes`));
        }
      }
    } catch {
      // Only the socket throws here: the client is gone.
    }
    // From a subscriber, too: one that is gone without a word would keep its place for ever.
    this.#socket.end();
  }

  /** Says why and closes the connection. */
  refuse(answer: ErrorAnswer): void {
    this.#end(answer);
  }

  async #answer(question: Uint8Array): Promise<void> {
    if (!this.#socket.writable) return;
    this.#isAnswering = true;
    try {
      // Its schemas take a while to load, and a daemon that nobody asks starts without them.
      const { parseRequest } = await import('../../shared/report/status-request.ts');
      const request = parseRequest(question);
      if ('answer' in request) await this.#write(line(request));
      else if (request.request === 'subscribe') await this.#subscribe(request.events ?? EVENT_KINDS);
      else await this.#writeAll(this.#options.answer(request));
    } catch (fault) {
      this.#options.faults.dropped('a request of the status socket', fault);
      // Half an answer cannot be taken back.
      this.#socket.destroy();
    }
    this.#isAnswering = false;
    this.#sendEvents();
  }

  async #writeAll(pieces: AsyncIterable<string>): Promise<void> {
    for await (const piece of pieces) {
      await this.#write(piece);
      if (!this.#socket.writable) return;
    }
  }

  async #subscribe(kinds: readonly StatusEvent['event'][]): Promise<void> {
    this.#unsubscribe?.();
    const wanted = new Set(kinds);
    await this.#write(line({ answer: 'subscribed', events: [...wanted] }));
    if (!this.#socket.writable) return;
    this.#unsubscribe = this.#options.feed.subscribe((event) => {
      if (wanted.has(event.event)) this.#queue(event);
    });
  }

  #queue(event: StatusEvent): void {
    this.#events.push(line(event));
    this.#sendEvents();
    if (this.#events.length <= MOST_EVENTS) return;
    this.#events.length = 0;
    this.#end(
      errorAnswer('too-slow', `more than ${MOST_EVENTS} events wait to be read: subscribe again and read faster`),
    );
  }

  #sendEvents(): void {
    while (!this.#isAnswering && !this.#isFull && this.#socket.writable) {
      const next = this.#events.shift();
      if (next === undefined) return;
      this.#isFull = !this.#socket.write(next);
    }
  }

  /** Resolves when the client has read most of it, or is gone; others get their turn in any case. */
  async #write(text: string): Promise<void> {
    if (!this.#socket.writable) return;
    if (this.#socket.write(text)) await nextTurn();
    else
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          this.#socket.off('drain', settle);
          this.#socket.off('close', settle);
          resolve();
        };
        this.#socket.on('drain', settle);
        this.#socket.on('close', settle);
      });
  }

  #end(answer: ErrorAnswer): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    // An answer that is on its way ends where it is.
    this.#socket.end(`${this.#isAnswering ? '\n' : ''}${line(answer)}`);
    schedule(LAST_WORDS, () => this.#socket.destroy());
  }
}

const line = (answer: StatusAnswer | StatusEvent): string => `${jsonText(answer)}\n`;

const NEWLINE = 10;
/** Bytes. */
const LONGEST_LINE = 4096;
const MOST_EVENTS = 1000;
/** ms that a client has to read the last line. */
const LAST_WORDS = 5000;
