/** Packet capture, isakmpd(8) -L and `p`: one at a time, with a decryption table beside it where the format wants one. */
import { DECRYPTION_TABLE, decryptionTableHeader, decryptionTableLine } from '../../shared/capture/decryption-table.ts';
import type { CaptureFormat } from '../../shared/capture/formats.ts';
import type { CapturedMessage } from '../../shared/capture/packet.ts';
import { SystemError } from '../../shared/errors.ts';
import { printable } from '../../shared/log/printable.ts';
import { failure, notice } from '../../shared/log/records.ts';
import { TokenBucket } from '../../shared/log/token-bucket.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { CaptureFile } from '../privileged/capture-file.ts';
import { QueuedFile } from './queued-file.ts';

export interface CaptureOptions {
  readonly format: CaptureFormat;
  /** As Privileged.openCaptureFile. */
  readonly open: (path: string, header: Uint8Array) => Promise<CaptureFile>;
  /** Tells the lanes what to hand out. */
  readonly onSwitch: Lanes['capture'];
  readonly log: (record: LogRecord) => void;
  /** Microseconds of the wall clock. */
  readonly wallClock: () => number;
  /** ms on the monotonic clock. */
  readonly now: () => number;
}

export class Capture {
  readonly #options: CaptureOptions;
  readonly #dropLines = new TokenBucket({ burst: 1, perSecond: 1 / 60 });
  #files: Files | undefined;
  /** What `p on` without a path uses: the last one that worked. */
  #path: string;
  readonly #dropped = { messages: 0, keys: 0 };
  #last = Promise.resolve();

  constructor(options: CaptureOptions) {
    this.#options = options;
    this.#path = options.format.defaultName;
  }

  /** Starts a capture unless one runs; what is wrong with its files is logged. */
  start(path: string | undefined): Promise<void> {
    return this.#inOrder(() => this.#start(path));
  }

  /** Ends the capture when all is written that was recorded. */
  stop(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#files === undefined) this.#options.log(notice('capture', 'log_packet_stop: no capture is active'));
      else await this.#stop(this.#files);
    });
  }

  /** As `stop`, for the end of the daemon: without a capture there is nothing to say. */
  close(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#files !== undefined) await this.#stop(this.#files);
    });
  }

  /** One message for the file, if a capture runs. */
  record(message: CapturedMessage): void {
    if (this.#files === undefined) return;
    const record = this.#options.format.record(message, this.#options.wallClock());
    if (record === undefined || !this.#files.messages.add(record)) this.#drop('messages');
  }

  /** The key of one ISAKMP SA for the table, if a capture with one runs. The key stays the caller's. */
  recordKey(initiatorCookie: Uint8Array, key: Uint8Array): void {
    const table = this.#files?.keys;
    if (table !== undefined && !table.add(decryptionTableLine(initiatorCookie, key))) this.#drop('keys');
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #start(path: string | undefined): Promise<void> {
    const { format, onSwitch, log } = this.#options;
    if (this.#files !== undefined) {
      const name = printable(this.#files.messages.path);
      log(notice('capture', `log_packet_restart: capture already active on file "${name}"`));
      return;
    }
    try {
      this.#files = await this.#open(path ?? this.#path);
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      log(failure('capture-failed', `log_packet_init: ${printable(fault.message)}`));
      return;
    }
    const { messages, keys } = this.#files;
    this.#path = messages.path;
    this.#dropped.messages = 0;
    this.#dropped.keys = 0;
    log(notice('capture', `log_packet_init: starting IKE packet capture to file "${printable(messages.path)}"`));
    if (keys !== undefined) {
      log(notice('capture', `log_packet_init: file "${printable(keys.path)}" gets the key of every ISAKMP SA`));
    }
    onSwitch({ withKeys: format.withKeys });
  }

  /** Both files, or none. Rejects with SystemError. */
  async #open(path: string): Promise<Files> {
    const { format, open } = this.#options;
    const file = await open(path, format.header());
    try {
      const table = format.withKeys ? await open(file.path + DECRYPTION_TABLE, decryptionTableHeader()) : undefined;
      return { messages: this.#queued(file), keys: table && this.#queued(table) };
    } catch (fault) {
      await file.close().catch(() => undefined);
      throw fault;
    }
  }

  #queued(file: CaptureFile): QueuedFile {
    return new QueuedFile(file, (path, cause) => this.#fail(path, cause));
  }

  async #stop(files: Files): Promise<void> {
    if (!(await this.#end(files))) return;
    this.#options.log(notice('capture', 'log_packet_stop: stopped capture'));
    this.#tellDrops();
  }

  /** A file cannot be written: the capture ends unless it has. */
  #fail(path: string, cause: string): void {
    const name = printable(path);
    this.#options.log(failure('capture-failed', `log_packet_iov: capture to file "${name}" ended: ${cause}`));
    if (this.#files === undefined) return;
    const ended = this.#end(this.#files);
    // Whatever is asked for next finds the files closed.
    this.#last = Promise.all([this.#last, ended]).then(() => undefined);
  }

  /** Answers whether all has been written; if not, that has been told. */
  async #end({ messages, keys }: Files): Promise<boolean> {
    this.#files = undefined;
    this.#options.onSwitch(undefined);
    const areWhole = await Promise.all([messages.close(), keys?.close()]);
    return !areWhole.includes(false);
  }

  #drop(what: 'messages' | 'keys'): void {
    this.#dropped[what]++;
    if (this.#dropLines.take(this.#options.now())) this.#tellDrops();
  }

  #tellDrops(): void {
    const { messages, keys } = this.#dropped;
    const { log } = this.#options;
    if (messages > 0) {
      const text = `log_packet_iov: ${messages} messages are missing in the capture: the disk is too slow` as const;
      log(notice('capture-drops', text));
    }
    if (keys > 0) {
      const text = `log_packet_iov: ${keys} keys are missing in the decryption table: the disk is too slow` as const;
      log(notice('capture-drops', text));
    }
  }
}

interface Files {
  readonly messages: QueuedFile;
  /** The decryption table. */
  readonly keys: QueuedFile | undefined;
}
