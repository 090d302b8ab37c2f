/**
 * Runs the tests as one explicit list of compiled files: globs and folders mean different things to `node --test` of Node 20 and
 * 24. Arguments are parts of file names to choose by. Interoperability has its own runner (test/interop).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  // The compiler leaves behind what it made of sources that are gone.
  .filter((name) => existsSync(join(here, '..', '..', 'test', name.replace(/\.js$/, '.ts'))))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(here, name));
if (files.length === 0) {
  process.stderr.write(`no test file has one of ${wanted.join(', ')} in its name\n`);
  process.exit(1);
}
const repeatable = pathToFileURL(join(here, 'helpers', 'repeatable-properties.js')).href;
const options = ['--import', repeatable, '--test', '--test-concurrency=2', '--test-timeout=240000'];
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
