/** Text that may come from a peer or from the FIFO, made safe for a line of log, listing or terminal. */

/**
 * Every control, format (bidirectional marks included), private, unassigned and surrogate character, and every line separator, becomes
 * `\xNN` or `\u{N}`. Backslashes stay, so that text which was made printable before comes out unchanged.
 */
export const printable = (text: string): string => (PLAIN.test(text) ? text : text.replace(UNPRINTABLE, escaped));

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

const PLAIN = /^[ -~]*$/;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
