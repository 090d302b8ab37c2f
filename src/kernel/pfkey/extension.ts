/** What extensions of PF_KEY messages say (RFC 2367 §2.3, linux/pfkeyv2.h), apart from their bytes. */
import { InvariantError } from '../../shared/errors.ts';
import { ExtensionType } from './constants.ts';

const {
  SA,
  LIFETIME_CURRENT,
  LIFETIME_HARD,
  LIFETIME_SOFT,
  ADDRESS_SRC,
  ADDRESS_DST,
  ADDRESS_PROXY,
  KEY_AUTH,
  KEY_ENCRYPT,
  SUPPORTED_AUTH,
  SUPPORTED_ENCRYPT,
  SPIRANGE,
  X_POLICY,
  X_SA2,
  X_NAT_T_TYPE,
  X_NAT_T_SPORT,
  X_NAT_T_DPORT,
} = ExtensionType;

export interface SaFields {
  readonly type: typeof SA;
  readonly spi: number;
  /** Packets. */
  readonly replay: number;
  readonly state: number;
  readonly auth: number;
  readonly encrypt: number;
  readonly flags: number;
}

/** Limits in seconds, or for CURRENT moments in seconds since the epoch; 0 = none. Allocations are packets on Linux. */
export interface Lifetime<T extends number> {
  readonly type: T;
  readonly allocations: number;
  readonly bytes: bigint;
  readonly addTime: bigint;
  readonly useTime: bigint;
}

/** 4 or 16 bytes of address, port 0 = any. */
export interface SocketAddress {
  readonly address: Uint8Array;
  readonly port: number;
}

export interface Address<T extends number> extends SocketAddress {
  readonly type: T;
  readonly protocol: number;
  readonly prefixLength: number;
}

export interface Key<T extends number> {
  readonly type: T;
  readonly bits: number;
  /** bits / 8 bytes, rounded up. Of a message that was read: a view of it. */
  readonly key: Uint8Array;
}

/** Sizes of keys are in bits, of the initialization vector in bytes. */
export interface Algorithm {
  readonly id: number;
  readonly ivLength: number;
  readonly minBits: number;
  readonly maxBits: number;
}

export interface Supported<T extends number> {
  readonly type: T;
  readonly algorithms: readonly Algorithm[];
}

export interface SpiRange {
  readonly type: typeof SPIRANGE;
  readonly min: number;
  readonly max: number;
}

/** One SA that a policy asks for. */
export interface IpsecRequest {
  /** IP protocol number. */
  readonly protocol: number;
  readonly mode: number;
  readonly level: number;
  readonly reqid: number;
  /** Outer addresses; undefined in transport mode, but for an X_MIGRATE. */
  readonly tunnel: { readonly source: SocketAddress; readonly destination: SocketAddress } | undefined;
}

export interface Policy {
  readonly type: typeof X_POLICY;
  readonly action: number;
  readonly direction: number;
  /** The kernel's name for it; 0 in a request. */
  readonly id: number;
  /** The lowest number counts. */
  readonly priority: number;
  readonly requests: readonly IpsecRequest[];
}

export interface Sa2 {
  readonly type: typeof X_SA2;
  readonly mode: number;
  readonly sequence: number;
  readonly reqid: number;
}

export interface NatTType {
  readonly type: typeof X_NAT_T_TYPE;
  readonly encapsulation: number;
}

export interface NatTPort<T extends number> {
  readonly type: T;
  readonly port: number;
}

/** One that we have no use for, or do not know. */
export interface OtherExtension {
  readonly type: 'other';
  readonly number: number;
  /** What follows the extension header; its length is 4 more than a multiple of 8. */
  readonly body: Uint8Array;
}

export type Extension =
  | SaFields
  | Lifetime<typeof LIFETIME_CURRENT>
  | Lifetime<typeof LIFETIME_HARD>
  | Lifetime<typeof LIFETIME_SOFT>
  | Address<typeof ADDRESS_SRC>
  | Address<typeof ADDRESS_DST>
  | Address<typeof ADDRESS_PROXY>
  | Key<typeof KEY_AUTH>
  | Key<typeof KEY_ENCRYPT>
  | Supported<typeof SUPPORTED_AUTH>
  | Supported<typeof SUPPORTED_ENCRYPT>
  | SpiRange
  | Policy
  | Sa2
  | NatTType
  | NatTPort<typeof X_NAT_T_SPORT>
  | NatTPort<typeof X_NAT_T_DPORT>
  | OtherExtension;

/** Bytes that the extension takes in a message: its header, its fields, and what fills it up to a multiple of 8. */
export const sizeOfExtension = (extension: Extension): number => {
  switch (extension.type) {
    case LIFETIME_CURRENT:
    case LIFETIME_HARD:
    case LIFETIME_SOFT:
      return 32;
    case ADDRESS_SRC:
    case ADDRESS_DST:
    case ADDRESS_PROXY:
      return roundUp(8 + sizeOfSocketAddress(extension));
    case KEY_AUTH:
    case KEY_ENCRYPT:
      return roundUp(8 + extension.key.length);
    case SUPPORTED_AUTH:
    case SUPPORTED_ENCRYPT:
      return 8 + 8 * extension.algorithms.length;
    case X_POLICY:
      return 16 + extension.requests.reduce((sum, request) => sum + sizeOfRequest(request), 0);
    case X_NAT_T_TYPE:
    case X_NAT_T_SPORT:
    case X_NAT_T_DPORT:
      return 8;
    case 'other':
      return 4 + extension.body.length;
    case SA:
    case SPIRANGE:
    case X_SA2:
      return 16;
  }
};

/** sadb_x_ipsecrequest with the addresses behind it. */
export const sizeOfRequest = ({ tunnel }: IpsecRequest): number =>
  tunnel === undefined
    ? 16
    : roundUp(16 + sizeOfSocketAddress(tunnel.source) + sizeOfSocketAddress(tunnel.destination));

/** sockaddr_in or sockaddr_in6 of Linux. Throws InvariantError for an address that is neither. */
const sizeOfSocketAddress = ({ address }: SocketAddress): number => {
  if (address.length === 4) return 16;
  if (address.length !== 16) throw new InvariantError(`an address of ${address.length} bytes in a PF_KEY message`);
  return 28;
};

export const roundUp = (size: number): number => (size + 7) & ~7;
