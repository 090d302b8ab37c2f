/** getopt(3) forms made plain: clusters, attached arguments and `--` become one `--key` or `--key=argument` each, which yargs understands. */
import { dashed, type OptionRow } from './option-table.ts';

export type Normalised =
  | { readonly kind: 'arguments'; readonly list: readonly string[]; readonly operands: readonly string[] }
  /** What does not fit, for the line above the usage. */
  | { readonly kind: 'misuse'; readonly problem: string };

/**
 * Normalises `argv` (without program name) by the option table. As with getopt, an option's argument is the rest of its word or the whole next
 * word, whatever it looks like. Operands, also between options, are refused unless the program takes them: isakmpd has none.
 */
export const normalise = (
  argv: readonly string[],
  rows: readonly OptionRow[],
  { takesOperands }: { readonly takesOperands: boolean } = { takesOperands: false },
): Normalised => {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const list: string[] = [];
  const operands: string[] = [];
  let rest = argv;
  while (rest.length > 0) {
    const [word = '', ...following] = rest;
    if (word === '--' && (takesOperands || following.length === 0)) {
      operands.push(...following);
      break;
    }
    if (takesOperands && (word === '-' || !word.startsWith('-'))) {
      operands.push(word);
      rest = following;
      continue;
    }
    const found = word.startsWith('--') ? longOption(word, byKey) : cluster(word, byKey);
    const taken = typeof found === 'string' ? found : withArgument(found, following);
    if (typeof taken === 'string') return { kind: 'misuse', problem: taken };
    list.push(...taken.list);
    rest = taken.rest;
  }
  return { kind: 'arguments', list, operands };
};

/** One option of a word, and the argument where the word holds it. */
interface Found {
  readonly row: OptionRow;
  readonly attached: string | undefined;
}

/** Only the last option of a word can take the next word as its argument. */
const withArgument = (
  found: readonly Found[],
  following: readonly string[],
): { readonly list: readonly string[]; readonly rest: readonly string[] } | string => {
  const last = found.at(-1);
  if (last?.row.argument === undefined) return { list: found.map(plain), rest: following };
  const attached = last.attached ?? following[0];
  if (attached === undefined || attached === '') return `option requires an argument: ${dashed(last.row.key)}`;
  return {
    list: [...found.slice(0, -1).map(plain), plain({ row: last.row, attached })],
    rest: last.attached === undefined ? following.slice(1) : following,
  };
};

const plain = ({ row, attached }: Found): string =>
  attached === undefined ? `--${row.key}` : `--${row.key}=${attached}`;

const longOption = (word: string, byKey: ReadonlyMap<string, OptionRow>): readonly Found[] | string => {
  const end = word.indexOf('=');
  const key = end < 0 ? word.slice(2) : word.slice(2, end);
  if (key === '') return 'isakmpd takes no operands';
  const row = key.length > 1 ? byKey.get(key) : undefined;
  if (row === undefined) return `unknown option: --${key}`;
  if (end >= 0 && row.argument === undefined) return `option takes no argument: --${key}`;
  return [{ row, attached: end < 0 ? undefined : word.slice(end + 1) }];
};

const cluster = (word: string, byKey: ReadonlyMap<string, OptionRow>): readonly Found[] | string => {
  if (word === '-' || !word.startsWith('-')) return 'isakmpd takes no operands';
  const found: Found[] = [];
  for (let i = 1; i < word.length; i++) {
    const letter = word.charAt(i);
    const row = byKey.get(letter);
    if (row === undefined) return `unknown option: -${letter}`;
    if (row.argument !== undefined) {
      return [...found, { row, attached: i + 1 < word.length ? word.slice(i + 1) : undefined }];
    }
    found.push({ row, attached: undefined });
  }
  return found;
};
