/** What phase 1 leaves behind about who the peer is. */
import type { Identity } from '../policy/peer-policy.ts';

/** What the peer has proved: that it knows a secret, or that it has the private key of a public one. */
export type Authenticated =
  | { readonly kind: 'passphrase'; readonly secret: Uint8Array }
  | {
      readonly kind: 'publicKey';
      /** SubjectPublicKeyInfo, DER. */
      readonly key: Uint8Array;
      /** Certificates that say whose key it is, DER, its own first; empty: we know the key ourselves, or KeyNote credentials vouch for it. */
      readonly chain: readonly Uint8Array[];
      /** The identity that our Pubkey-directory has this key for; undefined: certificates or credentials say whose it is. */
      readonly rawKeyOf: Identity | undefined;
      /** Texts of KeyNote credentials that came with it. */
      readonly keynote: readonly string[];
    };
