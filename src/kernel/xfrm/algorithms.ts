/** The kernel's names for the algorithms of the IPsec DOI, and how long their check values are. */
import { AuthenticationAlgorithm, EspTransform } from '../../shared/constants/ipsec-doi.ts';

/** `icvBits` 0: a cipher that does not authenticate. Salts are part of the key. */
export interface CipherRow {
  readonly name: string;
  readonly icvBits: number;
}

/** By EspTransform. */
export const CIPHERS: ReadonlyMap<number, CipherRow> = new Map([
  [EspTransform.DES, { name: 'cbc(des)', icvBits: 0 }],
  [EspTransform['3DES'], { name: 'cbc(des3_ede)', icvBits: 0 }],
  [EspTransform.CAST, { name: 'cbc(cast5)', icvBits: 0 }],
  [EspTransform.BLOWFISH, { name: 'cbc(blowfish)', icvBits: 0 }],
  [EspTransform.NULL, { name: 'ecb(cipher_null)', icvBits: 0 }],
  [EspTransform.AES, { name: 'cbc(aes)', icvBits: 0 }],
  [EspTransform.AES_CTR, { name: 'rfc3686(ctr(aes))', icvBits: 0 }],
  [EspTransform.AES_GCM_16, { name: 'rfc4106(gcm(aes))', icvBits: 128 }],
  [EspTransform.AES_GMAC, { name: 'rfc4543(gcm(aes))', icvBits: 128 }],
]);

export interface AuthenticationRow {
  readonly name: string;
  /** RFC 2403, 2404, 2857, 4868. */
  readonly icvBits: number;
}

/** By AuthenticationAlgorithm. */
export const AUTHENTICATIONS: ReadonlyMap<number, AuthenticationRow> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, { name: 'hmac(md5)', icvBits: 96 }],
  [AuthenticationAlgorithm.HMAC_SHA, { name: 'hmac(sha1)', icvBits: 96 }],
  [AuthenticationAlgorithm.HMAC_SHA2_256, { name: 'hmac(sha256)', icvBits: 128 }],
  [AuthenticationAlgorithm.HMAC_SHA2_384, { name: 'hmac(sha384)', icvBits: 192 }],
  [AuthenticationAlgorithm.HMAC_SHA2_512, { name: 'hmac(sha512)', icvBits: 256 }],
  [AuthenticationAlgorithm.HMAC_RIPEMD, { name: 'hmac(rmd160)', icvBits: 96 }],
]);

/** `sha2Truncation96`: what draft-ietf-ipsec-ciph-sha-256-00 cut HMAC-SHA2-256 to. */
export const icvBitsOf = (authentication: number, row: AuthenticationRow, sha2Truncation96: boolean): number =>
  sha2Truncation96 && authentication === AuthenticationAlgorithm.HMAC_SHA2_256 ? 96 : row.icvBits;
