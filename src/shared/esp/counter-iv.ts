/** The IV of ciphers that must never see one twice: the sequence number, which is reserved before the packet is made (RFC 3686 §3.1, RFC 4106 §3.1). */

/** Writes the 8 bytes of the IV behind the ESP header at `start`. */
export const writeCounterIv = (bytes: Uint8Array, start: number): void => {
  bytes.fill(0, start + 8, start + 12);
  bytes.copyWithin(start + 12, start + 4, start + 8);
};
