/** Keys of one lane, made once from the files that main has read: whom we can prove to be, and whose keys we know. */
import type { KeyObject } from 'node:crypto';
import { methodOfKey } from '../crypto/signature.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { CredentialFiles, CredentialSettings, PrivateKeyFile, PublicKeyFile } from './credential-files.ts';
import { credentialKey, identityOfFileName, identityOfPublicKey, ownKeyName } from './identity-key.ts';
import { readPrivateKey, readPublicKey } from './keys.ts';

export interface Credentials {
  readonly settings: CredentialSettings;
  /** AuthenticationMethod: how we can sign in the name of one of our identities. */
  methods(identity: Identity): readonly number[];
  /** Our key for one of our identities and for a method of signing: its own, else that of Private-key; undefined: there is none. */
  privateKey(identity: Identity, method: number): KeyObject | undefined;
  /** The raw key of a peer for a method of signing, from Pubkey-directory. */
  publicKey(identity: Identity, method: number): KeyObject | undefined;
}

/** Private keys are read at once and their bytes erased; public keys, of which there may be thousands, when they are first asked for. */
export const createCredentials = (files: CredentialFiles): Credentials => {
  const { settings } = files;
  const privateKeys = new Map(files.privateKeys.flatMap((file) => ownKeyOf(file, settings)));
  const publicKeys = new Map<string, LazyKey>();
  for (const file of files.publicKeys) {
    const identity = identityOfPublicKey(file.kind, file.name);
    if (identity !== undefined) publicKeys.set(credentialKey(identity), { file, key: undefined });
  }
  const ownKeys = (identity: Identity): readonly KeyObject[] =>
    [privateKeys.get(ownKeyName(identity)), privateKeys.get(ANYBODY)].filter((key) => key !== undefined);
  return {
    settings,
    methods: (identity) => ownKeys(identity).flatMap((key) => methodOfKey(key) ?? []),
    privateKey: (identity, method) => ownKeys(identity).find((key) => methodOfKey(key) === method),
    publicKey: (identity, method) => {
      const found = publicKeys.get(credentialKey(identity));
      if (found === undefined) return undefined;
      found.key ??= keyOf(found.file, settings);
      return found.key !== 'unfit' && methodOfKey(found.key) === method ? found.key : undefined;
    },
  };
};

interface LazyKey {
  readonly file: PublicKeyFile;
  /** Undefined: not asked for yet. */
  key: KeyObject | 'unfit' | undefined;
}

const keyOf = ({ bytes }: PublicKeyFile, { minimumRsaBits }: CredentialSettings): KeyObject | 'unfit' => {
  const read = readPublicKey(bytes, minimumRsaBits);
  return read.kind === 'key' ? read.key : 'unfit';
};

/** Those that are unfit are left out: main has said so. */
const ownKeyOf = (
  { identity, bytes }: PrivateKeyFile,
  { minimumRsaBits }: CredentialSettings,
): readonly (readonly [string, KeyObject])[] => {
  const read = readPrivateKey(bytes, minimumRsaBits);
  bytes.fill(0);
  if (read.kind === 'unfit') return [];
  return [[identity === ANYBODY ? ANYBODY : ownKeyName(identityOfFileName(identity)), read.key]];
};

/** No identity has this text. */
const ANYBODY = '';
