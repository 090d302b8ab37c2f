/** Writes one netlink message: header, fixed structure, attributes. Host byte order, but for what is marked `Network`. */
import { endianness } from 'node:os';
import { InvariantError } from '../../shared/errors.ts';
import { Size } from './layout.ts';

export const HOST_IS_LITTLE = endianness() === 'LE';

/**
 * A message under way. It may hold keys: whoever finishes it zeroes what it got. Offsets are those of the piece that was begun last (the fixed
 * structure or an attribute's value).
 */
export class Draft {
  readonly #bytes = new Uint8Array(CAPACITY);
  readonly #view = new DataView(this.#bytes.buffer);
  #base: number = Size.HEADER;
  #length: number;

  /** `size`: of the fixed structure behind the header, bytes. */
  constructor(type: number, flags: number, size: number) {
    this.#length = this.#base + size;
    this.#view.setUint16(4, type, HOST_IS_LITTLE);
    this.#view.setUint16(6, flags, HOST_IS_LITTLE);
  }

  /** Begins an attribute whose value has this many bytes, all zero. */
  attribute(type: number, size: number): void {
    const start = aligned(this.#length);
    if (start + ATTRIBUTE_HEADER + size > CAPACITY) throw new InvariantError(`attribute ${type} of ${size} bytes`);
    this.#view.setUint16(start, ATTRIBUTE_HEADER + size, HOST_IS_LITTLE);
    this.#view.setUint16(start + 2, type, HOST_IS_LITTLE);
    this.#base = start + ATTRIBUTE_HEADER;
    this.#length = this.#base + size;
  }

  u8(at: number, value: number): void {
    this.#view.setUint8(this.#at(at, 1), value);
  }

  u16(at: number, value: number): void {
    this.#view.setUint16(this.#at(at, 2), value, HOST_IS_LITTLE);
  }

  u32(at: number, value: number): void {
    this.#view.setUint32(this.#at(at, 4), value, HOST_IS_LITTLE);
  }

  u64(at: number, value: bigint): void {
    this.#view.setBigUint64(this.#at(at, 8), value, HOST_IS_LITTLE);
  }

  networkU16(at: number, value: number): void {
    this.#view.setUint16(this.#at(at, 2), value);
  }

  networkU32(at: number, value: number): void {
    this.#view.setUint32(this.#at(at, 4), value);
  }

  raw(at: number, value: Uint8Array): void {
    this.#bytes.set(value, this.#at(at, value.length));
  }

  /** The whole message, without sequence number. It shares the draft's memory. */
  finish(): Uint8Array {
    this.#view.setUint32(0, this.#length, HOST_IS_LITTLE);
    return this.#bytes.subarray(0, this.#length);
  }

  #at(offset: number, size: number): number {
    const at = this.#base + offset;
    if (at + size > this.#length) throw new InvariantError(`${size} bytes at ${offset} are outside of the structure`);
    return at;
  }
}

/** Attributes begin at multiples of 4. */
export const aligned = (length: number): number => (length + 3) & ~3;

export const ATTRIBUTE_HEADER = 4;

/** The longest message: an SA with a 512-bit authentication key, a cipher key, and a replay window of 4096 bits. */
const CAPACITY = 2048;
