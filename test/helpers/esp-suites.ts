/** All ESP suites that quick mode can agree on, with the names that other programs have for them. */
import assert from 'node:assert/strict';
import { AuthenticationAlgorithm, EspTransform } from '../../src/shared/constants/ipsec-doi.ts';
import { errorCode } from '../../src/shared/crypto/node-crypto.ts';
import { InvariantError } from '../../src/shared/errors.ts';
import { createOpener } from '../../src/shared/esp/create-transform.ts';
import { type EspSuite, espSuite } from '../../src/shared/esp/suite.ts';

export interface NamedSuite {
  readonly name: string;
  readonly transformId: number;
  readonly keyLength: number;
  readonly authentication: number;
  readonly isTruncatedTo96: boolean;
  readonly suite: EspSuite;
  /** In a table of ESP SAs of tshark. */
  readonly tshark: readonly [encryption: string, authentication: string];
  /** Cipher needs OpenSSL's legacy provider. */
  readonly isLegacy: boolean;
}

interface CipherName {
  readonly name: string;
  readonly transformId: number;
  readonly keyLengths: readonly number[];
  readonly tshark: string;
  readonly isLegacy?: boolean;
}

const CIPHERS: readonly CipherName[] = [
  { name: 'aes', transformId: EspTransform.AES, keyLengths: [128, 192, 256], tshark: 'AES-CBC [RFC3602]' },
  { name: '3des', transformId: EspTransform['3DES'], keyLengths: [0], tshark: 'TripleDES-CBC [RFC2451]' },
  { name: 'des', transformId: EspTransform.DES, keyLengths: [0], tshark: 'DES-CBC [RFC2405]' },
  {
    name: 'blowfish',
    transformId: EspTransform.BLOWFISH,
    keyLengths: [128, 448],
    tshark: 'BLOWFISH-CBC [RFC2451]',
    isLegacy: true,
  },
  { name: 'cast', transformId: EspTransform.CAST, keyLengths: [0], tshark: 'CAST5-CBC [RFC2144]', isLegacy: true },
  { name: 'null', transformId: EspTransform.NULL, keyLengths: [0], tshark: 'NULL' },
  { name: 'aes-ctr', transformId: EspTransform.AES_CTR, keyLengths: [128, 192, 256], tshark: 'AES-CTR [RFC3686]' },
];

const INTEGRITY: readonly (readonly [
  name: string,
  authentication: number,
  isTruncatedTo96: boolean,
  tshark: string,
])[] = [
  ['md5', AuthenticationAlgorithm.HMAC_MD5, false, 'HMAC-MD5-96 [RFC2403]'],
  ['sha1', AuthenticationAlgorithm.HMAC_SHA, false, 'HMAC-SHA-1-96 [RFC2404]'],
  ['ripemd', AuthenticationAlgorithm.HMAC_RIPEMD, false, 'MAC-RIPEMD-160-96 [RFC2857]'],
  ['sha256', AuthenticationAlgorithm.HMAC_SHA2_256, false, 'HMAC-SHA-256-128 [RFC4868]'],
  ['sha256-96', AuthenticationAlgorithm.HMAC_SHA2_256, true, 'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]'],
  ['sha384', AuthenticationAlgorithm.HMAC_SHA2_384, false, 'HMAC-SHA-384-192 [RFC4868]'],
  ['sha512', AuthenticationAlgorithm.HMAC_SHA2_512, false, 'HMAC-SHA-512-256 [RFC4868]'],
];

const named = (
  name: string,
  cipher: Omit<CipherName, 'name' | 'keyLengths'>,
  keyLength: number,
  [authentication, isTruncatedTo96, tshark]: readonly [number, boolean, string],
): NamedSuite => {
  const suite = espSuite(cipher.transformId, keyLength, authentication, isTruncatedTo96);
  if (suite === undefined) throw new InvariantError(`no suite ${name}`);
  const { transformId, isLegacy = false } = cipher;
  return {
    name,
    transformId,
    keyLength,
    authentication,
    isTruncatedTo96,
    suite,
    tshark: [cipher.tshark, tshark],
    isLegacy,
  };
};

const NO_AUTHENTICATION: readonly [number, boolean, string] = [0, false, 'NULL'];

/** Every cipher with every integrity check it goes with. */
export const ESP_SUITES: readonly NamedSuite[] = [
  ...CIPHERS.flatMap((cipher) =>
    cipher.keyLengths.flatMap((keyLength) =>
      INTEGRITY.map(([name, ...integrity]) =>
        named(`${cipher.name}-${keyLength}-${name}`, cipher, keyLength, integrity),
      ),
    ),
  ),
  ...[128, 192, 256].flatMap((bits) => [
    named(
      `gcm-${bits}`,
      { transformId: EspTransform.AES_GCM_16, tshark: 'AES-GCM with 16 octet ICV [RFC4106]' },
      bits,
      NO_AUTHENTICATION,
    ),
    named(`gmac-${bits}`, { transformId: EspTransform.AES_GMAC, tshark: 'NULL' }, bits, NO_AUTHENTICATION),
    named(
      `aes-${bits}-without`,
      { transformId: EspTransform.AES, tshark: 'AES-CBC [RFC3602]' },
      bits,
      NO_AUTHENTICATION,
    ),
  ]),
];

/** Whether this process has the algorithms: Blowfish and CAST need OpenSSL's legacy provider. */
export const isAvailable = ({ suite }: NamedSuite): boolean => {
  try {
    createOpener(suite, new Uint8Array(suite.keySize + suite.saltSize).fill(7), new Uint8Array(suite.hmacKeySize));
    return true;
  } catch (fault) {
    assert.match(String(errorCode(fault)), /ERR_OSSL_EVP_UNSUPPORTED|ERR_CRYPTO_UNKNOWN_CIPHER/);
    return false;
  }
};
