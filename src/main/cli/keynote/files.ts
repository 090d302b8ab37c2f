/** What the commands of keynote(1) read and write: byte strings, keys in the width that is asked for, and its one kind of fault. */
import { closeSync, fchmodSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parsePrincipal } from '../../../shared/keynote/environment-file.ts';
import { SyntaxFault } from '../../../shared/keynote/syntax-fault.ts';
import { codeOf } from '../../privileged/system-fault.ts';

export interface Terminal {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** What the command cannot do, in words for the terminal. */
export class KeynoteFault extends Error {
  override readonly name = 'KeynoteFault';
}

/** Where a key or signature is printed: columns before each line, and characters of each line, quotes and backslash included. */
export interface Layout {
  readonly offset: number;
  readonly length: number;
}

/** The file as a byte string; undefined as a path stands for standard input. */
export const readBytes = (path: string | undefined): string =>
  attempted(`cannot read ${path ?? 'standard input'}`, () => readFileSync(path ?? 0, 'latin1'));

/** A key in double quotes, as keygen writes it, or (for private keys) a PEM file as it is. Faults do not quote it. */
export const readKey = (path: string): string => {
  const text = readBytes(path);
  if (text.includes('-----BEGIN')) return text;
  try {
    return parsePrincipal(text);
  } catch (fault) {
    if (!(fault instanceof SyntaxFault)) throw fault;
    throw new KeynoteFault(`${path}:${fault.line}: ${fault.message}`);
  }
};

/** A secret is for its owner only, also where the file was there before. "-" is the terminal. */
export const writeText = (path: string, text: string, isSecret: boolean, terminal: Terminal): void => {
  if (path === '-') {
    terminal.print(text);
    return;
  }
  attempted(`cannot write ${path}`, () => {
    const file = openSync(path, 'w', isSecret ? 0o600 : 0o666);
    try {
      if (isSecret) fchmodSync(file, 0o600);
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
  });
};

/** The text as a string literal on as many lines as it takes; `prefix` is not broken. Ends with a newline. */
export const foldedLiteral = (prefix: string, text: string, { offset, length }: Layout): string => {
  const indent = ' '.repeat(offset);
  const lines: string[] = [];
  let at = Math.max(length - prefix.length - 2, 0);
  lines.push(`${indent}"${prefix}${text.slice(0, at)}`);
  for (; at < text.length; at += length - 1) lines.push(indent + text.slice(at, at + length - 1));
  return `${lines.join('\\\n')}"\n`;
};

const attempted = <Result>(what: string, action: () => Result): Result => {
  try {
    return action();
  } catch (fault) {
    const code = codeOf(fault);
    if (code === undefined) throw fault;
    throw new KeynoteFault(`${what}: ${code}`);
  }
};
