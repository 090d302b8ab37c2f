/** Two gateways with userland ESP in namespaces of their own, with a wire between them, and whatever SAs a test wants. */

import type { Flow, SaContext, SaLife, Selector } from '../../src/kernel/backend.ts';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../src/shared/constants/ipsec-doi.ts';
import { InvariantError } from '../../src/shared/errors.ts';
import { espSuite } from '../../src/shared/esp/suite.ts';
import { NO_ROUTE } from '../../src/shared/flow.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { EspEndpoint, join, Namespace } from './namespaces.ts';

export interface Gateway {
  readonly namespace: Namespace;
  readonly endpoint: EspEndpoint;
  readonly outer: string;
  readonly inner: string;
  readonly network: Selector;
  /** Opens the endpoint's backend. */
  open(): Promise<unknown>;
}

export interface TunnelWish {
  readonly outer?: 4 | 6;
  readonly inner?: 4 | 6;
  readonly endpoint?: (namespace: Namespace) => EspEndpoint;
}

export interface Tunnel {
  readonly left: Gateway;
  readonly right: Gateway;
  end(): Promise<void>;
}

/** What is routed around the tunnel. */
export const MARK = 0x1234;

const OPTIONS = {
  interfaceName: 'ipsec0',
  table: 220,
  firstRule: 100,
  mark: MARK,
  ports: [500, 4500],
  mtu: 1400,
};

const OUTER = { 4: ['192.0.2.1', '192.0.2.2', 24], 6: ['2001:db8::1', '2001:db8::2', 64] } as const;
const INNER = { 4: ['10.1.0.1', '10.2.0.1', 16], 6: ['fd00:1::1', 'fd00:2::1', 32] } as const;
const NETWORK = { 4: ['10.1.0.0', '10.2.0.0'], 6: ['fd00:1::', 'fd00:2::'] } as const;

/** With a backend on both sides. */
export const openTunnel = async (wish: TunnelWish): Promise<Tunnel> => {
  const tunnel = openGateways(wish);
  try {
    await Promise.all([tunnel.left.open(), tunnel.right.open()]);
  } catch (fault) {
    await tunnel.end();
    throw fault;
  }
  return tunnel;
};

/** Without backends so far. */
export const openGateways = ({ outer = 4, inner = 4, endpoint = newEndpoint }: TunnelWish): Tunnel => {
  const namespaces = [new Namespace('esp-left'), new Namespace('esp-right')] as const;
  const [leftOuter, rightOuter, bits] = OUTER[outer];
  join(...namespaces, [[`${leftOuter}/${bits}`, `${rightOuter}/${bits}`]]);
  const gateway = (side: 0 | 1): Gateway => {
    const namespace = namespaces[side];
    const address = INNER[inner][side];
    namespace.run(`ip addr add ${address}/${inner === 4 ? 32 : 128} dev lo${inner === 6 ? ' nodad' : ''}`);
    const program = endpoint(namespace);
    return {
      namespace,
      endpoint: program,
      outer: OUTER[outer][side],
      inner: address,
      network: { address: NETWORK[inner][side], prefixLength: INNER[inner][2], protocol: 0, port: 0 },
      open: () => program.call({ kind: 'open', options: OPTIONS }),
    };
  };
  const [left, right] = [gateway(0), gateway(1)];
  const end = async (): Promise<void> => {
    await Promise.all([left.endpoint.end(), right.endpoint.end()]);
    for (const namespace of namespaces) namespace.delete();
  };
  return { left, right, end };
};

const newEndpoint = (namespace: Namespace): EspEndpoint => new EspEndpoint(namespace);

export const flowOf = (from: Gateway, to: Gateway, change: Partial<Flow> = {}): Flow => ({
  id: 1,
  local: from.network,
  remote: to.network,
  localAddress: from.outer,
  remoteAddress: to.outer,
  protocols: [ProtocolId.IPSEC_ESP],
  encapsulation: 'tunnel',
  reqid: 7,
  route: NO_ROUTE,
  ...change,
});

export interface SaWish {
  readonly spi: number;
  readonly transformId?: number;
  readonly keyLength?: number;
  readonly authentication?: number;
  readonly isTruncatedTo96?: boolean;
  readonly reqid?: number;
  readonly life?: Partial<SaLife>;
  readonly udp?: SaContext['udp'];
  readonly selectors?: SaContext['selectors'];
}

/** The SA from one gateway to the other, for both of them. Keys follow from the SPI. */
export const addSa = async (from: Gateway, to: Gateway, wish: SaWish): Promise<void> => {
  await to.endpoint.call({ kind: 'addSa', ...saOf(from, to, 'in', wish) });
  await from.endpoint.call({ kind: 'addSa', ...saOf(from, to, 'out', wish) });
};

export const saOf = (
  from: Pick<Gateway, 'outer'>,
  to: Pick<Gateway, 'outer'>,
  direction: 'in' | 'out',
  wish: SaWish,
): { readonly sa: IpsecSa; readonly context: SaContext } => {
  const { spi, transformId = EspTransform.AES_GCM_16, keyLength = 128 } = wish;
  const authentication =
    wish.authentication ?? (transformId === EspTransform.AES ? AuthenticationAlgorithm.HMAC_SHA : 0);
  const suite = espSuite(transformId, keyLength, authentication, false);
  if (suite === undefined) throw new InvariantError('no such suite');
  const sa: IpsecSa = {
    direction,
    protocolId: ProtocolId.IPSEC_ESP,
    spi,
    transformId,
    authentication,
    encapsulation: wish.udp === undefined ? EncapsulationMode.TUNNEL : EncapsulationMode.UDP_ENCAP_TUNNEL,
    keyLength,
    encryptionKey: keyOf(spi, suite.keySize + suite.saltSize),
    authenticationKey: keyOf(spi + 0x10000, suite.hmacKeySize),
    source: from.outer,
    destination: to.outer,
    replayWindow: 64,
  };
  const context: SaContext = {
    reqid: wish.reqid ?? 7,
    acquire: undefined,
    udp: wish.udp,
    selectors: wish.selectors,
    life: { softSeconds: 0, hardSeconds: 0, softBytes: 0, hardBytes: 0, ...wish.life },
    sha2Truncation96: wish.isTruncatedTo96 ?? false,
    route: NO_ROUTE,
  };
  return { sa, context };
};

/** The same on both sides, another one for each SPI. No two DES keys in it are equal. */
const keyOf = (seed: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (seed * 31 + index * 7 + (index >> 3) * 13) & 0xff);
