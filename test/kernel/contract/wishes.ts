/** SAs and flows between the two ends of place.ts. */
import type { Flow, SaContext, SaLife, Selector } from '../../../src/kernel/backend.ts';
import type { SaId } from '../../../src/shared/connection/events.ts';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { keymatSizes } from '../../../src/shared/exchange/keymat.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import type { IpsecSa } from '../../../src/shared/threads/contract.ts';

/** All but the SPI has a usual value: ESP with AES-128 and HMAC-SHA1, a tunnel from 10.9.0.1 to 10.9.0.2 for 10.1/16 and 10.2/16. */
export interface SaWish {
  readonly spi: number;
  readonly source?: string;
  readonly destination?: string;
  readonly protocolId?: number;
  readonly transformId?: number;
  readonly authentication?: number;
  readonly encapsulation?: number;
  readonly reqid?: number;
  readonly acquire?: number;
  readonly udp?: SaContext['udp'];
  /** Undefined for transport mode. */
  readonly selectors?: SaContext['selectors'];
  readonly life?: Partial<SaLife>;
  readonly sha2Truncation96?: boolean;
}

export type Sa = readonly [sa: IpsecSa, context: SaContext];

/** Every key that was ever made here. */
export const keys: Uint8Array[] = [];

export const saOf = (direction: 'in' | 'out', wish: SaWish): Sa => {
  const { spi, source = '10.9.0.1', destination = '10.9.0.2', protocolId = ProtocolId.IPSEC_ESP } = wish;
  const { encapsulation = EncapsulationMode.TUNNEL, reqid = 1001, acquire, udp, life, sha2Truncation96 = false } = wish;
  const isAh = protocolId === ProtocolId.IPSEC_AH;
  const transformId = wish.transformId ?? (isAh ? AhTransform.SHA : EspTransform.AES);
  const authentication = wish.authentication ?? AuthenticationAlgorithm.HMAC_SHA;
  const sizes = keymatSizes(protocolId, transformId, undefined, authentication === 0 ? undefined : authentication);
  if (sizes === undefined) throw new InvariantError(`no keys for ${protocolId}/${transformId}/${authentication}`);
  const isTunnel = encapsulation % 2 === 1;
  const sa: IpsecSa = {
    direction,
    protocolId,
    spi,
    transformId,
    authentication,
    encapsulation,
    keyLength: KEYS_OF_ANY_LENGTH.has(transformId) && !isAh ? 128 : 0,
    encryptionKey: keyOf(spi, sizes.encryption),
    authenticationKey: keyOf(spi + 0x100, sizes.authentication),
    source,
    destination,
    replayWindow: 64,
  };
  const context: SaContext = {
    reqid,
    acquire,
    udp,
    selectors: isTunnel ? (wish.selectors ?? (source === '10.9.0.1' ? OUTWARD : INWARD)) : undefined,
    life: { softSeconds: 0, hardSeconds: 0, softBytes: 0, hardBytes: 0, ...life },
    sha2Truncation96,
    route: NO_ROUTE,
  };
  return [sa, context];
};

const KEYS_OF_ANY_LENGTH: ReadonlySet<number> = new Set([
  EspTransform.CAST,
  EspTransform.BLOWFISH,
  EspTransform.AES,
  EspTransform.AES_CTR,
  EspTransform.AES_GCM_16,
  EspTransform.AES_GMAC,
]);

/** The same for both ends, another one for each SPI. */
const keyOf = (seed: number, length: number): Uint8Array => {
  const key = Uint8Array.from({ length }, (_, i) => (seed * 31 + (seed >> 8) * 57 + i * 7 + (i >> 3) * 13) & 0xff);
  keys.push(key);
  return key;
};

export const idOf = ({ spi, destination = '10.9.0.2', protocolId = ProtocolId.IPSEC_ESP }: SaWish): SaId => ({
  protocolId,
  spi,
  destination,
});

export const net = (address: string, prefixLength: number, protocol = 0, port = 0): Selector => ({
  address,
  prefixLength,
  protocol,
  port,
});

const OUTWARD = { source: net('10.1.0.0', 16), destination: net('10.2.0.0', 16) };
const INWARD = { source: OUTWARD.destination, destination: OUTWARD.source };

/** 10.1/16 here, 10.2/16 there, and what is not usual. */
export const flowOf = (changes: Partial<Flow> = {}): Flow => ({
  id: 1,
  local: OUTWARD.source,
  remote: OUTWARD.destination,
  localAddress: '10.9.0.1',
  remoteAddress: '10.9.0.2',
  protocols: [ProtocolId.IPSEC_ESP],
  encapsulation: 'tunnel',
  reqid: 1001,
  route: NO_ROUTE,
  ...changes,
});

/** Between the gateways themselves, over IPv6. */
export const IPV6_HOSTS = {
  local: net('fd09::1', 128),
  remote: net('fd09::2', 128),
  localAddress: 'fd09::1',
  remoteAddress: 'fd09::2',
} as const;

/** In what ip-xfrm(8) says: neighbour discovery passes. */
export const NEIGHBOUR_POLICY = /proto ipv6-icmp type 135/;

/** The other end's. */
export const mirrored = (flow: Flow): Flow => ({
  ...flow,
  local: flow.remote,
  remote: flow.local,
  localAddress: flow.remoteAddress,
  remoteAddress: flow.localAddress,
});

export const UDP = 17;
