/** Keys and certificates of the two daemons of gateways.ts: an authority, one certificate for the responder, and one for each user of the initiator. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spkiOf } from '../../src/shared/crypto/spki.ts';
import { subjectFromText, subjectOf } from '../../src/shared/pki/identity-name.ts';
import { type Issue, issueAuthority, issuePeerCertificate } from '../../src/shared/pki/issue-certificate.ts';
import { HOST_KEY, type KeyPair, makeKeyPair } from '../../src/shared/pki/key-pair.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import { parseCertificate } from '../../src/shared/x509/certificate.ts';

/** What one side needs: its private key in PEM, its certificates in DER. */
interface Holder {
  readonly key: KeyPair;
  readonly certificates: readonly Uint8Array[];
}

export interface Certificates {
  readonly authority: Uint8Array;
  readonly initiator: Holder;
  readonly responder: Holder;
}

/** RSA-2048 throughout. All users have one key, which costs a peer as much as many, but certificates of their own. Identities are texts. */
export const makeCertificates = async (responder: string, users: readonly string[]): Promise<Certificates> => {
  const [authorityKey, responderKey, userKey] = await Promise.all([newKey(), newKey(), newKey()]);
  const authority = issueAuthority(issue(), subjectFromText('/CN=benchmark', 'the subject'), authorityKey.privateKey);
  const certificate = certificateMaker(authority, authorityKey.privateKey);
  return {
    authority,
    responder: { key: responderKey, certificates: [certificate(responder, responderKey)] },
    initiator: { key: userKey, certificates: users.map((user) => certificate(user, userKey)) },
  };
};

/** Puts the files of both of our daemons into a folder; answers the section of isakmpd.conf that names them, for each. No section without certificates. */
export const writeCertificates = (
  folder: string,
  certificates: Certificates | undefined,
): { readonly [side in 'initiator' | 'responder']: string | undefined } => {
  if (certificates === undefined) return { initiator: undefined, responder: undefined };
  const { authority, initiator, responder } = certificates;
  return {
    initiator: writeHolder(join(folder, 'initiator-x509'), authority, initiator),
    responder: writeHolder(join(folder, 'responder-x509'), authority, responder),
  };
};

const writeHolder = (folder: string, authority: Uint8Array, { key, certificates }: Holder): string => {
  for (const name of ['ca', 'certs', 'crls', 'private']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'private', 'local.key'), key.privatePem, { mode: 0o600 });
  writeFileSync(join(folder, 'ca', 'ca.crt'), authority);
  writeFileSync(join(folder, 'certs', 'own.crt'), certificates.map(pem).join(''));
  return `[X509-certificates]
CA-directory=${join(folder, 'ca')}
Cert-directory=${join(folder, 'certs')}
CRL-directory=${join(folder, 'crls')}
Private-key=${join(folder, 'private', 'local.key')}
Private-key-directory=${join(folder, 'private')}
`;
};

const certificateMaker = (authority: Uint8Array, key: KeyObject): ((name: string, holder: KeyPair) => Uint8Array) => {
  const issuer = parseCertificate(authority);
  return (name, holder) => {
    const identity = identityFromText(name);
    const wish = { subject: subjectOf(identity), spki: spkiOf(holder.privateKey), names: [identity] };
    return issuePeerCertificate(issue(), wish, issuer, key);
  };
};

const newKey = (): Promise<KeyPair> =>
  new Promise((resolve, reject) =>
    makeKeyPair(HOST_KEY, (made) => (made instanceof Error ? reject(made) : resolve(made))),
  );

const issue = (): Issue => {
  const now = Date.now();
  // Positive: the first bit is 0.
  return { serialNumber: Uint8Array.of(1, ...randomBytes(8)), notBefore: now - DAY, notAfter: now + DAY };
};
/** ms */
const DAY = 86_400_000;

const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
