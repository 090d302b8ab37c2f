/** A file that is written behind a bounded queue, so that a slow disk costs data, not the daemon. All of it may be secret: what has been written, or never will be, is erased. */
import type { CaptureFile } from '../privileged/capture-file.ts';

export class QueuedFile {
  readonly #file: CaptureFile;
  readonly #onFault: (path: string, cause: string) => void;
  #queue: Uint8Array[] = [];
  /** Bytes in the queue and on their way to the disk. */
  #size = 0;
  #writing: Promise<void> | undefined;
  #isOver = false;
  #hasFailed = false;

  /** `onFault` is called once at most, when a write has failed: nothing is taken any more then. */
  constructor(file: CaptureFile, onFault: (path: string, cause: string) => void) {
    this.#file = file;
    this.#onFault = onFault;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Takes the bytes over. False: too much waits already, and they are dropped. */
  add(bytes: Uint8Array): boolean {
    if (this.#isOver || this.#size + bytes.length > LONGEST_QUEUE) {
      bytes.fill(0);
      return false;
    }
    this.#queue.push(bytes);
    this.#size += bytes.length;
    this.#writing ??= this.#write();
    return true;
  }

  /** Takes nothing more, and answers when what waited has been written: whether all has ever been. Never rejects. */
  async close(): Promise<boolean> {
    this.#isOver = true;
    await this.#writing;
    await this.#file.close().catch(() => undefined);
    return !this.#hasFailed;
  }

  /** Until the queue is empty: what gathers during one write is the next one. */
  async #write(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#writeQueue();
    } catch (fault) {
      this.#giveUp();
      this.#onFault(this.path, fault instanceof Error ? fault.message : String(fault));
    }
    this.#writing = undefined;
  }

  async #writeQueue(): Promise<void> {
    const bytes = Buffer.concat(this.#queue);
    for (const one of this.#queue) one.fill(0);
    this.#queue = [];
    try {
      await this.#file.append(bytes);
    } finally {
      this.#size -= bytes.length;
      bytes.fill(0);
    }
  }

  #giveUp(): void {
    this.#isOver = true;
    this.#hasFailed = true;
    for (const one of this.#queue) one.fill(0);
    this.#queue = [];
  }
}

/** Bytes: some ten thousand messages, or a hundred thousand keys. */
const LONGEST_QUEUE = 8 * 2 ** 20;
