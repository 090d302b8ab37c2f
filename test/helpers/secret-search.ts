/** Looks for secrets in text, in every form in which somebody might print them. */

/** The longest secrets in which nothing can be recognised: numbers like 1 and single bytes. */
const SHORTEST = 8;
/** Bytes that make 12 base64 digits. */
const BASE64_BYTES = 9;
const BASE64_DIGITS = 12;

/**
 * Where `text` holds any 8 bytes of any of the secrets: in hex of either case, with or without separators, in base64, raw, or with escapes. Answers
 * what was found; empty when all is well.
 */
export const findSecrets = (text: string, secrets: readonly Uint8Array[]): readonly string[] => {
  const hex = new Set<string>();
  const base64 = new Set<string>();
  const raw = new Set<string>();
  for (const secret of secrets) {
    const bytes = Buffer.from(secret);
    for (let i = 0; i + SHORTEST <= bytes.length; i++) {
      const window = bytes.subarray(i, i + SHORTEST);
      if (new Set(window).size < 3) continue;
      hex.add(window.toString('hex'));
      raw.add(window.toString('latin1'));
      if (i + BASE64_BYTES <= bytes.length) base64.add(bytes.subarray(i, i + BASE64_BYTES).toString('base64'));
    }
  }
  const unescaped = text.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const lower = text.toLowerCase();
  return [
    ...matches(lower, hex, 2 * SHORTEST),
    ...matches(lower.replace(/[^0-9a-f]/g, ''), hex, 2 * SHORTEST),
    ...matches(text.replaceAll('-', '+').replaceAll('_', '/'), base64, BASE64_DIGITS),
    ...matches(text, raw, SHORTEST),
    ...matches(unescaped, raw, SHORTEST),
  ];
};

const matches = (text: string, windows: ReadonlySet<string>, length: number): readonly string[] => {
  const found: string[] = [];
  for (let i = 0; i + length <= text.length; i++) {
    const window = text.slice(i, i + length);
    if (windows.has(window)) found.push(`${window} in "${text.slice(Math.max(0, i - 80), i + 80)}"`);
  }
  return found;
};
