/**
 * DER (X.690) as a tree, over node-forge's ASN.1 parser. That one reads BER as well, so what it read is encoded again: other bytes than
 * before were no DER, and what two parsers could understand in two ways is refused.
 */
import asn1 from 'node-forge/lib/asn1.js';
import { DerTag, oidText } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';

/** An element as node-forge has it; `value` of a primitive has one character a byte. */
export interface DerElement {
  readonly tagClass: number;
  readonly type: number;
  readonly constructed: boolean;
  readonly value: string | readonly DerElement[];
}

/** The element that `bytes` are, no more and no less. Throws CertificateError, with `where` in front, for anything but DER. */
export const readDer = (bytes: Uint8Array, where: string): DerElement => {
  const text = latin1(bytes);
  const element = parse(text, where);
  if (asn1.toDer(element).getBytes() !== text) {
    throw new CertificateError(
      `${where}: not DER: a length or an INTEGER is longer than it has to be, or a length is indefinite`,
    );
  }
  return element;
};

/** As readDer, for containers that are no part of what is signed and come in BER as well. */
export const readBer = (bytes: Uint8Array, where: string): DerElement => parse(latin1(bytes), where);

const parse = (text: string, where: string): DerElement => {
  if (text.length > MOST_BYTES)
    throw new CertificateError(`${where}: ${text.length} bytes, at most ${MOST_BYTES} are read`);
  try {
    return asn1.fromDer(text, OPTIONS);
  } catch (fault) {
    // node-forge throws plain Errors for what is malformed; its words are its own.
    if (fault instanceof Error)
      throw new CertificateError(`${where}: not DER, or nested more than ${OPTIONS.maxDepth} deep`);
    throw fault;
  }
};

/** The identifier octet. */
export const tagOf = ({ tagClass, constructed, type }: DerElement): number =>
  tagClass | (constructed ? CONSTRUCTED : 0) | type;

/** The bytes of the whole element. */
export const derOf = (element: DerElement): Uint8Array => bytesOf(asn1.toDer(element).getBytes());

/** The content of a primitive element. */
export const contentOf = (element: DerElement, where: string): Uint8Array => bytesOf(charactersOf(element, where));

/** The same with one character a byte: cheaper where there are thousands. */
export const charactersOf = ({ value }: DerElement, where: string): string => {
  if (typeof value !== 'string') throw new CertificateError(`${where}: constructed, a primitive is wanted`);
  return value;
};

/** Reads the parts of a constructed element in order. Every method throws CertificateError. */
export interface DerFields {
  /** The next part, which has to have this tag. */
  readonly take: (tag: number, what: string) => DerElement;
  /** The next part whatever it is. */
  readonly takeAny: (what: string) => DerElement;
  /** The next part if it has this tag. */
  readonly takeIf: (tag: number) => DerElement | undefined;
  /** There is nothing left. */
  readonly end: () => void;
}

/** The parts of an element that has to have the tag. `where` begins every message. */
export const fieldsOf = (element: DerElement, tag: number, where: string): DerFields => {
  const parts = partsOf(element, tag, where);
  let at = 0;
  const takeAny = (what: string): DerElement => {
    const part = parts[at++];
    if (part === undefined) throw new CertificateError(`${where}: ends before ${what}`);
    return part;
  };
  return {
    takeAny,
    take: (wanted, what) => {
      const part = takeAny(what);
      expectTag(part, wanted, `${where}: ${what}`);
      return part;
    },
    takeIf: (wanted) => {
      const part = parts[at];
      if (part === undefined || tagOf(part) !== wanted) return undefined;
      at += 1;
      return part;
    },
    end: () => {
      if (at < parts.length) throw new CertificateError(`${where}: ${parts.length - at} parts too many`);
    },
  };
};

/** The parts of an element that has to have the tag, as for SEQUENCE OF. */
export const partsOf = (element: DerElement, tag: number, where: string): readonly DerElement[] => {
  expectTag(element, tag, where);
  if (typeof element.value === 'string')
    throw new CertificateError(`${where}: primitive, a constructed element is wanted`);
  return element.value;
};

