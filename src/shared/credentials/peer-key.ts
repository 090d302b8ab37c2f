/** Whose key a signature of the peer's was made with: that of a certificate which names the peer and which we trust, a raw one, or one that credentials vouch for. */
import type { KeyObject } from 'node:crypto';
import { idTypeName } from '../constants/ipsec-doi.ts';
import { CertificateEncoding } from '../constants/isakmp.ts';
import { methodOfKey } from '../crypto/signature.ts';
import { bounded } from '../log/bounded.ts';
import { identityText } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { type Certificate, certificateText } from '../x509/certificate.ts';
import { CertificateError } from '../x509/certificate-error.ts';
import { bindsIdentity, certificateIdentities } from '../x509/certificate-identity.ts';
import { certificatesOfPkcs7 } from '../x509/pkcs7.ts';
import type { TrustStore } from '../x509/trust-store.ts';
import { validatePath } from '../x509/validate-path.ts';
import type { Claim } from './claim.ts';
import type { Credentials } from './credentials.ts';
import { isRsaSize } from './keys.ts';
import { vouchedKey } from './peer-credentials.ts';

export type ProvenKey =
  /** `chain`: DER, the peer's certificate first and its CA last; empty for a raw key. */
  | {
      readonly kind: 'proven';
      readonly key: KeyObject;
      readonly chain: readonly Uint8Array[];
      /** It is one of Pubkey-directory. */
      readonly isRaw: boolean;
      /** What was taken though it is weak, in words. */
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'refused';
      /** No key of the identity is known; a key is known that did not sign; a certificate that fits, or KeyNote credentials, are not to be trusted. */
      readonly fault: 'unknown' | 'signature' | 'certificate' | 'credentials';
      /** Words about certificates or credentials, '' where there is nothing to say about any. */
      readonly reason: string;
    };

/**
 * Certificates of Cert-directory and of the peer's payloads that name the identity, then the raw key, then KeyNote credentials. The signature is checked
 * before the path, so that only the holder of the private key has us look for one. Certificates of both places have to lead to a CA that we trust.
 */
export const provenKey = (credentials: Credentials, claim: Claim): ProvenKey => {
  const store = credentials.trust();
  const { sent, broken } = readCertificates(claim, store);
  const known = credentials.certificatesOf(claim.identity);
  const named = [...known, ...sent.filter((certificate) => bindsIdentity(certificate, claim.identity, store.settings))];
  let refused: string | undefined;
  for (const certificate of named.slice(0, MOST_TRIED)) {
    const key = keyOf(certificate, claim, credentials);
    if (key === undefined || !claim.isSignedWith(key)) continue;
    const outcome = validatePath(certificate, { untrusted: sent, store, at: claim.at });
    if (outcome.kind === 'valid') {
      const chain = outcome.chain.map(({ der }) => der);
      return { kind: 'proven', key, chain, isRaw: false, warnings: outcome.warnings };
    }
    refused = outcome.reason;
  }
  const raw = credentials.publicKey(claim.identity, claim.method);
  if (raw !== undefined && claim.isSignedWith(raw)) {
    return { kind: 'proven', key: raw, chain: [], isRaw: true, warnings: [] };
  }
  const vouched = vouchedKey(credentials, claim);
  if (vouched?.kind === 'key') {
    return { kind: 'proven', key: vouched.key, chain: [], isRaw: false, warnings: vouched.weaknesses };
  }
  if (vouched !== undefined) return { kind: 'refused', fault: 'credentials', reason: vouched.reason };
  if (refused !== undefined) return { kind: 'refused', fault: 'certificate', reason: refused };
  if (raw !== undefined || named.length > 0) return { kind: 'refused', fault: 'signature', reason: '' };
  return { kind: 'refused', fault: 'unknown', reason: broken ?? namesOf(sent, claim.identity) };
};

/** A signature each: what a peer may cost us. */
const MOST_TRIED = 8;

/** Of RSA numbers only the size is left to ask: the rest was checked when the certificate was read. */
const keyOf = (
  { publicKey, size }: Certificate,
  { method }: Claim,
  { settings }: Credentials,
): KeyObject | undefined => {
  if (publicKey === undefined || methodOfKey(publicKey) !== method) return undefined;
  return size?.kind !== 'RSA' || isRsaSize(size.bits, settings.minimumRsaBits) ? publicKey : undefined;
};

/** `broken`: why one of them cannot be read. */
const readCertificates = (
  { certificates }: Claim,
  store: TrustStore,
): { readonly sent: readonly Certificate[]; readonly broken: string | undefined } => {
  const sent: Certificate[] = [];
  let broken: string | undefined;
  for (const { encoding, data } of certificates) {
    try {
      for (const der of derOf(encoding, data)) if (sent.length < MOST_READ) sent.push(store.certificateOf(der));
    } catch (fault) {
      if (!(fault instanceof CertificateError)) throw fault;
      broken ??= `one of its certificates cannot be read: ${fault.message}`;
    }
  }
  return { sent, broken };
};

const MOST_READ = 32;

const derOf = (encoding: number, data: Uint8Array): readonly Uint8Array[] => {
  if (encoding === CertificateEncoding.X509_SIGNATURE) return [data];
  return encoding === CertificateEncoding.PKCS7 ? certificatesOfPkcs7(data) : [];
};

/** Names of the first one; the same text as another type of identity with both types. */
const namesOf = ([first]: readonly Certificate[], claimed: Identity): string => {
  if (first === undefined) return 'it sends no certificate';
  const names = certificateIdentities(first).map((identity) => {
    const text = bounded(identityText(identity));
    if (identityText(claimed) !== identityText(identity)) return text;
    return `${text} (${idTypeName(identity.type)}, its ID is ${idTypeName(claimed.type)})`;
  });
  const said = names.slice(0, 4).join(', ');
  return `its certificate is that of ${said === '' ? bounded(certificateText(first)) : said}`;
};
