/** A certificate, CRL or PKCS#7 message that cannot be read. The message says where in it and what would be right; it quotes nothing of it. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}
