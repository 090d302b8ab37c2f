/**
 * Tests on a real kernel with ESP, in a guest that run-in-vm boots: the backends' own (`*.vm.ts`), and tunnels between daemons.
 *
 *   main.js [--only regexp] [--backends] [--tunnels]
 *
 * Where no guest can be had it says why and does nothing; in continuous integration that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const runInVm = join(process.cwd(), 'test/kernel/run-in-vm');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    backends: { type: 'boolean', default: false },
    tunnels: { type: 'boolean', default: false },
  },
});

const inGuest = (seconds: number, folder: string, command: readonly string[]): number => {
  const words = ['-t', String(seconds), '-w', folder, '--', process.execPath, ...command];
  return spawnSync(runInVm, words, { stdio: 'inherit' }).status ?? 1;
};

/** The compiler leaves behind what it made of sources that are gone. */
const isCurrent = (name: string): boolean =>
  existsSync(join(process.cwd(), 'test/kernel', name.replace(/\.js$/, '.ts')));

const main = (): number => {
  const prepared = spawnSync(runInVm, ['-p'], { encoding: 'utf8' });
  if (prepared.status !== 0) {
    const isCi = process.env['CI'] !== undefined;
    console.log(`${isCi ? 'FAIL' : 'SKIP'} no guest: ${prepared.stderr.trim()}`);
    return isCi ? 1 : 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  const wanted = new RegExp(values.only);
  const tests = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.vm.js') && wanted.test(name) && isCurrent(name),
  );
  const wantsAll = !values.backends && !values.tunnels;
  const statuses: number[] = [];
  if ((wantsAll || values.backends) && tests.length > 0) {
    // One after the other: they share the guest's network.
    const paths = tests.sort().map((name) => join(here, name));
    statuses.push(inGuest(600, folder, ['--test', '--test-concurrency=1', ...paths]));
  }
  if (wantsAll || values.tunnels) {
    statuses.push(inGuest(900, folder, [join(here, 'tunnels/main.js'), folder, values.only]));
  }
  if (statuses.every((status) => status === 0)) rmSync(folder, { recursive: true });
  else console.log(`logs: ${folder}`);
  return Math.max(0, ...statuses);
};

process.exitCode = main();
