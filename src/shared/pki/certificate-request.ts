/** Certificate requests (PKCS#10, RFC 2986): made, and read from those who want a certificate. */
import type { KeyObject } from 'node:crypto';
import { unfitKey } from '../credentials/keys.ts';
import { DerTag } from '../crypto/der.ts';
import { spkiOf } from '../crypto/spki.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { CertificateError } from '../x509/certificate-error.ts';
import { constructed, integer, objectIdentifier, sequence, set } from '../x509/der-build.ts';
import { constructedTag, fieldsOf, readDer, readSmallInteger } from '../x509/der-element.ts';
import { type DistinguishedName, readDistinguishedName } from '../x509/general-name.ts';
import { readPublicKey } from '../x509/public-key.ts';
import { readSigned, verifySignature } from '../x509/signature.ts';
import { alternativeNames } from './extensions.ts';
import { signedDer } from './sign-der.ts';

/** What PEM calls it. */
export const PEM_REQUEST = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'] as const;

/** DER of a request for the public half of `key`. `subject` is DER; `names` is what subjectAltName is to have. */
export const buildRequest = (subject: Uint8Array, names: readonly Identity[], key: KeyObject): Uint8Array => {
  const wanted = alternativeNames(names, false);
  const attribute = sequence(objectIdentifier(EXTENSION_REQUEST), set(sequence(...wanted)));
  return signedDer(
    () =>
      sequence(
        integer(Uint8Array.of(0)),
        readDer(subject, 'subject'),
        readDer(spkiOf(key), 'subjectPublicKeyInfo'),
        constructed(constructedTag(0), wanted.length === 0 ? [] : [attribute]),
      ),
    key,
  );
};

export interface CertificateRequest {
  readonly subject: DistinguishedName;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/**
 * Reads a request and checks that who made it has the private key. Throws CertificateError for anything else, and for keys that no
 * certificate should have. What it asks for besides, subjectAltName included, is for the operator of the CA to grant.
 */
export const parseRequest = (der: Uint8Array, minimumRsaBits: number): CertificateRequest => {
  const where = 'certificate request';
  const signed = readSigned(readDer(der, where), where);
  const fields = fieldsOf(signed.content, DerTag.SEQUENCE, where);
  if (readSmallInteger(fields.take(DerTag.INTEGER, 'version'), DerTag.INTEGER, where) !== 0) {
    throw new CertificateError(`${where}: not version 1`);
  }
  const subject = readDistinguishedName(fields.takeAny('subject'), `${where}: subject`);
  const { spki, key } = readPublicKey(fields.takeAny('subjectPublicKeyInfo'));
  fields.take(constructedTag(0), 'attributes');
  fields.end();
  if (key === undefined) throw new CertificateError(`${where}: a key without its parameters`);
  const reason = unfitKey(key, minimumRsaBits);
  if (reason !== undefined) throw new CertificateError(`${where}: ${reason}`);
  if (!verifySignature(signed, key)) {
    throw new CertificateError(
      `${where}: its signature is not that of the key in it: it was damaged, or made by somebody else`,
    );
  }
  return { subject, publicKey: key, spki };
};

/** RFC 2985 section 5.4.2. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
