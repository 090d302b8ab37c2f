/** What a kernel says unasked and counts, in the words that the connection core and the kernel backends share. */
import type { Endpoint } from './address.ts';
import type { Selector } from './flow.ts';

/** Names an SA in the kernel: one direction, one protocol. */
export interface SaId {
  readonly protocolId: number;
  readonly spi: number;
  readonly destination: string;
}

/** An outbound packet has no SA. Until it is answered or times out the kernel is silent about this flow. */
export interface Acquire {
  /** For `SaContext.acquire`. */
  readonly sequence: number;
  /** Undefined: a policy that is not ours. */
  readonly flow: number | undefined;
  /** The policy's; 0 where it has none, or the kernel does not tell. SAs for a policy that is not ours get it. */
  readonly reqid: number;
  /** Outer addresses of the policy. */
  readonly source: string;
  readonly destination: string;
  /** What the policy applies to; undefined where the kernel does not tell. */
  readonly policy: { readonly source: Selector; readonly destination: Selector } | undefined;
  /** The packet's; undefined where the kernel does not tell. */
  readonly packet: { readonly source: Selector; readonly destination: Selector } | undefined;
}

export interface Expire {
  readonly id: SaId;
  /** The SA is gone. */
  readonly isHard: boolean;
  readonly usage: SaUsage;
}

/** An authenticated packet for this inbound SA came from another place. Once per change, however many packets come. */
export interface Mapping {
  readonly id: SaId;
  readonly source: Endpoint;
}

/** Times are seconds since the epoch, 0 = never. */
export interface SaUsage {
  readonly bytes: number;
  readonly packets: number;
  readonly addedAt: number;
  /** The last packet; the first one where the kernel knows no better (`capabilities.lastUse`). */
  readonly usedAt: number;
}

export const isUsed = ({ bytes, packets }: SaUsage): boolean => bytes > 0 || packets > 0;
