/** What a peer of phase 1 says and shows, before anything of it is believed. */
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../policy/peer-policy.ts';
import type { PeerAction } from '../policy-check/action.ts';

export interface Claim {
  readonly identity: Identity;
  /** AuthenticationMethod. */
  readonly method: number;
  /** CERT payloads: CertificateEncoding, and what it is the encoding of. */
  readonly certificates: readonly { readonly encoding: number; readonly data: Uint8Array }[];
  /** Whether the signature is made with the private key that belongs to this one. */
  readonly isSignedWith: (key: KeyObject) => boolean;
  /** The rest of what is known of the peer. */
  readonly phase1: Omit<PeerAction, 'remoteId' | 'at'>;
  /** ms since 1970. */
  readonly at: number;
}
