/** How hard a pre-shared key is to guess. Whoever has seen one aggressive mode, or has played the peer once, tries secrets at leisure (CVE-2018-5389). */
import { type Finding, placeOf, warningAt } from './finding.ts';

/** What is said of a secret that can be guessed, without a word of the secret itself. */
export const weakSecretFindings = (section: string, tag: string, secret: Uint8Array): readonly Finding[] => {
  const bits = secretBits(secret);
  if (bits >= LEAST_BITS) return [];
  const worth = `is worth ${Math.floor(bits)} bits at most and can be guessed`;
  return [
    warningAt(
      placeOf(section, tag),
      `${worth}: take 20 random letters and digits or more, for instance of openssl rand -hex 20`,
    ),
  ];
};

/** Years of work for whoever can try 10^12 secrets a second. */
const LEAST_BITS = 80;

/**
 * Bits that it takes at most to say which of all secrets with these kinds of characters it is: what repeats an earlier part or goes on in order costs next
 * to nothing. Words count as if their letters were random, so what is said to be weak is, while what is not may be. Counts no further than need be.
 */
export const secretBits = (secret: Uint8Array): number => {
  const perCharacter = Math.log2(alphabetOf(secret));
  let bits = 0;
  for (let at = 0; at < secret.length && bits < LEAST_BITS; ) {
    const known = Math.max(repeatedAt(secret, at), orderedAt(secret, at));
    bits += known > 0 ? Math.log2(secret.length) : perCharacter;
    at += Math.max(known, 1);
  }
  return bits;
};

/** How many characters there are of the kinds that occur. */
const alphabetOf = (secret: Uint8Array): number => {
  if (secret.every(isHexDigit)) return 16;
  const kinds = new Set(Array.from(secret, kindOf));
  return Array.from(kinds).reduce((sum, kind) => sum + KIND_SIZES[kind], 0);
};

const kindOf = (byte: number): keyof typeof KIND_SIZES => {
  if (byte >= 0x30 && byte <= 0x39) return 'digit';
  if (byte >= 0x41 && byte <= 0x5a) return 'capital';
  if (byte >= 0x61 && byte <= 0x7a) return 'small';
  return byte >= 0x20 && byte <= 0x7e ? 'punctuation' : 'other';
};

const KIND_SIZES = { digit: 10, capital: 26, small: 26, punctuation: 33, other: 161 };

const isHexDigit = (byte: number): boolean => {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
};

/** How many characters from `at` on are the same as some earlier ones; 0 where fewer than three are. */
const repeatedAt = (secret: Uint8Array, at: number): number => {
  let longest = 0;
  for (let earlier = 0; earlier < at; earlier++) {
    let length = 0;
    while (at + length < secret.length && secret[earlier + length] === secret[at + length]) length++;
    longest = Math.max(longest, length);
  }
  return longest >= 3 ? longest : 0;
};

/** How many characters from `at` on go on with the step of the two before them: aaa, 1234, cba. */
const orderedAt = (secret: Uint8Array, at: number): number => {
  if (at < 2) return 0;
  const step = (secret[at - 1] ?? 0) - (secret[at - 2] ?? 0);
  if (Math.abs(step) > 1) return 0;
  let length = 0;
  while (at + length < secret.length && (secret[at + length] ?? 0) - (secret[at + length - 1] ?? 0) === step) length++;
  return length;
};
