/** Packet capture, isakmpd(8) -L and `p`: one at a time, written behind a bounded queue so that a slow disk costs messages, not the daemon. */
import { type CapturedMessage, pcapFileHeader, pcapRecord } from '../shared/capture/pcap.ts';
import { SystemError } from '../shared/errors.ts';
import { printable } from '../shared/log/printable.ts';
import { failure, notice } from '../shared/log/records.ts';
import { TokenBucket } from '../shared/log/token-bucket.ts';
import type { LogRecord } from '../shared/threads/contract.ts';
import type { CaptureFile } from './privileged/capture-file.ts';

export interface CaptureOptions {
  /** As Privileged.openCaptureFile. */
  readonly open: (path: string | undefined, header: Uint8Array) => Promise<CaptureFile>;
  /** Tells the lanes to hand out messages, or no more. */
  readonly onSwitch: (isOn: boolean) => void;
  readonly log: (record: LogRecord) => void;
  /** Microseconds of the wall clock. */
  readonly wallClock: () => number;
  /** ms on the monotonic clock. */
  readonly now: () => number;
}

export class Capture {
  readonly #options: CaptureOptions;
  readonly #dropLines = new TokenBucket({ burst: 1, perSecond: 1 / 60 });
  #file: CaptureFile | undefined;
  /** What `p on` without a path uses again. */
  #path: string | undefined;
  /** Records that wait for the disk. */
  #queue: Uint8Array[] = [];
  #queued = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #last = Promise.resolve();

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  /** Starts a capture unless one runs; what is wrong with the file is logged. */
  start(path: string | undefined): Promise<void> {
    return this.#inOrder(() => this.#start(path));
  }

  /** Ends the capture when all is written that was recorded. */
  stop(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#file === undefined) this.#options.log(notice('capture', 'log_packet_stop: no capture is active'));
      else await this.#stop();
    });
  }

  /** As `stop`, for the end of the daemon: without a capture there is nothing to say. */
  close(): Promise<void> {
    return this.#inOrder(() => this.#stop());
  }

  /** One message for the file, if a capture runs. */
  record(message: CapturedMessage): void {
    if (this.#file === undefined) return;
    const record = pcapRecord(message, this.#options.wallClock());
    if (record === undefined || this.#queued + record.length > LONGEST_QUEUE) {
      this.#drop();
      return;
    }
    this.#queue.push(record);
    this.#queued += record.length;
    this.#writing ??= this.#write(this.#file);
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #start(path: string | undefined): Promise<void> {
    const { open, onSwitch, log } = this.#options;
    if (this.#file !== undefined) {
      const name = printable(this.#file.path);
      log(notice('capture', `log_packet_restart: capture already active on file "${name}"`));
      return;
    }
    try {
      this.#file = await open(path ?? this.#path, pcapFileHeader());
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      log(failure('capture-failed', `log_packet_init: ${printable(fault.message)}`));
      return;
    }
    this.#path = this.#file.path;
    this.#dropped = 0;
    log(notice('capture', `log_packet_init: starting IKE packet capture to file "${printable(this.#path)}"`));
    onSwitch(true);
  }

  async #stop(): Promise<void> {
    this.#options.onSwitch(false);
    await this.#writing;
    // A failed write has ended it meanwhile.
    if (this.#file === undefined) return;
    await this.#end(this.#file);
    this.#options.log(notice('capture', 'log_packet_stop: stopped capture'));
    if (this.#dropped > 0) this.#tellDrops();
  }

  /** Until the queue is empty: what gathers during one write is the next one. Never rejects. */
  async #write(file: CaptureFile): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const bytes = Buffer.concat(this.#queue);
        this.#queue = [];
        await file.append(bytes);
        this.#queued -= bytes.length;
      }
    } catch (fault) {
      const cause = fault instanceof Error ? fault.message : String(fault);
      await this.#end(file);
      this.#options.onSwitch(false);
      const name = printable(file.path);
      this.#options.log(failure('capture-failed', `log_packet_iov: capture to file "${name}" ended: ${cause}`));
    }
    this.#writing = undefined;
  }

  async #end(file: CaptureFile): Promise<void> {
    this.#file = undefined;
    this.#queue = [];
    this.#queued = 0;
    await file.close().catch(() => undefined);
  }

  #drop(): void {
    this.#dropped++;
    if (this.#dropLines.take(this.#options.now())) this.#tellDrops();
  }

  #tellDrops(): void {
    const text = `log_packet_iov: ${this.#dropped} messages are missing in the capture: the disk is too slow` as const;
    this.#options.log(notice('capture-drops', text));
  }
}

/** Bytes: some ten thousand messages. */
const LONGEST_QUEUE = 8 * 2 ** 20;
