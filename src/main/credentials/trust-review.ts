/** After a change of certificates or CRLs: which SAs rest on certificates that are refused by now. */
import { type Proof, proofId } from '../../shared/connection/proofs.ts';
import type { Steps } from '../../shared/steps.ts';
import { CertificateError } from '../../shared/x509/certificate-error.ts';
import type { TrustStore } from '../../shared/x509/trust-store.ts';
import { validatePath } from '../../shared/x509/validate-path.ts';
import { inSlices } from '../slices.ts';

export interface TrustReviewOptions {
  readonly trust: () => TrustStore;
  readonly proofs: () => Iterable<Proof>;
  /** Why, by the id of a proof. */
  readonly onDistrust: (reasons: ReadonlyMap<string, string>) => void;
  /** Exchanges that began with what was trusted before end within so many ms. */
  readonly exchangesEndWithin: () => number;
  /** ms, the daemon's monotonic clock. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export class TrustReview {
  readonly #options: TrustReviewOptions;
  /** ms: until then phase 1s may be completed that have checked certificates by what was trusted before. */
  #recheckUntil = Number.NEGATIVE_INFINITY;

  constructor(options: TrustReviewOptions) {
    this.#options = options;
  }

  /** Certificates or CRLs are others by now: looks at every one that SAs rest on. */
  async changed(): Promise<void> {
    const { trust, proofs, now, exchangesEndWithin } = this.#options;
    this.#recheckUntil = now() + exchangesEndWithin();
    this.#tell(await inSlices(this.#judge([...proofs()], trust())));
  }

  /** A phase 1 that was proved by these certificates is complete. */
  established(chain: readonly Uint8Array[]): void {
    const { trust, now } = this.#options;
    if (chain.length === 0 || now() > this.#recheckUntil) return;
    const reason = this.#refusalOf(chain, trust());
    if (reason !== undefined) this.#tell(new Map([[proofId(chain), reason]]));
  }

  *#judge(proofs: readonly Proof[], store: TrustStore): Steps<ReadonlyMap<string, string>> {
    const reasons = new Map<string, string>();
    for (const { id, chain } of proofs) {
      const reason = this.#refusalOf(chain, store);
      if (reason !== undefined) reasons.set(id, reason);
      yield;
    }
    return reasons;
  }

  #refusalOf(chain: readonly Uint8Array[], store: TrustStore): string | undefined {
    try {
      const [certificate, ...untrusted] = chain.map(store.certificateOf);
      if (certificate === undefined) return undefined;
      const outcome = validatePath(certificate, { untrusted, store, at: this.#options.wallClock() });
      return outcome.kind === 'refused' ? outcome.reason : undefined;
    } catch (fault) {
      if (!(fault instanceof CertificateError)) throw fault;
      return fault.message;
    }
  }

  #tell(reasons: ReadonlyMap<string, string>): void {
    if (reasons.size > 0) this.#options.onDistrust(reasons);
  }
}
