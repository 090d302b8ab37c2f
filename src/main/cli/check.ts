/** `isakmpd --check`: reads the configuration file as the daemon would, and prints what it would have to say. */
import { readFileSync } from 'node:fs';
import { checkFile } from '../../shared/config/check-file.ts';
import type { Problem } from '../../shared/config/parse.ts';
import { printable } from '../../shared/log/printable.ts';
import { readSecretFile } from '../privileged/secret-file.ts';
import { codeOf } from '../privileged/system-fault.ts';
import { learnSystemNames } from '../system-names.ts';
import { readConfigurationFile } from './configuration-file.ts';

/** Answers the exit status: 0 nothing is wrong, 1 something is in error, 2 there are warnings only. */
export const checkConfiguration = async (
  path: string,
  output: { readonly write: (text: string) => unknown },
): Promise<number> => {
  const problems = await problemsOf(path);
  output.write(problems.map((problem) => `${lineOf(path, problem)}\n`).join(''));
  if (problems.some(({ severity }) => severity === 'error')) return 1;
  return problems.length > 0 ? 2 : 0;
};

/** A file that the daemon would not read for its permissions is checked all the same, where we can read it. */
const problemsOf = async (path: string): Promise<readonly Problem[]> => {
  const privileged = { readSecretFile: (name: string) => Promise.resolve(readSecretFile(name)) };
  const file = await readConfigurationFile(privileged, path);
  if (file.kind === 'text') return checkFile(file.text, learnSystemNames);
  if (file.kind === 'missing') return [error('there is no such file')];
  return [error(file.reason), ...checkFile(textOf(path), learnSystemNames)];
};

const error = (text: string): Problem => ({ line: 0, severity: 'error', text });

const textOf = (path: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (fault) {
    if (fault instanceof TypeError || codeOf(fault) !== undefined) return '';
    throw fault;
  }
};

const lineOf = (path: string, { line, severity, text }: Problem): string =>
  printable(`${path}${line === 0 ? '' : `:${line}`}: ${severity}: ${text}`);
