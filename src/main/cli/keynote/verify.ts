/** `keynote verify`: the compliance value of a request. */
import {
  type Assertion,
  type Assertions,
  parseAssertions,
  parseCredentials,
} from '../../../shared/keynote/assertion.ts';
import { parseEnvironment } from '../../../shared/keynote/environment-file.ts';
import { LOCAL_LIMITS } from '../../../shared/keynote/limits.ts';
import { createPolicy } from '../../../shared/keynote/policy.ts';
import { query, rememberSignatures } from '../../../shared/keynote/query.ts';
import { SyntaxFault } from '../../../shared/keynote/syntax-fault.ts';
import type { KeynoteCommand } from './command-line.ts';
import { KeynoteFault, readBytes, readKey, type Terminal } from './files.ts';

/** The value goes to standard output; what decided, and what is wrong with assertions, to standard error. */
export const askPolicy = (command: KeynoteCommand & { readonly name: 'verify' }, terminal: Terminal): number => {
  const read = (path: string, parsed: Assertions): readonly Assertion[] => {
    for (const { line, text } of parsed.faults) terminal.complain(`keynote: ${path}:${line}: ${text}\n`);
    return parsed.assertions;
  };
  const local = command.localFiles.flatMap((path) => read(path, parseAssertions(readBytes(path))));
  const credentials = command.credentialFiles.flatMap((path) =>
    read(path, parseCredentials(Buffer.from(readBytes(path), 'latin1'), LOCAL_LIMITS)),
  );
  const attributes = new Map(command.environmentFiles.flatMap((path) => [...readEnvironment(path)]));
  for (const name of attributes.keys()) {
    if (name.startsWith('_'))
      terminal.complain(`keynote: ${name} is left out: names that begin with "_" are reserved\n`);
  }
  const result = query({
    policy: createPolicy(local),
    credentials,
    authorizers: command.keyFiles.map(readKey),
    attributes: (name) => attributes.get(name) ?? '',
    values: command.values,
    checkSignature: rememberSignatures(true),
    steps: MOST_STEPS,
  });
  terminal.print(`Query result = ${result.value}\n`);
  for (const text of [result.decision, ...result.warnings]) terminal.complain(`keynote: ${text}\n`);
  return 0;
};

const readEnvironment = (path: string): ReadonlyMap<string, string> => {
  try {
    return parseEnvironment(readBytes(path));
  } catch (fault) {
    if (!(fault instanceof SyntaxFault)) throw fault;
    throw new KeynoteFault(`${path}:${fault.line}: ${fault.message}`);
  }
};

/** The operator's own files: enough for any of them, and an end all the same. */
const MOST_STEPS = 1_000_000_000;
