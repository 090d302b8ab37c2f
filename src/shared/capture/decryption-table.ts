/**
 * The file `ikev1_decryption_table` of Wireshark: keys of ISAKMP SAs, so that a capture of the wire can be read. pcapng has a block for secrets,
 * but of no type that is meant for IKEv1. Everything is made as bytes: text could not be erased.
 */

/** What is added to the name of a capture. */
export const DECRYPTION_TABLE = '.ikev1_decryption_table';

/** The comment that the file begins with. */
export const decryptionTableHeader = (): Uint8Array =>
  new TextEncoder().encode('# Keys of ISAKMP SAs: initiator cookie, encryption key\n');

/** The line of one ISAKMP SA; `key`: as its cipher takes it (RFC 2409 appendix B). The line is the caller's to erase. */
export const decryptionTableLine = (initiatorCookie: Uint8Array, key: Uint8Array): Uint8Array => {
  const line = new Uint8Array(2 * (initiatorCookie.length + key.length) + 2);
  const comma = writeHex(line, 0, initiatorCookie);
  line[comma] = COMMA;
  line[writeHex(line, comma + 1, key)] = NEW_LINE;
  return line;
};

/** Answers where it ends. */
const writeHex = (into: Uint8Array, start: number, bytes: Uint8Array): number => {
  let at = start;
  for (const byte of bytes) {
    into[at++] = hexDigit(byte >> 4);
    into[at++] = hexDigit(byte & 15);
  }
  return at;
};

const hexDigit = (value: number): number => value + (value < 10 ? DIGIT_ZERO : LETTER_A - 10);

const DIGIT_ZERO = 0x30;
const LETTER_A = 0x61;
const COMMA = 0x2c;
const NEW_LINE = 0x0a;
