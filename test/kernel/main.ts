/**
 * Tests on a real kernel with ESP, in a guest that run-in-vm boots: the backends' own (`*.vm.ts`), and tunnels between daemons; and on this host, in network
 * namespaces: the backends that need no such kernel (`*.host.ts`), and tunnels with ESP in the daemons themselves.
 *
 *   main.js [--only regexp] [--backends] [--tunnels] [--host [--megabytes n]] [--full]
 *
 * Where no guest, or no namespace, can be had it says why and does nothing; in continuous integration that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { namespacesFault } from '../../loadtest/esp/namespaces.ts';
import { nativeAddonFault } from '../../src/kernel/native/native.ts';

const here = dirname(fileURLToPath(import.meta.url));
const runInVm = join(process.cwd(), 'test/kernel/run-in-vm');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    backends: { type: 'boolean', default: false },
    tunnels: { type: 'boolean', default: false },
    /** Every suite where otherwise some stand for all. */
    full: { type: 'boolean', default: false },
    host: { type: 'boolean', default: false },
    /** What is sent through each tunnel of the host. */
    megabytes: { type: 'string', default: '20' },
  },
});

const inGuest = (seconds: number, folder: string, command: readonly string[]): number => {
  const words = ['-t', String(seconds), '-w', folder, '--', process.execPath, ...command];
  const env = { ...process.env, KERNEL_TESTS: values.full ? 'full' : 'some' };
  return spawnSync(runInVm, words, { stdio: 'inherit', env }).status ?? 1;
};

/** The compiler leaves behind what it made of sources that are gone. */
const isCurrent = (name: string): boolean =>
  existsSync(join(process.cwd(), 'test/kernel', name.replace(/\.js$/, '.ts')));

const without = (what: string, why: string): number => {
  const isCi = process.env['CI'] !== undefined;
  console.log(`${isCi ? 'FAIL' : 'SKIP'} no ${what}: ${why}`);
  return isCi ? 1 : 0;
};

/** Of the tests that are wanted, the paths. */
const testsOf = (place: 'vm' | 'host'): readonly string[] => {
  const wanted = new RegExp(values.only);
  return readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(`.${place}.js`) && wanted.test(name) && isCurrent(name))
    .sort()
    .map((name) => join(here, name));
};

/** One after the other: they share a network. */
const testCommand = (paths: readonly string[]): readonly string[] => ['--test', '--test-concurrency=1', ...paths];

const onHost = (isAll: boolean): number => {
  const fault = nativeAddonFault() ?? namespacesFault();
  if (fault !== false) return without('network namespaces on this host', fault);
  const run = (command: readonly string[]): number =>
    spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
  const tests = isAll || values.backends ? testsOf('host') : [];
  const statuses = tests.length > 0 ? [run(testCommand(tests))] : [];
  if (isAll || values.host) {
    statuses.push(run([join(here, 'host/main.js'), '--only', values.only, '--megabytes', values.megabytes]));
  }
  return Math.max(0, ...statuses);
};

const inVirtualMachine = (isAll: boolean): number => {
  const prepared = spawnSync(runInVm, ['-p'], { encoding: 'utf8' });
  if (prepared.status !== 0) return without('guest', prepared.stderr.trim());
  const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  const tests = isAll || values.backends ? testsOf('vm') : [];
  const statuses = tests.length > 0 ? [inGuest(600, folder, testCommand(tests))] : [];
  if (isAll || values.tunnels) {
    statuses.push(inGuest(900, folder, [join(here, 'tunnels/main.js'), folder, values.only]));
  }
  if (statuses.every((status) => status === 0)) rmSync(folder, { recursive: true });
  else console.log(`logs: ${folder}`);
  return Math.max(0, ...statuses);
};

const wantsAll = !values.backends && !values.tunnels && !values.host;
const inGuests = wantsAll || values.backends || values.tunnels ? inVirtualMachine(wantsAll) : 0;
process.exitCode = Math.max(inGuests, wantsAll || values.backends || values.host ? onHost(wantsAll) : 0);
