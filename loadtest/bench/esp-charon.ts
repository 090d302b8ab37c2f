/**
 * `npm run bench:libipsec`, as root: TCP between two network namespaces through userland ESP in UDP, first charon's kernel-libipsec on both sides, then our daemons, the same link and the same
 * bytes. Mbit/s, and what the two daemons cost for it. Arguments: megabytes (200), and "cbc" (AES-CBC-128 with HMAC-SHA1-96; else AES-GCM-128).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Charon } from '../charon.ts';
import { Daemon, DaemonFault } from '../daemon.ts';
import { charonLibipsec } from '../esp/charon-libipsec.ts';
import { gatewayConfiguration, transfer } from '../esp/gateway-configuration.ts';
import { type Gateway, openGateways, type Tunnel } from '../esp/gateways.ts';
import { namespacesFault } from '../esp/namespaces.ts';
import { cpuOf } from './observed-daemon.ts';

const words = process.argv.slice(2);
const megabytes = Number(words.find((word) => /^\d+$/.test(word)) ?? '200');
const isCbc = words.includes('cbc');
const SECRET = 'a secret of the benchmark';

interface Ends {
  readonly pids: readonly { readonly pid: number }[];
  /** The tunnel is there when it resolves. */
  bringUp(): Promise<unknown>;
  kill(): void;
}

const inside = ({ namespace }: Gateway): readonly string[] => ['ip', 'netns', 'exec', namespace.name];
const cidr = ({ network: { address, prefixLength } }: Gateway): string => `${address}/${prefixLength}`;

const charons = async ({ left, right }: Tunnel, folder: string): Promise<Ends> => {
  const begin = (name: string, own: Gateway, peer: Gateway): Charon => {
    mkdirSync(join(folder, name));
    return charonLibipsec({
      inside: inside(own),
      folder: join(folder, name),
      localId: own.outer,
      remoteId: peer.outer,
      remoteAddress: peer.outer,
      secret: SECRET,
      localNet: cidr(own),
      remoteNet: cidr(peer),
      proposal: 'aes128-sha256-ecp256',
      espProposal: isCbc ? 'aes128-sha1' : 'aes128gcm16',
    });
  };
  const both = [begin('left', left, right), begin('right', right, left)] as const;
  await Promise.all(both.map((charon) => charon.ready()));
  return {
    pids: both,
    bringUp: async () => both[0].initiate('net'),
    kill: () => {
      for (const charon of both) charon.kill();
    },
  };
};

const SETTINGS = {
  general: 'Kernel=userland',
  peer: 'Flags=force-encap',
  transform: 'AES-128-SHA2-256-GRP19',
  suite: isCbc ? 'QM-ESP-AES-128-SHA-SUITE' : 'QM-ESP-AESGCM-128-SUITE',
};

const ours = async ({ left, right }: Tunnel, folder: string): Promise<Ends> => {
  const begin = (name: string, own: Gateway, peer: Gateway): Daemon =>
    new Daemon({
      ...{
        name,
        folder,
        configuration: gatewayConfiguration(own, peer, SETTINGS),
        ports: { ike: 500, encapsulated: 4500 },
      },
      words: ['-d', '-v', '-K', '-4'],
      inside: inside(own),
    });
  const both = [begin('left', left, right), begin('right', right, left)] as const;
  await Promise.all(both.map((daemon) => daemon.ready()));
  return {
    pids: both,
    bringUp: () => {
      both[0].command('c tunnel');
      return Promise.all(both.map((daemon) => daemon.saw('quick mode done')));
    },
    kill: () => {
      for (const daemon of both) daemon.kill();
    },
  };
};

/** Mbit per second of time, and per CPU second of both ends. */
const measure = async (
  begin: (tunnel: Tunnel, folder: string) => Promise<Ends>,
): Promise<readonly [number, number]> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const tunnel = openGateways({});
  let ends: Ends | undefined;
  try {
    ends = await begin(tunnel, folder);
    await ends.bringUp();
    // Routes are made and programs warm.
    await transfer(tunnel.left, tunnel.right, WARM_UP_BYTES);
    const cpu = (): number => (ends?.pids ?? []).reduce((sum, end) => sum + cpuOf(end), 0) / 1000;
    const [began, before] = [performance.now(), cpu()];
    await transfer(tunnel.left, tunnel.right, megabytes * 1e6);
    const [seconds, spent] = [(performance.now() - began) / 1000, cpu() - before];
    return [(megabytes * 8) / seconds, (megabytes * 8) / spent];
  } finally {
    ends?.kill();
    await tunnel.end();
    rmSync(folder, { recursive: true, force: true });
  }
};

const WARM_UP_BYTES = 20e6;

const fault = namespacesFault();
if (fault !== false) throw new DaemonFault(fault);
const theirs = await measure(charons);
const own = await measure(ours);
const line = (name: string, [rate, perCpu]: readonly [number, number]): string =>
  `${name} ${rate.toFixed(0)} Mbit/s, ${perCpu.toFixed(0)} Mbit per CPU second of both ends`;
console.log(
  `${isCbc ? 'AES-CBC-128 HMAC-SHA1-96' : 'AES-GCM-128'}, ${megabytes} MB in UDP: ${line('kernel-libipsec', theirs)}; ${line('ours', own)}; ` +
    `ours per CPU second: ${(own[1] / theirs[1]).toFixed(2)} of kernel-libipsec's`,
);
