/** What happens to SAs and connections, for whoever listens: subscribers of the status socket. Nothing is decided by it. */
import type { Agreement, Cookies, Failure, Path, Role } from '../threads/contract.ts';

export type News =
  | ({ readonly kind: 'phase1Up' } & IsakmpNews)
  | ({ readonly kind: 'phase1Down'; readonly why: 'expired' | 'deletedByPeer' | 'deletedByUs' } & IsakmpNews)
  | { readonly kind: 'phase2Up'; readonly agreement: Agreement }
  | { readonly kind: 'phase2Down'; readonly agreement: Agreement; readonly why: Loss }
  /** `connections` wait for it. `retryMs` undefined: nobody tries again. */
  | {
      readonly kind: 'phase1Failed';
      readonly peer: string;
      readonly failure: Failure;
      readonly connections: readonly string[];
      readonly retryMs: number | undefined;
    }
  | {
      readonly kind: 'phase2Failed';
      readonly connection: string;
      /** '' where the ISAKMP SA is gone. */
      readonly peer: string;
      readonly failure: Failure;
      readonly retryMs: number | undefined;
    }
  /** The configuration was loaded again, or its list of connections has changed. */
  | { readonly kind: 'reconfigured' };

interface IsakmpNews {
  readonly cookies: Cookies;
  readonly peer: string;
  readonly role: Role;
  readonly path: Path;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
}

/** Why a pair is removed: it decides when an active connection is brought up again. */
export type Loss =
  | 'deletedByPeer'
  | 'forgottenByPeer'
  | 'expired'
  | 'lost'
  | 'surplus'
  | 'operator'
  | 'peerDead'
  | 'distrusted';
