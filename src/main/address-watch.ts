/** Notices addresses and default routes that come and go (docs/adr/0005). */
import type { AddressBook, Interfaces } from '../shared/config/address-book.ts';

export interface AddressWatchOptions {
  readonly read: () => Interfaces;
  readonly book: Pick<AddressBook, 'setInterfaces'>;
  /** Called after a change, and at every look for which `isDue` says so. */
  readonly onChange: () => void;
  readonly isDue: () => boolean;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export class AddressWatch {
  readonly #options: AddressWatchOptions;
  #cancel: () => void;

  constructor(options: AddressWatchOptions) {
    this.#options = options;
    this.#cancel = options.schedule(INTERVAL, () => this.#look());
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const { read, book, onChange, isDue, schedule } = this.#options;
    this.#cancel = schedule(INTERVAL, () => this.#look());
    const isChanged = book.setInterfaces(read());
    if (isChanged || isDue()) onChange();
  }
}

/** ms */
const INTERVAL = 2000;
