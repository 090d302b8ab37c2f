/**
 * What the daemon asks of an IPsec kernel, and what the kernel tells it. One folder per implementation; `none` keeps nothing. The words are the
 * daemon's: pairs are told apart by reqid, flows by a number of ours.
 */
import type { Endpoint } from '../shared/address.ts';
import { SystemError } from '../shared/errors.ts';
import type { Flow, Route, Selector } from '../shared/flow.ts';
import type { Acquire, Expire, Mapping, SaId, SaUsage } from '../shared/kernel-news.ts';
import type { IpsecSa } from '../shared/threads/contract.ts';

export type { Acquire, Expire, Flow, Mapping, Route, SaUsage, Selector };

export interface KernelBackend {
  readonly name: 'none' | 'userland' | 'xfrm' | 'pfkey';
  readonly capabilities: Capabilities;
  /** Resolves when the kernel has it; the keys may be zeroed then. Rejects with KernelError. */
  addSa(sa: IpsecSa, context: SaContext): Promise<void>;
  /** The peer is somewhere else (NAT): the SA keeps keys, counters and sequence numbers. Resolves with its new name. Rejects with KernelError. */
  moveSa(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId>;
  /** Rejects with KernelError 'missing' where there is none. */
  deleteSa(id: SaId): Promise<void>;
  /** Rejects with KernelError 'missing'. */
  querySa(id: SaId): Promise<SaUsage>;
  /** Adds the flow, or replaces the one with this id. Rejects with KernelError: 'exists' where somebody else has a policy for these selectors. */
  putFlow(flow: Flow): Promise<void>;
  /** Rejects with KernelError 'missing'. */
  deleteFlow(id: number): Promise<void>;
  /** All SAs and policies with a reqid of ours (ReqidRange of shared/flow.ts), whoever made them. */
  listOwn(): Promise<OwnState>;
  /** Removes these, and nobody else's. */
  purgeOwn(): Promise<void>;
  /** Removes those policies of the last `listOwn` that no flow has taken over. Resolves with the number of flows that they were. */
  removeLeftovers(): Promise<number>;
  /** Where ESP in UDP (RFC 3948) has sockets of its own; absent: the kernel takes it out of IKE's. */
  readonly encapsulation?: Encapsulation;
  /** SAs and flows stay. */
  close(): Promise<void>;
}

/** Sockets for ESP beside those of IKE on the NAT-T port. */
export interface Encapsulation {
  /** For IKE's socket (UdpRequest). */
  readonly steering: Uint8Array;
  /** On an address and port where IKE's socket is open. Rejects with KernelError. */
  open(local: Endpoint): Promise<void>;
  /** Before IKE's socket is closed. Rejects with KernelError. */
  close(local: Endpoint): Promise<void>;
}

/**
 * What the kernel says unasked. Called in the order of its messages, never within a call to the backend.
 */
export interface KernelUpcalls {
  acquire(acquire: Acquire): void;
  expire(expire: Expire): void;
  mapping(mapping: Mapping): void;
  /** Messages of the kernel were lost and what it has was read anew: these SAs of ours are gone without an `expire`. */
  lost(gone: readonly SaId[]): void;
  /** The backend cannot go on (its socket failed, its thread died and could not be started again). */
  failed(error: SystemError): void;
}

/** What main knows of an SA besides what was negotiated for its direction. */
export interface SaContext {
  /** Shared by all SAs of one pair, both directions. */
  readonly reqid: number;
  /** The upcall that this pair answers; undefined: none. */
  readonly acquire: number | undefined;
  /** UDP ports of this direction where the SA is encapsulated (RFC 3948). */
  readonly udp: { readonly source: number; readonly destination: number } | undefined;
  /** Inner addresses of this direction: what the SA may carry. Undefined where they are no single prefix. */
  readonly selectors: { readonly source: Selector; readonly destination: Selector } | undefined;
  readonly life: SaLife;
  /** HMAC-SHA2-256 truncated to 96 bits, for peers that keep to the draft. */
  readonly sha2Truncation96: boolean;
  readonly route: Route;
}

/**
 * Each 0 where there is no such limit. Soft limits bring an `expire`, hard ones end the SA. Whatever they are, a backend that counts packets also says
 * softly that the sequence numbers (2^32) of an SA come to their end, in good time.
 */
export interface SaLife {
  readonly softSeconds: number;
  readonly hardSeconds: number;
  readonly softBytes: number;
  readonly hardBytes: number;
}

/** An outbound policy. */
export interface OwnPolicy {
  readonly local: Selector;
  readonly remote: Selector;
  readonly reqid: number;
  readonly route: Route;
}

export interface OwnState {
  readonly sas: readonly { readonly id: SaId; readonly source: string; readonly reqid: number }[];
  /** Of each flow the outbound one. */
  readonly policies: readonly OwnPolicy[];
}

/** What may be negotiated; numbers of the IPsec DOI. */
export interface Capabilities {
  readonly espTransforms: ReadonlySet<number>;
  readonly ahTransforms: ReadonlySet<number>;
  readonly authentications: ReadonlySet<number>;
  readonly encapsulations: ReadonlySet<number>;
  /** HMAC-SHA2-256 is truncated to 96 bits whatever is asked for. */
  readonly onlySha2Truncation96: boolean;
  /** `usedAt` is the last packet's. */
  readonly lastUse: boolean;
  /** `Route` is honoured. */
  readonly routes: boolean;
}

/** 'exists': another SA has this SPI, or somebody else's policy these selectors; 'missing': none has; 'unsupported': an algorithm or mode; 'failed': anything else. */
export type KernelRefusal = 'exists' | 'missing' | 'unsupported' | 'failed';

/** The kernel said no. */
export class KernelError extends SystemError {
  readonly reason: KernelRefusal;
  constructor(reason: KernelRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}
