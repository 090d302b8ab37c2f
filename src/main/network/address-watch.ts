/** Notices addresses and default routes that come and go (docs/adr/0005). */
import type { AddressBook, Interfaces } from '../../shared/config/address-book.ts';

export interface AddressWatchOptions {
  readonly read: () => Interfaces;
  readonly book: Pick<AddressBook, 'setInterfaces'>;
  /** Called after every look; whether addresses or default routes are different now. */
  readonly onLook: (isChanged: boolean) => void;
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
    const { read, book, onLook, schedule } = this.#options;
    this.#cancel = schedule(INTERVAL, () => this.#look());
    onLook(book.setInterfaces(read()));
  }
}

/** ms */
const INTERVAL = 2000;
