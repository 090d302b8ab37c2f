/** One tag of a section, read by its row; what is wrong becomes a ConfigError that names section, tag, value and what would be right. */
import type { ConfigError } from '../errors.ts';
import { fold } from './case-fold.ts';
import { type Finding, faultAt, placeOf, warningAt } from './finding.ts';
import type { ConfigurationReader } from './reader.ts';
import type { Tag } from './schema.ts';

/** The value, or the row's default where the tag is absent. */
export const readTag = <T>(reader: ConfigurationReader, section: string, row: Tag<T>): T => {
  const given = reader.get(section, row.key);
  if (given === undefined) return row.fallback;
  const value = row.parse(given);
  if (value === undefined) throw wrongValue(section, row, given, `it is ${row.wants}`);
  return value;
};

/** The value of a tag that has to be there. */
export const requireTag = <T>(reader: ConfigurationReader, section: string, row: Tag<T | undefined>): T => {
  const value = readTag(reader, section, row);
  if (value !== undefined) return value;
  const what = reader.exists(section) ? `it is ${row.wants}` : 'there is no such section';
  throw faultAt(placeOf(section, row.name), `is missing: ${what}`);
};

/** A protocol by number or name. */
export const readProtocol = (reader: ConfigurationReader, section: string, row: Tag<number | string>): number =>
  numbered(
    reader,
    section,
    row,
    (name) => reader.protocolNumber(name),
    'there is no protocol of this name in /etc/protocols',
  );

/** A port by number or name of a service. */
export const readPort = (reader: ConfigurationReader, section: string, row: Tag<number | string>): number =>
  numbered(
    reader,
    section,
    row,
    (name) => reader.serviceNumber(name),
    'there is no service of this name in /etc/services',
  );

const numbered = (
  reader: ConfigurationReader,
  section: string,
  row: Tag<number | string>,
  numberOf: (name: string) => number | undefined,
  reason: string,
): number => {
  const value = readTag(reader, section, row);
  const number = typeof value === 'number' ? value : numberOf(value);
  if (number === undefined) throw refusedValue(reader, section, row, reason);
  return number;
};

/** A complaint about a value; a secret is not repeated. */
export const wrongValue = (section: string, row: Tag<unknown>, given: string, reason: string): ConfigError =>
  faultAt(placeOf(section, row.name), `cannot be ${row.kind === 'secret' ? 'this' : `"${given}"`}: ${reason}`);

/** The same for the value that is there now. */
export const refusedValue = (
  reader: ConfigurationReader,
  section: string,
  row: Tag<unknown>,
  reason: string,
): ConfigError => wrongValue(section, row, reader.get(section, row.name) ?? row.fallbackText ?? '', reason);

/** Refuses a section that has a tag which would mean something, but is not there yet. */
export const refuseNotYet = (
  reader: ConfigurationReader,
  section: string,
  rows: Readonly<Record<string, Tag<unknown>>>,
): void => {
  for (const { name, key, notYet } of Object.values(rows)) {
    if (notYet === undefined || reader.get(section, key) === undefined) continue;
    throw faultAt(placeOf(section, name), `is not supported yet: ${notYet}`);
  }
};

/** The flags of a section, folded. An unknown one is a warning, one that is not there yet refuses the section. */
export const readFlags = (
  reader: ConfigurationReader,
  section: string,
  row: Tag<readonly string[]>,
  known: readonly Tag<unknown>[],
  findings: Finding[],
): ReadonlySet<string> => {
  const flags = new Set<string>();
  for (const name of readTag(reader, section, row)) {
    const found = known.find((candidate) => fold(candidate.name) === fold(name));
    if (found?.notYet !== undefined) {
      throw faultAt(placeOf(section, row.name), `${found.name} is not supported yet: ${found.notYet}`);
    }
    if (found === undefined) {
      const names = known.filter((candidate) => candidate.notYet === undefined).map((candidate) => candidate.name);
      findings.push(
        warningAt(placeOf(section, row.name), `knows no "${name}", which has no effect: it is ${names.join(' or ')}`),
      );
    } else flags.add(fold(name));
  }
  return flags;
};
