/** Certificates (RFC 5280 section 4.1) that a CA of our own issues: its own one, and those of peers. */
import type { KeyObject } from 'node:crypto';
import { spkiOf } from '../crypto/spki.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Certificate } from '../x509/certificate.ts';
import { constructed, integer, sequence, time } from '../x509/der-build.ts';
import { constructedTag, type DerElement, readDer } from '../x509/der-element.ts';
import { authorityExtensions, peerExtensions, taggedExtensions } from './extensions.ts';
import { keyIdentifierOf, signedDer } from './sign-der.ts';

/** What every certificate has. Times are in ms since 1970. */
export interface Issue {
  /** Random: twenty bytes at most, the first bit of the first one 0. */
  readonly serialNumber: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** DER of a CA certificate that signs itself; `subject` is DER. */
export const issueAuthority = (issue: Issue, subject: Uint8Array, key: KeyObject): Uint8Array => {
  const spki = spkiOf(key);
  return certificate(issue, { issuer: subject, subject, spki }, authorityExtensions(keyIdentifierOf(spki)), key);
};

export interface PeerWish {
  /** DER. */
  readonly subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** What subjectAltName has. */
  readonly names: readonly Identity[];
}

/** DER of a certificate for IKE, issued by `authority`, whose private key is `key`. */
export const issuePeerCertificate = (
  issue: Issue,
  { subject, spki, names }: PeerWish,
  authority: Certificate,
  key: KeyObject,
): Uint8Array => {
  const extensions = peerExtensions(
    keyIdentifierOf(spki),
    keyIdentifierOfAuthority(authority),
    names,
    isEmptyName(subject),
  );
  return certificate(issue, { issuer: authority.subject.der, subject, spki }, extensions, key);
};

/** As its certificate says, else as it would have been made. */
export const keyIdentifierOfAuthority = ({ extensions: { subjectKeyId }, spki }: Certificate): Uint8Array =>
  subjectKeyId === undefined ? keyIdentifierOf(spki) : Buffer.from(subjectKeyId, 'hex');

/** An empty SEQUENCE. */
const isEmptyName = (der: Uint8Array): boolean => der.length === 2;

const certificate = (
  { serialNumber, notBefore, notAfter }: Issue,
  { issuer, subject, spki }: { readonly issuer: Uint8Array; readonly subject: Uint8Array; readonly spki: Uint8Array },
  extensions: readonly DerElement[],
  key: KeyObject,
): Uint8Array =>
  signedDer(
    (algorithm) =>
      sequence(
        constructed(constructedTag(0), [integer(VERSION_3)]),
        integer(serialNumber),
        algorithm,
        readDer(issuer, 'issuer'),
        sequence(time(notBefore), time(notAfter)),
        readDer(subject, 'subject'),
        readDer(spki, 'subjectPublicKeyInfo'),
        taggedExtensions(3, extensions),
      ),
    key,
  );

const VERSION_3 = Uint8Array.of(2);
