/** Raw keys of peers by identity, as files have them: for whoever compares a key that was proved with the one that counts now. */
import { spkiOf } from '../crypto/spki.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { CredentialFiles, PublicKeyFile } from './credential-files.ts';
import { credentialKey, identityOfPublicKey } from './identity-key.ts';
import { readPublicKey } from './keys.ts';

/** SubjectPublicKeyInfo (DER) of the key for an identity, undefined where there is none that can be used. Files are sorted when it is first asked, and read when theirs is asked for. */
export const rawKeys = ({
  publicKeys,
  settings,
}: Pick<CredentialFiles, 'publicKeys' | 'settings'>): ((identity: Identity) => Uint8Array | undefined) => {
  let byIdentity: Map<string, PublicKeyFile> | undefined;
  return (identity) => {
    byIdentity ??= new Map(
      publicKeys.flatMap((file) => {
        const named = identityOfPublicKey(file.kind, file.name);
        return named === undefined ? [] : [[credentialKey(named), file] as const];
      }),
    );
    const file = byIdentity.get(credentialKey(identity));
    const read = file && readPublicKey(file.bytes, settings.minimumRsaBits);
    return read?.kind === 'key' ? spkiOf(read.key) : undefined;
  };
};
