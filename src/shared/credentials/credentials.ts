/** Keys of one lane, made once from the files that main has read: whom we can prove to be, and whose keys we know. */
import type { KeyObject } from 'node:crypto';
import { methodOfKey } from '../crypto/signature.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { createPolicyCheck, type PolicyCheck } from '../policy-check/policy-check.ts';
import type { Certificate } from '../x509/certificate.ts';
import { certificateIdentities } from '../x509/certificate-identity.ts';
import { createTrustStore, type TrustStore } from '../x509/trust-store.ts';
import type {
  CredentialFiles,
  CredentialSettings,
  KeynoteCredentialFile,
  PrivateKeyFile,
  PublicKeyFile,
} from './credential-files.ts';
import { credentialKey, identityOfFileName, identityOfPublicKey, ownKeyName } from './identity-key.ts';
import { ownKeynoteKey } from './keynote-credentials.ts';
import { readPrivateKey, readPublicKey } from './keys.ts';
import { ownCertificateChain } from './own-certificates.ts';

export interface Credentials {
  readonly settings: CredentialSettings;
  /** Undefined: no policy is asked (-K, Use-Keynote=no). */
  readonly policy: PolicyCheck | undefined;
  /** AuthenticationMethod: how we can sign in the name of one of our identities. */
  methods(identity: Identity): readonly number[];
  /** Our key for one of our identities and for a method of signing: that of its KeyNote credentials, its own, else that of Private-key; undefined: there is none. */
  privateKey(identity: Identity, method: number): KeyObject | undefined;
  /** Our KeyNote credentials for one of our identities, where they are for the key that we sign with; undefined: there are none. */
  keynoteCredentials(identity: Identity, method: number): Uint8Array | undefined;
  /** The raw key of a peer for a method of signing, from Pubkey-directory. */
  publicKey(identity: Identity, method: number): KeyObject | undefined;
  /** CAs, certificates and CRLs; read when they are first asked for. */
  trust(): TrustStore;
  /** Those of Cert-directory that name the identity. */
  certificatesOf(identity: Identity): readonly Certificate[];
  /** X.501 names (DER) of the CAs that we trust. */
  authorityNames(): readonly Uint8Array[];
  /** DER of our certificates for one of our identities, the one that names it first; empty: none. `authorities` as for ownCertificateChain, `at` in ms since 1970. */
  ownCertificates(
    identity: Identity,
    method: number,
    authorities: readonly Uint8Array[],
    at: number,
  ): readonly Uint8Array[];
}

/**
 * Private keys are read at once and their bytes erased; public keys, of which there may be thousands, when they are first asked for. `policy`: the one so
 * far, which goes on if its text is the same, since reading one takes as long as a few hundred exchanges.
 */
export const createCredentials = (files: CredentialFiles, policy?: PolicyCheck): Credentials => {
  const { settings } = files;
  const privateKeys = new Map(files.privateKeys.flatMap((file) => ownKeyOf(file, settings)));
  const publicKeys = new Map<string, LazyKey>();
  for (const file of files.publicKeys) {
    const identity = identityOfPublicKey(file.kind, file.name);
    if (identity !== undefined) publicKeys.set(credentialKey(identity), { file, key: undefined });
  }
  const keynote = new Map(files.keynoteCredentials.flatMap((file) => ownKeynoteOf(file, settings)));
  const ownKeys = (identity: Identity): readonly KeyObject[] => {
    const name = ownKeyName(identity);
    return [keynote.get(name)?.key, privateKeys.get(name), privateKeys.get(ANYBODY)].filter((key) => key !== undefined);
  };
  const privateKey = (identity: Identity, method: number): KeyObject | undefined =>
    ownKeys(identity).find((key) => methodOfKey(key) === method);
  let store: TrustStore | undefined;
  const trust = (): TrustStore => {
    store ??= createTrustStore(files, settings);
    return store;
  };
  let byName: ReadonlyMap<string, readonly Certificate[]> | undefined;
  const certificatesOf = (identity: Identity): readonly Certificate[] => {
    byName ??= certificatesByName(trust());
    return byName.get(credentialKey(identity)) ?? [];
  };
  return {
    settings,
    policy: policyOf(files, policy),
    methods: (identity) => ownKeys(identity).flatMap((key) => methodOfKey(key) ?? []),
    privateKey,
    keynoteCredentials: (identity, method) => {
      const own = keynote.get(ownKeyName(identity));
      return own !== undefined && privateKey(identity, method) === own.key ? own.credentials : undefined;
    },
    publicKey: (identity, method) => {
      const found = publicKeys.get(credentialKey(identity));
      if (found === undefined) return undefined;
      found.key ??= keyOf(found.file, settings);
      return found.key !== 'unfit' && methodOfKey(found.key) === method ? found.key : undefined;
    },
    trust,
    certificatesOf,
    authorityNames: () => {
      const byKey = new Map(trust().authorities.map(({ certificate: { subject } }) => [subject.key, subject.der]));
      return [...byKey.values()];
    },
    ownCertificates: (identity, method, authorities, at) => {
      const key = privateKey(identity, method);
      return key === undefined ? [] : ownCertificateChain(trust(), certificatesOf(identity), key, authorities, at);
    },
  };
};

/** There may be thousands, and every negotiation asks. */
const certificatesByName = ({ certificates }: TrustStore): ReadonlyMap<string, readonly Certificate[]> => {
  const byName = new Map<string, Certificate[]>();
  for (const { certificate } of certificates) {
    for (const name of new Set(certificateIdentities(certificate).map(credentialKey))) {
      const named = byName.get(name);
      if (named === undefined) byName.set(name, [certificate]);
      else named.push(certificate);
    }
  }
  return byName;
};

const policyOf = ({ policy: text }: CredentialFiles, before: PolicyCheck | undefined): PolicyCheck | undefined => {
  if (text === undefined) return undefined;
  return before?.text === text ? before : createPolicyCheck(text);
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

interface OwnKeynote {
  readonly key: KeyObject;
  readonly credentials: Uint8Array;
}

const ownKeynoteOf = (
  file: KeynoteCredentialFile,
  { minimumRsaBits }: CredentialSettings,
): readonly (readonly [string, OwnKeynote])[] => {
  const read = ownKeynoteKey(file, minimumRsaBits);
  file.privateKey.fill(0);
  if (read.kind === 'unfit') return [];
  return [[ownKeyName(identityOfFileName(file.identity)), { key: read.key, credentials: file.credentials }]];
};

/** No identity has this text. */
const ANYBODY = '';
