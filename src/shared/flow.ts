/** What a policy of the kernel applies to, and what it does: the words that the connection core and the kernel backends share. */

/** One end of what a policy applies to. */
export interface Selector {
  /** Text, the network's first address. */
  readonly address: string;
  readonly prefixLength: number;
  /** IP protocol, 0 = any. */
  readonly protocol: number;
  /** 0 = any. */
  readonly port: number;
}

/** For route-based tunnels; only XFRM has it. 0: none. */
export interface Route {
  readonly mark: number;
  readonly markMask: number;
  readonly interfaceId: number;
}

/**
 * A connection's traffic: policies in, out and forward. Without an SA of its reqid nothing passes, and an outbound packet brings an `acquire`.
 * Of overlapping flows the most specific one counts.
 */
export interface Flow {
  /** A number of ours, > 0, by which upcalls name it. */
  readonly id: number;
  readonly local: Selector;
  readonly remote: Selector;
  /** Outer addresses. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** ProtocolId of each SA that a packet gets, in that order. */
  readonly protocols: readonly number[];
  readonly encapsulation: 'tunnel' | 'transport';
  /** Outbound packets use SAs of this pair only; inbound ones may come through any SA of ours from this peer that allows them. */
  readonly reqid: number;
  readonly route: Route;
}

/**
 * SAs and policies with first <= reqid < first + count are ours. In policies PF_KEY of Linux keeps to reqids up to 0x3fff and replaces larger ones
 * by its own.
 */
export interface ReqidRange {
  readonly first: number;
  readonly count: number;
}

/** A flow that is not for a route-based tunnel. */
export const NO_ROUTE: Route = { mark: 0, markMask: 0, interfaceId: 0 };
