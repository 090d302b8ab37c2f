/** The two ways in which operators write X.501 names: OpenSSL's `/C=SE/CN=gate`, first part first, and RFC 4514's `CN=gate,C=SE`, last part first. */
import { hexBytes } from '../byte-text.ts';
import { typeFromText } from './attribute-types.ts';

export interface Attribute {
  /** Dotted. */
  readonly oid: string;
  /** Characters, or the DER of a value that was written as `#` and hex digits. */
  readonly value: string | Uint8Array;
}

/** The parts of a name in the order of its encoding, each of one attribute or, joined by +, several. Undefined: the text is no name. */
export const attributesFromText = (text: string): readonly (readonly Attribute[])[] | undefined => {
  const parts = text.startsWith('/') ? slashParts(text) : commaParts(text)?.reverse();
  const known = parts?.filter((part) => part !== undefined);
  return known !== undefined && known.length > 0 && known.length === parts?.length ? known : undefined;
};

/** A slash begins a part only before `type=`: /CN=host/gate.example.net has one part. Values are taken as they are. */
const slashParts = (text: string): readonly (readonly Attribute[] | undefined)[] =>
  text
    .split(/\/(?=[A-Za-z][A-Za-z0-9-]*=|\d+(?:\.\d+)+=)/)
    .slice(1)
    .map((part) => {
      const at = part.indexOf('=');
      const oid = typeFromText(part.slice(0, at).trim());
      const value = part.slice(at + 1).trim();
      return oid === undefined || value === '' ? undefined : [{ oid, value }];
    });

/** RFC 4514 section 3, and the quotes of RFC 2253. Empty text at the end, after a last comma, is no part. */
const commaParts = (text: string): (readonly Attribute[] | undefined)[] | undefined => {
  const parts: (Attribute | undefined)[][] = [[]];
  for (const { attribute, separator } of split(text)) {
    parts.at(-1)?.push(attributeOf(attribute));
    if (separator !== '+') parts.push([]);
  }
  return parts
    .filter((part) => part.length > 0)
    .map((part) => {
      const known = part.filter((attribute) => attribute !== undefined);
      return known.length === part.length ? known : undefined;
    });
};

interface Piece {
  readonly attribute: string;
  readonly separator: string;
}

/** Separators count outside of quotes and unescaped only. */
const split = (text: string): readonly Piece[] => {
  const pieces: Piece[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && SEPARATORS.includes(character)) {
      pieces.push({ attribute: text.slice(start, at), separator: character });
      start = at + 1;
    }
  }
  const rest = text.slice(start);
  return rest.trim() === '' && pieces.length > 0 ? pieces : [...pieces, { attribute: rest, separator: ',' }];
};

const attributeOf = (text: string): Attribute | undefined => {
  const at = text.indexOf('=');
  const oid =
    at < 0
      ? undefined
      : typeFromText(
          text
            .slice(0, at)
            .trim()
            .replace(/^OID\./i, ''),
        );
  const value = valueFromText(text.slice(at + 1).trim());
  return oid === undefined || value === undefined || value.length === 0 ? undefined : { oid, value };
};

const valueFromText = (text: string): string | Uint8Array | undefined => {
  if (text.startsWith('#')) return /^#(?:[0-9a-f]{2}){2,512}$/i.test(text) ? hexBytes(text.slice(1)) : undefined;
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(text)?.[1];
  if (quoted === undefined && /(?<!\\)(?:\\\\)*"/.test(text)) return undefined;
  return unescaped(quoted ?? text);
};

/** `\,` is a comma, `\C3\A9` two bytes of UTF-8. Undefined: a backslash before nothing, or bytes that are no UTF-8. */
const unescaped = (text: string): string | undefined => {
  const bytes: Uint8Array[] = [];
  for (const [piece = '', escaped] of text.matchAll(/\\([0-9a-f]{2}|.)|[^\\]+|\\/gis)) {
    if (piece === '\\') return undefined;
    if (escaped === undefined) bytes.push(new TextEncoder().encode(piece));
    else bytes.push(escaped.length === 2 ? hexBytes(escaped) : new TextEncoder().encode(escaped));
  }
  const joined = new Uint8Array(bytes.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of bytes) {
    joined.set(piece, at);
    at += piece.length;
  }
  const decoded = new TextDecoder().decode(joined);
  return decoded.includes('\ufffd') ? undefined : decoded;
};

const SEPARATORS = ',;+';
