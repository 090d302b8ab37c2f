/**
 * Neighbour discovery beside policies. A flow between an IPv6 host and others covers the messages by which the host finds them on its link, and while there is no
 * SA nothing could be negotiated for want of a neighbour (RFC 4861 §11.1). RFC 4301 §4.4.1.1 lets policies tell ICMP messages apart by their type.
 */
import { addressFamily, compareBytes, firstOf, maskFromPrefix, parseAddress } from '../shared/address.ts';
import type { Flow, Selector } from '../shared/flow.ts';

/** What passes beside a flow, as one packet has it: types of ICMPv6 stand where ports do. */
export interface Passage {
  readonly direction: 'out' | 'in';
  readonly source: Selector;
  readonly destination: Selector;
}

/**
 * Each type and direction of neighbour discovery between the host itself (`localAddress`, and link-local addresses where the flow has them) and the flow's
 * remote side. Empty where the flow does not cover any: nothing but what the flow would hold back is let through. Packets that are only forwarded are
 * not the host's, and the kernel takes no neighbour discovery that has passed a router (hop limit 255, RFC 4861 §7.1).
 */
export const passagesOf = ({ local, remote, localAddress }: FlowEnds): readonly Passage[] => {
  if (!coversNeighbourDiscovery(local) || !coversNeighbourDiscovery(remote)) return [];
  const host = { address: addressOf(localAddress), prefixLength: 128 };
  const out = [host, LINK_LOCAL].filter((one) => isWithin(one, local));
  const into = [host, LINK_LOCAL, MULTICAST].filter((one) => isWithin(one, local));
  return TYPES.flatMap((type) => [
    ...out.map((here) => passage('out', type, here, remote)),
    ...into.map((here) => passage('in', type, remote, here)),
  ]);
};

const passage = (direction: 'out' | 'in', type: number, source: Prefix, destination: Prefix): Passage => {
  const end = ({ address, prefixLength }: Prefix, port: number): Selector => ({
    address,
    prefixLength,
    protocol: ICMPV6,
    port,
  });
  return { direction, source: end(source, type), destination: end(destination, 0) };
};

/** Without a zone, as the kernel has it in policies. */
const addressOf = (text: string): string => text.split('%')[0] ?? text;

export type FlowEnds = Pick<Flow, 'local' | 'remote' | 'localAddress'>;

/** All of ICMPv6 at least, between any ports. */
const coversNeighbourDiscovery = ({ address, protocol, port }: Selector): boolean =>
  addressFamily(address) === 6 && (protocol === 0 || protocol === ICMPV6) && port === 0;

const isWithin = (inner: Prefix, outer: Prefix): boolean => {
  const [one, other] = [parseAddress(inner.address), parseAddress(outer.address)];
  if (one?.family !== 6 || other?.family !== 6 || inner.prefixLength < outer.prefixLength) return false;
  const mask = maskFromPrefix(6, outer.prefixLength);
  return compareBytes(firstOf(one.bytes, mask), firstOf(other.bytes, mask)) === 0;
};

type Prefix = Pick<Selector, 'address' | 'prefixLength'>;

const LINK_LOCAL: Prefix = { address: 'fe80::', prefixLength: 10 };
/** Only in: where neighbours are asked for. */
const MULTICAST: Prefix = { address: 'ff02::', prefixLength: 16 };
const ICMPV6 = 58;
/** RFC 4861 §4: router solicitation and advertisement, neighbour solicitation and advertisement, redirect. */
const TYPES = [133, 134, 135, 136, 137] as const;
