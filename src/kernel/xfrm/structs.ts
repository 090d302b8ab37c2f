/** Structures that occur in several messages: addresses, selectors, marks, usage. */
import { addressFromBytes, parseAddress } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import type { Route, Selector } from '../../shared/flow.ts';
import { KernelError, type SaUsage } from '../backend.ts';
import type { Draft } from './draft.ts';
import { Attribute, Family, IpProtocol, SELECTOR_FAMILY } from './layout.ts';
import type { Attributes, Fields } from './reader.ts';

/** Both ends of what an SA or a policy applies to, as one packet would have it. */
export interface Selectors {
  readonly source: Selector;
  readonly destination: Selector;
}

/** Of an address in text. Throws KernelError for anything that is none. */
export const addressBytes = (text: string): Uint8Array => {
  const address = parseAddress(text);
  if (address === undefined) throw new KernelError('failed', `"${text}" is no IP address`);
  return address.bytes;
};

/** Of an address in text. */
export const familyOf = (text: string): number => (addressBytes(text).length === 4 ? Family.IPV4 : Family.IPV6);

/** xfrm_address_t: 16 bytes, of which IPv4 takes the first four. Undefined for a family that is no IP. */
export const readAddress = (fields: Fields, at: number, family: number): string | undefined => {
  if (family === Family.IPV4) return addressFromBytes(fields.bytes.subarray(at, at + 4)).text;
  return family === Family.IPV6 ? addressFromBytes(fields.bytes.subarray(at, at + 16)).text : undefined;
};

/** xfrm_selector. */
export const writeSelector = (draft: Draft, at: number, { source, destination }: Selectors): void => {
  const port = (where: number, value: number): void => {
    if (value === 0) return;
    draft.networkU16(at + where, value);
    draft.networkU16(at + where + 2, 0xffff);
  };
  draft.raw(at, addressBytes(destination.address));
  draft.raw(at + 16, addressBytes(source.address));
  port(32, destination.port);
  port(36, source.port);
  draft.u16(at + SELECTOR_FAMILY, familyOf(destination.address));
  draft.u8(at + 42, destination.prefixLength);
  draft.u8(at + 43, source.prefixLength);
  draft.u8(at + 44, destination.protocol);
};

/** Undefined for a selector without family, which means any traffic. Types and codes of ICMP stand where ports do. */
export const readSelector = (fields: Fields, at: number): Selectors | undefined => {
  const family = fields.u16(at + SELECTOR_FAMILY);
  const destination = readAddress(fields, at, family);
  const source = readAddress(fields, at + 16, family);
  if (destination === undefined || source === undefined) return undefined;
  const protocol = fields.u8(at + 44);
  return {
    source: { address: source, prefixLength: fields.u8(at + 43), protocol, port: fields.networkU16(at + 36) },
    destination: { address: destination, prefixLength: fields.u8(at + 42), protocol, port: fields.networkU16(at + 32) },
  };
};

/** XFRMA_MARK and XFRMA_IF_ID, where there are such. */
export const writeMark = (draft: Draft, { mark, markMask }: Pick<Route, 'mark' | 'markMask'>): void => {
  if (markMask === 0) return;
  draft.attribute(Attribute.MARK, 8);
  draft.u32(0, mark);
  draft.u32(4, markMask);
};

export const writeInterfaceId = (draft: Draft, interfaceId: number): void => {
  if (interfaceId === 0) return;
  draft.attribute(Attribute.IF_ID, 4);
  draft.u32(0, interfaceId);
};

export const readRoute = (attributes: Attributes): Route => {
  const mark = attributes.get(Attribute.MARK);
  const interfaceId = attributes.get(Attribute.IF_ID);
  const hasMark = mark !== undefined && mark.size >= 8;
  return {
    mark: hasMark ? mark.u32(0) : 0,
    markMask: hasMark ? mark.u32(4) : 0,
    interfaceId: interfaceId !== undefined && interfaceId.size >= 4 ? interfaceId.u32(0) : 0,
  };
};

/** xfrm_lifetime_cur, and the moment of the last packet where the kernel tells it (Linux 6.2 and later). */
export const readUsage = (fields: Fields, at: number, attributes: Attributes): SaUsage => {
  const lastUsed = attributes.get(Attribute.LASTUSED);
  return {
    bytes: fields.u64(at),
    packets: fields.u64(at + 8),
    addedAt: fields.u64(at + 16),
    usedAt: lastUsed !== undefined && lastUsed.size >= 8 ? lastUsed.u64(0) : fields.u64(at + 24),
  };
};

/** ProtocolId to IP protocol. Throws KernelError 'unsupported' for one that has no SAs here. */
export const ipProtocolOf = (protocolId: number): number => {
  if (protocolId === ProtocolId.IPSEC_ESP) return IpProtocol.ESP;
  if (protocolId === ProtocolId.IPSEC_AH) return IpProtocol.AH;
  throw new KernelError('unsupported', `protocol ${protocolId} is neither ESP nor AH`);
};

/** Undefined for an IP protocol that has no SAs of ours. */
export const protocolIdOf = (ipProtocol: number): number | undefined => {
  if (ipProtocol === IpProtocol.ESP) return ProtocolId.IPSEC_ESP;
  return ipProtocol === IpProtocol.AH ? ProtocolId.IPSEC_AH : undefined;
};

/** For keys of maps. The kernel knows no zones. */
export const saKey = ({ protocolId, spi, destination }: SaId): string =>
  `${protocolId} ${spi} ${destination.replace(/%.*/, '')}`;

/** For messages: `ESP SA 0000abcd to 192.0.2.1`. */
export const saText = ({ protocolId, spi, destination }: SaId): string =>
  `${protocolId === ProtocolId.IPSEC_AH ? 'AH' : 'ESP'} SA ${spi.toString(16).padStart(8, '0')} to ${destination}`;
