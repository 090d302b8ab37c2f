/** Whose key a signature of the peer's was made with, by KeyNote credentials that it sends: they license the key, and say with the policy whose it is. */
import type { KeyObject } from 'node:crypto';
import { CertificateEncoding } from '../constants/isakmp.ts';
import { AuthenticationMethod } from '../constants/oakley.ts';
import { spkiOf } from '../crypto/spki.ts';
import { CREDENTIAL_LIMITS } from '../keynote/limits.ts';
import { rememberSignatures } from '../keynote/query.ts';
import type { Claim } from './claim.ts';
import type { Credentials } from './credentials.ts';
import { checkSignatures, readKeynoteCredentials } from './keynote-credentials.ts';

export type VouchedKey =
  /** `weaknesses`: of signatures of credentials, one sentence each. */
  | { readonly kind: 'key'; readonly key: KeyObject; readonly weaknesses: readonly string[] }
  /** One sentence. */
  | { readonly kind: 'unfit'; readonly reason: string };

/**
 * Undefined: there are no credentials. The signature comes before theirs, so that only the holder of the private key has us check those. Without a policy
 * nobody vouches for who signed them: anybody can license himself.
 */
export const vouchedKey = (
  { policy, settings }: Credentials,
  { certificates, method, identity, phase1, at, isSignedWith }: Claim,
): VouchedKey | undefined => {
  const texts = sentCredentials(certificates);
  if (texts.length === 0 || method !== AuthenticationMethod.RSA_SIG) return undefined;
  if (policy === undefined)
    return unfit('no policy is asked (-K, Use-Keynote), so nothing is known of who signed them');
  const read = readKeynoteCredentials(texts, settings.minimumRsaBits);
  if (read.kind === 'unfit') return read;
  const key = read.keys.find(isSignedWith);
  if (key === undefined) return unfit('its signature is not made with the key that the last of them licenses');
  const { unsigned, weaknesses } = checkSignatures(read.assertions, rememberSignatures(false));
  if (unsigned !== undefined) return unfit(unsigned);
  const authenticated = {
    kind: 'publicKey',
    key: spkiOf(key),
    chain: [],
    rawKeyOf: undefined,
    keynote: keynoteTexts(certificates),
  } as const;
  const { isPermitted, decision } = policy.identification(authenticated, { ...phase1, remoteId: identity, at });
  return isPermitted ? { kind: 'key', key, weaknesses } : unfit(decision);
};

/** What is kept of KeyNote credentials for queries of the policy: byte strings, no more of them than one file may have. */
export const keynoteTexts = (certificates: Claim['certificates']): readonly string[] => {
  let room = CREDENTIAL_LIMITS.bytes;
  return sentCredentials(certificates)
    .filter(({ length }) => {
      room -= length;
      return room >= 0;
    })
    .map((data) => Buffer.from(data).toString('latin1'));
};

/** Bodies of the CERT payloads that have KeyNote credentials. */
const sentCredentials = (certificates: Claim['certificates']): readonly Uint8Array[] =>
  certificates.filter(({ encoding }) => encoding === CertificateEncoding.KEYNOTE).map(({ data }) => data);

const unfit = (reason: string): VouchedKey => ({ kind: 'unfit', reason });
