/** Everything that crosses between main and a lane, and nothing else. How it is packed is in frames.ts. */
import type { Endpoint } from '../address.ts';
import type { CredentialFiles } from '../credentials/credential-files.ts';
import type { Route } from '../flow.ts';
import type { Severity } from '../log/events/row.ts';
import type { EventName } from '../log/events.ts';
import type { GeneralPolicy, Identity, PeerPolicy } from '../policy/peer-policy.ts';

/** A cookie pair as 32 hex digits, initiator first: how both sides name an ISAKMP SA. */
export type Cookies = string;
export type Role = 'initiator' | 'responder';

/** Where an exchange talks: our address and the peer's; encapsulated: on the NAT-T port, behind the non-ESP marker. */
export interface Path {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly encapsulated: boolean;
}

/** A NAT between the two ends, or one that is pretended: ESP goes in UDP (RFC 3947). */
export interface NatTraversal {
  /** It stands before us: we keep its mapping awake. */
  readonly isLocalBehind: boolean;
  /** It stands before the peer, whose address may change. */
  readonly isRemoteBehind: boolean;
  /** What the peer knows: the numbers of RFC 3947, or those of its drafts. */
  readonly dialect: 'rfc' | 'draft';
}

/** What main tells a lane, in order. `request` is drawn by the supervisor and comes back with the outcome. */
export type LaneEvent =
  | {
      readonly kind: 'datagram';
      readonly path: Path;
      /** For a zero responder cookie: the peer section of this source address, '' where configuration has none. */
      readonly peer: string;
      /** For a zero responder cookie: no SA with this peer exists, so INITIAL-CONTACT is due. */
      readonly firstContact: boolean;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'general'; readonly policy: GeneralPolicy }
  /** Keys, certificates and credentials, all of them anew. An exchange goes on with those that it began with. */
  | { readonly kind: 'credentials'; readonly files: CredentialFiles }
  | { readonly kind: 'peer'; readonly policy: PeerPolicy }
  | { readonly kind: 'peerGone'; readonly name: string }
  | {
      readonly kind: 'startPhase1';
      readonly request: number;
      readonly peer: string;
      readonly path: Path;
      /** 8 bytes, chosen to land on this lane. */
      readonly initiatorCookie: Uint8Array;
      readonly firstContact: boolean;
    }
  | { readonly kind: 'startQuickMode'; readonly request: number; readonly isakmp: Cookies; readonly connection: string }
  | {
      readonly kind: 'sendDelete';
      readonly isakmp: Cookies;
      readonly protocolId: number;
      readonly spis: readonly number[];
    }
  | { readonly kind: 'deleteIsakmp'; readonly isakmp: Cookies; readonly notify: boolean }
  /** A newer ISAKMP SA of the same peer is used in its place, or is no longer: for the row alone. */
  | { readonly kind: 'replaced'; readonly isakmp: Cookies; readonly isReplaced: boolean }
  /** Ask whether the peer lives (RFC 3706), unless something of it came since `quietSince` (ms); answered by `peerAlive` or `peerDead`. */
  | { readonly kind: 'probe'; readonly isakmp: Cookies; readonly quietSince: number }
  /** Stop the exchange that this request started, without a word to the peer. */
  | { readonly kind: 'cancel'; readonly request: number }
  /** The kernel has what `install` asked for. */
  | { readonly kind: 'installed'; readonly exchange: number }
  | { readonly kind: 'refused'; readonly exchange: number; readonly reason: string }
  /** `install` asks for selectors that the peer may not have: they are somebody else's, or too many. */
  | { readonly kind: 'denied'; readonly exchange: number; readonly reason: string }
  /** From here on main wants every message in clear (`captured`), or no more. `withKeys`: also the key of each ISAKMP SA there is and will be (`captureKey`). */
  | { readonly kind: 'capture'; readonly isOn: boolean; readonly withKeys: boolean }
  /** First event of a relaunched lane, after the policies: read your SAs back; say nothing about unknown cookies until then (ms). */
  | { readonly kind: 'takeOver'; readonly silentUntil: number };

/** One direction of a negotiated IPsec SA, as the kernel needs it. */
export interface IpsecSa {
  readonly direction: 'in' | 'out';
  readonly protocolId: number;
  readonly spi: number;
  readonly transformId: number;
  /** AuthenticationAlgorithm, 0 = none. */
  readonly authentication: number;
  /** EncapsulationMode. */
  readonly encapsulation: number;
  /** Bits, 0 = the transform's only one. */
  readonly keyLength: number;
  readonly encryptionKey: Uint8Array;
  readonly authenticationKey: Uint8Array;
  readonly source: string;
  readonly destination: string;
  readonly replayWindow: number;
}

