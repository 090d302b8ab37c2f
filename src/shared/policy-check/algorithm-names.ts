/** What isakmpd.policy(5) calls the algorithms of IPsec. */
import { AhTransform, AuthenticationAlgorithm, EspTransform } from '../constants/ipsec-doi.ts';

/** By EspTransform; every mode of AES is `aes`. */
export const CIPHERS: ReadonlyMap<number, string> = new Map([
  [EspTransform.DES_IV64, 'des-iv64'],
  [EspTransform.DES, 'des'],
  [EspTransform['3DES'], '3des'],
  [EspTransform.CAST, 'cast'],
  [EspTransform.BLOWFISH, 'blowfish'],
  [EspTransform.NULL, 'null'],
  [EspTransform.AES, 'aes'],
  [EspTransform.AES_CTR, 'aes'],
  [EspTransform.AES_GCM_16, 'aes'],
  [EspTransform.AES_GMAC, 'aes'],
]);

/** By AhTransform. */
export const HASHES: ReadonlyMap<number, string> = new Map([
  [AhTransform.MD5, 'md5'],
  [AhTransform.SHA, 'sha'],
  [AhTransform.RIPEMD, 'ripemd'],
  [AhTransform.DES, 'des'],
  [AhTransform.SHA2_256, 'sha2-256'],
  [AhTransform.SHA2_384, 'sha2-384'],
  [AhTransform.SHA2_512, 'sha2-512'],
]);

/** By AuthenticationAlgorithm. */
export const AUTHENTICATIONS: ReadonlyMap<number, string> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 'hmac-md5'],
  [AuthenticationAlgorithm.HMAC_SHA, 'hmac-sha'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 'hmac-ripemd'],
  [AuthenticationAlgorithm.DES_MAC, 'des-mac'],
  [AuthenticationAlgorithm.KPDK, 'kpdk'],
  [AuthenticationAlgorithm.HMAC_SHA2_256, 'hmac-sha2-256'],
  [AuthenticationAlgorithm.HMAC_SHA2_384, 'hmac-sha2-384'],
  [AuthenticationAlgorithm.HMAC_SHA2_512, 'hmac-sha2-512'],
]);
