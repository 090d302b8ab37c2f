/**
 * Which reqids are ours: a range that a daemon draws once and remembers in its run directory, so that its successor knows what a crash left behind, and
 * two daemons on one machine keep out of each other's way.
 */
import type { KernelBackend } from '../../kernel/backend.ts';
import type { ReqidRange } from '../../shared/flow.ts';

/** Where the journal is kept. */
export interface JournalFile {
  /** Undefined where there is none. Rejects with SystemError. */
  readonly read: () => Promise<string | undefined>;
  /** Rejects with SystemError. */
  readonly write: (text: string) => Promise<void>;
}

/** Of PF_KEY Linux keeps reqids up to 0x3fff in policies, and replaces larger ones by its own, which begin above. Others number from 1. */
const SPACES = {
  small: { ranges: 3, count: 4096 },
  large: { ranges: 2047, count: 2 ** 20 },
} as const;
type Space = keyof typeof SPACES;

const spaceOf = (kernel: KernelBackend['name']): Space => (kernel === 'pfkey' ? 'small' : 'large');

export class ReqidJournal {
  readonly #file: JournalFile;
  readonly #random: (below: number) => number;
  readonly #indices: Map<Space, number>;

  private constructor(file: JournalFile, random: (below: number) => number, indices: Map<Space, number>) {
    this.#file = file;
    this.#random = random;
    this.#indices = indices;
  }

  /** `random` draws a whole number from 0 to below its argument. What cannot be read as a journal counts as none. Rejects with SystemError. */
  static async open(file: JournalFile, random: (below: number) => number): Promise<ReqidJournal> {
    const indices = new Map<Space, number>();
    for (const [, name, number] of ((await file.read()) ?? '').matchAll(LINE)) {
      const space = name === 'small' || name === 'large' ? name : undefined;
      const index = Number(number);
      if (space !== undefined && index >= 1 && index <= SPACES[space].ranges) indices.set(space, index);
    }
    return new ReqidJournal(file, random, indices);
  }

  /** The range that a predecessor drew for this kernel, in which everything is ours; undefined where none did. */
  inherited(kernel: KernelBackend['name']): ReqidRange | undefined {
    const space = spaceOf(kernel);
    const index = this.#indices.get(space);
    return index === undefined ? undefined : rangeAt(space, index);
  }

  /** The ranges that predecessors drew for kernels of the other kind, in which they may have left something. */
  former(kernel: KernelBackend['name']): readonly ReqidRange[] {
    return Array.from(this.#indices)
      .filter(([space]) => space !== spaceOf(kernel))
      .map(([space, index]) => rangeAt(space, index));
  }

  /** A range at random, in which somebody else may be. */
  draw(kernel: KernelBackend['name']): ReqidRange {
    const space = spaceOf(kernel);
    return rangeAt(space, 1 + this.#random(SPACES[space].ranges));
  }

  /** Remembers a range for the successor. Rejects with SystemError. */
  async keep(kernel: KernelBackend['name'], { first, count }: ReqidRange): Promise<void> {
    this.#indices.set(spaceOf(kernel), first / count);
    await this.#file.write(Array.from(this.#indices, ([space, index]) => `${space} ${index}\n`).join(''));
  }
}

/** The first range begins at once its length: reqid 0 means none. */
const rangeAt = (space: Space, index: number): ReqidRange => {
  const { count } = SPACES[space];
  return { first: index * count, count };
};

const LINE = /^(small|large) ([0-9]{1,4})$/gm;
