/** The few forms of DER that are made here: Diffie-Hellman numbers for a KeyObject, X.501 names. Not a parser for what peers send. */
import { InvariantError } from '../errors.ts';

export const DerTag = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
  EXPLICIT_0: 0xa0,
  EXPLICIT_1: 0xa1,
};

/** Tag, length and the parts as content. */
export const derElement = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  // DER wants the shortest length form: one byte behind 0x81 is enough below 256.
  if (length >= 0x80 && length < 0x100) header.splice(1, 2, 0x81);
  const element = Buffer.alloc(header.length + length);
  element.set(header);
  let at = header.length;
  for (const part of parts) {
    element.set(part, at);
    at += part.length;
  }
  return element;
};

/** INTEGER of a big-endian magnitude: no needless leading zeros, one where the sign bit would be set. */
export const derInteger = (magnitude: Uint8Array): Buffer => {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const digits = magnitude.subarray(start);
  return (digits[0] ?? 0) >= 0x80 ? derElement(DerTag.INTEGER, SIGN, digits) : derElement(DerTag.INTEGER, digits);
};

/** Where the content of the element at `offset` starts and ends. For DER that node:crypto made: one to three length bytes. */
export const derContent = (der: Uint8Array, offset: number): { readonly start: number; readonly end: number } => {
  const first = der[offset + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = offset + 2 + lengthBytes;
  let length = lengthBytes === 0 ? first : 0;
  for (const byte of der.subarray(offset + 2, start)) length = length * 0x100 + byte;
  if (start + length > der.length) throw new InvariantError('node:crypto exported DER that ends too early');
  return { start, end: start + length };
};

/** The dotted form of an OBJECT IDENTIFIER's content. Undefined where the last arc is cut off, or one is beyond 2^32. */
export const oidText = (bytes: Uint8Array): string | undefined => {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > MOST_ARC) return undefined;
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [head, ...rest] = arcs;
  if (head === undefined || (bytes.at(-1) ?? 0) >= 0x80) return undefined;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
};

/** The content of an OBJECT IDENTIFIER in dotted form. */
export const oidBytes = (oid: string): Uint8Array => {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  return Uint8Array.from([first * 40 + second, ...rest].flatMap(base128));
};

const base128 = (arc: number): readonly number[] => {
  const digits = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
  return digits;
};

const SIGN = new Uint8Array(1);
const MOST_ARC = 0xffff_ffff;
