/** The kinds of tags: how a value is read, what it has to be, and what its documentation says. The rows themselves are in sections.ts. */
import { addressText } from '../address.ts';
import { bytesOrHex } from '../byte-text.ts';
import { InvariantError } from '../errors.ts';
import type { Route } from '../flow.ts';
import { LAST_LOG_CLASS } from '../log/classes.ts';
import type { LevelSetting } from '../log/verbosity.ts';
import type { NumberRange } from '../policy/peer-policy.ts';
import { fold } from './case-fold.ts';
import { splitList } from './list-value.ts';
import { IP_PROTOCOLS, numberByName, numberOrName, SERVICES } from './names.ts';

/** One row of a section's table. */
export interface Tag<out T> {
  readonly name: string;
  /** The name folded. */
  readonly key: string;
  readonly kind: string;
  /** What the number counts. */
  readonly unit: string | undefined;
  /** What a value has to be, as the end of "it is ...". */
  readonly wants: string;
  /** Taken where the tag is absent; `fallbackText` is how one would write it. */
  readonly fallback: T;
  readonly fallbackText: string | undefined;
  /** One sentence for the documentation. */
  readonly doc: string;
  /** Undefined: no value of this kind. */
  readonly parse: (text: string) => T | undefined;
  /** isakmpd.conf(5) knows the tag and this program does not yet, for this reason: what has it is not used, because it would mean something else without. */
  readonly notYet: string | undefined;
}

export type Mark = Pick<Route, 'mark' | 'markMask'>;

interface KindRow<T> {
  readonly kind: string;
  readonly wants: string;
  readonly unit?: string;
  readonly parse: (text: string) => T | undefined;
}

/** Makes rows of one kind: without a default the value may be undefined. */
const rowsOf = <T>({ kind, wants, unit, parse }: KindRow<T>) => {
  function row(name: string, doc: string): Tag<T | undefined>;
  function row(name: string, doc: string, fallbackText: string): Tag<T>;
  function row(name: string, doc: string, fallbackText?: string): Tag<T | undefined> {
    const fallback = fallbackText === undefined ? undefined : parse(fallbackText);
    if (fallbackText !== undefined && fallback === undefined) throw new InvariantError(`default of ${name}`);
    return { name, key: fold(name), kind, unit, wants, fallback, fallbackText, doc, parse, notYet: undefined };
  }
  return row;
};

/** The decimal number that a text begins with; the rest is ignored, as the original does. */
const leadingNumber = (text: string, least: number, most: number): number | undefined => {
  const [digits] = /^\d+/.exec(text) ?? [];
  const number = Number(digits);
  return digits === undefined || number < least || number > most ? undefined : number;
};

const parseRange = (text: string): NumberRange | undefined => {
  const found = /^(\d{1,10})(?:[ \t]*,[ \t]*(\d{1,10})[ \t]*:[ \t]*(\d{1,10}))?$/.exec(text);
  if (found === null) return undefined;
  const offered = Number(found[1]);
  const least = Number(found[2] ?? offered);
  const most = Number(found[3] ?? offered);
  return offered > 0 && least <= most && Math.max(offered, most) <= MAX_U32 ? { offered, least, most } : undefined;
};

