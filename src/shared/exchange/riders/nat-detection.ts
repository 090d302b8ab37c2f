/** Whether a NAT changes addresses between the two ends, RFC 3947 §3.2: each tells the hash of what it believes to be its own and the other's address. */
import { compareBytes, type Endpoint, parseAddress } from '../../address.ts';
import { digest } from '../../crypto/prf.ts';
import { InvariantError } from '../../errors.ts';
import type { NatTraversal } from '../../threads/contract.ts';
import type { Header, OutPayload } from '../../wire/message.ts';
import type { Env, Phase1Setup } from '../effects.ts';
import type { Inbound } from '../inbound.ts';
import type { NatDialect } from './vendor-id.ts';

/** What the hashes are made with. */
interface Basis {
  readonly setup: Pick<Phase1Setup, 'policy' | 'path' | 'encapsulationPort'>;
  /** HashAlgorithm of phase 1. */
  readonly hash: number;
  readonly header: Pick<Header, 'initiatorCookie' | 'responderCookie'>;
  /** Undefined: one of the two ends does without NAT traversal. */
  readonly dialect: NatDialect | undefined;
}

/** The peer's address first, then ours. `Flags=force-encap` tells a hash of nothing for ours: the peer sees a NAT and puts its ESP into UDP. */
export const natDetectionPayloads = (basis: Basis, env: Env): readonly OutPayload[] => {
  const { setup, dialect } = basis;
  if (dialect === undefined) return [];
  const { local, remote } = setup.path;
  const ours = hashOf(basis, local);
  const told = setup.policy.forceEncapsulation ? env.random(ours.length) : ours;
  return [hashOf(basis, remote), told].map((hash) => ({ kind: 'NAT_D', value: { hash }, draft: dialect === 'draft' }));
};

/** Undefined: ESP goes as it is. Without the payloads of the peer nothing can be found out, and there is no NAT. */
export const detectNat = (
  basis: Basis,
  { natDetections }: Pick<Inbound, 'natDetections'>,
): NatTraversal | undefined => {
  const { setup, dialect } = basis;
  const [ours, ...theirs] = natDetections.map(({ value }) => value.hash);
  if (dialect === undefined || ours === undefined || theirs.length === 0) return undefined;
  const { local, remote } = setup.path;
  const isLocalBehind = setup.policy.forceEncapsulation || !isAmong(hashesOf(basis, local), ours);
  const ofRemote = hashesOf(basis, remote);
  const isRemoteBehind = !theirs.some((hash) => isAmong(ofRemote, hash));
  // A peer that speaks on the NAT-T port from the beginning wants what goes with it.
  const isWanted = isLocalBehind || isRemoteBehind || setup.path.encapsulated;
  return isWanted ? { isLocalBehind, isRemoteBehind, dialect } : undefined;
};

/** In message 3 of aggressive mode some peers tell the ports that they have moved to, others those that they come from. */
const hashesOf = (basis: Basis, { address, port }: Endpoint): readonly Uint8Array[] =>
  [port, basis.setup.encapsulationPort ?? port].map((one) => hashOf(basis, { address, port: one }));

const hashOf = ({ hash, header }: Basis, { address, port }: Endpoint): Uint8Array => {
  const bytes = parseAddress(address)?.bytes;
  if (bytes === undefined) throw new InvariantError(`${address} is no address`);
  const place = Uint8Array.of(...bytes, port >> 8, port & 0xff);
  return digest(hash, header.initiatorCookie, header.responderCookie, place);
};

const isAmong = (hashes: readonly Uint8Array[], hash: Uint8Array): boolean =>
  hashes.some((one) => compareBytes(one, hash) === 0);
