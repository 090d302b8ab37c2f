/**
 * Runs the commands of a docs/howto-*.md as they stand there, inside of namespaces of its own (test/main/howto.test.ts): machines are folders
 * with an /etc and a /var/run of their own, and addresses on one loopback. Daemons get -n, scp(1) and logger(1) are stand-ins.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [file = '', folder = '', waitsFor = ''] = process.argv.slice(2);

interface Block {
  readonly machines: readonly string[];
  /** Run again until its output has this. */
  readonly until: string | undefined;
  readonly script: string;
}

const MACHINES = new Map([
  ['east', '192.0.2.1'],
  ['west', '198.51.100.1'],
  ['ca', '203.0.113.1'],
  ['openssl', '203.0.113.2'],
]);

const blocksOf = (text: string): readonly Block[] =>
  [...text.matchAll(/^```sh (\w+)(?: until=(\S+))?\n(.*?)^```$/gms)].map(([, machine = '', until, script = '']) => ({
    machines: machine === 'both' ? ['east', 'west'] : [machine],
    until,
    script,
  }));

const rootOf = (machine: string): string => join(folder, machine);

const makeMachine = (machine: string): void => {
  const root = rootOf(machine);
  for (const directory of ['etc/ssl', 'run', 'home']) mkdirSync(join(root, directory), { recursive: true });
  symlinkSync(join(process.cwd(), 'config'), join(root, 'home/config'));
  for (const name of ['passwd', 'group', 'services', 'protocols', 'hosts', 'nsswitch.conf', 'ssl/openssl.cnf']) {
    if (existsSync(join('/etc', name))) cpSync(join('/etc', name), join(root, 'etc', name), { dereference: true });
  }
};

const program = (name: string, script: string): void => {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}`);
  chmodSync(join(folder, 'bin', name), 0o755);
};

const makePrograms = (): void => {
  mkdirSync(join(folder, 'bin'));
  const isakmpd = `exec ${process.execPath} ${join(process.cwd(), 'bin/isakmpd')} "$@"`;
  program('isakmpd', `case $1 in pki) ;; *) set -- "$@" -n --workers 1 ;; esac\n${isakmpd}\n`);
  program('keynote', `exec ${process.execPath} ${join(process.cwd(), 'bin/keynote')} "$@"\n`);
  program('logger', `exec cat >> ${folder}/$MACHINE/log\n`);
  const cases = [...MACHINES].map(([name, address]) => `    root@${address}:*) echo "${rootOf(name)}\${1#*:}" ;;`);
  program(
    'scp',
    `place() {\n  case $1 in\n${cases.join('\n')}\n    *) echo "$1" ;;\n  esac\n}\nwhile [ $# -gt 2 ]; do shift; done\nexec cp "$(place "$1")" "$(place "$2")"\n`,
  );
};

/** What the commands print, standard error included; undefined: one of them failed. */
const run = (machine: string, script: string): { readonly isDone: boolean; readonly output: string } => {
  const root = rootOf(machine);
  const mounts = `mount --bind ${root}/etc /etc && mount --bind ${root}/run /var/run && exec sh -e -c "$1"`;
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', mounts, 'sh', script], {
    encoding: 'utf8',
    cwd: `${root}/home`,
    env: { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, HOME: `${root}/home`, MACHINE: machine },
    // openssl req asks for a name: its own defaults will do.
    input: '\n'.repeat(50),
  });
  return { isDone: status === 0, output: stdout + stderr };
};

const eventually = async (what: string, look: () => boolean): Promise<void> => {
  for (const end = performance.now() + PATIENCE; !look(); await sleep(50)) {
    if (performance.now() > end) fail(`waited ${PATIENCE / 1000} s for ${what}`);
  }
};

const fail = (why: string): never => {
  console.error(why);
  for (const machine of MACHINES.keys()) {
    const log = join(rootOf(machine), 'log');
    if (existsSync(log)) console.error(`--- log of ${machine}\n${readFileSync(log, 'utf8')}`);
  }
  process.exit(1);
};

const perform = async ({ machines, until, script }: Block): Promise<void> => {
  for (const machine of machines) {
    if (until !== undefined) {
      await eventually(`"${until}" from\n${script}`, () => run(machine, script).output.includes(until));
      continue;
    }
    const { isDone, output } = run(machine, script);
    console.log(`--- ${machine}\n${script}${output}`);
    if (!isDone) fail(`${machine}: failed:\n${script}${output}`);
  }
};

const logOf = (machine: string): string => {
  const log = join(rootOf(machine), 'log');
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
};

/** ms */
const PATIENCE = 30_000;

for (const words of [
  ['link', 'set', 'lo', 'up'],
  ...[...MACHINES.values()].map((address) => ['addr', 'add', `${address}/32`, 'dev', 'lo']),
]) {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) fail(`ip ${words.join(' ')}: ${stderr}`);
}
for (const machine of MACHINES.keys()) makeMachine(machine);
makePrograms();
const blocks = blocksOf(readFileSync(file, 'utf8'));
for (const block of blocks) {
  if (waitsFor !== '' && block.script.includes('echo Q')) {
    await eventually(`"${waitsFor}" in the log of east`, () => logOf('east').includes(waitsFor));
  }
  await perform(block);
}
await eventually('the daemons to end', () =>
  ['east', 'west'].every((name) => !existsSync(join(rootOf(name), 'run/isakmpd.pid'))),
);
console.log(`${blocks.length} blocks`);
