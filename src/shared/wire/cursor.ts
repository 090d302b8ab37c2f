/** A bounded read position in one datagram, and the buffer that outgoing messages are written to. Nothing here knows a payload. */
import { NotifyType } from '../constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../errors.ts';

/** Read position inside one datagram. `end` bounds the enclosing payload, so no reader can run past it. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  end: number;
}

/** A cursor over all of `bytes`. What is read through it are views: whoever keeps one past the current message copies it. */
export const cursor = (bytes: Uint8Array): Cursor => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0,
  end: bytes.length,
});

/** Claims `size` bytes and answers where they start. Throws PAYLOAD_MALFORMED when the enclosing payload has fewer. */
export const take = (c: Cursor, size: number): number => {
  const start = c.offset;
  if (size < 0 || size > c.end - start) {
    throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `needs ${size} bytes, has ${c.end - start}`);
  }
  c.offset = start + size;
  return start;
};

/** Claims `size` bytes and answers a view of them. */
export const takeBytes = (c: Cursor, size: number): Uint8Array => {
  const start = take(c, size);
  return c.bytes.subarray(start, start + size);
};

/** Grow-only output buffer, reused for one message after the other. A number that does not fit its field is our own fault. */
export class Sink {
  #bytes = new Uint8Array(2048);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written; a writer that threw half way may have left something. */
  restart(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    fits(value, 0xff);
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    fits(value, 0xffff);
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    fits(value, 0xffffffff);
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  raw(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  patchU16(at: number, value: number): void {
    fits(value, 0xffff);
    this.#view.setUint16(at, value);
  }

  /** A copy of everything written; the sink starts anew. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return written;
  }

  #room(size: number): number {
    const start = this.#length;
    if (start + size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, start + size));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = start + size;
    return start;
  }
}

const fits = (value: number, max: number): void => {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new InvariantError(`${value} does not fit a field of 0 to ${max}`);
  }
};
