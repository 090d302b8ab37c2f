/** The four bytes every payload begins with, RFC 2408 §3.2: next payload, reserved, length. Payload chains and nested chains share them. */
import { NotifyType } from '../constants/isakmp.ts';
import { ProtocolError } from '../errors.ts';
import { type Cursor, type Sink, takeBytes } from './cursor.ts';

export const GENERIC_HEADER_SIZE = 4;

/**
 * Reads the generic header at the cursor and narrows `end` to the payload it announces; answers the next payload's type.
 * Throws UNEQUAL_PAYLOAD_LENGTHS where header or payload do not fit, PAYLOAD_MALFORMED for a reserved byte (RFC 2408 §5.3).
 */
export const enterPayload = (c: Cursor): number => {
  const start = c.offset;
  if (c.end - start < GENERIC_HEADER_SIZE) {
    throw new ProtocolError(NotifyType.UNEQUAL_PAYLOAD_LENGTHS, `short payload: ${c.end - start} bytes left`);
  }
  const reserved = c.view.getUint8(start + 1);
  // The text of this one is what operators know as the sign of a wrong pre-shared key; it comes before the length for that reason.
  if (reserved !== 0) {
    const digits = reserved.toString(16).padStart(2, '0');
    throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `reserved field non-zero: ${digits}`);
  }
  const length = c.view.getUint16(start + 2);
  if (length < GENERIC_HEADER_SIZE || length > c.end - start) {
    throw new ProtocolError(NotifyType.UNEQUAL_PAYLOAD_LENGTHS, `length ${length}, ${c.end - start} bytes left`);
  }
  c.offset = start + GENERIC_HEADER_SIZE;
  c.end = start + length;
  return c.view.getUint8(start);
};

/** Everything up to the end of the payload. */
export const takeRest = (c: Cursor): Uint8Array => takeBytes(c, c.end - c.offset);

/** Writes a generic header without its length and answers where it starts, for `closePayload`. */
export const openPayload = (s: Sink, next: number): number => {
  const start = s.length;
  s.u8(next);
  s.u8(0);
  s.u16(0);
  return start;
};

export const closePayload = (s: Sink, start: number): void => s.patchU16(start + 2, s.length - start);