/** What a quick mode agreed on, without keys. Lifetimes are 0 where none was agreed. */
export interface Agreement {
  readonly isakmp: Cookies;
  readonly peer: string;
  readonly connection: string;
  readonly role: Role;
  readonly messageId: number;
  readonly path: Path;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  readonly localSelector: Identity;
  readonly remoteSelector: Identity;
  readonly peerChose: PeerChose;
  readonly lifeSeconds: number;
  readonly lifeKilobytes: number;
  /** PFS group, 0 = none. */
  readonly group: number;
  /** The connection's, as it was when the quick mode began. */
  readonly route: Route;
  /** ms: when the first message of the quick mode was sent or received here. */
  readonly startedAt: number;
  /** The lower of the two nonces, compared byte by byte (decisions: convergence). */
  readonly lowestNonce: Uint8Array;
  readonly nat: NatTraversal | undefined;
  readonly protocols: readonly AgreedProtocol[];
}

/** A peer's key of Pubkey-directory: SubjectPublicKeyInfo in DER, and whose it is. */
export interface RawKey {
  readonly identity: Identity;
  readonly key: Uint8Array;
}

/**
 * Which selectors are the peer's own choice: none where a connection section names both; the remote one where a section for road warriors leaves it
 * open; both where no section fits and the policy alone has said yes (docs/adr/0016).
 */
export type PeerChose = 'nothing' | 'remote' | 'both';

export interface AgreedProtocol {
  readonly protocolId: number;
  readonly transformId: number;
  readonly authentication: number;
  readonly encapsulation: number;
  readonly keyLength: number;
  readonly encryptionKeyBytes: number;
  readonly authenticationKeyBytes: number;
  readonly spiIn: number;
  readonly spiOut: number;
}

/** Severity and place of a log record, isakmpd(8): ordinary lines, -v lines, lines of the report, and debug lines by class and level. */
export interface LogRecord {
  readonly severity: Severity;
  /** LogClass 0-10; used by debug records. */
  readonly logClass: number;
  /** 0-99; used by debug records. */
  readonly level: number;
  /** Never key material; peer-supplied text already escaped. */
  readonly text: string;
  /** Stable name of what happened, for the JSON format. */
  readonly event: EventName;
  readonly fields: LogFields;
}
export interface LogFields {
  readonly connection?: string;
  readonly peer?: string;
  readonly address?: string;
  readonly port?: number;
  readonly localIdentity?: string;
  readonly remoteIdentity?: string;
  readonly cookies?: string;
  readonly messageId?: string;
}

/** Why an exchange ended without result: one sentence for the operator, and whether trying again may help. */
export interface Failure {
  readonly reason: string;
  /** 'timeout': no answer; 'refused': we or the peer said no; 'cancelled': main asked; 'error': our own fault. */
  readonly cause: 'timeout' | 'refused' | 'cancelled' | 'error';
}

