/** What main has read of keys, certificates and credentials, as it goes to the lanes: bytes and names, nothing parsed. */
import { DEFAULT_TRUST_SETTINGS, type TrustSettings } from '../x509/trust-store.ts';

/** A file, for messages to the operator, and what is in it. */
export interface CredentialFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface PrivateKeyFile extends CredentialFile {
  /** '': the key of every identity that has none of its own (Private-key); else the text that the file in Private-key-directory is named after. */
  readonly identity: string;
}

/** The directories below Pubkey-directory. */
export type PublicKeyKind = 'ipv4' | 'ipv6' | 'fqdn' | 'ufqdn' | 'asn1_dn' | 'keyid';

export interface PublicKeyFile extends CredentialFile {
  readonly kind: PublicKeyKind;
  /** The identity's value, as the file is named. */
  readonly name: string;
}

/** KeyNote credentials of an identity of ours. */
export interface KeynoteCredentialFile {
  /** The text that their directory in Credential-directory is named after. */
  readonly identity: string;
  /** The directory, for messages to the operator. */
  readonly directory: string;
  readonly credentials: Uint8Array;
  /** As keynote(1) makes them, or PEM. */
  readonly privateKey: Uint8Array;
}

/** What is asked of keys, certificates and CRLs. */
export type CredentialSettings = TrustSettings;

export interface CredentialFiles {
  readonly privateKeys: readonly PrivateKeyFile[];
  readonly publicKeys: readonly PublicKeyFile[];
  readonly authorities: readonly CredentialFile[];
  readonly certificates: readonly CredentialFile[];
  readonly revocationLists: readonly CredentialFile[];
  readonly keynoteCredentials: readonly KeynoteCredentialFile[];
  /** The KeyNote policy; undefined: none is asked. */
  readonly policy: string | undefined;
  readonly settings: CredentialSettings;
}

/** What a daemon has that was given nothing but pre-shared keys. */
export const NO_CREDENTIALS: CredentialFiles = {
  privateKeys: [],
  publicKeys: [],
  authorities: [],
  certificates: [],
  revocationLists: [],
  keynoteCredentials: [],
  policy: undefined,
  settings: DEFAULT_TRUST_SETTINGS,
};
