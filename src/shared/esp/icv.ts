/** Integrity check values of ESP packets, RFC 4303 §2.8, where the cipher does not bring its own. */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

export interface Icv {
  /** Bytes at the end of a packet. */
  readonly size: number;
  /** Appends the ICV of `bytes[start..end)`; answers where it ends. */
  append(bytes: Uint8Array, start: number, end: number): number;
  /** Whether the packet `bytes[start..end)` ends with the right ICV. */
  isRight(bytes: Uint8Array, start: number, end: number): boolean;
}

/** HMAC, cut to `size` bytes. */
export class HmacIcv implements Icv {
  readonly size: number;
  readonly #hash: string;
  readonly #key: KeyObject;

  constructor(hash: string, key: Uint8Array, size: number) {
    this.#hash = hash;
    this.#key = createSecretKey(key);
    this.size = size;
    // A hash that OpenSSL lacks is noticed here, not at the first packet.
    createHmac(hash, this.#key);
  }

  append(bytes: Uint8Array, start: number, end: number): number {
    bytes.set(this.#digest(bytes, start, end), end);
    return end + this.size;
  }

  isRight(bytes: Uint8Array, start: number, end: number): boolean {
    const covered = end - this.size;
    return timingSafeEqual(this.#digest(bytes, start, covered), bytes.subarray(covered, end));
  }

  #digest(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return createHmac(this.#hash, this.#key).update(bytes.subarray(start, end)).digest().subarray(0, this.size);
  }
}

/** ESP without authentication. */
export class NoIcv implements Icv {
  readonly size = 0;

  append(_bytes: Uint8Array, _start: number, end: number): number {
    return end;
  }

  isRight(): boolean {
    return true;
  }
}