/** The one part of an explicitly tagged element. */
export const onlyPart = (element: DerElement, where: string): DerElement => {
  const [part, ...more] = partsOf(element, tagOf(element), where);
  if (part === undefined || more.length > 0)
    throw new CertificateError(`${where}: ${more.length === 0 ? 'empty' : 'more than one part'}`);
  return part;
};

/** Dotted, or hex digits where an arc is beyond 2^32. */
export const readOid = (element: DerElement, where: string): string => {
  expectTag(element, DerTag.OBJECT_IDENTIFIER, where);
  const content = contentOf(element, where);
  return oidText(content) ?? `0x${Buffer.from(content).toString('hex')}`;
};

/** X.690 section 11.1: 0 or 255, nothing else. `tag` may be an implicit one. */
export const readBoolean = (element: DerElement, tag: number, where: string): boolean => {
  expectTag(element, tag, where);
  const [value, ...more] = contentOf(element, where);
  if ((value !== 0 && value !== 0xff) || more.length > 0) throw new CertificateError(`${where}: a BOOLEAN is 00 or FF`);
  return value === 0xff;
};

/** An INTEGER from 0 to 2^31 - 1. `tag` may be an implicit one. */
export const readSmallInteger = (element: DerElement, tag: number, where: string): number => {
  expectTag(element, tag, where);
  const content = contentOf(element, where);
  if (content.length === 0 || content.length > 4 || (content[0] ?? 0) >= 0x80) {
    throw new CertificateError(`${where}: an INTEGER from 0 to 2^31 - 1 is wanted`);
  }
  return content.reduce((value, byte) => value * 0x100 + byte, 0);
};

/** The content of an INTEGER, as hex digits. */
export const readSerialNumber = (element: DerElement, where: string): string => {
  expectTag(element, DerTag.INTEGER, where);
  const content = charactersOf(element, where);
  if (content === '') throw new CertificateError(`${where}: an INTEGER without content`);
  return Buffer.from(content, 'latin1').toString('hex');
};

/** The content of an INTEGER, as it stands. */
export const readInteger = (element: DerElement, tag: number, where: string): Uint8Array => {
  expectTag(element, tag, where);
  const content = contentOf(element, where);
  if (content.length === 0) throw new CertificateError(`${where}: an INTEGER without content`);
  return content;
};

/** The bytes of a BIT STRING that has no bits left over. */
export const readWholeBits = (element: DerElement, where: string): Uint8Array => {
  expectTag(element, DerTag.BIT_STRING, where);
  const content = contentOf(element, where);
  if (content[0] !== 0) throw new CertificateError(`${where}: a BIT STRING of whole bytes is wanted`);
  return content.slice(1);
};

/** Named bits (RFC 5280: KeyUsage, ReasonFlags), the first one as 1, the second as 2, the third as 4. Bits after the 16th are left out. */
export const readNamedBits = (element: DerElement, tag: number, where: string): number => {
  expectTag(element, tag, where);
  const [unused = 8, ...bytes] = contentOf(element, where);
  if (unused > 7 || (unused > 0 && bytes.length === 0)) throw new CertificateError(`${where}: not a BIT STRING`);
  let bits = 0;
  for (const [index, byte] of bytes.slice(0, 2).entries()) {
    for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) bits |= 1 << (8 * index + bit);
  }
  return bits;
};

/** Throws CertificateError where the element has another tag. */
export const expectTag = (element: DerElement, tag: number, where: string): void => {
  if (tagOf(element) === tag) return;
  throw new CertificateError(`${where}: tag 0x${tagOf(element).toString(16)}, 0x${tag.toString(16)} is wanted`);
};

/** Whether two elements are the same byte by byte. */
export const sameDer = (a: DerElement, b: DerElement): boolean => Buffer.compare(derOf(a), derOf(b)) === 0;

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** [n] with parts, and without, as context-specific tags go. */
export const constructedTag = (number: number): number => 0xa0 | number;
export const primitiveTag = (number: number): number => 0x80 | number;

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

const CONSTRUCTED = 0x20;
const OPTIONS = { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: 32 };
/** A CRL of a million entries has about 40 MB. */
const MOST_BYTES = 64 * 2 ** 20;
