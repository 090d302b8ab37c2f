/** What the connection core asks of the configuration, at the moment it needs it: it keeps no copy, so a change counts from the next use. */
import type { PeerPolicy } from '../policy/peer-policy.ts';

/** Names are looked up without regard to case; what comes back has them as the configuration writes them. */
export interface ConfigurationView {
  /** The connection section of that name; undefined where there is none with an ISAKMP-peer, or nobody has listed it or asked for it. */
  connection(name: string): ConnectionView | undefined;
  /** The same object as long as nothing about this peer has changed. */
  peer(name: string): PeerPolicy | undefined;
  /** `[Phase 2]:Connections`: what should always be up. */
  readonly active: readonly string[];
  readonly checkIntervalSeconds: number;
  /** DPD-check-interval; 0: peers are not asked. */
  readonly deadPeerSeconds: number;
  /** NAT-T-Keepalive. */
  readonly keepaliveSeconds: number;
  /** -a, Acquire-Only: policies are somebody else's. */
  readonly isAcquireOnly: boolean;
  /** Block-on-exit: policies stay when the daemon ends. */
  readonly blocksOnExit: boolean;
}

export interface ConnectionView {
  readonly name: string;
  /** The peer section that ISAKMP-peer names. */
  readonly peer: string;
}
