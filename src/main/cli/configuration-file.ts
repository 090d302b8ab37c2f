/** The configuration file as text, or why there is none. */
import type { Privileged } from '../privileged/privileged.ts';

export type ConfigurationFile =
  | { readonly kind: 'text'; readonly text: string }
  /** No file is no fault: the built-in values count. */
  | { readonly kind: 'missing' }
  /** One sentence for the log; the file counts as missing. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads the file at `path`. Bytes that are no UTF-8 are refused: read as something else they would make another pre-shared key. */
export const readConfigurationFile = async (
  privileged: Pick<Privileged, 'readSecretFile'>,
  path: string,
): Promise<ConfigurationFile> => {
  const file = await privileged.readSecretFile(path);
  if (file.kind !== 'bytes') return file;
  const text = decode(file.bytes);
  if (text !== undefined) return { kind: 'text', text };
  const reason = `${path} is not read: line ${firstUndecodableLine(file.bytes)} is not UTF-8 text`;
  return { kind: 'refused', reason };
};

const firstUndecodableLine = (bytes: Uint8Array): number => {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0 || decode(bytes.subarray(start, end)) === undefined) return line;
    start = end + 1;
    line += 1;
  }
};

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (fault) {
    if (fault instanceof TypeError) return undefined;
    throw fault;
  }
};

const NEWLINE = 0x0a;
