/** PKCS #7 wrapped certificates, CERT encoding 1 (RFC 2408 section 3.9, RFC 4945 section 3.3.2): a SignedData without signers. */
import { DerTag } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';
import { constructedTag, derOf, fieldsOf, onlyPart, partsOf, readBer, readOid, tagOf } from './der-element.ts';

/** DER of the certificates, in order, the peer's own one not always first. The wrapping may be BER. Throws CertificateError for anything else, and for too many. */
export const certificatesOfPkcs7 = (bytes: Uint8Array): readonly Uint8Array[] => {
  const where = 'PKCS #7';
  const content = fieldsOf(readBer(bytes, where), DerTag.SEQUENCE, where);
  if (readOid(content.takeAny('contentType'), where) !== SIGNED_DATA)
    throw new CertificateError(`${where}: no SignedData`);
  const signedData = fieldsOf(onlyPart(content.take(constructedTag(0), 'content'), where), DerTag.SEQUENCE, where);
  signedData.take(DerTag.INTEGER, 'version');
  signedData.take(DerTag.SET, 'digestAlgorithms');
  signedData.take(DerTag.SEQUENCE, 'contentInfo');
  const certificates = signedData.takeIf(constructedTag(0));
  if (certificates === undefined) return [];
  // Attribute certificates and the like have tags of their own.
  const parts = partsOf(certificates, constructedTag(0), where).filter((part) => tagOf(part) === DerTag.SEQUENCE);
  if (parts.length > MOST_CERTIFICATES) {
    throw new CertificateError(`${where}: ${parts.length} certificates, at most ${MOST_CERTIFICATES} are taken`);
  }
  return parts.map(derOf);
};

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const MOST_CERTIFICATES = 32;
