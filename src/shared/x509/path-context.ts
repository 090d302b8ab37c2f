/** What one validation carries along: the certificates to choose from, and how much work is left. */
import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { type Signed, verifySignature } from './signature.ts';
import type { TrustStore } from './trust-store.ts';

export type PathOutcome =
  | {
      readonly kind: 'valid';
      /** The certificate first, the CA that is trusted last. */
      readonly chain: readonly Certificate[];
      /** The certificate's key. */
      readonly publicKey: KeyObject;
      /** What was taken though it is weak, in words. */
      readonly warnings: readonly string[];
    }
  /** `certificate of /CN=x: expired on 2026-01-01 00:00:00 UTC`. */
  | { readonly kind: 'refused'; readonly reason: string };

/** What the first certificate of a path is to be used for. */
export type Purpose = 'peer' | 'crlSigner';

export interface PathContext {
  readonly store: TrustStore;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly candidates: (subjectKey: string) => readonly Certificate[];
  /** Whether a step more may be done; counts it. */
  readonly step: () => boolean;
  /** Whether `signer`'s key, `key`, made the signature. False when no work is left. */
  readonly isSignedBy: (
    signed: Signed & { readonly fingerprint: string },
    signer: Certificate,
    key: KeyObject,
  ) => boolean;
  /** The path of a certificate that signs CRLs. 'underway' while that very path is being checked. */
  readonly crlSignerPath: (signer: Certificate) => PathOutcome | 'underway';
}

/** Signatures that one validation checks, and certificates that it tries, at most. */
const MOST_STEPS = 100;

/** `search` finds the paths of CRL signers. */
export const pathContext = (
  store: TrustStore,
  untrusted: readonly Certificate[],
  at: number,
  search: (context: PathContext, certificate: Certificate, purpose: Purpose) => PathOutcome,
): PathContext => {
  let steps = MOST_STEPS;
  const checked = new Map<string, boolean>();
  const signerPaths = new Map<string, PathOutcome | 'underway'>();
  const step = (): boolean => {
    if (steps <= 0) return false;
    steps -= 1;
    return true;
  };
  const context: PathContext = {
    store,
    at,
    step,
    candidates: (subjectKey) => {
      const known = store.bySubject.get(subjectKey) ?? [];
      const foreign = untrusted.filter(
        ({ subject, fingerprint }) =>
          subject.key === subjectKey && !known.some((own) => own.fingerprint === fingerprint),
      );
      return [...known, ...foreign];
    },
    isSignedBy: (signed, signer, key) => {
      // An inherited key depends on the path, not on the certificate alone.
      const id = signer.publicKey === key ? signatureId(signer, signed) : undefined;
      if (id !== undefined && store.goodSignatures.get(id)) return true;
      const before = id === undefined ? undefined : checked.get(id);
      if (before !== undefined) return before;
      const isGood = step() && verifySignature(signed, key);
      if (id !== undefined) checked.set(id, isGood);
      return isGood;
    },
    crlSignerPath: (signer) => {
      const known = signerPaths.get(signer.fingerprint);
      if (known !== undefined) return known;
      signerPaths.set(signer.fingerprint, 'underway');
      const outcome = search(context, signer, 'crlSigner');
      signerPaths.set(signer.fingerprint, outcome);
      return outcome;
    },
  };
  return context;
};

/** How a signature is known that need not be checked again. */
export const signatureId = (
  signer: Pick<Certificate, 'fingerprint'>,
  signed: { readonly fingerprint: string },
): string => `${signer.fingerprint} ${signed.fingerprint}`;
