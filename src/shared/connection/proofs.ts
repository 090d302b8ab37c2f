/** What peers proved their identity with, certificates or raw keys: its trust may end while their SAs live. */
import { credentialKey } from '../credentials/identity-key.ts';
import type { RawKey } from '../threads/contract.ts';
import { boundedCache } from '../x509/bounded-cache.ts';
import { fingerprintOf } from '../x509/certificate.ts';

/** Of one phase 1. `id`: the same for the same certificates, or the same key of the same identity. */
export type Proof =
  /** DER, the peer's own first, its CA last. */
  | { readonly kind: 'certificates'; readonly id: string; readonly chain: readonly Uint8Array[] }
  | { readonly kind: 'rawKey'; readonly id: string; readonly rawKey: RawKey };

/** What a phase 1 says of it. */
export interface Shown {
  readonly chain: readonly Uint8Array[];
  readonly rawKey: RawKey | undefined;
}

/** Undefined for peers that proved themselves otherwise. Certificates of CAs are kept once for many peers. */
export const proofOf = ({ chain, rawKey }: Shown): Proof | undefined => {
  if (rawKey !== undefined) {
    return { kind: 'rawKey', id: `${credentialKey(rawKey.identity)} ${fingerprintOf(rawKey.key)}`, rawKey };
  }
  if (chain.length === 0) return undefined;
  return {
    kind: 'certificates',
    id: fingerprintOf(Buffer.concat(chain)),
    chain: chain.map((der, index) => {
      if (index === 0) return der;
      const fingerprint = fingerprintOf(der);
      const known = authorities.get(fingerprint);
      if (known === undefined) authorities.set(fingerprint, der);
      return known ?? der;
    }),
  };
};

/** By fingerprint. */
const authorities = boundedCache<Uint8Array>(256);
