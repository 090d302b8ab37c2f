/** What is asked of the kernel about SAs, as messages: pure, in the order of extensions that Linux's own tools use. */
import { addressFromBytes, parseAddress } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { InvariantError } from '../../shared/errors.ts';
import type { SaLife } from '../backend.ts';
import { EncryptAlgorithm, ESP_IN_UDP, ExtensionType, MessageType, type SaMode, SaState, SaType } from './constants.ts';
import type { Address, Extension, Key, Lifetime, SaFields } from './extension.ts';
import type { Message } from './message.ts';

/** A message without what the conversation adds. */
export interface Request {
  readonly type: number;
  readonly saType: number;
  readonly extensions: readonly Extension[];
  /** Given: the sequence of the ACQUIRE that is answered. */
  readonly sequence?: number;
}

/** Everything that an SA is made of; addresses are text. */
export interface NewSa extends SaName {
  readonly mode: SaMode;
  readonly reqid: number;
  /** PF_KEY's numbers. */
  readonly auth: number;
  readonly encrypt: number;
  readonly authKey: Uint8Array;
  readonly encryptKey: Uint8Array;
  /** Packets. */
  readonly replay: number;
  /** Undefined: no limits. */
  readonly life: SaLife | undefined;
  /** Packets until a soft EXPIRE, 0 = never. */
  readonly softPackets: number;
  readonly udp: { readonly source: number; readonly destination: number } | undefined;
  /** Any address of the inner packets' family, where that is not the outer one. */
  readonly innerAny: string | undefined;
}

export interface SaName {
  readonly saType: number;
  readonly spi: number;
  readonly source: string;
  readonly destination: string;
}

/** REGISTER, RFC 2367 §3.1.7. */
export const registerRequest = (saType: SaType): Request => ({ type: MessageType.REGISTER, saType, extensions: [] });

/** GETSPI for exactly this SPI, RFC 2367 §3.1.1. */
export const getSpiRequest = (sa: SaName & Pick<NewSa, 'mode' | 'reqid'>): Request => ({
  type: MessageType.GETSPI,
  saType: sa.saType,
  extensions: [
    hostAddress(ExtensionType.ADDRESS_SRC, sa.source),
    hostAddress(ExtensionType.ADDRESS_DST, sa.destination),
    { type: ExtensionType.SPIRANGE, min: sa.spi, max: sa.spi },
    sa2(sa),
  ],
});

/** ADD or UPDATE, RFC 2367 §3.1.2 and §3.1.3. */
export const saRequest = (type: typeof MessageType.ADD | typeof MessageType.UPDATE, sa: NewSa): Request => ({
  type,
  saType: sa.saType,
  extensions: [
    saFields(sa.spi, sa),
    ...lifetimes(sa),
    hostAddress(ExtensionType.ADDRESS_SRC, sa.source),
    hostAddress(ExtensionType.ADDRESS_DST, sa.destination),
    ...innerFamily(sa.innerAny),
    ...keys(sa),
    sa2(sa),
    ...natT(sa.udp),
  ],
});

/** GET or DELETE, RFC 2367 §3.1.4 and §3.1.5. Linux looks for SPI, protocol and destination; the source must be of the same family. */
export const namedRequest = (type: typeof MessageType.GET | typeof MessageType.DELETE, name: SaName): Request => ({
  type,
  saType: name.saType,
  extensions: [
    saFields(name.spi, undefined),
    hostAddress(ExtensionType.ADDRESS_SRC, name.source),
    hostAddress(ExtensionType.ADDRESS_DST, name.destination),
  ],
});

/** Throws InvariantError for what is neither AH nor ESP. */
export const saTypeOf = (protocolId: number): SaType => {
  if (protocolId === ProtocolId.IPSEC_AH) return SaType.AH;
  if (protocolId === ProtocolId.IPSEC_ESP) return SaType.ESP;
  throw new InvariantError(`an SA of protocol ${protocolId}`);
};

