/** The two texts that KeyNote writes bytes as (RFC 2792), and the DER of its keys. */
import { DerTag, derElement, derInteger } from '../crypto/der.ts';

export type TextEncoding = 'hex' | 'base64';

/** Undefined where the text is not exactly such an encoding. */
export const decodeText = (text: string, encoding: TextEncoding): Buffer | undefined => {
  const isWhole = encoding === 'hex' ? /^[0-9a-f]*$/i.test(text) && text.length % 2 === 0 : BASE64.test(text);
  return isWhole && (encoding === 'hex' || text.length % 4 === 0) ? Buffer.from(text, encoding) : undefined;
};

export const encodeText = (bytes: Uint8Array, encoding: TextEncoding): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);

export const encodeIntegers = (...integers: readonly Uint8Array[]): Buffer =>
  derElement(DerTag.SEQUENCE, ...integers.map(derInteger));

/** The integers of a DER sequence without their leading zeros, or undefined where it is anything else or one of them is negative. */
export const decodeIntegers = (der: Uint8Array): readonly Uint8Array[] | undefined => {
  const [sequence, ...others] = derElements(der) ?? [];
  if (sequence?.tag !== DerTag.SEQUENCE || others.length > 0) return undefined;
  const elements = derElements(sequence.content);
  const isNatural = ({ tag, content }: DerElement): boolean =>
    tag === DerTag.INTEGER && content.length > 0 && (content[0] ?? 0) < 0x80;
  return elements?.every(isNatural) ? elements.map(({ content }) => withoutLeadingZeros(content)) : undefined;
};

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements one behind the other in a piece of DER; undefined where it is none. Lengths of up to three bytes. */
export const derElements = (der: Uint8Array): readonly DerElement[] | undefined => {
  const elements: DerElement[] = [];
  for (let at = 0; at < der.length; ) {
    const first = der[at + 1] ?? 0x80;
    const lengthBytes = first < 0x80 ? 0 : first - 0x80;
    if (first === 0x80 || lengthBytes > 3) return undefined;
    const start = at + 2 + lengthBytes;
    let length = lengthBytes === 0 ? first : 0;
    for (const byte of der.subarray(at + 2, start)) length = length * 0x100 + byte;
    if (start + length > der.length) return undefined;
    elements.push({ tag: der[at] ?? 0, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
};

/** One byte at least. */
const withoutLeadingZeros = (digits: Uint8Array): Uint8Array => {
  let start = 0;
  while (start < digits.length - 1 && digits[start] === 0) start += 1;
  return digits.subarray(start);
};

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
