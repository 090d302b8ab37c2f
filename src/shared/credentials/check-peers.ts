/** Peers that want signatures which no private key of ours can make: told beforehand, since phase 1 with them has nothing to offer. */

import { addressFamily } from '../address.ts';
import { AuthenticationMethod, nameOf } from '../constants/oakley.ts';
import { isSignatureMethod } from '../crypto/signature.ts';
import { bounded } from '../log/bounded.ts';
import { identityFromText, identityText } from '../policy/identity.ts';
import type { Identity, PeerPolicy } from '../policy/peer-policy.ts';
import type { CredentialFiles } from './credential-files.ts';
import type { Credentials } from './credentials.ts';

/** One sentence for each peer all of whose transforms with signatures need a key that is not there. */
export const unsignedPeers = (
  peers: readonly PeerPolicy[],
  credentials: Pick<Credentials, 'methods'>,
  { privateKeys }: Pick<CredentialFiles, 'privateKeys'>,
): readonly string[] => {
  const addresses = privateKeys.flatMap(({ identity }) => (addressFamily(identity) === undefined ? [] : [identity]));
  return peers.flatMap((peer) => {
    const wanted = new Set(peer.transforms.flatMap(({ authentication }) => signatureMethod(authentication)));
    if (wanted.size === 0) return [];
    const own = ownIdentities(peer, addresses);
    const isThere = own.some((identity) => credentials.methods(identity).some((method) => wanted.has(method)));
    return isThere ? [] : [unsignedText(peer, [...wanted])];
  });
};

const signatureMethod = (authentication: number | 'ANY'): readonly number[] =>
  authentication !== 'ANY' && isSignatureMethod(authentication) ? [authentication] : [];

/** Without ID we are the address that the peer reaches us at: any one that there is a key for will do. */
const ownIdentities = ({ localId, localAddress }: PeerPolicy, addresses: readonly string[]): readonly Identity[] => {
  if (localId !== undefined) return [localId];
  const known = localAddress === undefined ? [...addresses, '0.0.0.0'] : [localAddress];
  return known.map(identityFromText);
};

const unsignedText = ({ name, localId, localAddress }: PeerPolicy, wanted: readonly number[]): string => {
  const methods = wanted.map((method) => nameOf(AuthenticationMethod, method)).join(', ');
  const whose = localId === undefined ? (localAddress ?? 'our address') : bounded(identityText(localId));
  return `[${name}] wants signatures (${methods}), and there is no private key of ${whose} to make them: isakmpd pki init makes one, [X509-certificates]:Private-key and Private-key-directory say where keys are`;
};
