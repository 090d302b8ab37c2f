/** Which algorithms and keys are strong enough, in the words of refusals and warnings. They follow the name of what is signed. */
import type { SignatureAlgorithm } from './signature.ts';
import type { TrustSettings } from './trust-store.ts';

/** Why a signature with this algorithm is not taken; undefined where it is. */
export const algorithmRefusal = (algorithm: SignatureAlgorithm, settings: TrustSettings): string | undefined => {
  const { strength, name } = algorithm;
  if (strength === 'broken') return `is signed with ${name}, which is broken`;
  if (strength === 'unknown') return `is signed with ${name}, which is not known here`;
  return strength === 'sha1' && !settings.acceptSha1
    ? `is signed with ${name}, which is too weak (Accept-SHA1-signatures would take it)`
    : undefined;
};

/** What there is to say about a signature that was taken. */
export const algorithmWarning = ({ strength, name }: SignatureAlgorithm): string | undefined =>
  strength === 'sha1' ? `is signed with ${name}, which is weak` : undefined;

/** Why a key is not taken. `rsaBits` is undefined for anything but RSA. */
export const keyRefusal = (rsaBits: number | undefined, { minimumRsaBits }: TrustSettings): string | undefined =>
  rsaBits !== undefined && rsaBits < minimumRsaBits
    ? `has an RSA key of ${rsaBits} bits, at least ${minimumRsaBits} are wanted (Minimum-RSA-bits)`
    : undefined;
