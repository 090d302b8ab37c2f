/** The block that an RSA key signs, RFC 8017 §9.2. It is always made whole and compared: taking one apart has let forged ones pass elsewhere (CVE-2018-16151). */

/** 00 01 ff ... ff 00 content, `size` bytes; undefined where the key is too short for it. */
export const pkcs1Block = (content: Uint8Array, size: number): Uint8Array | undefined => {
  const start = size - content.length;
  if (start < LEAST_PADDING + 3) return undefined;
  const block = new Uint8Array(size).fill(0xff, 2, start - 1);
  block[1] = 1;
  block.set(content, start);
  return block;
};

const LEAST_PADDING = 8;
