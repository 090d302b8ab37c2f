/** What node:crypto hands out, in this program's terms: plain byte arrays of their own, and error codes. */

/**
 * The same bytes as a plain Uint8Array, so that states clone and compare alike wherever they come from.
 * For buffers that own their memory, as every result of node:crypto does.
 */
export const plainBytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** `bytes` in a fresh array of `size` bytes with zeros in front; never more than `size` bytes go in. */
export const leftPadded = (bytes: Uint8Array, size: number): Uint8Array => {
  const padded = new Uint8Array(size);
  padded.set(bytes, size - bytes.length);
  return padded;
};

/** A shared secret from node:crypto as an array of `size` bytes; the buffer it came in is cleared. */
export const takeSecret = (secret: Buffer, size: number): Uint8Array => {
  const taken = leftPadded(secret, size);
  secret.fill(0);
  return taken;
};

/** The `code` of a fault thrown by Node, undefined where it has none. */
export const errorCode = (fault: unknown): string | undefined =>
  fault instanceof Error && 'code' in fault ? String(fault.code) : undefined;
