/** One ESP packet in tunnel mode, RFC 4303 §2 and §3: header, padding and trailer around what a transform seals. No state but the transform's. */
import type { EspSuite } from './suite.ts';
import type { Opener, Sealer } from './transform.ts';

/** SPI, or -1 for what is too short to have one and a sequence number. */
export const spiOf = (bytes: Uint8Array, start: number, end: number): number =>
  end - start < HEADER ? -1 : longAt(bytes, start);

export const sequenceOf = (bytes: Uint8Array, start: number): number => longAt(bytes, start + 4);

/** Bytes that the packet of an inner packet of `size` bytes has, from the SPI to the ICV. */
export const sealedSize = (suite: EspSuite, size: number): number =>
  HEADER + suite.ivSize + paddedSize(suite, size) + suite.icvSize;

/** The largest inner packet whose ESP packet has `size` bytes at most; below 0 where none does. */
export const largestInner = (suite: EspSuite, size: number): number => {
  const room = size - HEADER - suite.ivSize - suite.icvSize;
  return room - (room % suite.alignment) - TRAILER;
};

/** `text` is copied: a whole inner packet. `into` has room for `sealedSize` at `start`. Answers where the packet ends. */
export const sealPacket = (
  suite: EspSuite,
  sealer: Sealer,
  spi: number,
  sequence: number,
  text: Uint8Array,
  into: Uint8Array,
  start: number,
): number => {
  writeLong(into, start, spi);
  writeLong(into, start + 4, sequence);
  const textAt = start + HEADER + suite.ivSize;
  into.set(text, textAt);
  const end = textAt + paddedSize(suite, text.length);
  const padding = end - TRAILER - textAt - text.length;
  // RFC 4303 §2.4: 1, 2, 3, ...
  for (let i = 0, at = textAt + text.length; i < padding; i++) into[at + i] = i + 1;
  into[end - 2] = padding;
  into[end - 1] = (text[0] ?? 0) >> 4 === 6 ? NextHeader.IPV6 : NextHeader.IPV4;
  return sealer.seal(into, start, end);
};

/** Where the text of an opened packet lies; filled by `openPacket`. */
export class OpenedPacket {
  start = 0;
  end = 0;
  nextHeader = 0;
}

/**
 * Opens `bytes[start..end)` in place. Traffic flow confidentiality padding stays in (the inner packet has its own length). 'forged': the ICV is
 * wrong, or the length cannot be; 'malformed': authentic, but the padding is none.
 */
export const openPacket = (
  suite: EspSuite,
  opener: Opener,
  bytes: Uint8Array,
  start: number,
  end: number,
  into: OpenedPacket,
): 'opened' | 'forged' | 'malformed' => {
  const textAt = start + HEADER + suite.ivSize;
  const encrypted = end - suite.icvSize - textAt;
  if (encrypted < TRAILER || encrypted % suite.alignment !== 0) return 'forged';
  const textEnd = opener.open(bytes, start, end);
  if (textEnd < 0) return 'forged';
  const padding = bytes[textEnd - 2] ?? 0;
  const paddingAt = textEnd - TRAILER - padding;
  if (paddingAt < textAt) return 'malformed';
  for (let i = 0; i < padding; i++) if (bytes[paddingAt + i] !== i + 1) return 'malformed';
  into.start = textAt;
  into.end = paddingAt;
  into.nextHeader = bytes[textEnd - 1] ?? 0;
  return 'opened';
};

/** Protocol numbers in the next header field of a tunnel; DUMMY packets are there to be dropped (RFC 4303 §2.6). */
export const NextHeader = { IPV4: 4, IPV6: 41, DUMMY: 59 } as const;

const paddedSize = (suite: EspSuite, size: number): number => {
  const bare = size + TRAILER;
  return bare + ((suite.alignment - (bare % suite.alignment)) % suite.alignment);
};

const longAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;

const writeLong = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
};

/** SPI and sequence number. */
const HEADER = 8;
/** Pad length and next header. */
const TRAILER = 2;
