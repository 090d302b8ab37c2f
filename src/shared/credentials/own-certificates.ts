/** Which of our own certificates proves an identity to a peer, and which others it needs to follow it to an authority. */
import type { KeyObject } from 'node:crypto';
import { spkiOf } from '../crypto/spki.ts';
import { nameKey } from '../policy/distinguished-name.ts';
import { type Certificate, isSelfIssued } from '../x509/certificate.ts';
import type { TrustStore } from '../x509/trust-store.ts';

/**
 * DER of the one of our certificates, which all have the name that is to be proved, that is for the key, then those of its issuers without the last one, which the peer has to have; empty: there is none.
 * Where there are several: one below an authority that the peer trusts (X.501 names, DER), then one that is valid `at` (ms since 1970), then the one that is
 * valid longest.
 */
export const ownCertificateChain = (
  store: TrustStore,
  named: readonly Certificate[],
  key: KeyObject,
  authorities: readonly Uint8Array[],
  at: number,
): readonly Uint8Array[] => {
  const spki = spkiOf(key);
  const wanted = new Set(authorities.map((der) => nameKey(der)));
  const chains = named
    .filter((certificate) => isOf(certificate, spki))
    .map((certificate) => chainFrom(store, certificate));
  const rank = (chain: readonly Certificate[]): number => {
    const isWanted = chain.some(({ issuer }) => wanted.has(issuer.key));
    const isValid = chain.every(({ notBefore, notAfter }) => notBefore <= at && at <= notAfter);
    return (isWanted ? 0 : 2) + (isValid ? 0 : 1);
  };
  const [best = []] = chains.toSorted((a, b) => rank(a) - rank(b) || (b[0]?.notAfter ?? 0) - (a[0]?.notAfter ?? 0));
  return best.map(({ der }) => der);
};

const isOf = ({ publicKey }: Certificate, spki: Uint8Array): boolean =>
  publicKey !== undefined && Buffer.compare(spkiOf(publicKey), spki) === 0;

/** A certificate that signed itself goes alone, and is left out above others. */
const chainFrom = (store: TrustStore, own: Certificate): readonly Certificate[] => {
  const chain = [own];
  for (let below = own; !isSelfIssued(below) && chain.length < LONGEST; ) {
    const issuer = store.bySubject.get(below.issuer.key)?.find((candidate) => isIssuer(candidate, below, chain));
    if (issuer === undefined || isSelfIssued(issuer)) break;
    chain.push(issuer);
    below = issuer;
  }
  return chain;
};

const isIssuer = (candidate: Certificate, below: Certificate, chain: readonly Certificate[]): boolean => {
  const [asked, has] = [below.extensions.authorityKeyId, candidate.extensions.subjectKeyId];
  return !chain.includes(candidate) && (asked === undefined || has === undefined || asked === has);
};

const LONGEST = 8;
