/** What a run needs on this machine, and which peers it can have. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeKeys } from './keys.ts';
import { CHARON } from './peers/charon.ts';
import { must, run } from './processes.ts';
import type { Bench } from './run-scenario.ts';
import type { PeerName } from './scenarios.ts';

/** Why a peer cannot be used here, for each that cannot. */
export type Missing = ReadonlyMap<PeerName, string>;

/** Where setup.sh unpacks libreswan. */
const plutoRoot = (): string => {
  const { ISAKMPD_PLUTO_ROOT } = process.env;
  return ISAKMPD_PLUTO_ROOT ?? join(process.cwd(), 'node_modules/.cache/libreswan');
};

export const missingPeers = async (): Promise<Missing> => {
  const missing = new Map<PeerName, string>();
  const root = process.getuid?.() === 0 ? [] : ['the rights of root'];
  const common = [
    ...root,
    ...(await lacking([
      ['tshark', '--version'],
      ['tcpdump', '--version'],
      ['ip', '-V'],
      ['cc', '--version'],
      ['openssl', 'version'],
    ])),
  ];
  const charon = [...common, ...(existsSync(CHARON) ? [] : [CHARON]), ...(await lacking([['swanctl', '--help']]))];
  const pluto = join(plutoRoot(), 'usr/libexec/ipsec/pluto');
  const others = [
    ...common,
    ...(existsSync(pluto) ? [] : [pluto]),
    ...(await lacking([
      ['certutil', '--help'],
      [pluto, '--version'],
    ])),
  ];
  if (charon.length > 0) missing.set('charon', `not here: ${charon.join(', ')}`);
  if (others.length > 0) missing.set('pluto', `not here: ${[...new Set(others)].join(', ')}`);
  return missing;
};

/** Builds the shim and an empty NSS database in the run's folder, as far as a peer that is here needs them. */
export const prepareBench = async (folder: string, program: string | undefined, missing: Missing): Promise<Bench> => {
  const shim = join(folder, 'shim.so');
  const nss = join(folder, 'nss');
  const keys = join(folder, 'keys');
  if (missing.size < PEER_COUNT) {
    await must('cc', ['-shared', '-fPIC', '-O2', '-o', shim, join(process.cwd(), 'test/interop/shim.c'), '-ldl']);
  }
  if (missing.size < PEER_COUNT) await makeKeys(keys);
  if (!missing.has('pluto')) {
    mkdirSync(nss);
    mkdirSync('/usr/libexec', { recursive: true });
    await must('certutil', ['-N', '-d', `sql:${nss}`, '--empty-password']);
  }
  return { program, shim, nss, keys, plutoRoot: plutoRoot() };
};

/** Those programs that cannot be run at all (not found); what they answer is not looked at. */
const lacking = async (commands: readonly (readonly string[])[]): Promise<readonly string[]> => {
  const answers = await Promise.all(
    commands.map(async ([file = '', ...args]) => ({ file, found: await isRunnable(file, args) })),
  );
  return answers.filter(({ found }) => !found).map(({ file }) => file);
};

const isRunnable = async (file: string, args: readonly string[]): Promise<boolean> => {
  const { code, output } = await run('env', [file, ...args]);
  return code !== 127 && code !== 126 && !output.includes('error while loading shared libraries');
};

const PEER_COUNT = 2;