/** Decimal, or hexadecimal after 0x. */
const parseU32 = (text: string): number | undefined => {
  const number = /^(?:\d{1,10}|0x[\da-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  return number <= MAX_U32 ? number : undefined;
};

/** A mark without mask has to be there bit by bit. */
const parseMark = (text: string): Mark | undefined => {
  const [value = '', mask = '0xffffffff', ...more] = text.split('/');
  const [mark, markMask] = [parseU32(value), parseU32(mask)];
  if (mark === undefined || markMask === undefined || more.length > 0) return undefined;
  const isPossible = markMask !== 0 && (mark & ~markMask) === 0;
  return isPossible ? { mark, markMask } : undefined;
};

const parseLogLevels = (text: string): readonly LevelSetting[] | undefined => {
  const levels: LevelSetting[] = [];
  for (const member of splitList(text)) {
    const [, name = '', digits = ''] = /^(A|\d{1,2})[ \t]*=[ \t]*(\d{1,2})$/i.exec(member) ?? [];
    const logClass = /^a$/i.test(name) ? 'all' : Number(name);
    if (digits === '' || (logClass !== 'all' && logClass > LAST_LOG_CLASS)) return undefined;
    levels.push({ logClass, level: Number(digits) });
  }
  return levels;
};

/** What looks like figures but is no address is a slip, not a name. */
const parseAddressOrName = (text: string): string | undefined =>
  addressText(text) ?? (NAME.test(text) && !FIGURES.test(text) ? text : undefined);
/** Hosts (RFC 1123 section 2.1; underscores are found in the wild) and interfaces. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,252}$/;
const FIGURES = /^[\d.]+$|^[\da-f]*:[\da-f:.]*$/i;

/** A member that is none is left out; check.ts complains of it. */
const parseAddresses = (text: string): readonly string[] | undefined => {
  const known = splitList(text)
    .map(parseAddressOrName)
    .filter((address) => address !== undefined);
  return known.length > 0 ? known : undefined;
};

const parseSecret = (text: string): Uint8Array | undefined => {
  // A character that could not be decoded: the file is not UTF-8, and which bytes were meant is lost.
  if (text === '' || text.includes('\ufffd')) return undefined;
  return bytesOrHex(text);
};

const MAX_U32 = 0xffff_ffff;
/** Timers count milliseconds in 31 bits. */
const MAX_SECONDS = 2_147_483;

const nonEmpty = (text: string): string | undefined => (text === '' ? undefined : text);

export const text = rowsOf({ kind: 'text', wants: 'a text that is not empty', parse: nonEmpty });
export const sectionName = rowsOf({ kind: 'section', wants: 'the name of a section', parse: nonEmpty });
export const path = rowsOf({ kind: 'path', wants: 'a path', parse: nonEmpty });
/** Names of sections. */
export const sectionList = rowsOf({
  kind: 'list of sections',
  wants: 'a list of names of sections with commas',
  parse: splitList,
});
export const list = rowsOf({ kind: 'list', wants: 'a list with commas', parse: splitList });
export const flag = rowsOf({ kind: 'flag', wants: 'there or not, whatever its value', parse: () => true });
export const yesNo = rowsOf({
  kind: 'yes/no',
  wants: 'yes or no',
  // By its first letters, as the original reads it.
  parse: (value) => (/^yes/i.test(value) ? true : /^no/i.test(value) ? false : undefined),
});
export const secondsOrOff = rowsOf({
  kind: 'seconds',
  wants: `a number of seconds up to ${MAX_SECONDS}, 0 for never`,
  unit: 'seconds',
  parse: (value) => leadingNumber(value, 0, MAX_SECONDS),
});
export const seconds = rowsOf({
  kind: 'seconds',
  wants: `a number of seconds from 1 to ${MAX_SECONDS}`,
  unit: 'seconds',
  parse: (value) => leadingNumber(value, 1, MAX_SECONDS),
});
export const range = (unit: string) =>
  rowsOf({
    kind: 'range',
    wants: `${unit} as offered,least:most or as one number`,
    unit,
    parse: parseRange,
  });
export const rangeOrAny = (unit: string) =>
  rowsOf<NumberRange | 'ANY'>({
    kind: 'range',
    wants: `a range offered,least:most, one number, or ANY`,
    unit,
    parse: (value) => (value === 'ANY' ? value : parseRange(value)),
  });
export const number = (unit: string, least: number, most: number) =>
  rowsOf({
    kind: 'number',
    wants: `a number from ${least} to ${most}`,
    unit,
    parse: (value) => leadingNumber(value, least, most),
  });
export const mark = rowsOf({
  kind: 'mark',
  wants: 'a number of 32 bits, decimal or with 0x, or number/mask, where the number has no bit that the mask lacks',
  parse: parseMark,
});
export const interfaceId = rowsOf({
  kind: 'number',
  wants: `a number from 1 to ${MAX_U32}, decimal or with 0x`,
  parse: (value) => parseU32(value) || undefined,
});
export const address = rowsOf({
  kind: 'address',
  wants: 'an address in figures, the name of an interface, or default for the interface of the default route',
  parse: parseAddressOrName,
});
export const hostAddress = rowsOf({
  kind: 'address or host',
  wants: 'an address in figures, or the name of a host or interface',
  parse: parseAddressOrName,
});
export const addresses = rowsOf({
  kind: 'list of addresses',
  wants: 'a list of addresses, interfaces or hosts, or default for the interface of the default route',
  parse: parseAddresses,
});
export const port = rowsOf({
  kind: 'port',
  wants: 'a port number up to 65535, or the name of a service',
  parse: numberOrName(SERVICES, 0xffff),
});
export const ipProtocol = rowsOf({
  kind: 'protocol',
  wants: 'a protocol number up to 255, or the name of a protocol',
  parse: numberOrName(IP_PROTOCOLS, 0xff),
});
export const logLevels = rowsOf({
  kind: 'list of class=level',
  wants: 'a list of class=level, class 0 to 10 or A, level 0 to 99',
  parse: parseLogLevels,
});
/** The one kind whose values are never repeated in a message. */
export const secret = rowsOf({
  kind: 'secret',
  wants: 'a text in UTF-8 that is not empty, or 0x and an even number of hex digits',
  parse: parseSecret,
});
export const oneOf = <const T extends string>(...values: readonly T[]) =>
  rowsOf({
    kind: 'word',
    wants: `one of ${values.join(', ')}`,
    parse: (value) => values.find((known) => known === value.toLowerCase()),
  });
export const constant = (table: Readonly<Record<string, number>>) =>
  rowsOf({
    kind: 'name',
    wants: `one of ${Object.keys(table).join(', ')}`,
    parse: numberByName(table),
  });
export const constantOrAny = (table: Readonly<Record<string, number>>) => {
  const byName = numberByName(table);
  return rowsOf<number | 'ANY'>({
    kind: 'name',
    wants: `one of ${Object.keys(table).join(', ')}, or ANY`,
    parse: (value) => (value === 'ANY' ? value : byName(value)),
  });
};

/** A row for what is known but not there yet. */
export const notYet = <T>(row: Tag<T>, reason: string): Tag<T> => ({
  ...row,
  notYet: reason,
});
