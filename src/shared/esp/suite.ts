/** What protects the packets of one ESP SA: cipher, integrity check and their sizes, from the numbers that quick mode agrees on. */
import { AuthenticationAlgorithm, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { keymatSizes } from '../exchange/keymat.ts';

/** Sizes in bytes. */
export interface EspSuite {
  readonly mode: 'cbc' | 'ctr' | 'gcm' | 'gmac' | 'null';
  /** OpenSSL's name, '' for NULL. */
  readonly cipher: string;
  /** Of the encryption key without the salt. */
  readonly keySize: number;
  /** What follows the key in KEYMAT: RFC 3686 §5.1, RFC 4106 §8.1, RFC 4543 §5.1. */
  readonly saltSize: number;
  /** The encrypted part is a multiple of this; at least 4, RFC 4303 §2.4. */
  readonly alignment: number;
  readonly ivSize: number;
  /** OpenSSL's name of the hash, '' where the cipher authenticates or nothing does. */
  readonly hmac: string;
  readonly hmacKeySize: number;
  readonly icvSize: number;
}

/**
 * The suite for a transform and an AuthenticationAlgorithm (0 = none); `keyLength` in bits, 0 = the transform's only or usual one. Undefined for what quick mode would not
 * agree on either. `isTruncatedTo96`: HMAC-SHA2-256 as in the draft, for peers that never learned RFC 4868.
 */
export const espSuite = (
  transformId: number,
  keyLength: number,
  authentication: number,
  isTruncatedTo96: boolean,
): EspSuite | undefined => {
  const sizes = keymatSizes(
    ProtocolId.IPSEC_ESP,
    transformId,
    keyLength === 0 ? undefined : keyLength,
    authentication === 0 ? undefined : authentication,
  );
  const cipher = CIPHERS.get(transformId);
  const integrity = authentication === 0 ? NO_INTEGRITY : INTEGRITY.get(authentication);
  if (sizes === undefined || cipher === undefined || integrity === undefined) return undefined;
  const keySize = sizes.encryption - cipher.saltSize;
  const isShort = isTruncatedTo96 && authentication === AuthenticationAlgorithm.HMAC_SHA2_256;
  return {
    mode: cipher.mode,
    cipher: cipher.nameFor(keySize * 8),
    keySize,
    saltSize: cipher.saltSize,
    alignment: cipher.alignment,
    ivSize: cipher.ivSize,
    hmac: integrity.hmac,
    hmacKeySize: sizes.authentication,
    icvSize: cipher.tagSize + (isShort ? 12 : integrity.icvSize),
  };
};

/** Whether packets of this suite prove who made them; without that there is no protection against replay (RFC 4303 §3.4.3). */
export const isAuthenticated = (suite: EspSuite): boolean => suite.icvSize > 0;

interface CipherRow {
  readonly mode: EspSuite['mode'];
  readonly nameFor: (keyBits: number) => string;
  readonly saltSize: number;
  readonly alignment: number;
  readonly ivSize: number;
  readonly tagSize: number;
}

const cbc = (nameFor: CipherRow['nameFor'], blockSize: number): CipherRow => ({
  mode: 'cbc',
  nameFor,
  saltSize: 0,
  alignment: blockSize,
  ivSize: blockSize,
  tagSize: 0,
});

const counter = (mode: EspSuite['mode'], suffix: string, tagSize: number): CipherRow => ({
  mode,
  nameFor: (bits) => `aes-${bits}-${suffix}`,
  saltSize: 4,
  alignment: 4,
  ivSize: 8,
  tagSize,
});

const CIPHERS: ReadonlyMap<number, CipherRow> = new Map([
  // Single DES is triple DES with three equal keys: OpenSSL has that one without its legacy provider.
  [EspTransform.DES, cbc(() => 'des-ede3-cbc', 8)],
  [EspTransform['3DES'], cbc(() => 'des-ede3-cbc', 8)],
  [EspTransform.CAST, cbc(() => 'cast5-cbc', 8)],
  [EspTransform.BLOWFISH, cbc(() => 'bf-cbc', 8)],
  [EspTransform.AES, cbc((bits) => `aes-${bits}-cbc`, 16)],
  [EspTransform.AES_CTR, counter('ctr', 'ctr', 0)],
  [EspTransform.AES_GCM_16, counter('gcm', 'gcm', 16)],
  [EspTransform.AES_GMAC, counter('gmac', 'gcm', 16)],
  [EspTransform.NULL, { mode: 'null', nameFor: () => '', saltSize: 0, alignment: 4, ivSize: 0, tagSize: 0 }],
]);

interface IntegrityRow {
  readonly hmac: string;
  readonly icvSize: number;
}

const NO_INTEGRITY: IntegrityRow = { hmac: '', icvSize: 0 };

/** RFC 2403, 2404, 2857, 4868. */
const INTEGRITY: ReadonlyMap<number, IntegrityRow> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, { hmac: 'md5', icvSize: 12 }],
  [AuthenticationAlgorithm.HMAC_SHA, { hmac: 'sha1', icvSize: 12 }],
  [AuthenticationAlgorithm.HMAC_RIPEMD, { hmac: 'ripemd160', icvSize: 12 }],
  [AuthenticationAlgorithm.HMAC_SHA2_256, { hmac: 'sha256', icvSize: 16 }],
  [AuthenticationAlgorithm.HMAC_SHA2_384, { hmac: 'sha384', icvSize: 24 }],
  [AuthenticationAlgorithm.HMAC_SHA2_512, { hmac: 'sha512', icvSize: 32 }],
]);
