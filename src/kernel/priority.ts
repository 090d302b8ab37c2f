/** The order of overlapping policies, the same for every kernel that orders them by a number (Linux: the lowest number counts). */
import { InvariantError } from '../shared/errors.ts';

/** What of a selector makes it more or less specific: a prefix of 0 to 128 bits, IP protocol and port with 0 = any. */
export interface Breadth {
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
}

/**
 * The priority of a flow's policies: of two flows of which one lies within the other, the inner one has the lower number. Prefix lengths
 * count most, then the protocol, then ports. Always greater than 0 and less than LAST_PRIORITY, so policies of more or less weight have room.
 */
export const priorityOf = (local: Breadth, remote: Breadth): number => {
  const bits = local.prefixLength + remote.prefixLength;
  if (!Number.isInteger(bits) || bits < 0 || bits > LONGEST)
    throw new InvariantError(`prefixes of ${bits} bits in all`);
  const hasProtocol = local.protocol !== 0 || remote.protocol !== 0;
  const ports = (local.port === 0 ? 0 : 1) + (remote.port === 0 ? 0 : 1);
  return LAST_PRIORITY - 1 - (bits * 6 + (hasProtocol ? 3 : 0) + ports);
};

/** No flow's policies have this number. */
export const LAST_PRIORITY = 0x4000;

/** Two IPv6 hosts. */
const LONGEST = 256;
