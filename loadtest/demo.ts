/**
 * `npm run demo`: two daemons on loopback addresses set up an ISAKMP SA and an IPsec SA pair with each other. No root, no kernel:
 * unprivileged ports, a run directory of their own, `-n -K`. Ends with status 1 and the reason when anything is missing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, DaemonFault, freePort, PATIENCE } from './daemon.ts';

interface Side {
  readonly name: string;
  readonly address: string;
  readonly network: string;
}
const LEFT: Side = { name: 'left', address: '127.0.0.1', network: '10.11.1.0' };
const RIGHT: Side = { name: 'right', address: '127.0.0.2', network: '10.11.2.0' };

const configuration = (own: Side, peer: Side, port: number): string => `[General]
Listen-on=${own.address}

[Phase 1]
${peer.address}=peer-${peer.name}

[Phase 2]
Passive-connections=tunnel

[peer-${peer.name}]
Phase=1
Address=${peer.address}
Local-address=${own.address}
Port=${port}
Configuration=main-mode
Authentication=a secret for the demo only

[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-256-SHA2-256-GRP14

[tunnel]
Phase=2
ISAKMP-peer=peer-${peer.name}
Configuration=quick-mode
Local-ID=net-${own.name}
Remote-ID=net-${peer.name}

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-256-SHA2-256-PFS-GRP14-SUITE

[net-${LEFT.name}]
ID-type=IPV4_ADDR_SUBNET
Network=${LEFT.network}
Netmask=255.255.255.0

[net-${RIGHT.name}]
ID-type=IPV4_ADDR_SUBNET
Network=${RIGHT.network}
Netmask=255.255.255.0
`;

const spisOf = (listing: string): readonly string[] =>
  [...listing.matchAll(/^SPI \d: ([0-9a-f]{8})/gm)].map(([, spi]) => spi ?? '');

const show = (title: string, text: string): void => {
  console.log(`\n${title}`);
  for (const line of text.trimEnd().split('\n')) console.log(`    ${line}`);
};

const run = async (left: Daemon, right: Daemon): Promise<void> => {
  await Promise.all([left, right].map((daemon) => daemon.ready()));

  const start = performance.now();
  left.command('c tunnel');
  const phase1 = await left.saw('isakmpd: phase 1 done');
  const phase2 = await left.saw('isakmpd: quick mode done');
  await right.saw('isakmpd: quick mode done (as responder)');
  const [ours, theirs] = [await left.ask('S'), await right.ask('S')];
  show('S of the left daemon:', ours);
  show('S of the right daemon:', theirs);
  const [out, into] = spisOf(ours);
  const mirrored = spisOf(theirs);
  if (out === undefined || into === undefined || out !== mirrored[1] || into !== mirrored[0]) {
    throw new DaemonFault(`the SPIs are not mirrored: ${spisOf(ours).join(' ')} and ${mirrored.join(' ')}`);
  }
  console.log(`\nphase 1 (main mode, group 14): ${(phase1 - start).toFixed(1)} ms`);
  console.log(`phase 2 (quick mode with PFS, group 14): ${(phase2 - phase1).toFixed(1)} ms`);
  console.log(`SPIs mirrored: ${out} ${into}\n`);
  for (const daemon of [left, right]) daemon.command('Q');
  for (const daemon of [left, right]) {
    const status = await Promise.race([daemon.ended, sleep(PATIENCE, 'still running', { ref: false })]);
    if (status !== 0) throw new DaemonFault(`the ${daemon.name} daemon ended with ${status} after Q`);
  }
  console.log('both daemons have ended with status 0');
};

const folder = mkdtempSync(join(tmpdir(), 'isakmpd-demo-'));
const daemons: Daemon[] = [];
try {
  const addresses = [LEFT.address, RIGHT.address];
  const ports = { ike: await freePort(addresses), encapsulated: await freePort(addresses) };
  const show = (name: string) => (line: string) => console.log(`${name.padEnd(6)}| ${line}`);
  const begin = (own: Side, peer: Side) =>
    new Daemon({
      name: own.name,
      folder,
      configuration: configuration(own, peer, ports.ike),
      ports,
      onLine: show(own.name),
    });
  const left = begin(LEFT, RIGHT);
  const right = begin(RIGHT, LEFT);
  daemons.push(left, right);
  await run(left, right);
} catch (fault) {
  console.error(`demo: ${fault instanceof Error ? fault.message : String(fault)}`);
  process.exitCode = 1;
} finally {
  for (const daemon of daemons) daemon.kill();
  rmSync(folder, { recursive: true, force: true });
}
