/** X.501 names, the data of DER_ASN1_DN identities: to DER from what an operator writes, to text and to a key for comparison from what a peer sends. */
import { DerTag, derElement, oidBytes, oidText } from '../crypto/der.ts';
import { IA5_TYPES, typeText } from './attribute-types.ts';
import { type Attribute, attributesFromText } from './distinguished-name-text.ts';

/** DER of a name written as `/C=SE/O=Company/CN=gate` or, last part first, as RFC 4514 does: `CN=gate,O=Company,C=SE`. Undefined: it is neither. */
export const nameFromText = (text: string): Uint8Array | undefined => {
  const parts = attributesFromText(text);
  if (parts === undefined) return undefined;
  const sets = parts.map((attributes) => {
    // X.690 section 11.6: the members of a SET OF in ascending order.
    const members = attributes.map(encodeAttribute).sort(Buffer.compare);
    return derElement(DerTag.SET, ...members);
  });
  const name = derElement(DerTag.SEQUENCE, ...sets);
  return name.length <= LONGEST ? new Uint8Array(name) : undefined;
};

/** The parts of a name as `C=SE`, `O=Company`, `CN=gate`, their characters as they are; undefined for what is no name. */
export const distinguishedParts = (der: Uint8Array): readonly string[] | undefined =>
  readName(der)?.map((attributes) =>
    attributes.map(({ oid, value }) => `${typeText(oid)}=${valueText(value)}`).join('+'),
  );

/** Names with the same key mean the same (RFC 5280 section 7.1): case, blanks and kinds of strings make no difference. Undefined for what is no name. */
export const nameKey = (der: Uint8Array): string | undefined => {
  const keys = namePartKeys(der);
  return keys && keyOfParts(keys);
};

/** The same from what namePartKeys answers. */
export const keyOfParts = (parts: readonly string[]): string => JSON.stringify(parts);

/** The keys of a name's parts in order: a name lies in the subtree of another one if its parts begin with the other's. */
export const namePartKeys = (der: Uint8Array): readonly string[] | undefined =>
  readName(der)?.map((attributes) => JSON.stringify(attributes.map(attributeKey).sort()));

/** The values of one type in a name, as characters; empty where there are none. `oid` is dotted. */
export const nameValues = (der: Uint8Array, oid: string): readonly string[] =>
  (readName(der) ?? []).flat().flatMap((attribute) => (attribute.oid === oid ? [valueText(attribute.value)] : []));

/** A value that is no string is compared byte by byte, and never equals a string that looks like it. */
const attributeKey = ({ oid, value }: WireAttribute): string => {
  const text = stringOf(value);
  return text === undefined ? `${oid}#${value.tag}:${hex(value.bytes)}` : `${oid}=${folded(text)}`;
};

const folded = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase();

const encodeAttribute = ({ oid, value }: Attribute): Buffer =>
  derElement(DerTag.SEQUENCE, derElement(DerTag.OBJECT_IDENTIFIER, oidBytes(oid)), valueElement(oid, value));

const valueElement = (oid: string, value: Attribute['value']): Uint8Array => {
  if (typeof value !== 'string') return value;
  const bytes = new TextEncoder().encode(value);
  if (IA5_TYPES.has(oid) && bytes.every((byte) => byte < 0x80)) return derElement(DerTag.IA5_STRING, bytes);
  return derElement(PRINTABLE.test(value) ? DerTag.PRINTABLE_STRING : DerTag.UTF8_STRING, bytes);
};

interface Element {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

interface WireAttribute {
  readonly oid: string;
  readonly value: Element;
}

/** A peer may send anything: whatever is no complete name with nothing behind it is none. */
const readName = (der: Uint8Array): readonly (readonly WireAttribute[])[] | undefined => {
  const [name, ...more] = elementsOf(der) ?? [];
  if (name?.tag !== DerTag.SEQUENCE || more.length > 0) return undefined;
  const parts = elementsOf(name.bytes)?.map((part) => (part.tag === DerTag.SET ? readPart(part.bytes) : undefined));
  const known = parts?.filter((part) => part !== undefined);
  return known !== undefined && known.length === parts?.length ? known : undefined;
};

const readPart = (bytes: Uint8Array): readonly WireAttribute[] | undefined => {
  const attributes = elementsOf(bytes)?.map((attribute) => {
    const [type, value, ...more] = (attribute.tag === DerTag.SEQUENCE && elementsOf(attribute.bytes)) || [];
    if (type?.tag !== DerTag.OBJECT_IDENTIFIER || value === undefined || more.length > 0) return undefined;
    const oid = oidText(type.bytes);
    return oid && { oid, value };
  });
  const known = attributes?.filter((attribute) => attribute !== undefined && attribute !== '');
  return known !== undefined && known.length > 0 && known.length === attributes?.length ? known : undefined;
};

/** The elements that follow each other in `bytes`; undefined where one is cut off. Tags of one byte, definite lengths of up to three. */
const elementsOf = (bytes: Uint8Array): readonly Element[] | undefined => {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [tag = 0, first] = bytes.subarray(at, at + 2);
    if (first === undefined || first === 0x80 || first > 0x82) return undefined;
    const start = at + 2 + (first < 0x80 ? 0 : first - 0x80);
    let length = first < 0x80 ? first : 0;
    for (const byte of bytes.subarray(at + 2, start)) length = length * 0x100 + byte;
    at = start + length;
    if (at > bytes.length) return undefined;
    elements.push({ tag, bytes: bytes.subarray(start, at) });
  }
  return elements;
};

const valueText = (value: Element): string => stringOf(value) ?? `#${hex(value.bytes)}`;

/** The characters of a string value; undefined for what is no string. */
const stringOf = ({ tag, bytes }: Element): string | undefined => {
  if (tag === DerTag.BMP_STRING) return bytes.length % 2 === 0 ? bigEndianText(bytes) : undefined;
  if (tag === DerTag.UTF8_STRING || tag === DerTag.PRINTABLE_STRING || tag === DerTag.IA5_STRING) {
    return utf8Text(bytes);
  }
  return tag === DerTag.TELETEX_STRING ? String.fromCharCode(...bytes) : undefined;
};

/** Undefined for bytes that are no UTF-8: two different ones never look the same. */
const utf8Text = (bytes: Uint8Array): string | undefined => {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
};

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const bigEndianText = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  return text;
};

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** X.680 section 41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** Bytes; an identification payload has to fit into a datagram with much else. */
const LONGEST = 4096;
