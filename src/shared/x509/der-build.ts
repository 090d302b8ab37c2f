/** DER as a tree that derOf encodes: what requests, certificates and CRLs of our own are made of. */
import asn1 from 'node-forge/lib/asn1.js';
import { DerTag, oidBytes } from '../crypto/der.ts';
import type { DerElement } from './der-element.ts';
import { timeText } from './time.ts';

export const sequence = (...parts: readonly DerElement[]): DerElement => constructed(DerTag.SEQUENCE, parts);
export const set = (...parts: readonly DerElement[]): DerElement => constructed(DerTag.SET, parts);

/** An element with parts; the tag may be a context-specific one. */
export const constructed = (tag: number, parts: readonly DerElement[]): DerElement =>
  asn1.create(tag & CLASS, tag & TYPE, true, parts);

/** An element with content; the tag may be a context-specific one. */
export const primitive = (tag: number, content: Uint8Array): DerElement =>
  asn1.create(tag & CLASS, tag & TYPE, false, Buffer.from(content).toString('latin1'));

/** A number that is not negative, from its bytes, the highest first. */
export const integer = (magnitude: Uint8Array): DerElement => {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? new Uint8Array(1) : magnitude.subarray(start);
  return primitive(DerTag.INTEGER, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...digits) : digits);
};

/** Bytes as a BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): DerElement => primitive(DerTag.BIT_STRING, Uint8Array.of(0, ...bytes));

/** Named bits: the first one as 1, the second as 2, as readNamedBits answers them; one at least, and none beyond the eighth. */
export const namedBits = (bits: number): DerElement => {
  const unused = Math.clz32(bits) - 24;
  let byte = 0;
  for (let bit = 0; bit < 8; bit++) if (bits & (1 << bit)) byte |= 0x80 >> bit;
  return primitive(DerTag.BIT_STRING, Uint8Array.of(unused, byte));
};

export const octetString = (bytes: Uint8Array): DerElement => primitive(DerTag.OCTET_STRING, bytes);
export const objectIdentifier = (dotted: string): DerElement => primitive(DerTag.OBJECT_IDENTIFIER, oidBytes(dotted));
export const truth = (): DerElement => primitive(BOOLEAN, Uint8Array.of(0xff));
export const nothing = (): DerElement => primitive(NULL, new Uint8Array());

/** Milliseconds since 1970, to the second. RFC 5280 section 4.1.2.5: UTCTime up to 2049, GeneralizedTime from then on. */
export const time = (milliseconds: number): DerElement => {
  const digits = timeText(milliseconds).replaceAll(/\D/g, '');
  const isShort = digits >= '1950' && digits < '2050';
  const text = `${isShort ? digits.slice(2) : digits}Z`;
  return primitive(isShort ? UTC_TIME : GENERALIZED_TIME, new TextEncoder().encode(text));
};

const CLASS = 0xc0;
const TYPE = 0x1f;
const BOOLEAN = 0x01;
const NULL = 0x05;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
