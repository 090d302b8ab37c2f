/** Which algorithms and keys are strong enough, in the words of refusals and warnings. They follow the name of what is signed. */
import type { KeySize } from './public-key.ts';
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

/** Why a key is not taken. The smallest modulus of RSA is that of DSA as well. */
export const keyRefusal = (size: KeySize | undefined, { minimumRsaBits }: TrustSettings): string | undefined => {
  if (size === undefined) return undefined;
  const { kind, bits } = size;
  if (typeof kind === 'object') {
    return bits < LEAST_CURVE_BITS
      ? `has an EC key on ${kind.curve}, a curve of less than ${LEAST_CURVE_BITS} bits`
      : undefined;
  }
  return bits < minimumRsaBits
    ? `has ${kind === 'RSA' ? 'an RSA' : 'a DSA'} key of ${bits} bits, at least ${minimumRsaBits} are wanted (Minimum-RSA-bits)`
    : undefined;
};

const LEAST_CURVE_BITS = 256;
