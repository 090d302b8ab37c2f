/** In whose name a peer asks for SAs, and what its certificates say of it: principals and assertions of KeyNote made of what it has proved in phase 1 (isakmpd.policy(5)). */
import { createHash, createPublicKey } from 'node:crypto';
import type { Authenticated } from '../credentials/authenticated.ts';
import { spkiOf } from '../crypto/spki.ts';
import { type Assertion, parseAssertions, parseCredentials } from '../keynote/assertion.ts';
import { writtenLiteral } from '../keynote/string-literals.ts';
import { type Certificate, isSelfIssued, parseCertificate } from '../x509/certificate.ts';
import { gmtTime } from './attribute-forms.ts';

export interface Requester {
  /** Action authorizers. */
  readonly authorizers: readonly string[];
  /** What vouches for them besides the policy: certificates, which were checked in phase 1, and credentials, which are signed. */
  readonly vouchers: readonly Assertion[];
  /** Why some of its credentials do not count. */
  readonly faults: readonly string[];
}

export const requesterOf = (authenticated: Authenticated): Requester => {
  if (authenticated.kind === 'passphrase') {
    return { authorizers: passphraseAuthorizers(authenticated.secret), vouchers: [], faults: [] };
  }
  const certificates = authenticated.chain.map((der) => parseCertificate(der));
  const [leaf] = certificates;
  const credentials = authenticated.keynote.map((text) => parseCredentials(Buffer.from(text, 'latin1')));
  return {
    authorizers: [keyAuthorizer(authenticated.key), ...(leaf === undefined ? [] : [nameAuthorizer(leaf)])],
    vouchers: [...certificates.flatMap(issuedBy), ...credentials.flatMap(({ assertions }) => assertions)],
    faults: credentials.flatMap(({ faults }) => faults.map(({ line, text }) => `line ${line}: ${text}`)),
  };
};

/** Principals are byte strings: so is a secret, whatever characters it is made of. */
const passphraseAuthorizers = (secret: Uint8Array): readonly string[] => [
  `passphrase:${Buffer.from(secret).toString('latin1')}`,
  ...['md5', 'sha1'].map((hash) => `passphrase-${hash}-hex:${createHash(hash).update(secret).digest('hex')}`),
];

/** RSA keys as RFC 2792 has them; it has no form for others: `binary-hex` of their SubjectPublicKeyInfo. */
const keyAuthorizer = (spki: Uint8Array): string => {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return key.asymmetricKeyType === 'rsa'
    ? `rsa-hex:${key.export({ type: 'pkcs1', format: 'der' }).toString('hex')}`
    : `binary-hex:${Buffer.from(spki).toString('hex')}`;
};

const nameAuthorizer = ({ subject }: Certificate): string => `DN:${subject.text}`;
const issuerName = ({ issuer }: Certificate): string => `DN:${issuer.text}`;

/** A certificate licenses its subject in the name of its issuer, by key and by name, as long as it is valid. One that made itself says nothing. */
const issuedBy = (certificate: Certificate, index: number, chain: readonly Certificate[]): readonly Assertion[] => {
  if (isSelfIssued(certificate)) return [];
  const issuer = chain[index + 1];
  const byName = assertionText(issuerName(certificate), nameAuthorizer(certificate), certificate);
  const [issuing, issued] = [issuer && keyOf(issuer), keyOf(certificate)];
  if (issuing === undefined || issued === undefined) return parseAssertions(byName).assertions;
  return parseAssertions(`${byName}\n${assertionText(issuing, issued, certificate)}`).assertions;
};

/** Undefined: it is of a kind that is not known here. */
const keyOf = ({ publicKey }: Certificate): string | undefined => publicKey && keyAuthorizer(spkiOf(publicKey));

const assertionText = (authorizer: string, licensee: string, { notBefore, notAfter }: Certificate): string =>
  `Authorizer: "${writtenLiteral(authorizer)}"
Licensees: "${writtenLiteral(licensee)}"
Conditions: app_domain == "IPsec policy" && doi == "ipsec" &&
  GMTTimeOfDay >= "${gmtTime(notBefore)}" && GMTTimeOfDay <= "${gmtTime(notAfter)}";
`;
