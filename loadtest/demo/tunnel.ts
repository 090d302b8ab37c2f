/** The demo as root: two gateways in network namespaces, whose first packet for each other's network brings up a tunnel that carries it. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type SaStatus, statusAnswer } from '../../src/shared/report/status-schema.ts';
import { Daemon, DaemonFault } from '../daemon.ts';
import { gatewayConfiguration, transfer } from '../esp/gateway-configuration.ts';
import type { Gateway, Tunnel } from '../esp/gateways.ts';
import type { WireCounts } from '../esp/wire-watch.ts';
import { checkMirrored, endAll, said, show } from './stage.ts';

/** Rejects with DaemonFault when anything is missing; the caller ends tunnel and daemons. */
export const tunnelDemo = async ({ left, right }: Tunnel, folder: string, daemons: Daemon[]): Promise<void> => {
  const begin = (name: string, own: Gateway, peer: Gateway): Daemon =>
    new Daemon({
      ...{
        name,
        folder,
        configuration: gatewayConfiguration(own, peer, SETTINGS),
        ports: { ike: 500, encapsulated: 4500 },
      },
      words: ['-d', '-v', '-K', '-4', '--allow-userland'],
      inside: ['ip', 'netns', 'exec', own.namespace.name],
      onLine: said(name),
    });
  const both = [begin('left', left, right), begin('right', right, left)] as const;
  daemons.push(...both);
  await Promise.all(both.map((daemon) => daemon.ready()));

  console.log(
    `\n${left.inner} sends ${BYTES} bytes over TCP to ${right.inner}: its first packet has the tunnel made\n`,
  );
  await right.endpoint.call({ kind: 'watch', interfaceName: 'out0' });
  const began = performance.now();
  await transfer(left, right, BYTES);
  const seconds = (performance.now() - began) / 1000;
  const counts = (await right.endpoint.call({ kind: 'stopWatching' })) as WireCounts;

  const [ours, theirs] = [await both[0].ask('S'), await both[1].ask('S')];
  show('S of the left daemon:', ours);
  const [out, into] = checkMirrored(ours, theirs);
  console.log(`\nSPIs mirrored: ${out} ${into}`);
  console.log(`arrived as it was sent (SHA-256 agrees) after ${seconds.toFixed(2)} s, negotiations included`);
  for (const daemon of both) console.log(`counters of the ${daemon.name} daemon: ${await trafficOf(daemon)}`);
  console.log(
    `on the wire: ${Object.entries(counts)
      .map(([what, count]) => `${count} packets of ${what}`)
      .join(', ')}`,
  );
  if (counts.others > 0 || counts.ESP === 0) throw new DaemonFault('something was sent in the clear');
  console.log('nothing was in the clear\n');
  await endAll(both);
};

const BYTES = 1_000_000;
const SETTINGS = { transform: 'AES-256-SHA2-256-GRP14', suite: 'QM-ESP-AESGCM-256-PFS-GRP14-SUITE' };

/** As the status socket tells it. */
const trafficOf = async ({ runDirectory }: Daemon): Promise<string> => {
  const socket = createConnection(join(runDirectory, 'isakmpd.sock'));
  socket.end('{"request":"sas","name":"tunnel"}\n');
  const answer = statusAnswer.parse(JSON.parse(await text(socket)));
  const traffic: SaStatus['traffic'] = answer.answer === 'sas' ? (answer.sas[0]?.traffic ?? null) : null;
  if (traffic === null) throw new DaemonFault('no SA has counters');
  const { bytesIn, bytesOut, packetsIn, packetsOut } = traffic;
  return `${packetsOut} packets (${bytesOut} bytes) out, ${packetsIn} (${bytesIn} bytes) in`;
};
