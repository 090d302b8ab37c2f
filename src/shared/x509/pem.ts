/** Files of certificates and CRLs: PEM (RFC 7468), several in one file, or one in DER. */
import { CertificateError } from './certificate-error.ts';

/** What PEM calls them. */
export const PEM_CERTIFICATE = ['CERTIFICATE', 'X509 CERTIFICATE'] as const;
export const PEM_REVOCATION_LIST = ['X509 CRL'] as const;

/** The DER pieces of a file, in order. Text around PEM blocks and blocks of other kinds are passed over. Throws CertificateError where there are none. */
export const derPieces = (bytes: Uint8Array, labels: readonly string[]): readonly Uint8Array[] => {
  if (bytes[0] === SEQUENCE) return [bytes];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const pieces = [...text.matchAll(BLOCK)].filter(([, label]) => labels.includes(label ?? ''));
  if (pieces.length === 0) {
    throw new CertificateError(`neither DER nor PEM with -----BEGIN ${labels[0]}----- and its end`);
  }
  return pieces.map(([, , body = '']) => new Uint8Array(Buffer.from(body, 'base64')));
};

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;
const SEQUENCE = 0x30;
