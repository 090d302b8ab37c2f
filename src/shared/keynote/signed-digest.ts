/** What an RSA key signs of a digest, before PKCS#1 v1.5 pads it (RFC 8017 section 9.2). */
import { DerTag, derElement } from '../crypto/der.ts';

export type DigestForm =
  /** RFC 2792 section 4.2 as libkeynote reads it: the bare digest as an OCTET STRING. */
  | 'octets'
  /** DigestInfo with the identifier of the hash. */
  | 'digestInfo'
  /**
   * libkeynote puts the identifier of a whole signature scheme, shaWithRSAEncryption, where that of SHA-1 belongs, and accepts nothing else. We sign
   * as it does and accept both.
   */
  | 'shaWithRsa';

/** The contents that count as signed; the first one is what we sign ourselves. */
export const signedContents = (
  form: DigestForm,
  hash: 'md5' | 'sha1' | 'sha256',
  digest: Uint8Array,
): readonly Buffer[] => {
  switch (form) {
    case 'octets':
      return [derElement(DerTag.OCTET_STRING, digest)];
    case 'digestInfo':
      return [digestInfo(hash === 'sha256' ? SHA256 : SHA1, digest)];
    case 'shaWithRsa':
      return [digestInfo(SHA_WITH_RSA, digest), digestInfo(SHA1, digest)];
  }
};

const digestInfo = (identifier: Uint8Array, digest: Uint8Array): Buffer =>
  derElement(
    DerTag.SEQUENCE,
    derElement(DerTag.SEQUENCE, derElement(DerTag.OBJECT_IDENTIFIER, identifier), derElement(NULL)),
    derElement(DerTag.OCTET_STRING, digest),
  );

const NULL = 0x05;

/** 1.3.14.3.2.26, 1.3.14.3.2.15, 2.16.840.1.101.3.4.2.1. */
const SHA1 = Uint8Array.of(0x2b, 0x0e, 0x03, 0x02, 0x1a);
const SHA_WITH_RSA = Uint8Array.of(0x2b, 0x0e, 0x03, 0x02, 0x0f);
const SHA256 = Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01);
