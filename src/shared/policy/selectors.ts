/** Which connection of a peer an incoming quick mode is for: both selectors compared whole, RFC 2409 §5.5, RFC 2407 §4.6.2. */
import { IdType } from '../constants/ipsec-doi.ts';
import { sameIdentity } from './identity.ts';
import type { ConnectionPolicy, Identity, PeerPolicy } from './peer-policy.ts';

/** A pair of selectors from this host's view. */
export interface Selectors {
  readonly local: Identity;
  readonly remote: Identity;
}

/** The selectors of a connection; where it names none, the two ISAKMP addresses. */
export const selectorsOf = (connection: ConnectionPolicy, addresses: Selectors): Selectors => ({
  local: connection.natId ?? connection.localId ?? addresses.local,
  remote: connection.remoteId ?? addresses.remote,
});

/** Whether ID payloads are sent: not for a connection between the two ISAKMP addresses themselves. */
export const namesSelectors = ({ localId, remoteId }: ConnectionPolicy): boolean =>
  localId !== undefined || remoteId !== undefined;

/**
 * The peer's connection with these selectors; its policy lists the most specific first. A connection with a local but no
 * remote selector takes any remote one (road warrior). No other peer's connection is ever looked at.
 */
export const findConnection = (
  policy: PeerPolicy,
  asked: Selectors,
  addresses: Selectors,
): ConnectionPolicy | undefined =>
  policy.connections.find((connection) => {
    if (connection.activeOnly) return false;
    const ours = selectorsOf(connection, addresses);
    return (
      sameIdentity(ours.local, asked.local) && (takesAnyRemote(connection) || sameIdentity(ours.remote, asked.remote))
    );
  });

/** A road warrior's connection. */
export const takesAnyRemote = ({ localId, remoteId }: ConnectionPolicy): boolean =>
  localId !== undefined && remoteId === undefined;

/** CVE-2023-38711: names cannot select traffic. */
export const selectsTraffic = ({ type }: Identity): boolean => TRAFFIC_TYPES.has(type);
const TRAFFIC_TYPES: ReadonlySet<number> = new Set([
  IdType.IPV4_ADDR,
  IdType.IPV4_ADDR_SUBNET,
  IdType.IPV4_RANGE,
  IdType.IPV6_ADDR,
  IdType.IPV6_ADDR_SUBNET,
  IdType.IPV6_RANGE,
]);
