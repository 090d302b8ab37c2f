/** Where foreign test data lies. The project runs without it: tests that need it skip and say so. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The path of something in the shared folder, or undefined where this checkout has none. Tests run from the project root. */
export const sharedPath = (...parts: readonly string[]): string | undefined => {
  const path = join(process.env['ISAKMPD_SHARED'] ?? join(process.cwd(), '..', 'shared'), ...parts);
  return existsSync(path) ? path : undefined;
};
