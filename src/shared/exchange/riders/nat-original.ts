/** The addresses that each end had before a NAT changed them, RFC 3947 §5.2: told in quick mode for transport mode, where they are the selectors. */
import { compareBytes, parseAddress } from '../../address.ts';
import { IdType } from '../../constants/ipsec-doi.ts';
import { InvariantError } from '../../errors.ts';
import { isTransport, standardMode } from '../../policy/encapsulation.ts';
import { identityOfAddress } from '../../policy/identity.ts';
import type { Identity } from '../../policy/peer-policy.ts';
import type { Selectors } from '../../policy/selectors.ts';
import type { OutPayload } from '../../wire/message.ts';
import type { Phase2Setup } from '../effects.ts';
import type { Inbound } from '../inbound.ts';

/** The initiator's address and the responder's as `role` sees them; none where no NAT is, or where all `modes` (EncapsulationMode) are tunnels. */
export const natOriginalPayloads = (
  { nat, path }: Phase2Setup,
  role: 'initiator' | 'responder',
  modes: readonly number[],
): readonly OutPayload[] => {
  if (nat === undefined || !modes.some((mode) => isTransport(standardMode(mode)))) return [];
  const ends = role === 'initiator' ? [path.local, path.remote] : [path.remote, path.local];
  return ends.map(({ address }) => {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new InvariantError(`${address} is no address`);
    const idType = parsed.family === 4 ? IdType.IPV4_ADDR : IdType.IPV6_ADDR;
    return { kind: 'NAT_OA', value: { idType, address: parsed.bytes }, draft: nat.dialect === 'draft' };
  });
};

/**
 * Responder: what the initiator asks for, in the addresses that its packets have here. Nobody gains by lying: what is named as an original address only
 * ever becomes the address that the datagrams come from, or our own.
 */
export const withoutNat = (
  { nat, path }: Pick<Phase2Setup, 'nat' | 'path'>,
  asked: Selectors,
  { natOriginals }: Pick<Inbound, 'natOriginals'>,
): Selectors => {
  const [initiators, responders] = natOriginals.map(({ value }) => value.address);
  if (nat === undefined || initiators === undefined || responders === undefined) return asked;
  return {
    remote: translated(asked.remote, initiators, path.remote.address),
    local: translated(asked.local, responders, path.local.address),
  };
};

const translated = (identity: Identity, original: Uint8Array, address: string): Identity => {
  const isHost = identity.type === IdType.IPV4_ADDR || identity.type === IdType.IPV6_ADDR;
  if (!isHost || compareBytes(identity.data, original) !== 0) return identity;
  return { ...identityOfAddress(address), protocol: identity.protocol, port: identity.port };
};
