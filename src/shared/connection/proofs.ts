/** The certificates that peers proved their identity with: whose trust may end while their SAs live. */
import { boundedCache } from '../x509/bounded-cache.ts';
import { fingerprintOf } from '../x509/certificate.ts';

/** Certificates of one phase 1. */
export interface Proof {
  /** The same for the same certificates. */
  readonly id: string;
  /** DER, the peer's own first, its CA last. */
  readonly chain: readonly Uint8Array[];
}

/** Undefined for peers that proved themselves otherwise. Certificates of CAs are kept once for many peers. */
export const proofOf = (chain: readonly Uint8Array[]): Proof | undefined => {
  if (chain.length === 0) return undefined;
  return {
    id: proofId(chain),
    chain: chain.map((der, index) => {
      if (index === 0) return der;
      const fingerprint = fingerprintOf(der);
      const known = authorities.get(fingerprint);
      if (known === undefined) authorities.set(fingerprint, der);
      return known ?? der;
    }),
  };
};

export const proofId = (chain: readonly Uint8Array[]): string => fingerprintOf(Buffer.concat(chain));

/** By fingerprint. */
const authorities = boundedCache<Uint8Array>(256);
