/** What an exchange may ask of the world and what it may consult: the only ways out of and into a step. */
import type { NotifyType } from '../constants/isakmp.ts';
import type { Authenticated } from '../credentials/authenticated.ts';
import type { Credentials } from '../credentials/credentials.ts';
import type { CipherSpec } from '../crypto/cipher.ts';
import type { Identity, PeerPolicy, Suite } from '../policy/peer-policy.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { Agreement, Cookies, Failure, IpsecSa, LogRecord, NatTraversal, Path } from '../threads/contract.ts';
import type { OutPayload } from '../wire/message.ts';

/** Everything here is replaced by a seeded fake in tests. */
export interface Env {
  /** Keys that the exchange began with. */
  readonly credentials: Credentials;
  /** ms on the daemon's monotonic clock, one number for the whole step. */
  readonly now: number;
  /** ms since 1970: certificates go by it. */
  readonly wallClock: number;
  random(size: number): Uint8Array;
  publicValue(group: number, privateValue: Uint8Array): Uint8Array;
  sharedSecret(group: number, privateValue: Uint8Array, peerPublic: Uint8Array): Uint8Array;
}

/** How messages are encrypted; `iv` chains from message to message (RFC 2409 appendix B). */
export interface Protection {
  readonly cipher: CipherSpec;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** What the exchanges of an established ISAKMP SA need of it, RFC 2409 §5. */
export interface IsakmpKeys {
  /** HashAlgorithm of the negotiated PRF. */
  readonly hash: number;
  readonly cipher: CipherSpec;
  readonly skeyidD: Uint8Array;
  readonly skeyidA: Uint8Array;
  readonly encryptionKey: Uint8Array;
}

/** How the peer was authenticated in phase 1, and as whom. */
export interface Proven {
  readonly authenticated: Authenticated;
  readonly remoteId: Identity;
  /** ExchangeType. */
  readonly exchangeType: number;
  readonly group: number;
}

/** The outcome of main or aggressive mode. */
export interface Phase1Result {
  readonly authenticated: Authenticated;
  readonly keys: IsakmpKeys;
  readonly choice: Phase1Choice;
  readonly localId: Identity;
  readonly remoteId: Identity;
  /** The peer said INITIAL-CONTACT, protected by the keys just agreed. */
  readonly initialContact: boolean;
  /** Undefined: no NAT, ESP goes as it is. */
  readonly nat: NatTraversal | undefined;
  /** The peer answers R-U-THERE. */
  readonly deadPeerDetection: boolean;
}

/** What every phase 1 exchange starts from; it keeps this snapshot to its end. */
export interface Phase1Setup {
  readonly policy: PeerPolicy;
  readonly path: Path;
  readonly identitySecrets: ReadonlyMap<string, Uint8Array>;
  /** AuthenticationMethod: how we can prove who we are, by the keys that are there. */
  readonly methods: ReadonlySet<number>;
  readonly firstContact: boolean;
  /** Our port for encapsulated IKE, and the peer's as far as we know; undefined: no NAT traversal (-T). */
  readonly encapsulationPort: number | undefined;
}

/** What every phase 2 exchange may use of the ISAKMP SA that protects it. */
export interface Phase2Setup {
  readonly isakmp: Cookies;
  readonly keys: IsakmpKeys;
  readonly policy: PeerPolicy;
  /** What the peer may have without a connection section, if the policy permits it; empty: nothing. */
  readonly connectionlessSuites: readonly Suite[];
  readonly path: Path;
  readonly messageId: number;
  /** Phase 1 identities as text. */
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  /** Undefined: a lane that died has known it. */
  readonly proven: Proven | undefined;
  readonly nat: NatTraversal | undefined;
}

/** A SPI of the peer's, by which an error notify says what it is about (RFC 2408 §3.14). */
export interface PeerSpi {
  readonly protocolId: number;
  readonly spi: Uint8Array;
}

/** `timer`: sent again until answered. `duplicate`: sent again only when the message that it answers comes again. */
export type Repeat = 'timer' | 'duplicate';

/** What a step wants done, in order. It happens only if the step returns. */
export type Effect =
  | { readonly kind: 'send'; readonly payloads: readonly OutPayload[]; readonly repeat: Repeat }
  /** RFC 2409 §5.5: HASH = prf(SKEYID_a, message id | extra | all that follows) goes in front. */
  | {
      readonly kind: 'sendAuthenticated';
      readonly extra: readonly Uint8Array[];
      readonly payloads: readonly OutPayload[];
      readonly repeat: Repeat;
    }
  /** Our SPIs in the offer just made: what the peer may name when it refuses. */
  | { readonly kind: 'offered'; readonly spis: readonly number[] }
  /** From here on the exchange talks on the NAT-T ports (RFC 3947 §4). */
  | { readonly kind: 'float' }
  /** From here on this exchange's messages are encrypted. */
  | { readonly kind: 'protect'; readonly protection: Protection }
  | { readonly kind: 'install'; readonly agreement: Agreement; readonly sas: readonly IpsecSa[] }
  | { readonly kind: 'phase1Established'; readonly result: Phase1Result }
  | { readonly kind: 'phase2Started'; readonly connection: string }
  | { readonly kind: 'phase2Established'; readonly agreement: Agreement }
  /** An INFO exchange of its own under this ISAKMP SA: DELETE of SPIs that nobody will use. */
  | { readonly kind: 'deleteSpis'; readonly protocolId: number; readonly spis: readonly number[] }
  /** The exchange is over without result; `notify` is owed to the peer, 0 = nothing. */
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly notify: NotifyType | 0;
      readonly about: PeerSpi | undefined;
    }
  | { readonly kind: 'log'; readonly record: LogRecord };

export type Effects = Effect[];

/** The events of an exchange besides messages, which carry their own type. */
export type ExchangeEvent<M> =
  | { readonly kind: 'start' }
  | { readonly kind: 'message'; readonly message: M }
  | { readonly kind: 'installed' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'denied'; readonly reason: string };
