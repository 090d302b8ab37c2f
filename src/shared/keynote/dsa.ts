/** DSA keys between the forms of KeyNote (RFC 2792 section 3.1, and what OpenSSL calls a DSAPrivateKey) and those of node:crypto. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DerTag, derElement, derInteger } from '../crypto/der.ts';
import { decodeIntegers, derElements, encodeIntegers } from './encodings.ts';

/** Magnitudes as RFC 2792 names them. */
export interface DsaKey {
  readonly y: Uint8Array;
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly g: Uint8Array;
}

export interface DsaPrivateKey extends DsaKey {
  readonly x: Uint8Array;
}

export const dsaPublicKeyObject = ({ y, p, q, g }: DsaKey): KeyObject => {
  const key = derElement(DerTag.BIT_STRING, Buffer.alloc(1), derInteger(y));
  const spki = derElement(DerTag.SEQUENCE, identifier(p, q, g), key);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
};

export const dsaPrivateKeyObject = ({ p, q, g, x }: DsaPrivateKey): KeyObject => {
  const key = derElement(DerTag.OCTET_STRING, derInteger(x));
  const pkcs8 = derElement(DerTag.SEQUENCE, derInteger(Buffer.alloc(1)), identifier(p, q, g), key);
  const object = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  for (const buffer of [key, pkcs8]) buffer.fill(0);
  return object;
};

/** Version 0, p, q, g, y, x. Undefined for anything else. */
export const decodeDsaPrivateKey = (der: Uint8Array): DsaPrivateKey | undefined => {
  const [version, p, q, g, y, x, ...others] = decodeIntegers(der) ?? [];
  return version === undefined || !p || !q || !g || !y || !x || others.length > 0 ? undefined : { p, q, g, y, x };
};

export const encodeDsaPrivateKey = ({ p, q, g, y, x }: DsaPrivateKey): Buffer =>
  encodeIntegers(Buffer.alloc(1), p, q, g, y, x);

export const encodeDsaKey = ({ y, p, q, g }: DsaKey): Buffer => encodeIntegers(y, p, q, g);

/** A new key with a modulus of so many bits. */
export const makeDsaKey = (bits: number): DsaPrivateKey | undefined => {
  const { publicKey, privateKey } = generateKeyPairSync('dsa', {
    modulusLength: bits,
    divisorLength: bits > 1024 ? 256 : 160,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  const [parameters, bitString] = derElements(content(publicKey)) ?? [];
  const [, numbers] = derElements(parameters?.content ?? EMPTY) ?? [];
  const [p, q, g] = (derElements(numbers?.content ?? EMPTY) ?? []).map(({ content: digits }) => digits);
  // The first byte of a BIT STRING counts unused bits.
  const y = bitString === undefined ? undefined : content(bitString.content.subarray(1));
  const [, , octets] = derElements(content(privateKey)) ?? [];
  // A copy: slice of a Buffer is none.
  const x = octets === undefined ? undefined : Uint8Array.from(content(octets.content));
  privateKey.fill(0);
  return !p || !q || !g || !y || !x ? undefined : { p, q, g, y, x };
};

/** Of the first element. */
const content = (der: Uint8Array): Uint8Array => derElements(der)?.[0]?.content ?? EMPTY;

const identifier = (p: Uint8Array, q: Uint8Array, g: Uint8Array): Buffer =>
  derElement(DerTag.SEQUENCE, ID_DSA, encodeIntegers(p, q, g));

/** RFC 3279 section 2.3.2: 1.2.840.10040.4.1. */
const ID_DSA = derElement(DerTag.OBJECT_IDENTIFIER, Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01));

const EMPTY = new Uint8Array();
