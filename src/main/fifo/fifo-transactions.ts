/** The transaction of the FIFO: `C begin`, `C commit`, `C abort`. There is one for all writers, since the FIFO does not tell them apart. */
import { complaint } from '../../shared/fifo/commands.ts';
import { type Edit, Transaction } from '../../shared/fifo/transaction.ts';
import type { Texts } from '../../shared/log/events.ts';
import { notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

interface FifoTransactionOptions {
  /** Makes one edit. */
  readonly apply: (edit: Edit) => void;
  readonly log: (record: LogRecord) => void;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export class FifoTransactions {
  readonly #options: FifoTransactionOptions;
  #open: Transaction | undefined;
  #cancelTimeout: (() => void) | undefined;

  constructor(options: FifoTransactionOptions) {
    this.#options = options;
  }

  /** Makes the edit, or keeps it for the commit. */
  edit(edit: Edit): void {
    if (this.#open === undefined) this.#options.apply(edit);
    else {
      this.#open.add(edit);
      this.#keepOpen();
    }
  }

  /** Something between begin and commit could not be understood. */
  spoil(problem: string): void {
    this.#open?.spoil(problem);
  }

  begin(line: string): void {
    if (this.#open === undefined) {
      this.#open = new Transaction();
      this.#keepOpen();
    } else this.#say(complaint('ui_config', line, 'refused: a transaction is open already'));
  }

  commit(line: string): void {
    const transaction = this.#end();
    if (transaction === undefined) this.#say(complaint('ui_config', line, NONE_OPEN));
    else if (transaction.problem !== undefined) {
      this.#say(`ui_config: transaction refused, nothing of it is applied: ${transaction.problem}`);
    } else {
      // In one go: nobody, lanes included, sees the configuration in between.
      for (const edit of transaction.edits) this.#options.apply(edit);
      this.#say(`ui_config: transaction applied, edits: ${transaction.edits.length}`);
    }
  }

  abort(line: string): void {
    if (this.#open === undefined) this.#say(complaint('ui_config', line, NONE_OPEN));
    else this.drop('C abort');
  }

  /** Forgets an open transaction and says so. */
  drop(reason: string): void {
    const transaction = this.#end();
    if (transaction === undefined) return;
    this.#say(`ui_config: transaction dropped (${reason}), edits: ${transaction.edits.length}`);
  }

  /** A writer that died must not keep everybody else's edits waiting for ever. */
  #keepOpen(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = this.#options.schedule(PATIENCE, () =>
      this.drop(`no edit for ${PATIENCE / 1000} seconds, and no C commit`),
    );
  }

  #end(): Transaction | undefined {
    const transaction = this.#open;
    this.#open = undefined;
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
    return transaction;
  }

  #say(text: Texts['transaction']): void {
    this.#options.log(notice('transaction', text));
  }
}

/** ms */
const PATIENCE = 60_000;
const NONE_OPEN = 'refused: no transaction is open';
