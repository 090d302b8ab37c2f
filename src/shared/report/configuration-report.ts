/** The `conf_report` lines: what the file and the FIFO wrote, without secrets. */
import { fold } from '../config/case-fold.ts';
import { nearestName } from '../config/nearest.ts';
import { SECTION_KINDS } from '../config/sections.ts';
import type { TagValue } from '../config/store.ts';
import { printable } from '../log/printable.ts';

export interface WrittenSection {
  readonly name: string;
  readonly tags: readonly TagValue[];
}

/** Sections in the order in which they were written; a blank line between two of them, as in the original. */
export function* configurationReport(sections: Iterable<WrittenSection>): Generator<string, void> {
  yield 'conf_report: dumping running configuration';
  let isFirst = true;
  for (const { name, tags } of sections) {
    if (!isFirst) yield '';
    isFirst = false;
    yield `[${printable(name)}]`;
    for (const { tag, value } of tags) yield `${printable(tag)}=\t${printable(maskedValue(tag, value))}`;
  }
}

/**
 * The value, or `***` for a secret (decisions: no key material in any report). A tag that nobody knows but that looks like a misspelt secret's
 * is treated as one.
 */
export const maskedValue = (tag: string, value: string): string => (isSecret(tag) ? MASK : value);

const MASK = '***';

const isSecret = (tag: string): boolean => {
  const key = fold(tag);
  if (SECRET_TAGS.has(key)) return true;
  if (KNOWN_TAGS.has(key)) return false;
  return nearestName(tag, SECRET_TAGS) !== undefined;
};

const tagsOf = (isWanted: (kind: string) => boolean): ReadonlySet<string> =>
  new Set(
    Object.values(SECTION_KINDS).flatMap(({ tags }) =>
      tags.filter(({ kind }) => isWanted(kind)).map(({ name }) => fold(name)),
    ),
  );
const SECRET_TAGS = tagsOf((kind) => kind === 'secret');
const KNOWN_TAGS = tagsOf(() => true);
