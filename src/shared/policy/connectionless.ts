/** Quick modes that no connection section is for: what stands in for the section where the policy may permit them (docs/adr/0016). */
import { NO_ROUTE } from '../flow.ts';
import { identityText } from './identity.ts';
import type { ConnectionPolicy, Identity, Suite } from './peer-policy.ts';
import type { Selectors } from './selectors.ts';

/** A connection of `peer` for just what it asks. No section can have its name, since none has a bracket in it. */
export const connectionless = (
  peer: string,
  { local, remote }: Selectors,
  suites: readonly Suite[],
): ConnectionPolicy => ({
  name: `[${peer}]${selectorText(local)}-${selectorText(remote)}`,
  localId: local,
  remoteId: remote,
  natId: undefined,
  onDemand: false,
  activeOnly: false,
  route: NO_ROUTE,
  suites,
  suitesTag: '[General]:Default-phase-2-suites',
});

/** Without blanks, so that the FIFO takes it. */
const selectorText = (identity: Identity): string => {
  const { protocol, port } = identity;
  return `${identityText(identity)}${protocol === 0 ? '' : `=${protocol}`}${port === 0 ? '' : `:${port}`}`;
};
