/** The command line of `isakmpd pki`: a command with its operands and options, as the table has them, read by yargs. */
import yargs, { type Argv } from 'yargs';
import {
  PKI_COMMANDS,
  PKI_COMMON,
  type PkiCommandName,
  type PkiCommandRow,
  type PkiOptionRow,
} from '../../../shared/cli/pki-table.ts';
import { InvariantError } from '../../../shared/errors.ts';
import { CURVES, type KeyWish, RSA_SIZES } from '../../../shared/pki/key-pair.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';

export type PkiLine =
  | { readonly kind: 'command'; readonly command: PkiCommand }
  | { readonly kind: 'help'; readonly text: string };

export interface PkiCommand {
  readonly name: PkiCommandName;
  /** What an option or an operand was given, in order. */
  readonly texts: (key: string) => readonly string[];
  /** The last of them. */
  readonly text: (key: string) => string | undefined;
  readonly isForced: boolean;
}

/** Reads the words behind `isakmpd pki`. Throws PkiFault where they are no command. */
export const parsePkiLine = async (argv: readonly string[]): Promise<PkiLine> => {
  let chosen: PkiCommandName | undefined;
  let help = '';
  const choose = (name: PkiCommandName): void => {
    chosen = name;
  };
  const parser = PKI_COMMANDS.reduce((so, row) => so.command(commandOf(row, choose)), prepared(yargs(), argv));
  const words = argv.length === 0 ? ['--help'] : [...argv];
  const parsed: unknown = await parser.parse(words, {}, (_fault, _argv, output) => {
    help = output;
  });
  if (help !== '') return { kind: 'help', text: help };
  const given = new Map(Object.entries(Object(parsed)));
  if (chosen === undefined) throw new InvariantError('yargs let a missing command through');
  return { kind: 'command', command: commandFrom(chosen, given) };
};

/** What key the options ask for. Throws PkiFault. */
export const keyWish = (command: PkiCommand, fallback: KeyWish): KeyWish => {
  const curve = CURVES.find((known) => known === command.text('ec'));
  const bits = command.text('bits');
  if (curve !== undefined && bits !== undefined)
    throw misuse('--bits is for RSA, --ec for ECDSA: one of them', command.name);
  if (curve !== undefined) return { kind: 'ec', curve };
  return bits === undefined ? fallback : { kind: 'rsa', bits: numberIn('bits', bits, RSA_SIZES, command.name) };
};

/** --days. Throws PkiFault. */
export const daysOf = (command: PkiCommand, fallback: number): number => {
  const text = command.text('days');
  return text === undefined ? fallback : numberIn('days', text, DAYS, command.name);
};

/** What is wrong with the words, and where to look. */
export const misuse = (problem: string, name: string | undefined): PkiFault =>
  new PkiFault(`${problem} (isakmpd pki ${name === undefined ? '' : `${name} `}--help)`);

const numberIn = (key: string, text: string, { least, most }: typeof DAYS, name: string): number => {
  const number = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw misuse(`--${key}: "${text}" is no number from ${least} to ${most}`, name);
  return number;
};

const prepared = (parser: Argv, argv: readonly string[]): Argv =>
  PKI_COMMON.reduce(addOption, parser)
    .scriptName('isakmpd pki')
    .usage('isakmpd pki: keys, certificates and CRLs for isakmpd(8)\n\nusage: $0 <command> [option...]')
    .help('help', 'print this and exit')
    .version(false)
    .exitProcess(false)
    .strict()
    .demandCommand(1, 'a command is needed')
    .locale('en')
    .fail((problem: string | null, fault: Error | undefined) => {
      if (problem === null) throw fault;
      throw misuse(oneLine(problem), PKI_COMMANDS.find(({ name }) => argv.includes(name))?.name);
    })
    .wrap(null)
    .parserConfiguration(PLAIN);

const oneLine = (text: string): string => {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' ');
  return `${line.charAt(0).toLowerCase()}${line.slice(1)}`;
};

const commandOf = ({ name, operands, help, options }: PkiCommandRow, choose: (name: PkiCommandName) => void) => ({
  command: operands === '' ? name : `${name} ${operands}`,
  describe: help,
  builder: (parser: Argv) =>
    [...operands.matchAll(/[<[]([a-z-]+)(\.\.)?[>\]]/g)].reduce(
      (so, [, operand = '']) => so.positional(operand, { type: 'string' }),
      options.reduce(addOption, parser),
    ),
  handler: () => choose(name),
});

const addOption = (parser: Argv, row: PkiOptionRow): Argv =>
  parser.option(row.key, {
    describe: row.argument === undefined ? row.help : `${row.argument}: ${row.help}`,
    type: row.argument === undefined ? 'boolean' : 'string',
    requiresArg: row.argument !== undefined,
    ...(row.letter === undefined ? {} : { alias: row.letter }),
    ...(row.choices === undefined ? {} : { choices: row.choices }),
    ...(row.isRepeatable ? { array: true, nargs: 1 } : {}),
  });

const commandFrom = (name: PkiCommandName, given: ReadonlyMap<string, unknown>): PkiCommand => {
  const texts = (key: string): readonly string[] => {
    const found = given.get(key);
    return Array.isArray(found) ? found.map(String) : found === undefined ? [] : [String(found)];
  };
  return { name, texts, text: (key) => texts(key).at(-1), isForced: given.get('force') === true };
};

/** yargs would guess what keys and numbers mean. */
const PLAIN = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
};
const DAYS = { least: 1, most: 36_500 };
