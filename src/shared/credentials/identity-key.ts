/** How identities are looked up among keys: by what they mean, whatever way their name is written. */
import { parseAddress } from '../address.ts';
import { bytesOrHex } from '../byte-text.ts';
import { IdType } from '../constants/ipsec-doi.ts';
import { bounded } from '../log/bounded.ts';
import { nameFromText, nameKey } from '../policy/distinguished-name.ts';
import { identityFromText, identityKey, identityText } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { PublicKeyKind } from './credential-files.ts';

/** Equal for identities of one type that mean the same: an address however it is written, a name in upper or lower case, a DN by its attributes. */
export const credentialKey = (identity: Identity): string => `${identity.type} ${meaningOf(identity)}`;

/** The same without the type: how an identity of ours finds its private key, whose file is named after its text alone. */
export const ownKeyName = (identity: Identity): string => meaningOf(identity);

const meaningOf = (identity: Identity): string =>
  (identity.type === IdType.DER_ASN1_DN ? nameKey(identity.data) : undefined) ?? identityKey(identity);

/** The identity that a file in Private-key-directory is named after. A path cannot hold `/C=SE/CN=gate`, so the form of RFC 4514 counts, too. */
export const identityOfFileName = (name: string): Identity => {
  const distinguished = name.includes('=') ? nameFromText(name) : undefined;
  return distinguished === undefined ? identityFromText(name) : identityOf(IdType.DER_ASN1_DN, distinguished);
};

/** The identity that a file in a directory of Pubkey-directory stands for; undefined: its name is none of that kind. */
export const identityOfPublicKey = (kind: PublicKeyKind, name: string): Identity | undefined => {
  const { type, dataOf } = KINDS[kind];
  const data = dataOf(name);
  return data === undefined ? undefined : identityOf(type, data);
};

/** Where the raw key of an identity belongs, below Pubkey-directory. */
export const publicKeyPlace = (identity: Identity): string => {
  const kind = publicKeyKind(identity);
  return kind === undefined ? 'none: keys have no such identities' : `${kind}/${bounded(identityText(identity))}`;
};

/** The directory for raw keys of such identities; undefined: there is none. */
export const publicKeyKind = ({ type }: Identity): PublicKeyKind | undefined =>
  PUBLIC_KEY_KINDS.find((known) => KINDS[known].type === type);

const identityOf = (type: number, data: Uint8Array): Identity => ({ type, protocol: 0, port: 0, data });

const addressData =
  (family: 4 | 6) =>
  (name: string): Uint8Array | undefined => {
    const address = parseAddress(name);
    return address?.family === family ? address.bytes : undefined;
  };

const textData = (name: string): Uint8Array => new TextEncoder().encode(name);

const KINDS: Readonly<
  Record<PublicKeyKind, { readonly type: number; readonly dataOf: (name: string) => Uint8Array | undefined }>
> = {
  ipv4: { type: IdType.IPV4_ADDR, dataOf: addressData(4) },
  ipv6: { type: IdType.IPV6_ADDR, dataOf: addressData(6) },
  fqdn: { type: IdType.FQDN, dataOf: textData },
  ufqdn: { type: IdType.USER_FQDN, dataOf: textData },
  asn1_dn: { type: IdType.DER_ASN1_DN, dataOf: nameFromText },
  keyid: { type: IdType.KEY_ID, dataOf: bytesOrHex },
};

/** In the order in which they are read. */
export const PUBLIC_KEY_KINDS = Object.keys(KINDS) as readonly PublicKeyKind[]; // the keys of a record that nobody widened
