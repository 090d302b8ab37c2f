/** `keynote keygen`: a new pair of keys. */
import { makeKeys } from '../../../shared/keynote/signing.ts';
import type { KeynoteCommand } from './command-line.ts';
import { foldedLiteral, KeynoteFault, type Terminal, writeText } from './files.ts';

export const generateKeys = (command: KeynoteCommand & { readonly name: 'keygen' }, terminal: Terminal): number => {
  const algorithm = withColon(command.algorithm, terminal);
  const made = makeKeys(algorithm, command.bits);
  if (made.kind === 'impossible') throw new KeynoteFault(made.reason);
  const { publicFile, privateFile, layout } = command;
  const { publicKey, privateKey } = made.result;
  const literal = (text: string): string => {
    const digits = text.indexOf(':') + 1;
    return foldedLiteral(text.slice(0, digits), text.slice(digits), layout);
  };
  writeText(publicFile, literal(publicKey), false, terminal);
  if (publicFile === '-' && privateFile === '-') terminal.print('===========================\n');
  writeText(privateFile, literal(privateKey), true, terminal);
  return 0;
};

/** The name of an algorithm ends with a colon. */
export const withColon = (algorithm: string, terminal: Terminal): string => {
  if (algorithm.endsWith(':')) return algorithm;
  terminal.complain(`Algorithm name [${algorithm}] should be terminated with a colon, fixing.\n`);
  return `${algorithm}:`;
};
