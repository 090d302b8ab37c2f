/**
 * `npm run build:native`: compiles the addon to build/isakmpd.node, unless it is newer than its sources. `npm ci` does the same; where it cannot be
 * built, because there is no C compiler for example, it says so and the program runs without. Arguments: `--required` makes that a failure,
 * `--sanitize` builds build/sanitized/isakmpd.node with AddressSanitizer and UndefinedBehaviorSanitizer.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..', '..', '..');
const isRequired = process.argv.includes('--required');
const isSanitized = process.argv.includes('--sanitize');
const target = join(root, 'build', ...(isSanitized ? ['sanitized'] : []), 'isakmpd.node');
const compiler = process.env['CC'] ?? 'cc';

const FLAGS = [
  ...['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wshadow', '-Werror'],
  ...['-shared', '-fPIC', '-fvisibility=hidden', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'],
  ...['-Wl,-z,relro,-z,now'],
];
const SANITIZERS = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
];

/** Where the N-API headers may be: our own dependency, those of this Node, those of Debian's libnode-dev. */
const headerFolder = async () => {
  const folders = [join(process.execPath, '..', '..', 'include', 'node'), '/usr/include/node'];
  try {
    folders.unshift((await import('node-api-headers')).default.include_dir);
  } catch (fault) {
    if (fault.code !== 'ERR_MODULE_NOT_FOUND') throw fault;
  }
  return folders.find((folder) => existsSync(join(folder, 'node_api.h')));
};

const isUpToDate = (sources) =>
  existsSync(target) && sources.every((source) => statSync(source).mtimeMs <= statSync(target).mtimeMs);

/** Answers why it could not be built. */
const build = async () => {
  if (process.platform !== 'linux') return `it is for Linux, not ${process.platform}`;
  const files = readdirSync(here).map((name) => join(here, name));
  if (isUpToDate(files.filter((name) => /\.(c|h|mjs)$/.test(name)))) return undefined;
  const headers = await headerFolder();
  if (headers === undefined) return 'there are no N-API headers (node_api.h); the package node-api-headers has them';
  mkdirSync(dirname(target), { recursive: true });
  // Whoever has the old one loaded keeps it, and two builds at once do not mix.
  const temporary = `${target}.${process.pid}`;
  const sources = files.filter((name) => name.endsWith('.c'));
  const flags = [...FLAGS, ...(isSanitized ? SANITIZERS : ['-O2'])];
  const { error, status } = spawnSync(compiler, [...flags, `-I${headers}`, ...sources, '-o', temporary], {
    stdio: 'inherit',
  });
  if (status === 0) {
    renameSync(temporary, target);
    return undefined;
  }
  rmSync(temporary, { force: true });
  return error === undefined ? `${compiler} failed` : `there is no C compiler (${compiler}: ${error.code})`;
};

const reason = await build();
if (reason !== undefined) {
  // One of other sources would not fit.
  rmSync(target, { force: true });
  process.stderr.write(`isakmpd: the native addon was not built: ${reason}. Without it isakmpd has no kernel (-n).\n`);
  if (isRequired) process.exit(1);
}