/** What a lane tells main, in order. `exchange` is a number of the lane's own; `request` is 0 where the peer began. */
export type LaneEffect =
  | { readonly kind: 'send'; readonly path: Path; readonly bytes: Uint8Array }
  | { readonly kind: 'log'; readonly record: LogRecord }
  /** A message in clear, sent for the first time or received and accepted. No keys, but all that IKE encrypts. */
  | { readonly kind: 'captured'; readonly path: Path; readonly isSent: boolean; readonly bytes: Uint8Array }
  /** What the messages of an ISAKMP SA are encrypted with, for a capture with keys. A copy, which whoever has used it erases. */
  | { readonly kind: 'captureKey'; readonly initiatorCookie: Uint8Array; readonly key: Uint8Array }
  | {
      readonly kind: 'phase1Established';
      readonly isakmp: Cookies;
      readonly request: number;
      readonly peer: string;
      readonly role: Role;
      readonly path: Path;
      readonly localIdentity: string;
      readonly remoteIdentity: string;
      /** ms: when the first message was sent or received here. */
      readonly startedAt: number;
      readonly softAt: number;
      readonly hardAt: number;
      /** The peer said INITIAL-CONTACT: its SAs from before startedAt are dead. */
      readonly initialContact: boolean;
      readonly nat: NatTraversal | undefined;
      /** The peer answers R-U-THERE (RFC 3706). */
      readonly answersProbes: boolean;
      /** The certificates that it proved its identity with, DER, its own first and its CA last; empty: it did so otherwise. */
      readonly chain: readonly Uint8Array[];
      /** The raw key of Pubkey-directory that it proved its identity with; undefined: it did so otherwise. */
      readonly rawKey: RawKey | undefined;
    }
  | {
      readonly kind: 'phase1Failed';
      readonly request: number;
      readonly peer: string;
      readonly isakmp: Cookies;
      readonly failure: Failure;
    }
  /** A NAT has given the peer another address or port, as an authenticated message shows. */
  | { readonly kind: 'phase1Moved'; readonly isakmp: Cookies; readonly path: Path }
  /** Something authentic came from a peer that was asked whether it lives; `heardAt` in ms. */
  | { readonly kind: 'peerAlive'; readonly isakmp: Cookies; readonly heardAt: number }
  /** It does not answer. */
  | { readonly kind: 'peerDead'; readonly isakmp: Cookies }
  /** Soft lifetime over: renew it if it is still wanted. */
  | { readonly kind: 'phase1Expiring'; readonly isakmp: Cookies }
  | { readonly kind: 'phase1Gone'; readonly isakmp: Cookies; readonly why: 'expired' | 'deletedByPeer' | 'deletedByUs' }
  /** The peer began a quick mode for this connection (so we do not begin another). */
  | { readonly kind: 'phase2Started'; readonly exchange: number; readonly isakmp: Cookies; readonly connection: string }
  /** Put these SAs into the kernel, in order; answered by `installed` or `refused`. */
  | {
      readonly kind: 'install';
      readonly exchange: number;
      readonly agreement: Agreement;
      readonly sas: readonly IpsecSa[];
    }
  | {
      readonly kind: 'phase2Established';
      readonly exchange: number;
      readonly request: number;
      readonly agreement: Agreement;
    }
  /** Whatever `install` put into the kernel for this exchange has to go. */
  | {
      readonly kind: 'phase2Failed';
      readonly exchange: number;
      readonly request: number;
      readonly isakmp: Cookies;
      /** 0: not even begun. */
      readonly messageId: number;
      readonly connection: string;
      readonly failure: Failure;
    }
  /** An authenticated DELETE for IPsec SAs: `spis` are those that the peer receives on (our outgoing ones). */
  | {
      readonly kind: 'retire';
      readonly isakmp: Cookies;
      readonly peer: string;
      readonly remoteIdentity: string;
      readonly protocolId: number;
      readonly spis: readonly number[];
    }
  /** INITIAL-CONTACT in an authenticated INFO exchange under this ISAKMP SA: older SAs of the peer are dead. */
  | { readonly kind: 'initialContact'; readonly isakmp: Cookies }
  /** An ISAKMP SA was read back after a lane's death: it must be renegotiated some time, its replay memory is lost. */
  | { readonly kind: 'phase1Resumed'; readonly isakmp: Cookies };

/** Calls over the control port. */
export interface LaneControl {
  statistics(): LaneStatistics;
  exchanges(): LaneExchanges;
  /** Ends the lane's task; the thread returns to the pool. */
  stop(): void;
}
/** What a report lists of a lane's exchanges: the first some thousands, and how many more there are. */
export interface LaneExchanges {
  readonly exchanges: readonly LaneExchange[];
  readonly omitted: number;
}
/** One exchange that runs, or is finished and kept to answer duplicates. */
export interface LaneExchange {
  readonly phase: 1 | 2;
  /** Names it among the lane's exchanges of its phase. */
  readonly number: number;
  /** The peer's or the connection's section, '' while it is not known. */
  readonly name: string;
  readonly role: Role;
  readonly exchangeType: number;
  /** Messages sent and received. */
  readonly step: number;
  readonly cookies: Cookies;
  readonly messageId: number;
  readonly path: Path;
  /** ms: when it is forgotten, and when its last message is sent again; 0: never. */
  readonly endsAt: number;
  readonly repeatsAt: number;
}
export interface LaneStatistics {
  readonly lane: number;
  readonly threadId: number;
  readonly isakmpSas: number;
  readonly halfOpen: number;
  readonly phase2Exchanges: number;
  readonly queuedFast: number;
  readonly queuedSlow: number;
  /** Messages dropped because the slow queue was full. */
  readonly shed: number;
  readonly diffieHellman: number;
}

/** What a lane is started with (Piscina task, structured clone with transfers). */
export interface LaneStart<Port, Table, Slab> {
  readonly lane: number;
  readonly data: Port;
  readonly control: Port;
  readonly table: Table;
  readonly slab: Slab;
  /** Debug level of each class, shared with main, which changes them. */
  readonly levels: Int32Array;
  /** Diffie-Hellman groups that the configuration names: the lane sets them up before it begins. */
  readonly groups: readonly number[];
}
