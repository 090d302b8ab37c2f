/** Configurations of two of our daemons for benchmarks: an initiator that stands for many gateways with users of their own, and the responder they all call. */
import { type DaemonOptions, freePort } from '../daemon.ts';
import { type Certificates, makeCertificates } from './certificates.ts';

/** One side of a benchmark. */
export interface Side {
  /** How many connections. */
  readonly count: number;
  readonly group: string;
  /** The peer's. */
  readonly port: number;
  /** Lines of [General]. */
  readonly general?: string;
  /** The section of isakmpd.conf that says where its certificates are; undefined: a pre-shared key authenticates. */
  readonly certificates?: string | undefined;
}

export const RESPONDER = '127.0.0.2';
/** The initiator stands for this many gateways, each with several users, as a concentrator has them. */
const INITIATORS = Array.from({ length: 250 }, (_, i) => `127.1.0.${i + 1}`);

const gatewayOf = (index: number): number => index % INITIATORS.length;

const common = ({ group, certificates }: Side): string => `
${certificates ?? ''}
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP${group}${certificates === undefined ? '' : '-RSA_SIG'}

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA2-256-SUITE
`;

const secret = ({ certificates }: Side): string => (certificates === undefined ? 'Authentication=benchmark' : '');

const userOf = (index: number): string => `user${index}@bench.example`;

/** For `initiator` and `responder`, with as many users as there are connections. */
export const gatewayCertificates = (count: number): Promise<Certificates> =>
  makeCertificates(
    RESPONDER,
    Array.from({ length: count }, (_, i) => userOf(i)),
  );

const net = (name: string, second: number, index: number): string => `
[${name}-${index}]
ID-type=IPV4_ADDR_SUBNET
Network=10.${second + (index >> 8)}.${index & 0xff}.0
Netmask=255.255.255.0
`;

const connection = (index: number, peer: string, local: string, remote: string): string => `
[net-${index}]
Phase=2
ISAKMP-peer=${peer}
Configuration=quick-mode
Local-ID=${local}-${index}
Remote-ID=${remote}-${index}
${net('left', 16, index)}${net('right', 64, index)}`;

/** Every peer section stands for the same responder under an identity of its own, so that each needs a phase 1. */
export const initiator = (side: Side): string => {
  const { count, port, general = '' } = side;
  const sections = Array.from(
    { length: count },
    (_, i) => `
[peer-${i}]
Phase=1
Address=${RESPONDER}
Local-address=${INITIATORS[gatewayOf(i)]}
Port=${port}
Configuration=main-mode
${secret(side)}
ID=id-${i}

[id-${i}]
ID-type=USER_FQDN
Name=${userOf(i)}
${connection(i, `peer-${i}`, 'left', 'right')}`,
  );
  return `[General]\n${general}\nListen-on=${INITIATORS.join(',')}\n${common(side)}${sections.join('')}`;
};

export const responder = (side: Side): string => {
  const { count, port, general = '' } = side;
  const names = Array.from({ length: count }, (_, i) => `net-${i}`);
  const gateways = INITIATORS.map(
    (address, i) => `
[gateway-${i}]
Phase=1
Address=${address}
Port=${port}
Configuration=main-mode
${secret(side)}
`,
  );
  const sections = names.map((_, i) => connection(i, `gateway-${gatewayOf(i)}`, 'right', 'left'));
  return `[General]
${general}
Listen-on=${RESPONDER}

[Phase 1]
${INITIATORS.map((address, i) => `${address}=gateway-${i}`).join('\n')}

[Phase 2]
Passive-connections=${names.join(',')}
${common(side)}${gateways.join('')}${sections.join('')}`;
};

/** Ports that are free on all the addresses. */
export const freeGatewayPorts = async (): Promise<DaemonOptions['ports']> => {
  const addresses = [RESPONDER, ...INITIATORS];
  return { ike: await freePort(addresses), encapsulated: await freePort(addresses) };
};
