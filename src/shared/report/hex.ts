/** Numbers as listings and reports print them. */

/** 32 bits, eight digits: SPIs and message ids. */
export const wordHex = (value: number): string => value.toString(16).padStart(8, '0');

export const bytesHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
