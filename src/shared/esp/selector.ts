/** Traffic selectors, RFC 4301 §4.4.1.1, and whether a packet fits them. */
import { addressFromBytes, parseAddress } from '../address.ts';
import { InvariantError } from '../errors.ts';
import type { Selector } from '../flow.ts';
import type { IpPacket } from './ip-packet.ts';
import { beginsWith } from './prefix-trie.ts';

/** A selector, ready for comparing. */
export interface CompiledSelector {
  readonly family: 4 | 6;
  readonly network: Uint8Array;
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
}

/** Throws InvariantError for a selector that is none. */
export const compileSelector = ({ address, prefixLength, protocol, port }: Selector): CompiledSelector => {
  const parsed = parseAddress(address);
  if (parsed === undefined || prefixLength < 0 || prefixLength > parsed.bytes.length * 8) {
    throw new InvariantError(`${address}/${prefixLength} is no network`);
  }
  return { family: parsed.family, network: parsed.bytes, prefixLength, protocol, port };
};

/** What ports of a packet count for: a later fragment has none, and either fits no selector with a port or any. */
export type LaterFragments = 'refused' | 'allowed';

/** Whether the packet goes from `source` to `destination`. */
export const fitsSelectors = (
  packet: IpPacket,
  bytes: Uint8Array,
  source: CompiledSelector,
  destination: CompiledSelector,
  laterFragments: LaterFragments,
): boolean =>
  source.family === packet.family &&
  destination.family === packet.family &&
  beginsWith(bytes, packet.sourceAt, source.network, source.prefixLength) &&
  beginsWith(bytes, packet.destinationAt, destination.network, destination.prefixLength) &&
  fitsUpperLayer(packet, source, destination, laterFragments);

/** Protocol and ports alone. */
export const fitsUpperLayer = (
  packet: IpPacket,
  source: CompiledSelector,
  destination: CompiledSelector,
  laterFragments: LaterFragments,
): boolean => {
  if (source.protocol !== 0 && source.protocol !== packet.protocol) return false;
  if (destination.protocol !== 0 && destination.protocol !== packet.protocol) return false;
  if (source.port === 0 && destination.port === 0) return true;
  if (!packet.hasPorts) return packet.isLaterFragment && laterFragments === 'allowed';
  return (
    (source.port === 0 || source.port === packet.sourcePort) &&
    (destination.port === 0 || destination.port === packet.destinationPort)
  );
};

/** The packet's own ends, as selectors of one address each. */
export const selectorsOf = (
  packet: IpPacket,
  bytes: Uint8Array,
): { readonly source: Selector; readonly destination: Selector } => {
  const size = packet.family === 4 ? 4 : 16;
  const end = (at: number, port: number): Selector => ({
    address: addressFromBytes(bytes.subarray(at, at + size)).text,
    prefixLength: size * 8,
    protocol: packet.protocol,
    port: packet.hasPorts ? port : 0,
  });
  return {
    source: end(packet.sourceAt, packet.sourcePort),
    destination: end(packet.destinationAt, packet.destinationPort),
  };
};
