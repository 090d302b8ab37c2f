/** Values that are comma separated lists: split, and edited member by member without being joined each time. */

/** The members of a list as written; blanks around them and empty ones do not count. */
export const splitList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');

/** One value of the configuration. It becomes a list when a member is first added or removed: 10,000 `C add` cost no 10,000 joins. */
export class StoredValue {
  /** The tag as it was first written. */
  readonly tag: string;
  /** Of the file that it comes from; 0: it comes from elsewhere. */
  readonly line: number;
  #text: string | undefined;
  #members: Set<string> | undefined;

  constructor(tag: string, text: string, line = 0) {
    this.tag = tag;
    this.line = line;
    this.#text = text;
  }

  get text(): string {
    this.#text ??= [...(this.#members ?? [])].join(',');
    return this.#text;
  }

  /** False where the very same member is there already. */
  add(member: string): boolean {
    const members = this.#asList();
    if (members.has(member)) return false;
    members.add(member);
    this.#text = undefined;
    return true;
  }

  /** False where it is not there. */
  remove(member: string): boolean {
    if (!this.#asList().delete(member)) return false;
    this.#text = undefined;
    return true;
  }

  get isEmptyList(): boolean {
    return this.#asList().size === 0;
  }

  #asList(): Set<string> {
    this.#members ??= new Set(splitList(this.text));
    return this.#members;
  }
}
