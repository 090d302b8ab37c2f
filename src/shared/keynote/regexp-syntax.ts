/** POSIX extended regular expressions (IEEE 1003.1 section 9.4) in the C locale: from text to a tree. */
import { RuntimeFault } from './arithmetic.ts';
import { ALL_BYTES, type ByteSet, bracketSet, oneByte } from './regexp-bracket.ts';

export type RegexpTree =
  | { readonly kind: 'bytes'; readonly set: ByteSet }
  | { readonly kind: 'empty' | 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly of: readonly RegexpTree[] }
  /** `index` from 1, in the order of the opening parentheses. */
  | { readonly kind: 'group'; readonly index: number; readonly of: RegexpTree }
  | { readonly kind: 'repeat'; readonly of: RegexpTree; readonly least: number; readonly most: number };

export interface Regexp {
  readonly root: RegexpTree;
  readonly groups: number;
}

/** Throws RuntimeFault, which is what RFC 2704 section 5.3.4 asks for a wrong expression. What POSIX leaves undefined is wrong here. */
export const parseRegexp = (pattern: string): Regexp => {
  const reader = new RegexpReader(pattern);
  const root = reader.choice(0);
  if (!reader.atEnd) throw new RuntimeFault('a regular expression closes a parenthesis that is not open');
  return { root, groups: reader.groups };
};

class RegexpReader {
  groups = 0;
  readonly #pattern: string;
  #at = 0;
  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get atEnd(): boolean {
    return this.#at >= this.#pattern.length;
  }

  choice(depth: number): RegexpTree {
    if (depth > MOST_NESTED) throw new RuntimeFault(`a regular expression has more than ${MOST_NESTED} nested groups`);
    const branches = [this.#branch(depth)];
    while (this.#take('|')) branches.push(this.#branch(depth));
    const [only] = branches;
    return branches.length === 1 && only !== undefined ? only : { kind: 'choice', of: branches };
  }

  #branch(depth: number): RegexpTree {
    const pieces: RegexpTree[] = [];
    while (!this.atEnd && !'|)'.includes(this.#next)) pieces.push(this.#piece(depth));
    if (pieces.length === 0) throw new RuntimeFault('a regular expression has an empty branch');
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : { kind: 'sequence', of: pieces };
  }

  #piece(depth: number): RegexpTree {
    const of = this.#atom(depth);
    const range = this.#repetition();
    if (range === undefined) return of;
    if (of.kind === 'start' || of.kind === 'end' || this.#repetition() !== undefined) {
      throw new RuntimeFault('a regular expression repeats an anchor or a repetition');
    }
    return { kind: 'repeat', of, ...range };
  }

  #atom(depth: number): RegexpTree {
    const character = this.#next;
    this.#at += 1;
    switch (character) {
      case '(':
        return this.#group(depth);
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'bytes', set: ALL_BYTES };
      case '[': {
        const { set, end } = bracketSet(this.#pattern, this.#at);
        this.#at = end;
        return { kind: 'bytes', set };
      }
      case '*':
      case '+':
      case '?':
        throw new RuntimeFault(`a regular expression has "${character}" behind nothing`);
      case '\\':
        return literal(this.#escaped());
      case '{':
        if (/^\d/.test(this.#next)) throw new RuntimeFault('a regular expression has an interval behind nothing');
        return literal(character);
      default:
        return literal(character);
    }
  }

  #group(depth: number): RegexpTree {
    this.groups += 1;
    const index = this.groups;
    if (this.#take(')')) return { kind: 'group', index, of: { kind: 'empty' } };
    const of = this.choice(depth + 1);
    if (!this.#take(')')) throw new RuntimeFault('a regular expression leaves a parenthesis open');
    return { kind: 'group', index, of };
  }

  #escaped(): string {
    const character = this.#next;
    // \1, \d and \w mean something elsewhere, but nothing in POSIX.
    if (character === '' || /[A-Za-z0-9]/.test(character)) {
      throw new RuntimeFault(`a regular expression has "\\${character}", which POSIX does not know`);
    }
    this.#at += 1;
    return character;
  }

  #repetition(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { least: 0, most: 1 };
    // A brace without a number behind it stands for itself.
    if (this.#next !== '{' || !/\d/.test(this.#pattern.charAt(this.#at + 1))) return undefined;
    const [whole, low = '', comma, high = ''] =
      /^\{(\d{1,3})(?:(,)(\d{0,3}))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 9)) ?? [];
    const least = Number(low);
    const most = comma === undefined ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    if (whole === undefined || most < least || least > MOST_REPEATED || (most > MOST_REPEATED && high !== '')) {
      throw new RuntimeFault(`a regular expression has a wrong interval; {0,${MOST_REPEATED}} is the largest`);
    }
    this.#at += whole.length;
    return { least, most };
  }

  get #next(): string {
    return this.#pattern.charAt(this.#at);
  }

  #take(character: string): boolean {
    if (this.#next !== character) return false;
    this.#at += 1;
    return true;
  }
}

const literal = (character: string): RegexpTree => ({ kind: 'bytes', set: oneByte(character.charCodeAt(0)) });

const MOST_NESTED = 50;

/** RE_DUP_MAX of POSIX. */
const MOST_REPEATED = 255;
