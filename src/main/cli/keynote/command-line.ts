/** The command line of keynote(1): a command, its options in getopt's forms, its operands. */
import yargs from 'yargs';
import { normalise } from '../../../shared/cli/getopt.ts';
import type { OptionRow } from '../../../shared/cli/option-table.ts';
import type { Layout } from './files.ts';

export type KeynoteCommand =
  | {
      readonly name: 'keygen';
      readonly algorithm: string;
      readonly bits: number;
      readonly publicFile: string;
      readonly privateFile: string;
      readonly layout: Layout;
    }
  | {
      readonly name: 'sign';
      readonly algorithm: string;
      readonly assertionFile: string;
      readonly keyFile: string;
      readonly layout: Layout;
      /** -v */
      readonly verifies: boolean;
    }
  /** Undefined: standard input. */
  | { readonly name: 'sigver'; readonly assertionFile: string | undefined }
  | {
      readonly name: 'verify';
      readonly environmentFiles: readonly string[];
      readonly localFiles: readonly string[];
      readonly keyFiles: readonly string[];
      readonly values: readonly string[];
      readonly credentialFiles: readonly string[];
    };

export type KeynoteLine =
  | { readonly kind: 'command'; readonly command: KeynoteCommand }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'misuse'; readonly problem: string; readonly usage: string };

/** Reads the command line (without node and program). */
export const parseKeynoteLine = async (argv: readonly string[]): Promise<KeynoteLine> => {
  const [name, ...rest] = argv;
  if (name === undefined || name === '-h' || name === '--help') return { kind: 'help', text: USAGE };
  const rows = OPTIONS.get(name);
  if (rows === undefined) return misuse(`there is no command "${name}"`);
  const normalised = normalise(rest, rows, { takesOperands: true });
  if (normalised.kind === 'misuse') return misuse(normalised.problem);
  const given = new Map(Object.entries(await parser(rows).parse([...normalised.list])));
  if (given.has('h')) return { kind: 'help', text: USAGE };
  const command = commandOf(name, given, normalised.operands);
  return typeof command === 'string' ? misuse(`${name}: ${command}`) : { kind: 'command', command };
};

const misuse = (problem: string): KeynoteLine => ({ kind: 'misuse', problem, usage: USAGE });

const parser = (rows: readonly OptionRow[]): ReturnType<typeof yargs> =>
  rows.reduce(
    (configured, row) =>
      configured.option(row.key, {
        type: row.argument === undefined ? 'boolean' : 'string',
        ...(row.isRepeatable ? { array: true, nargs: 1 } : {}),
      }),
    yargs()
      .help(false)
      .version(false)
      .exitProcess(false)
      .parserConfiguration({ 'parse-numbers': false, 'dot-notation': false, 'greedy-arrays': false }),
  );

/** A problem in words where operands or options do not fit. */
const commandOf = (
  name: string,
  given: ReadonlyMap<string, unknown>,
  operands: readonly string[],
): KeynoteCommand | string => {
  switch (name) {
    case 'keygen':
      return keygen(operands);
    case 'sign':
      return sign(operands, given.has('v'));
    case 'sigver':
      return operands.length > 1 ? 'one file at most is needed' : { name: 'sigver', assertionFile: operands[0] };
    default:
      return verify(given, operands);
  }
};

const keygen = (operands: readonly string[]): KeynoteCommand | string => {
  const [algorithm, size, publicFile, privateFile, ...columns] = operands;
  if (algorithm === undefined || size === undefined || publicFile === undefined || privateFile === undefined) {
    return 'an algorithm, a size and two files are needed';
  }
  const bits = naturalNumber(size);
  if (bits === undefined) return `"${size}" is no size in bits`;
  const layout = layoutOf(columns, algorithm);
  return typeof layout === 'string' ? layout : { name: 'keygen', algorithm, bits, publicFile, privateFile, layout };
};

const sign = (operands: readonly string[], verifies: boolean): KeynoteCommand | string => {
  const [algorithm, assertionFile, keyFile, ...columns] = operands;
  if (algorithm === undefined || assertionFile === undefined || keyFile === undefined) {
    return 'an algorithm, a file with an assertion and one with a private key are needed';
  }
  const layout = layoutOf(columns, algorithm);
  return typeof layout === 'string' ? layout : { name: 'sign', algorithm, assertionFile, keyFile, layout, verifies };
};

const verify = (given: ReadonlyMap<string, unknown>, credentialFiles: readonly string[]): KeynoteCommand | string => {
  const [values, more] = texts(given, 'r');
  if (values === undefined) return '-r is needed: the values from the lowest to the highest, with commas between them';
  if (more !== undefined) return 'there is more than one -r';
  const names = values.split(',');
  if (names.length < 2 || new Set(names).size < names.length) return '-r: two different values at least are needed';
  const localFiles = texts(given, 'l');
  if (localFiles.length === 0) return '-l is needed: a file with trusted assertions, one of them by "POLICY"';
  const keyFiles = texts(given, 'k');
  if (keyFiles.length === 0) return '-k is needed: a file with the principal that asks';
  return { name: 'verify', environmentFiles: texts(given, 'e'), localFiles, keyFiles, values: names, credentialFiles };
};

const texts = (given: ReadonlyMap<string, unknown>, key: string): readonly string[] => {
  const found = given.get(key);
  return Array.isArray(found) ? found.map(String) : found === undefined ? [] : [String(found)];
};

const layoutOf = (columns: readonly string[], algorithm: string): Layout | string => {
  const [first = '12', second = '50', ...others] = columns;
  const [offset, length] = [naturalNumber(first), naturalNumber(second)];
  if (others.length > 0) return 'there are too many operands';
  if (offset === undefined || offset > MOST_COLUMNS) return `"${first}" is no offset: 0 to ${MOST_COLUMNS} columns`;
  const least = algorithm.length + 2;
  if (length === undefined || length < least || length > MOST_COLUMNS) {
    return `"${second}" is no length of lines: ${least} (two more than the name of the algorithm) to ${MOST_COLUMNS}`;
  }
  return { offset, length };
};

const naturalNumber = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const MOST_COLUMNS = 10_000;

const repeated = (key: string, argument: string, help: string): OptionRow => ({
  key,
  argument,
  help,
  isRepeatable: true,
});

const OPTIONS: ReadonlyMap<string, readonly OptionRow[]> = new Map([
  ['keygen', []],
  ['sign', [{ key: 'v', argument: undefined, help: 'verify the new signature' }]],
  ['sigver', []],
  [
    'verify',
    [
      { key: 'h', argument: undefined, help: 'print the usage' },
      repeated('e', 'file', 'action attributes'),
      repeated('l', 'file', 'trusted assertions'),
      repeated('r', 'values', 'compliance values'),
      repeated('k', 'file', 'a principal that asks'),
    ],
  ],
]);

const USAGE = `usage: keynote keygen algorithm size public-file private-file [print-offset [print-length]]
       keynote sign [-v] algorithm assertion-file private-file [print-offset [print-length]]
       keynote sigver [assertion-file]
       keynote verify [-h] [-e file]... -l file... -r values -k file... [credential-file...]`;
