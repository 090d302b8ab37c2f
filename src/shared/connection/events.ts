/** What the connection core is told, and what it wants done. */

import type { Endpoint } from '../address.ts';
import type { Flow } from '../flow.ts';
import type { Acquire, Expire, Mapping, SaId } from '../kernel-news.ts';
import type { Agreement, Cookies, IpsecSa, LaneEffect, LaneEvent, LogRecord, Path } from '../threads/contract.ts';
import type { News } from './news.ts';

/** The effects of lanes that concern SAs; bytes and log records go their own way. */
export type SaEffect = Exclude<LaneEffect, { readonly kind: 'send' | 'log' | 'captured' | 'captureKey' }>;

export type { SaId };

/** Whom a teardown means. */
export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string };

export type ConnectionEvent =
  | { readonly kind: 'lane'; readonly lane: number; readonly effect: SaEffect }
  /** The lane died and has been started again: what is posted from now on reaches its successor. */
  | { readonly kind: 'laneLost'; readonly lane: number }
  /** The kernel has all SAs of an `add` effect. */
  | { readonly kind: 'added'; readonly pair: number; readonly sas: readonly SaId[] }
  /** It refused one of them; the others of that effect have been removed again. */
  | { readonly kind: 'refused'; readonly pair: number; readonly reason: string }
  /** The kernel refused a policy that a `putFlow` effect was about. */
  | { readonly kind: 'flowRefused'; readonly id: number }
  /** A packet waits for an SA. `connection`: the one that was made for it. */
  | { readonly kind: 'acquire'; readonly acquire: Acquire; readonly connection: string | undefined }
  | { readonly kind: 'expire'; readonly expire: Expire }
  | { readonly kind: 'mapping'; readonly mapping: Mapping }
  /** These SAs are gone, nobody knows since when. */
  | { readonly kind: 'lost'; readonly gone: readonly SaId[] }
  /** What the SAs of a `move` effect are called now, in its order. `isDone`: all could be moved. */
  | { readonly kind: 'moved'; readonly pair: number; readonly sas: readonly SaId[]; readonly isDone: boolean }
  /** The answer to a `query` effect: whether any of its SAs was used, and when the last packet came (ms); 0: none ever did, or the kernel does not say. */
  | { readonly kind: 'usage'; readonly of: UsageOf; readonly isUsed: boolean; readonly usedAt: number }
  /** These peer sections, or what hangs on them, are others. */
  | { readonly kind: 'peersChanged'; readonly peers: readonly string[] }
  /** The peers of all these connections, which are those that the configuration lists, were told of. */
  | { readonly kind: 'configured'; readonly connections: readonly string[] }
  /** The configuration is another: its list of active connections counts from now on. */
  | { readonly kind: 'reconfigured' }
  /**
   * The same after the file was read anew. `renew`: peer sections whose phase 1 is to be made anew now. `renegotiate`: every IPsec SA
   * is to be negotiated anew.
   */
  | {
      readonly kind: 'reloaded';
      readonly renew: readonly string[];
      readonly renewIdentities: readonly string[];
      readonly renegotiate: boolean;
    }
  /** Certificates that are refused by now: by the id of their proof, why. */
  | { readonly kind: 'distrusted'; readonly reasons: ReadonlyMap<string, string> }
  /** FIFO `c name`. */
  | { readonly kind: 'connect'; readonly name: string }
  /** FIFO `t`. */
  | { readonly kind: 'teardown'; readonly phase: 1 | 2; readonly target: Target }
  /** FIFO `T`. */
  | { readonly kind: 'teardownAll' }
  /** FIFO `d`; message id 0 is the ISAKMP SA itself. */
  | { readonly kind: 'deleteSa'; readonly cookies: Cookies; readonly messageId: number }
  /** FIFO `M`, -S: a passive daemon begins nothing and says nothing. */
  | { readonly kind: 'mode'; readonly mode: 'active' | 'passive' }
  /** `deleteSas` false, or passive: everything stays as it is, the peers hear nothing. */
  | { readonly kind: 'shutdown'; readonly deleteSas: boolean };

/** The public facts of an established IPsec SA pair. Times are ms; softAt is 0 once it has passed. */
export interface PairFacts {
  readonly pair: number;
  readonly agreement: Agreement;
  /** Bits of SaFlag. */
  readonly flags: number;
  readonly establishedAt: number;
  readonly softAt: number;
  readonly hardAt: number;
}

/** An SA, and its outer addresses from now on. */
export interface Move {
  readonly id: SaId;
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** What the kernel is asked about SAs for: a pair that nears its end, or an ISAKMP SA whose peer may be dead. */
export type UsageOf =
  | { readonly kind: 'pair'; readonly pair: number }
  | { readonly kind: 'isakmp'; readonly isakmp: Cookies };

export type ConnectionEffect =
  /** To a lane; `peer`: after this peer's present policy. */
  | { readonly kind: 'post'; readonly lane: number; readonly event: LaneEvent; readonly peer?: string }
  /** Into the kernel, in order; answered by `added` or `refused`. The keys are to be zeroed then. */
  | {
      readonly kind: 'add';
      readonly pair: number;
      readonly sas: readonly IpsecSa[];
      readonly agreement: Agreement;
      readonly reqid: number;
      /** The sequence of the upcall that this pair answers. */
      readonly acquire: number | undefined;
    }
  | { readonly kind: 'remove'; readonly sas: readonly SaId[] }
  /** New, or in place of the one with that id. */
  | { readonly kind: 'putFlow'; readonly flow: Flow }
  | { readonly kind: 'deleteFlow'; readonly id: number }
  /** What is left of a predecessor's policies is nobody's, once the kernel has taken all flows. */
  | { readonly kind: 'removeLeftovers' }
  /** The peer is somewhere else; answered by `moved`. */
  | { readonly kind: 'move'; readonly pair: number; readonly moves: readonly Move[] }
  /** How much these SAs were used, and when last; answered by `usage`. */
  | { readonly kind: 'query'; readonly of: UsageOf; readonly sas: readonly SaId[] }
  /** A packet waits for an SA that no connection is for: one is to be made, and told by `acquire`. */
  | { readonly kind: 'demand'; readonly acquire: Acquire }
  /** Nothing is left of a connection that was made for a packet. */
  | { readonly kind: 'demandOver'; readonly connection: string }
  /** A pair is new or has changed. */
  | { readonly kind: 'pair'; readonly facts: PairFacts }
  | { readonly kind: 'pairGone'; readonly pair: number }
  /** To the peer: one byte, so that a NAT does not forget us. */
  | { readonly kind: 'keepalive'; readonly path: Path }
  | { readonly kind: 'log'; readonly record: LogRecord }
  | { readonly kind: 'news'; readonly news: News }
  /** Shutdown: all that had to be said to peers has been sent. */
  | { readonly kind: 'done' };
