/**
 * CBC ciphers: RFC 2405, 2451, 3602. One cipher context serves all packets of an SA, which is three times as fast as one per packet: a context that goes on chaining
 * from the packet before is set right by one block more in front.
 */
import { type Cipher, createCipheriv, createDecipheriv, type Decipher, type KeyObject } from 'node:crypto';
import type { Icv } from './icv.ts';
import type { EspSuite } from './suite.ts';
import type { FillRandom, Opener, Sealer } from './transform.ts';

export class CbcSealer implements Sealer {
  readonly #cipher: Cipher;
  readonly #ivSize: number;
  readonly #icv: Icv;
  readonly #random: FillRandom;

  constructor(suite: EspSuite, key: KeyObject, icv: Icv, random: FillRandom) {
    this.#ivSize = suite.ivSize;
    this.#icv = icv;
    this.#random = random;
    const first = new Uint8Array(suite.ivSize);
    random(first, 0, first.length);
    this.#cipher = createCipheriv(suite.cipher, key, first).setAutoPadding(false);
  }

  /** A random block, encrypted with everything else, is the IV: nobody can foretell it, and the text is chained to it as RFC 3602 §3 asks. */
  seal(bytes: Uint8Array, start: number, end: number): number {
    const iv = start + ESP_HEADER;
    this.#random(bytes, iv, iv + this.#ivSize);
    bytes.set(this.#cipher.update(bytes.subarray(iv, end)), iv);
    return this.#icv.append(bytes, start, end);
  }
}

export class CbcOpener implements Opener {
  readonly #decipher: Decipher;
  readonly #ivSize: number;
  readonly #icv: Icv;

  constructor(suite: EspSuite, key: KeyObject, icv: Icv) {
    this.#ivSize = suite.ivSize;
    this.#icv = icv;
    this.#decipher = createDecipheriv(suite.cipher, key, new Uint8Array(suite.ivSize)).setAutoPadding(false);
  }

  /** The IV goes through the decipher as if it were a block: what comes out of it means nothing, and the block after it is right. */
  open(bytes: Uint8Array, start: number, end: number): number {
    const iv = start + ESP_HEADER;
    const textEnd = end - this.#icv.size;
    const size = textEnd - iv;
    if (size <= this.#ivSize || size % this.#ivSize !== 0 || !this.#icv.isRight(bytes, start, end)) return -1;
    bytes.set(this.#decipher.update(bytes.subarray(iv, textEnd)), iv);
    return textEnd;
  }
}

/** SPI and sequence number. */
const ESP_HEADER = 8;
