/** What pairs and connection sections say about the policies for their traffic. */
import { ProtocolId } from '../constants/ipsec-doi.ts';
import { isTransport } from '../policy/encapsulation.ts';
import { identityOfAddress } from '../policy/identity.ts';
import type { ConnectionPolicy } from '../policy/peer-policy.ts';
import { type Selectors, selectorsOf, takesAnyRemote } from '../policy/selectors.ts';
import type { Path } from '../threads/contract.ts';
import type { Claim } from './flows.ts';
import type { Pair } from './records.ts';

/** A pair that outbound traffic is to use. */
export const claimOfPair = ({ agreement, connection, reqid }: Pair): Claim => {
  const { path, protocols, route } = agreement;
  const modes = protocols.map(({ encapsulation }) => encapsulation);
  const order = protocols.map(({ protocolId }) => protocolId);
  return { connection: connection.name, reqid, ...common(path, order, modes), route };
};

/** A connection section before anything is negotiated: of its suites the first is expected. */
export const claimOfConnection = ({ name, suites, route }: ConnectionPolicy, path: Path): Claim => {
  const protocols = suites[0]?.protocols ?? [];
  const modes = protocols.flatMap(({ transforms }) => transforms[0]?.encapsulation ?? []);
  const order = protocols.map(({ protocolId }) => protocolId);
  return { connection: name, reqid: undefined, ...common(path, order, modes), route };
};

/** The selectors that a connection section stands for; undefined where they depend on who comes (road warriors), or the policy is somebody else's. */
export const literalSelectors = (connection: ConnectionPolicy, { local, remote }: Path): Selectors | undefined =>
  connection.onDemand || takesAnyRemote(connection)
    ? undefined
    : selectorsOf(connection, { local: identityOfAddress(local.address), remote: identityOfAddress(remote.address) });

const common = (
  { local, remote }: Path,
  protocols: readonly number[],
  modes: readonly number[],
): Omit<Claim, 'connection' | 'reqid' | 'route'> => ({
  localAddress: local.address,
  remoteAddress: remote.address,
  // RFC 2401 §4.3: of a bundle in transport mode ESP is applied first, AH goes over it.
  protocols: [...protocols].sort((a, b) => orderOf(a) - orderOf(b)),
  encapsulation: modes.some(isTransport) ? 'transport' : 'tunnel',
});

const orderOf = (protocolId: number): number => (protocolId === ProtocolId.IPSEC_AH ? 1 : 0);
