/** Notices files of keys, certificates and CRLs that change (docs/adr/0012). */

export interface CredentialWatchOptions {
  /** Another text when a file was changed, came or went. */
  readonly stamp: () => Promise<string>;
  /** The stamp of what is in use. */
  readonly inUse: () => string;
  /** The files are others by now, and nobody is writing to them any more. Never rejects. */
  readonly onChange: () => Promise<void>;
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export class CredentialWatch {
  readonly #options: CredentialWatchOptions;
  #cancel: () => void;
  #last = '';
  #isClosed = false;

  constructor(options: CredentialWatchOptions) {
    this.#options = options;
    this.#cancel = this.#again();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #again(): () => void {
    return this.#options.schedule(INTERVAL, () => {
      void this.#look().finally(() => {
        if (!this.#isClosed) this.#cancel = this.#again();
      });
    });
  }

  /** Files that are different from the last look are still being written, or not all of them are there yet. */
  async #look(): Promise<void> {
    const { stamp, inUse, onChange } = this.#options;
    const now = await stamp();
    if (now === this.#last && now !== inUse()) await onChange();
    this.#last = now;
  }
}

/** ms */
const INTERVAL = 5000;
