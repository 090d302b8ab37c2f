/** After a change of credentials: which SAs rest on certificates that are refused by now, or on raw keys that are not there any more. */
import { compareBytes } from '../../shared/address.ts';
import { type Proof, proofOf, type Shown } from '../../shared/connection/proofs.ts';
import type { CredentialFiles } from '../../shared/credentials/credential-files.ts';
import { rawKeys } from '../../shared/credentials/raw-keys.ts';
import { bounded } from '../../shared/log/bounded.ts';
import { identityText } from '../../shared/policy/identity.ts';
import type { Identity } from '../../shared/policy/peer-policy.ts';
import type { Steps } from '../../shared/steps.ts';
import { CertificateError } from '../../shared/x509/certificate-error.ts';
import type { TrustStore } from '../../shared/x509/trust-store.ts';
import { validatePath } from '../../shared/x509/validate-path.ts';
import { inSlices } from '../slices.ts';

export interface TrustReviewOptions {
  readonly trust: () => TrustStore;
  readonly files: () => Pick<CredentialFiles, 'publicKeys' | 'settings'>;
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

  /** Certificates, CRLs or keys are others by now: looks at everything that SAs rest on. */
  async changed(): Promise<void> {
    const { proofs, now, exchangesEndWithin } = this.#options;
    this.#recheckUntil = now() + exchangesEndWithin();
    this.#tell(await inSlices(this.#judge([...proofs()], this.#basis())));
  }

  /** A phase 1 is complete. */
  established(shown: Shown): void {
    if (this.#options.now() > this.#recheckUntil) return;
    const proof = proofOf(shown);
    const reason = proof && this.#refusalOf(proof, this.#basis());
    if (proof !== undefined && reason !== undefined) this.#tell(new Map([[proof.id, reason]]));
  }

  /** What counts now. */
  #basis(): Basis {
    const { trust, files } = this.#options;
    return { store: trust(), rawKey: rawKeys(files()) };
  }

  *#judge(proofs: readonly Proof[], basis: Basis): Steps<ReadonlyMap<string, string>> {
    const reasons = new Map<string, string>();
    for (const proof of proofs) {
      const reason = this.#refusalOf(proof, basis);
      if (reason !== undefined) reasons.set(proof.id, reason);
      yield;
    }
    return reasons;
  }

  #refusalOf(proof: Proof, { store, rawKey }: Basis): string | undefined {
    return proof.kind === 'rawKey' ? refusalOfKey(proof, rawKey) : this.#refusalOfChain(proof.chain, store);
  }

  #refusalOfChain(chain: readonly Uint8Array[], store: TrustStore): string | undefined {
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

interface Basis {
  readonly store: TrustStore;
  /** SubjectPublicKeyInfo of the key that Pubkey-directory has for an identity. */
  readonly rawKey: (identity: Identity) => Uint8Array | undefined;
}

const refusalOfKey = (
  { rawKey: { identity, key } }: Extract<Proof, { readonly kind: 'rawKey' }>,
  rawKey: Basis['rawKey'],
): string | undefined => {
  const known = rawKey(identity);
  const whose = bounded(identityText(identity));
  if (known === undefined) return `its key is not in Pubkey-directory any more, nor another one for ${whose}`;
  return compareBytes(known, key) === 0 ? undefined : `Pubkey-directory has another key than its for ${whose}`;
};
