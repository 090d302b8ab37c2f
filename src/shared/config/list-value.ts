/** Values that are comma separated lists: split, and edited member by member without being joined each time. */

/** The members of a list as written; blanks around them and empty ones do not count. */
export const splitList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');

/** One value of the configuration. */
export interface StoredValue {
  /** The tag as it was first written. */
  readonly tag: string;
  readonly value: string;
  /** Of the file that it comes from; 0: it comes from elsewhere. */
  readonly line: number;
}

/** What a value becomes when a member is first added or removed: 10,000 `C add` cost no 10,000 joins. */
export class ListValue implements StoredValue {
  readonly tag: string;
  readonly line: number;
  readonly #members: Set<string>;
  #text: string | undefined;

  constructor({ tag, value, line }: StoredValue) {
    this.tag = tag;
    this.line = line;
    this.#members = new Set(splitList(value));
    this.#text = value;
  }

  get value(): string {
    this.#text ??= [...this.#members].join(',');
    return this.#text;
  }

  /** False where the very same member is there already. */
  add(member: string): boolean {
    if (this.#members.has(member)) return false;
    this.#members.add(member);
    this.#text = undefined;
    return true;
  }

  /** False where it is not there. */
  remove(member: string): boolean {
    if (!this.#members.delete(member)) return false;
    this.#text = undefined;
    return true;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }
}
