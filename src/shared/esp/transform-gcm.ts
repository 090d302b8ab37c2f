/** AES-GCM with a 16-byte ICV, RFC 4106, and the same without encryption, RFC 4543 (AES-GMAC). */
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject } from 'node:crypto';
import { InvariantError } from '../errors.ts';
import { writeCounterIv } from './counter-iv.ts';
import type { EspSuite } from './suite.ts';
import type { Opener, Sealer } from './transform.ts';

export class GcmTransform implements Sealer, Opener {
  readonly #aead: Aead;

  constructor(suite: EspSuite, key: KeyObject, salt: Uint8Array) {
    this.#aead = new Aead(suite, key, salt);
  }

  seal(bytes: Uint8Array, start: number, end: number): number {
    writeCounterIv(bytes, start);
    const cipher = this.#aead.cipher(bytes, start);
    cipher.setAAD(bytes.subarray(start, start + IV));
    bytes.set(cipher.update(bytes.subarray(start + TEXT, end)), start + TEXT);
    return appendTag(cipher, bytes, end);
  }

  open(bytes: Uint8Array, start: number, end: number): number {
    const textEnd = end - TAG_SIZE;
    if (textEnd < start + TEXT) return -1;
    const decipher = this.#aead.decipher(bytes, start);
    decipher.setAAD(bytes.subarray(start, start + IV));
    decipher.setAuthTag(bytes.subarray(textEnd, end));
    const text = decipher.update(bytes.subarray(start + TEXT, textEnd));
    if (!isAuthentic(decipher)) return -1;
    bytes.set(text, start + TEXT);
    return textEnd;
  }
}

export class GmacTransform implements Sealer, Opener {
  readonly #aead: Aead;

  constructor(suite: EspSuite, key: KeyObject, salt: Uint8Array) {
    this.#aead = new Aead(suite, key, salt);
  }

  /** RFC 4543 §3.3: everything before the ICV is additional data, the IV too. */
  seal(bytes: Uint8Array, start: number, end: number): number {
    writeCounterIv(bytes, start);
    const cipher = this.#aead.cipher(bytes, start);
    cipher.setAAD(bytes.subarray(start, end));
    return appendTag(cipher, bytes, end);
  }

  open(bytes: Uint8Array, start: number, end: number): number {
    const textEnd = end - TAG_SIZE;
    if (textEnd < start + TEXT) return -1;
    const decipher = this.#aead.decipher(bytes, start);
    decipher.setAAD(bytes.subarray(start, textEnd));
    decipher.setAuthTag(bytes.subarray(textEnd, end));
    return isAuthentic(decipher) ? textEnd : -1;
  }
}

/** Cipher, key and nonce. A context serves one packet: node:crypto cannot give it another nonce. */
class Aead {
  readonly #name: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';
  readonly #key: KeyObject;
  /** Salt and IV, RFC 4106 §4. */
  readonly #nonce = new Uint8Array(12);

  constructor(suite: EspSuite, key: KeyObject, salt: Uint8Array) {
    const name = NAMES.find((known) => known === suite.cipher);
    if (name === undefined) throw new InvariantError(`${suite.cipher} is no GCM cipher`);
    this.#name = name;
    this.#key = key;
    this.#nonce.set(salt);
  }

  cipher(bytes: Uint8Array, start: number): CipherGCM {
    this.#takeIv(bytes, start);
    return createCipheriv(this.#name, this.#key, this.#nonce, TAG);
  }

  decipher(bytes: Uint8Array, start: number): DecipherGCM {
    this.#takeIv(bytes, start);
    return createDecipheriv(this.#name, this.#key, this.#nonce, TAG);
  }

  #takeIv(bytes: Uint8Array, start: number): void {
    for (let i = 0; i < 8; i++) this.#nonce[4 + i] = bytes[start + IV + i] ?? 0;
  }
}

const appendTag = (cipher: CipherGCM, bytes: Uint8Array, end: number): number => {
  cipher.final();
  bytes.set(cipher.getAuthTag(), end);
  return end + TAG_SIZE;
};

const isAuthentic = (decipher: DecipherGCM): boolean => {
  try {
    decipher.final();
    return true;
  } catch {
    // The only way in which node:crypto says that the tag is wrong; there is no code in it before Node 22.
    return false;
  }
};

const NAMES = ['aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm'] as const;
const TAG_SIZE = 16;
const TAG = { authTagLength: TAG_SIZE };
const IV = 8;
const TEXT = 16;
