/** The command line: getopt forms normalised, parsed by yargs, checked, and turned into one record. Touches nothing but /etc/services. */
import { join, resolve } from 'node:path';
import yargs, { type Argv } from 'yargs';
import { CAPTURE_FORMATS } from '../../shared/capture/formats.ts';
import { normalise } from '../../shared/cli/getopt.ts';
import { OPTIONS, type OptionRow, usage } from '../../shared/cli/option-table.ts';
import { parsePort } from '../../shared/cli/port.ts';
import { readTable } from '../network/system-names.ts';

export interface Options {
  readonly families: readonly (4 | 6)[];
  readonly configurationFile: string;
  /** How often -d was given; exactly once also makes SIGINT a clean shutdown. */
  readonly foreground: number;
  /** Absolute; undefined: commands come from standard input. */
  readonly fifo: string | undefined;
  readonly pidFile: string;
  readonly resultFile: string;
  readonly runDirectory: string;
  readonly port: number;
  /** Port of encapsulated IKE; undefined: none, by -T. */
  readonly encapsulationPort: number | undefined;
  /** -a */
  readonly acquireOnly: boolean;
  /** -D, each as given. */
  readonly debug: readonly string[];
  /** Absolute: -l, or the default file of -L; undefined: nothing is captured from the start. */
  readonly captureFile: string | undefined;
  readonly captureFormat: keyof typeof CAPTURE_FORMATS;
  /** Absolute. */
  readonly reportFile: string;
  /** -S */
  readonly startsPassive: boolean;
  /** --check */
  readonly checkOnly: boolean;
  readonly logFormat: 'text' | 'json';
  /** False: -K. */
  readonly policy: boolean;
  /** False: -n. */
  readonly kernel: boolean;
  /** --allow-userland */
  readonly allowsUserland: boolean;
  readonly verbose: boolean;
  /** Undefined: as many as there are processors. */
  readonly workers: number | undefined;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly options: Options }
  /** Help or version, for standard output; exit status 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** For standard error; exit status 1. */
  | { readonly kind: 'refused'; readonly text: string };

/** Reads the command line `argv` (without node and program). */
export const parseCommandLine = async (argv: readonly string[], version: string): Promise<CommandLine> => {
  const normalised = normalise(argv, OPTIONS);
  if (normalised.kind === 'misuse') return refused(`${normalised.problem}\n${usage(OPTIONS)}`);
  const parser = configured(yargs([...normalised.list]));
  const given: Given = new Map(Object.entries(await parser.parse()));
  if (given.has('help')) return { kind: 'print', text: await parser.getHelp() };
  if (given.has('version')) return { kind: 'print', text: version };
  return checked(given);
};

const configured = (parser: Argv): Argv => OPTIONS.reduce(addOption, prepared(parser));

/** yargs would claim help and version for itself, and guess what keys and numbers mean. */
const prepared = (parser: Argv): Argv =>
  parser
    .help(false)
    .version(false)
    .exitProcess(false)
    .usage('isakmpd: ISAKMP/Oakley a.k.a. IKEv1 key management daemon')
    .epilogue('isakmpd pki --help: keys, certificates and CRLs')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
    });

const addOption = (parser: Argv, row: OptionRow): Argv =>
  parser.option(row.key, {
    describe: `${row.argument === undefined ? '' : `${row.argument}: `}${row.help}`,
    ...(row.key === 'd' ? { count: true } : { type: row.argument === undefined ? 'boolean' : 'string' }),
    ...(row.isRepeatable ? { array: true, nargs: 1 } : {}),
    requiresArg: row.argument !== undefined,
  });

/** What yargs found, by the keys of the option table; options that were not given are absent. */
type Given = ReadonlyMap<string, unknown>;

const checked = (given: Given): CommandLine => {
  const services = readTable('/etc/services');
  const port = parsePort(textOf(given, 'p') ?? '500', services);
  if (port.kind === 'refused') return refused(`-p: ${port.reason}`);
  const encapsulation = parsePort(textOf(given, 'N') ?? '4500', services);
  if (encapsulation.kind === 'refused') return refused(`-N: ${encapsulation.reason}`);
  if (port.port === encapsulation.port) return refused(`-p and -N name the same port ${port.port}`);
  const workers = textOf(given, 'workers');
  if (workers !== undefined && !isWorkerCount(workers)) return refused('--workers: a number from 1 to 128 is needed');
  const captureFormat = oneOf(given, 'capture-format', ['pcap', 'pcapng']);
  if (captureFormat === undefined) return refused('--capture-format: pcap or pcapng');
  const logFormat = oneOf(given, 'log-format', ['text', 'json']);
  if (logFormat === undefined) return refused('--log-format: text or json');
  const foreground = given.get('d');
  return {
    kind: 'run',
    options: {
      families: families(given),
      configurationFile: resolve(textOf(given, 'c') ?? '/etc/isakmpd/isakmpd.conf'),
      foreground: typeof foreground === 'number' ? foreground : 0,
      ...runFiles(given, captureFormat),
      port: port.port,
      encapsulationPort: given.has('T') ? undefined : encapsulation.port,
      acquireOnly: given.has('a'),
      debug: textsOf(given, 'D'),
      captureFormat,
      startsPassive: given.has('S'),
      checkOnly: given.has('check'),
      logFormat,
      policy: !given.has('K'),
      kernel: !given.has('n'),
      allowsUserland: given.has('allow-userland'),
      verbose: given.has('v'),
      workers: workers === undefined ? undefined : Number(workers),
    },
  };
};

const families = (given: Given): Options['families'] => {
  if (given.has('4') === given.has('6')) return [4, 6];
  return [given.has('4') ? 4 : 6];
};

type RunFileOptions = Pick<Options, 'fifo' | 'pidFile' | 'resultFile' | 'reportFile' | 'captureFile' | 'runDirectory'>;

const runFiles = (given: Given, format: Options['captureFormat']): RunFileOptions => {
  const runDirectory = resolve(textOf(given, 'run-dir') ?? '/var/run');
  const fifo = textOf(given, 'f');
  return {
    fifo: fifo === '-' ? undefined : resolve(fifo ?? join(runDirectory, 'isakmpd.fifo')),
    pidFile: resolve(textOf(given, 'i') ?? join(runDirectory, 'isakmpd.pid')),
    resultFile: join(runDirectory, 'isakmpd.result'),
    reportFile: resolve(textOf(given, 'R') ?? join(runDirectory, 'isakmpd.report')),
    captureFile: captureFile(given, runDirectory, format),
    runDirectory,
  };
};

/** -l implies -L. */
const captureFile = (given: Given, runDirectory: string, format: Options['captureFormat']): string | undefined => {
  const named = textOf(given, 'l');
  if (named !== undefined) return resolve(named);
  return given.has('L') ? join(runDirectory, CAPTURE_FORMATS[format].defaultName) : undefined;
};

const textsOf = (given: Given, key: string): readonly string[] => {
  const values = given.get(key);
  return Array.isArray(values) ? values.map(String) : [];
};

/** One of the words, the first where the option was not given; undefined: something else was given. */
const oneOf = <const T extends string>(given: Given, key: string, words: readonly [T, ...T[]]): T | undefined => {
  const value = textOf(given, key) ?? words[0];
  return words.find((word) => word === value);
};

const textOf = (given: Given, key: string): string | undefined => {
  const value = given.get(key);
  // Of an option that was repeated, the last counts.
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
};

const refused = (text: string): CommandLine => ({ kind: 'refused', text: `isakmpd: ${text}` });

const isWorkerCount = (text: string): boolean => /^[0-9]{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 128;