/** Undefined for what no SA of ours is. */
export const protocolIdOf = (saType: number): number | undefined => {
  if (saType === SaType.AH) return ProtocolId.IPSEC_AH;
  return saType === SaType.ESP ? ProtocolId.IPSEC_ESP : undefined;
};

/** Any address of the same family. */
export const anyOf = (address: string): string => (bytesOf(address).length === 4 ? '0.0.0.0' : '::');

/** Whose extensions name an SA; undefined where they do not, or it is neither AH nor ESP. */
export const saIdOf = (message: Message, sa: SaFields | undefined, to: Address<6> | undefined): SaId | undefined => {
  const protocolId = protocolIdOf(message.saType);
  if (protocolId === undefined || sa === undefined || to === undefined) return undefined;
  return { protocolId, spi: sa.spi, destination: addressFromBytes(to.address).text };
};

/** Bytes without a zone. Throws InvariantError for what is no address. */
export const bytesOf = (text: string): Uint8Array => {
  const address = parseAddress(text);
  if (address === undefined) throw new InvariantError(`"${text}" is no address for the kernel`);
  return address.bytes;
};

const hostAddress = <T extends 5 | 6>(type: T, text: string): Address<T> => {
  const address = bytesOf(text);
  return { type, protocol: 0, prefixLength: address.length * 8, address, port: 0 };
};

const saFields = (spi: number, sa: NewSa | undefined): SaFields => ({
  type: ExtensionType.SA,
  spi,
  // Linux has 32 bits of window for SAs by PF_KEY.
  replay: Math.min(sa?.replay ?? 0, 32),
  state: sa === undefined ? SaState.LARVAL : SaState.MATURE,
  auth: sa?.auth ?? 0,
  encrypt: sa?.encrypt ?? 0,
  flags: 0,
});

const sa2 = ({ mode, reqid }: Pick<NewSa, 'mode' | 'reqid'>): Extension => ({
  type: ExtensionType.X_SA2,
  mode,
  sequence: 0,
  reqid,
});

/** Linux takes both or none. */
const lifetimes = ({ life, softPackets }: NewSa): readonly Extension[] => {
  if (life === undefined && softPackets === 0) return [];
  const limits = life ?? { softSeconds: 0, hardSeconds: 0, softBytes: 0, hardBytes: 0 };
  return [
    lifetime(ExtensionType.LIFETIME_HARD, 0, limits.hardBytes, limits.hardSeconds),
    lifetime(ExtensionType.LIFETIME_SOFT, softPackets, limits.softBytes, limits.softSeconds),
  ];
};

const lifetime = <T extends 3 | 4>(type: T, allocations: number, bytes: number, seconds: number): Lifetime<T> => ({
  type,
  allocations,
  bytes: BigInt(bytes),
  addTime: BigInt(seconds),
  useTime: 0n,
});

/** Linux takes the family of an SA's selector from here; else it is that of the outer addresses, and inner packets of another one are refused. */
const innerFamily = (any: string | undefined): readonly Extension[] => {
  if (any === undefined) return [];
  const address = bytesOf(any);
  return [{ type: ExtensionType.ADDRESS_PROXY, protocol: 0, prefixLength: 0, address, port: 0 }];
};

/** ESP with the NULL cipher wants a key, if one of no bits. */
const keys = ({ authKey, encryptKey, encrypt }: NewSa): readonly Extension[] => [
  ...(authKey.length > 0 ? [key(ExtensionType.KEY_AUTH, authKey)] : []),
  ...(encrypt !== EncryptAlgorithm.NONE ? [key(ExtensionType.KEY_ENCRYPT, encryptKey)] : []),
];

const key = <T extends 8 | 9>(type: T, bytes: Uint8Array): Key<T> => ({ type, bits: bytes.length * 8, key: bytes });

const natT = (udp: NewSa['udp']): readonly Extension[] =>
  udp === undefined
    ? []
    : [
        { type: ExtensionType.X_NAT_T_TYPE, encapsulation: ESP_IN_UDP },
        { type: ExtensionType.X_NAT_T_SPORT, port: udp.source },
        { type: ExtensionType.X_NAT_T_DPORT, port: udp.destination },
      ];
