/** Bytes as the configuration writes them: characters, or hexadecimal. */

/** UTF-8 of the text, or after `0x` what the hex digits say; undefined where their number is odd or there are none. */
export const bytesOrHex = (text: string): Uint8Array | undefined => {
  if (!/^0x/i.test(text)) return new TextEncoder().encode(text);
  return /^0x(?:[0-9a-f]{2})+$/i.test(text) ? hexBytes(text.slice(2)) : undefined;
};

/** An even number of hex digits. */
export const hexBytes = (digits: string): Uint8Array => {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
};
