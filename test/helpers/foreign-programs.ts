/** Programs of others that judge our output. CI installs them, so there their absence is a failure. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';

/** Whether the program is not here. */
export const isMissing = (program: string): boolean => {
  const isThere = spawnSync(program, ['--version']).error === undefined;
  assert.ok(isThere || process.env['CI'] !== 'true', `${program} is missing: test/interop/setup.sh installs it`);
  return !isThere;
};

/** What it writes to standard output; `environment`: variables besides our own. */
export const outputOf = (
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string =>
  execFileSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
