/** The demo without root: two daemons on loopback addresses negotiate with each other. No kernel: unprivileged ports, `-n -K`. */
import { Daemon, freePort } from '../daemon.ts';
import { checkMirrored, endAll, said, show } from './stage.ts';

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
  const [out, into] = checkMirrored(ours, theirs);
  console.log(`\nphase 1 (main mode, group 14): ${(phase1 - start).toFixed(1)} ms`);
  console.log(`phase 2 (quick mode with PFS, group 14): ${(phase2 - phase1).toFixed(1)} ms`);
  console.log(`SPIs mirrored: ${out} ${into}\n`);
  await endAll([left, right]);
};

/** Rejects with DaemonFault when anything is missing. */
export const loopbackDemo = async (folder: string, daemons: Daemon[]): Promise<void> => {
  const addresses = [LEFT.address, RIGHT.address];
  const ports = { ike: await freePort(addresses), encapsulated: await freePort(addresses) };
  const begin = (own: Side, peer: Side): Daemon =>
    new Daemon({
      name: own.name,
      folder,
      configuration: configuration(own, peer, ports.ike),
      ports,
      onLine: said(own.name),
    });
  const left = begin(LEFT, RIGHT);
  const right = begin(RIGHT, LEFT);
  daemons.push(left, right);
  await run(left, right);
};
