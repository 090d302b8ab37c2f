/** `C begin` to `C commit`: edits of the configuration that are made all at once or not at all. Pure. */
import type { Command } from './commands.ts';

/** The commands that change the configuration. */
export type Edit = Extract<Command, { readonly kind: 'set' | 'add' | 'removeValue' | 'remove' | 'removeSection' }>;

/** Edits of one transaction, at most: they are made in one go, and the daemon does nothing else meanwhile. */
export const MOST_EDITS = 100_000;

/** What was said between `C begin` and `C commit`. */
export class Transaction {
  readonly #edits: Edit[] = [];
  #problem: string | undefined;

  /** In the order in which they came. */
  get edits(): readonly Edit[] {
    return this.#edits;
  }

  /** Why nothing of it may be applied: the first thing that went wrong. Undefined: nothing did. */
  get problem(): string | undefined {
    return this.#problem;
  }

  add(edit: Edit): void {
    if (this.#edits.length < MOST_EDITS) this.#edits.push(edit);
    else this.spoil(`it has more than ${MOST_EDITS} edits`);
  }

  /** A line in it cannot be carried out. */
  spoil(problem: string): void {
    this.#problem ??= problem;
  }
}

/** Whether a command changes the configuration. */
export const isEdit = (command: Command): command is Edit => EDITS.has(command.kind);

const EDITS: ReadonlySet<Command['kind']> = new Set(['set', 'add', 'removeValue', 'remove', 'removeSection']);
