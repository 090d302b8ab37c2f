/** AES in counter mode, RFC 3686. */
import { createCipheriv, type KeyObject } from 'node:crypto';
import { writeCounterIv } from './counter-iv.ts';
import type { Icv } from './icv.ts';
import type { EspSuite } from './suite.ts';
import type { Opener, Sealer } from './transform.ts';

export class CtrTransform implements Sealer, Opener {
  readonly #cipher: string;
  readonly #key: KeyObject;
  readonly #icv: Icv;
  /** RFC 3686 §4: nonce, IV, counter that begins with 1. */
  readonly #counterBlock = new Uint8Array(16);

  constructor(suite: EspSuite, key: KeyObject, nonce: Uint8Array, icv: Icv) {
    this.#cipher = suite.cipher;
    this.#key = key;
    this.#icv = icv;
    this.#counterBlock.set(nonce);
    this.#counterBlock[15] = 1;
    createCipheriv(this.#cipher, key, this.#counterBlock);
  }

  seal(bytes: Uint8Array, start: number, end: number): number {
    writeCounterIv(bytes, start);
    this.#crypt(bytes, start, end);
    return this.#icv.append(bytes, start, end);
  }

  open(bytes: Uint8Array, start: number, end: number): number {
    const textEnd = end - this.#icv.size;
    if (textEnd < start + TEXT || !this.#icv.isRight(bytes, start, end)) return -1;
    this.#crypt(bytes, start, textEnd);
    return textEnd;
  }

  #crypt(bytes: Uint8Array, start: number, end: number): void {
    this.#counterBlock.set(bytes.subarray(start + IV, start + TEXT), 4);
    const cipher = createCipheriv(this.#cipher, this.#key, this.#counterBlock);
    bytes.set(cipher.update(bytes.subarray(start + TEXT, end)), start + TEXT);
  }
}

const IV = 8;
const TEXT = 16;
