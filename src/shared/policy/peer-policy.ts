/** What configuration means to the exchanges: plain data, resolved by main from section/tag/value, copied to lanes by structured clone. */
import type { Route } from '../flow.ts';

/** An identification payload without generic header, RFC 2407 §4.6.2: phase 1 identities and phase 2 selectors alike. */
export interface Identity {
  /** IdType. */
  readonly type: number;
  /** IP protocol number, 0 for any. */
  readonly protocol: number;
  /** Port, 0 for any. */
  readonly port: number;
  /** Identification data as on the wire. */
  readonly data: Uint8Array;
}

/** isakmpd.conf(5) range `X,Y:Z`: X is offered, least..most accepted. A single number is a range of one. */
export interface NumberRange {
  readonly offered: number;
  readonly least: number;
  readonly most: number;
}

/** One lifetime section. `ANY` accepts every duration and offers none. */
export interface Lifetime {
  /** LifeType: seconds or kilobytes. */
  readonly type: number;
  readonly duration: NumberRange | 'ANY';
}

/** One phase 1 transform section. `ANY` is accepted whatever it is and cannot be offered. */
export interface Phase1Transform {
  /** Section name, for messages to the operator. */
  readonly name: string;
  readonly encryption: number | 'ANY';
  /** Bits; undefined where the cipher has one key length only. */
  readonly keyLength: NumberRange | undefined;
  readonly hash: number | 'ANY';
  readonly authentication: number | 'ANY';
  readonly group: number | 'ANY';
  /** Empty: no lifetime is offered and any is accepted. */
  readonly lifetimes: readonly Lifetime[];
}

/** One phase 2 transform section. */
export interface Phase2Transform {
  readonly name: string;
  /** EspTransform or AhTransform, by the protocol. */
  readonly transformId: number;
  /** EncapsulationMode: TUNNEL or TRANSPORT. */
  readonly encapsulation: number;
  /** AuthenticationAlgorithm; undefined: none (AEAD). */
  readonly authentication: number | undefined;
  /** PFS group; undefined: no PFS. */
  readonly group: number | undefined;
  /** Bits. */
  readonly keyLength: NumberRange | undefined;
  readonly lifetimes: readonly Lifetime[];
}

export interface SuiteProtocol {
  readonly name: string;
  /** ProtocolId: IPSEC_ESP or IPSEC_AH. */
  readonly protocolId: number;
  readonly transforms: readonly Phase2Transform[];
  /** Packets. */
  readonly replayWindow: number;
}

/** One suite section: all its protocols are negotiated together, as one proposal number. */
export interface Suite {
  readonly name: string;
  readonly protocols: readonly SuiteProtocol[];
}

/** One IPsec connection section. */
export interface ConnectionPolicy {
  readonly name: string;
  /** Selectors from this host's view; both undefined: the two ISAKMP addresses, no ID payloads. */
  readonly localId: Identity | undefined;
  /** Undefined with a localId: any remote selector (road warrior), responder only. */
  readonly remoteId: Identity | undefined;
  /** Sent as local ID in place of localId where NAT-ID says so. */
  readonly natId: Identity | undefined;
  /** Flags=__ondemand: made for a packet that met a policy of somebody else's, so it needs none of ours. */
  readonly onDemand: boolean;
  /** Flags=Active-only: never matched to an incoming quick mode. */
  readonly activeOnly: boolean;
  /** Which packets are meant, besides their selectors. */
  readonly route: Route;
  readonly suites: readonly Suite[];
  /** Where the names of the suites stand, for messages to the operator: `[section]:tag`. */
  readonly suitesTag: string;
}

/** One peer section with everything that hangs on it. */
export interface PeerPolicy {
  readonly name: string;
  /** Undefined: unknown address (`[Phase 1]:Default`), responder only. */
  readonly address: string | undefined;
  readonly localAddress: string | undefined;
  readonly port: number;
  /** ExchangeType ID_PROT or AGGRESSIVE. */
  readonly exchangeType: number;
  /** Section of exchangeType and transforms, for messages to the operator. */
  readonly configuration: string;
  readonly transforms: readonly Phase1Transform[];
  readonly preSharedKey: Uint8Array | undefined;
  /** Undefined: our own address. */
  readonly localId: Identity | undefined;
  /** Undefined: any. */
  readonly remoteId: Identity | undefined;
  /** `Check-suites=no` restores the original's leniency: any supported offer is accepted. */
  readonly checkSuites: boolean;
  /** `Legacy-crypto=yes` lets single DES, group 1 and unauthenticated ESP through. */
  readonly legacyCrypto: boolean;
  /** What INITIAL-CONTACT and a second SA of one identity do to the first. */
  readonly unique: 'replace' | 'keep' | 'never';
  /** `Flags=delete-children`: IPsec SAs die with the ISAKMP SA that made them. */
  readonly deleteChildren: boolean;
  /** `Flags=force-encap`: NAT traversal as if there were a NAT. */
  readonly forceEncapsulation: boolean;
  /** `Flags=sha2-96`: it truncates HMAC-SHA2-256 to 96 bits, as drafts of RFC 4868 did. */
  readonly sha2Truncation96: boolean;
  /** Unless `Flags=no-fragmentation`: messages that do not fit a datagram go in IKE fragments, and the peer's are taken. */
  readonly fragmentation: boolean;
  readonly connections: readonly ConnectionPolicy[];
}

/** Settings of `[General]` that exchanges need. */
export interface GeneralPolicy {
  /** Repetitions of an unanswered message. */
  readonly retransmits: number;
  readonly exchangeMaxTimeSeconds: number;
  /** Bytes of an IP packet: a message that needs a larger one goes in IKE fragments, if the peer takes them. */
  readonly fragmentSize: number;
  /** Default-phase-2-suites, for quick modes that no connection is for but the policy permits; empty: none of them can be used. */
  readonly connectionlessSuites: readonly Suite[];
  /** Pre-shared keys by identity text (sections named after an identity), for aggressive mode. */
  readonly identitySecrets: ReadonlyMap<string, Uint8Array>;
  /** -N: our port for encapsulated IKE, taken for the peer's as well; undefined with -T. */
  readonly encapsulationPort: number | undefined;
}
