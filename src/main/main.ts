/** The program: its command line, and what that asks for, loaded when it is known. bin/isakmpd imports it after the signal handlers. */
import { readFileSync } from 'node:fs';
import { type Options, parseCommandLine } from './cli/options.ts';
import { startInBackground, takeStartReport } from './process/background.ts';
import { processTitle } from './process/process-title.ts';

/** Answers the exit status. */
const main = async (): Promise<number> => {
  const [first, ...words] = process.argv.slice(2);
  if (first === 'pki') return (await import('./cli/pki/run.ts')).runPki(words, TERMINAL);
  const commandLine = await parseCommandLine(process.argv.slice(2), version());
  if (commandLine.kind === 'run') return run(commandLine.options);
  const isRefused = commandLine.kind === 'refused';
  (isRefused ? process.stderr : process.stdout).write(`${commandLine.text}\n`);
  return isRefused ? 1 : 0;
};

const run = async (options: Options): Promise<number> => {
  if (options.checkOnly) {
    const { checkConfiguration } = await import('./cli/check.ts');
    return checkConfiguration(options.configurationFile, process.stdout, options.policy);
  }
  const report = takeStartReport();
  if (options.foreground === 0 && report === undefined) return startInBackground(options);
  process.title = processTitle(process.argv.slice(2));
  // Paths are absolute by now.
  if (report !== undefined) process.chdir('/');
  const { start } = await import('./start.ts');
  return start(options, report);
};

const version = (): string => {
  const packageJson: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof packageJson === 'object' && packageJson !== null && 'version' in packageJson
    ? String(packageJson.version)
    : 'unknown';
};

const TERMINAL = {
  print: (text: string) => void process.stdout.write(text),
  complain: (text: string) => void process.stderr.write(text),
};

process.exit(await main());
