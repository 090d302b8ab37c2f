/**
 * `npm run bench:libipsec`, as root: TCP between two network namespaces through userland ESP in UDP, first charon's kernel-libipsec on both sides, then our daemons, the same link and the same
 * bytes. Mbit/s, and what the two daemons cost for it. Arguments: megabytes (200), and "cbc" (AES-CBC-128 with HMAC-SHA1-96; else AES-GCM-128).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, DaemonFault } from '../daemon.ts';
import { CharonLibipsec } from '../esp/charon-libipsec.ts';
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
  const begin = (name: string, own: Gateway, peer: Gateway): CharonLibipsec => {
    mkdirSync(join(folder, name));
    return new CharonLibipsec({
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
    bringUp: async () => both[0].initiate(),
    kill: () => {
      for (const charon of both) charon.kill();
    },
  };
};

const configuration = (own: Gateway, peer: Gateway): string => `[General]
Kernel=userland
Listen-on=${own.outer}
[Phase 1]
${peer.outer}=peer
[Phase 2]
Passive-connections=tunnel
[peer]
Phase=1
Address=${peer.outer}
Configuration=main-mode
Authentication=${SECRET}
Flags=force-encap
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP19
[tunnel]
Phase=2
ISAKMP-peer=peer
Configuration=quick-mode
Local-ID=own-net
Remote-ID=peer-net
[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=${isCbc ? 'QM-ESP-AES-128-SHA-SUITE' : 'QM-ESP-AESGCM-128-SUITE'}
${net('own-net', own)}${net('peer-net', peer)}`;

const net = (name: string, { network: { address } }: Gateway): string =>
  `[${name}]\nID-type=IPV4_ADDR_SUBNET\nNetwork=${address}\nNetmask=255.255.0.0\n`;

const ours = async ({ left, right }: Tunnel, folder: string): Promise<Ends> => {
  const begin = (name: string, own: Gateway, peer: Gateway): Daemon =>
    new Daemon({
      ...{ name, folder, configuration: configuration(own, peer), ports: { ike: 500, encapsulated: 4500 } },
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

const transfer = async ({ left, right }: Tunnel, bytes: number): Promise<void> => {
  const port = Number(await right.endpoint.call({ kind: 'serve', address: right.inner }));
  const way = { from: left.inner, to: { address: right.inner, port } };
  const hash = await left.endpoint.call({ kind: 'send', ...way, bytes });
  const received = JSON.stringify(await right.endpoint.event('received'));
  if (received !== JSON.stringify({ size: bytes, hash })) throw new DaemonFault('something else arrived');
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
    await transfer(tunnel, WARM_UP_BYTES);
    const cpu = (): number => (ends?.pids ?? []).reduce((sum, end) => sum + cpuOf(end), 0) / 1000;
    const [began, before] = [performance.now(), cpu()];
    await transfer(tunnel, megabytes * 1e6);
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
