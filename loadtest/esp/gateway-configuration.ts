/** isakmpd.conf of two gateways in namespaces with a tunnel between the networks behind them, and what is sent through it. */
import { DaemonFault } from '../daemon.ts';
import type { Gateway } from './gateways.ts';
import type { EspEndpoint } from './namespaces.ts';

export interface TunnelSettings {
  readonly transform: string;
  readonly suite: string;
  /** More tags of [General], a line each. */
  readonly general?: string;
  /** More tags of the peer section, a line each. */
  readonly peer?: string;
}

/** For the side of `own`. The connection is called `tunnel`; it comes up by `c tunnel` or by a packet. */
export const gatewayConfiguration = (own: Gateway, peer: Gateway, settings: TunnelSettings): string => `[General]
Listen-on=${own.outer}
${settings.general ?? ''}

[Phase 1]
${peer.outer}=peer

[Phase 2]
Passive-connections=tunnel

[peer]
Phase=1
Address=${peer.outer}
Configuration=main-mode
Authentication=a secret for demo and tests only
${settings.peer ?? ''}

[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=${settings.transform}

[tunnel]
Phase=2
ISAKMP-peer=peer
Configuration=quick-mode
Local-ID=own-network
Remote-ID=peer-network

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=${settings.suite}
${network('own-network', own)}${network('peer-network', peer)}`;

const network = (name: string, { network: { address } }: Gateway): string => `
[${name}]
ID-type=IPV4_ADDR_SUBNET
Network=${address}
Netmask=255.255.0.0
`;

/** Sends bytes over TCP from one host to another. Throws DaemonFault unless they arrive as they were sent. */
export const transfer = async (from: Host, to: Host, bytes: number): Promise<void> => {
  const port = Number(await to.endpoint.call({ kind: 'serve', address: to.inner }));
  const way = { from: from.inner, to: { address: to.inner, port } };
  const hash = await from.endpoint.call({ kind: 'send', ...way, bytes });
  const received = JSON.stringify(await to.endpoint.event('received'));
  if (received !== JSON.stringify({ size: bytes, hash })) throw new DaemonFault(`something else arrived: ${received}`);
};

export interface Host {
  readonly endpoint: EspEndpoint;
  readonly inner: string;
}
