/** A text with KeyNote assertions, cut into assertions and these into fields (RFC 2704 section 4.1). What is in a field is read elsewhere. */
import { SyntaxFault } from './syntax-fault.ts';

export type FieldName = (typeof FIELD_NAMES)[number];

export interface Field {
  readonly name: FieldName;
  /** What follows the colon. */
  readonly body: string;
  /** Line of the colon in the whole text, from 1. */
  readonly line: number;
  /** Offset of the field's name in its assertion. */
  readonly start: number;
}

/** One assertion of a text. */
export interface Piece {
  readonly text: string;
  /** Line of its first character in the whole text, from 1. */
  readonly line: number;
}

/**
 * The assertions of a text: between them are empty lines. A line of blanks is none and goes on with its field, as in the original: cut in two there, an
 * assertion could lose its conditions and still be one. Comments alone are no assertion.
 */
export const splitAssertions = (text: string): readonly Piece[] => {
  const pieces: Piece[] = [];
  let line = 1;
  for (const part of text.split(/(\n(?:\r?\n)+)/)) {
    const leading = /^(?:[ \t\r\v\f]*\n)*/.exec(part)?.[0] ?? '';
    const piece = { text: part.slice(leading.length), line: line + countLineEnds(leading) };
    if (/^[ \t\r\v\f]*[^#\s]/m.test(piece.text)) pieces.push(piece);
    line += countLineEnds(part);
  }
  return pieces;
};

/** The fields of an assertion, in order, each at most once, none nested deeper than `nesting`. Throws SyntaxFault. */
export const splitFields = (piece: Piece, nesting: number): readonly Field[] => {
  const fields: Field[] = [];
  let line = piece.line;
  let at = 0;
  while (at < piece.text.length) {
    const skipped = lineToSkip(piece.text, at);
    const end = skipped > at ? skipped : fieldEnd(piece.text, at);
    const raw = piece.text.slice(at, end);
    if (skipped === at) fields.push(readField(raw, line, at, fields));
    // RFC 2704 section 4.6.7: text after the signature is no part of the assertion.
    if (fields.at(-1)?.name === 'signature') break;
    line += countLineEnds(raw);
    at = end;
  }
  for (const field of fields) if (field.name !== 'comment') checkNesting(field, nesting);
  return fields;
};

/** From an offset in a field to the line of the whole text. */
export const lineCounter = (field: Field): ((offset: number) => number) => {
  const ends: number[] = [];
  for (let at = field.body.indexOf('\n'); at >= 0; at = field.body.indexOf('\n', at + 1)) ends.push(at);
  return (offset) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return field.line + low;
  };
};

const countLineEnds = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
};

/** Behind the line that begins at `at` if it is a comment or blank: between fields these say nothing. */
const lineToSkip = (text: string, at: number): number => {
  const lineEnd = text.indexOf('\n', at);
  const next = lineEnd < 0 ? text.length : lineEnd + 1;
  return text.startsWith('#', at) || text.slice(at, next).trim() === '' ? next : at;
};

/** Where the next field begins: at a line that is neither indented nor a comment. */
const fieldEnd = (text: string, from: number): number => {
  for (let lineEnd = text.indexOf('\n', from); lineEnd >= 0; lineEnd = text.indexOf('\n', lineEnd + 1)) {
    if (lineEnd + 1 < text.length && !/[ \t\r\n\v\f#]/.test(text.charAt(lineEnd + 1))) return lineEnd + 1;
  }
  return text.length;
};

const readField = (raw: string, line: number, start: number, earlier: readonly Field[]): Field => {
  const colon = raw.indexOf(':');
  const label = raw.slice(0, Math.max(colon, 0)).toLowerCase();
  const name = FIELD_NAMES.find((known) => known === label);
  if (name === undefined) throw new SyntaxFault(line, EXPECTED_FIELD);
  if (earlier.some((field) => field.name === name)) throw new SyntaxFault(line, `there is a second field "${name}"`);
  if (name === 'keynote-version' && earlier.length > 0)
    throw new SyntaxFault(line, 'KeyNote-Version is the first field');
  return { name, body: raw.slice(colon + 1), line, start };
};

/** Recursion of the parser follows the nesting of the text, so that is bounded before the parser sees it. */
const checkNesting = (field: Field, most: number): void => {
  const { body } = field;
  let depth = 0;
  let prefixes = 0;
  for (let at = 0; at < body.length; at++) {
    const character = body.charAt(at);
    at = tokenEnd(body, at);
    if ('({'.includes(character)) depth += 1;
    if (')}'.includes(character)) depth = Math.max(depth - 1, 0);
    if ('-!@&$'.includes(character)) prefixes += 1;
    else if (!' \t\r\n\v\f#'.includes(character)) prefixes = 0;
    if (depth > most || prefixes > most) {
      throw new SyntaxFault(lineCounter(field)(at), `more than ${most} levels of nesting`);
    }
  }
};

/** The last character of the string or comment that begins at `start`, and `start` itself for all else. */
const tokenEnd = (body: string, start: number): number => {
  if (body.charAt(start) === '#') {
    const lineEnd = body.indexOf('\n', start);
    return lineEnd < 0 ? body.length : lineEnd;
  }
  if (body.charAt(start) !== '"') return start;
  let at = start + 1;
  while (at < body.length && body.charAt(at) !== '"') at += body.charAt(at) === '\\' ? 2 : 1;
  return at;
};

const FIELD_NAMES = [
  'keynote-version',
  'local-constants',
  'authorizer',
  'licensees',
  'conditions',
  'comment',
  'signature',
] as const;

const EXPECTED_FIELD =
  'a line that is not indented begins a field: KeyNote-Version, Local-Constants, Authorizer, Licensees, Conditions, Comment or Signature, with a colon';
