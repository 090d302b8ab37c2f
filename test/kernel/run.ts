/**
 * Runs the tests that need a kernel with IPsec (`*.vm.ts`), all of them in one virtual machine: they flush SAs and policies and make networks of
 * their own. ISAKMPD_VM names the program that runs a command as root of such a machine, with this checkout in it. Arguments are parts of file names to
 * choose by.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharedPath } from '../helpers/shared-folder.ts';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.vm.js'))
  // The compiler leaves behind what it made of sources that are gone.
  .filter((name) => existsSync(join(here, '..', '..', '..', 'test', 'kernel', name.replace(/\.js$/, '.ts'))))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(here, name));
const machine = process.env['ISAKMPD_VM'] ?? sharedPath('vm', 'run-in-vm');
if (machine === undefined || files.length === 0) {
  const fault =
    machine === undefined ? 'ISAKMPD_VM names no virtual machine' : `no test has ${wanted.join(', ')} in its name`;
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
// One after the other: they share the machine's network.
const test = [process.execPath, '--test', '--test-concurrency=1', ...files];
const { status } = spawnSync(machine, ['-t', '600', '--', ...test], { stdio: 'inherit' });
process.exit(status ?? 1);
