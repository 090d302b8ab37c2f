/** Bracket expressions of POSIX regular expressions (IEEE 1003.1 section 9.3.5): byte order, the classes of the C locale. */
import { RuntimeFault } from './arithmetic.ts';

/** One entry per byte, 1 for a member. */
export type ByteSet = Uint8Array;

export const ALL_BYTES: ByteSet = new Uint8Array(256).fill(1);

export const oneByte = (byte: number): ByteSet => {
  const set = new Uint8Array(256);
  set[byte] = 1;
  return set;
};

/** The bracket expression whose "[" is before `start`, and the offset behind its "]". Throws RuntimeFault. */
export const bracketSet = (pattern: string, start: number): { readonly set: ByteSet; readonly end: number } => {
  const isComplement = pattern.charAt(start) === '^';
  const first = start + (isComplement ? 1 : 0);
  const members = new Uint8Array(256);
  let at = first;
  // A "]" that comes first is a member.
  while (pattern.charAt(at) !== ']' || at === first) {
    if (at >= pattern.length) throw wrong('is not closed');
    at = addItem(pattern, at, members);
  }
  return { set: isComplement ? members.map((member) => 1 - member) : members, end: at + 1 };
};

/** Adds the class, range or byte that begins at `at`; answers the offset behind it. */
const addItem = (pattern: string, at: number, members: ByteSet): number => {
  if (pattern.startsWith('[:', at)) {
    const end = pattern.indexOf(':]', at + 2);
    const bytes = CLASSES.get(end < 0 ? '' : pattern.slice(at + 2, end));
    if (bytes === undefined) throw wrong('names a class that does not exist');
    for (const byte of bytes) members[byte] = 1;
    return end + 2;
  }
  const low = element(pattern, at);
  const isRange = pattern.charAt(low.end) === '-' && !['', ']'].includes(pattern.charAt(low.end + 1));
  const high = isRange ? element(pattern, low.end + 1) : low;
  if (high.byte < low.byte) throw wrong('has a range that ends before it begins');
  members.fill(1, low.byte, high.byte + 1);
  return high.end;
};

/** A byte, also written [.x.] or [=x=]: in the C locale nothing collates with another. */
const element = (pattern: string, at: number): { readonly byte: number; readonly end: number } => {
  const mark = pattern.charAt(at + 1);
  if (pattern.charAt(at) !== '[' || (mark !== '.' && mark !== '='))
    return { byte: pattern.charCodeAt(at), end: at + 1 };
  if (!pattern.startsWith(`${mark}]`, at + 3)) throw wrong('names a collating element of more than one character');
  return { byte: pattern.charCodeAt(at + 2), end: at + 5 };
};

const wrong = (text: string): RuntimeFault => new RuntimeFault(`a bracket expression ${text}`);

/** The bytes of a class, from what it has among ASCII. */
const asciiBytes = (members: RegExp): readonly number[] =>
  Array.from({ length: 128 }, (_, byte) => byte).filter((byte) => members.test(String.fromCharCode(byte)));

const CLASSES: ReadonlyMap<string, readonly number[]> = new Map([
  ['alnum', asciiBytes(/[A-Za-z0-9]/)],
  ['alpha', asciiBytes(/[A-Za-z]/)],
  ['blank', asciiBytes(/[ \t]/)],
  ['cntrl', asciiBytes(/[^ -~]/)],
  ['digit', asciiBytes(/\d/)],
  ['graph', asciiBytes(/[!-~]/)],
  ['lower', asciiBytes(/[a-z]/)],
  ['print', asciiBytes(/[ -~]/)],
  ['punct', asciiBytes(/[!-/:-@[-`{-~]/)],
  ['space', asciiBytes(/[ \t\n\v\f\r]/)],
  ['upper', asciiBytes(/[A-Z]/)],
  ['xdigit', asciiBytes(/[A-Fa-f0-9]/)],
]);
