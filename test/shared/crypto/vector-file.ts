/** Reads foreign test vectors where this checkout has them, and counts what ran and what was left out. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { sharedPath } from '../../helpers/shared-folder.ts';

/** The JSON of one file below vectors/, in the shape the caller knows it to have; undefined (and the test skipped) where it is absent. */
export const readVectors = <T>(t: TestContext, ...parts: readonly string[]): T | undefined => {
  const path = sharedPath('vectors', ...parts);
  if (path === undefined) {
    t.skip('shared/vectors is absent');
    return undefined;
  }
  return JSON.parse(readFileSync(path, 'utf8'));
};

export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A tally for one file: `ran()` per case, `leftOut(why)` per case that does not concern us; `print` says both. */
export const tally = () => {
  let count = 0;
  const reasons = new Map<string, number>();
  return {
    ran: (): void => {
      count += 1;
    },
    leftOut: (why: string, cases = 1): void => {
      reasons.set(why, (reasons.get(why) ?? 0) + cases);
    },
    print: (t: TestContext, file: string): void => {
      const omitted = [...reasons].map(([why, cases]) => `${cases} left out (${why})`);
      t.diagnostic(`${file}: ${[`${count} ran`, ...omitted].join(', ')}`);
    },
  };
};
