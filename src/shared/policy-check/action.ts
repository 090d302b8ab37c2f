/** What a policy is asked about. */
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase2Choice } from '../policy/phase2-fit.ts';
import type { Selectors } from '../policy/selectors.ts';
import type { Path } from '../threads/contract.ts';

/** What is known in phase 1 of what the peer will ask for. */
export interface PeerAction {
  /** ExchangeType of phase 1. */
  readonly exchangeType: number;
  /** Group of phase 1. */
  readonly group: number;
  /** Who the peer is. */
  readonly remoteId: Identity;
  readonly path: Path;
  /** ms since 1970 */
  readonly at: number;
}

/** A candidate of a quick mode, and under whose ISAKMP SA it is negotiated. */
export interface QuickModeAction extends PeerAction {
  /** We began the quick mode. */
  readonly isInitiator: boolean;
  /** From this host's view. */
  readonly selectors: Selectors;
  readonly choice: Phase2Choice;
}
