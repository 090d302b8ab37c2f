/** The key schedule of IKEv1: SKEYID and what hangs on it, the IV chain, HASH_I and HASH_R, KEYMAT (RFC 2409 §5 and appendix B). */
import { AhTransform, AuthenticationAlgorithm, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { digest, hashSize, prf } from '../crypto/prf.ts';
import { InvariantError } from '../errors.ts';

/** SKEYID for pre-shared keys: prf(pre-shared-key, Ni_b | Nr_b), RFC 2409 §5. */
export const skeyidPreShared = (hash: number, preSharedKey: Uint8Array, ni: Uint8Array, nr: Uint8Array): Uint8Array =>
  prf(hash, preSharedKey, ni, nr);

/** SKEYID for signatures: prf(Ni_b | Nr_b, g^xy), RFC 2409 §5. */
export const skeyidSignature = (hash: number, ni: Uint8Array, nr: Uint8Array, gxy: Uint8Array): Uint8Array => {
  const nonces = new Uint8Array(ni.length + nr.length);
  nonces.set(ni);
  nonces.set(nr, ni.length);
  return prf(hash, nonces, gxy);
};

/** The three keys an ISAKMP SA lives on: for KEYMAT, for authenticating messages, for encrypting them. */
export interface Skeyids {
  readonly skeyidD: Uint8Array;
  readonly skeyidA: Uint8Array;
  readonly skeyidE: Uint8Array;
}

/** SKEYID_d, SKEYID_a and SKEYID_e, RFC 2409 §5. */
export const deriveSkeyids = (
  hash: number,
  skeyid: Uint8Array,
  gxy: Uint8Array,
  initiatorCookie: Uint8Array,
  responderCookie: Uint8Array,
): Skeyids => {
  const skeyidD = prf(hash, skeyid, gxy, initiatorCookie, responderCookie, NUMBER_0);
  const skeyidA = prf(hash, skeyid, skeyidD, gxy, initiatorCookie, responderCookie, NUMBER_1);
  const skeyidE = prf(hash, skeyid, skeyidA, gxy, initiatorCookie, responderCookie, NUMBER_2);
  return { skeyidD, skeyidA, skeyidE };
};

/** The key of the phase 1 cipher, `keySize` bytes: the start of SKEYID_e or, where that is too short, of K1 | K2 | ... (RFC 2409 appendix B). */
export const expandEncryptionKey = (hash: number, skeyidE: Uint8Array, keySize: number): Uint8Array =>
  skeyidE.length >= keySize ? skeyidE.slice(0, keySize) : expand(hash, skeyidE, keySize, NUMBER_0, []);

/** The IV of the first encrypted phase 1 message: hash(g^xi | g^xr), cut to the cipher's block (RFC 2409 appendix B). */
export const phase1Iv = (hash: number, gxi: Uint8Array, gxr: Uint8Array, blockSize: number): Uint8Array =>
  digest(hash, gxi, gxr).slice(0, blockSize);

/** The first IV of an exchange under an ISAKMP SA: hash(last CBC block of phase 1 | message id), cut to the block (RFC 2409 appendix B). */
export const phase2Iv = (
  hash: number,
  lastPhase1Block: Uint8Array,
  messageId: number,
  blockSize: number,
): Uint8Array => {
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, messageId);
  return digest(hash, lastPhase1Block, id).slice(0, blockSize);
};

/** HASH_I over the bodies of the initiator's SA and ID payloads, without their generic headers (RFC 2409 §5). */
export const hashI = (
  hash: number,
  skeyid: Uint8Array,
  gxi: Uint8Array,
  gxr: Uint8Array,
  initiatorCookie: Uint8Array,
  responderCookie: Uint8Array,
  saBody: Uint8Array,
  idBody: Uint8Array,
): Uint8Array => prf(hash, skeyid, gxi, gxr, initiatorCookie, responderCookie, saBody, idBody);

/** HASH_R; arguments in the order of hashI. The SA is the initiator's here too, the ID is the responder's (RFC 2409 §5). */
export const hashR = (
  hash: number,
  skeyid: Uint8Array,
  gxi: Uint8Array,
  gxr: Uint8Array,
  initiatorCookie: Uint8Array,
  responderCookie: Uint8Array,
  saBody: Uint8Array,
  idBody: Uint8Array,
): Uint8Array => prf(hash, skeyid, gxr, gxi, responderCookie, initiatorCookie, saBody, idBody);

/** KEYMAT of one direction, `size` bytes: `spi` is the one the receiving side chose, `gxy` the secret of a quick mode with PFS (RFC 2409 §5.5). */
export const keymat = (
  hash: number,
  skeyidD: Uint8Array,
  gxy: Uint8Array | undefined,
  protocolId: number,
  spi: Uint8Array,
  ni: Uint8Array,
  nr: Uint8Array,
  size: number,
): Uint8Array => {
  const seed = [Uint8Array.of(protocolId), spi, ni, nr];
  if (gxy !== undefined) seed.unshift(gxy);
  return expand(hash, skeyidD, size, EMPTY, seed);
};

/** Bytes of KEYMAT an SA takes: the encryption key first, salt included, then the authentication key (RFC 2401 §4.6.2). */
export interface KeymatSizes {
  readonly encryption: number;
  readonly authentication: number;
}

/**
 * How much KEYMAT a phase 2 transform needs; undefined for a combination that makes no usable SA: an unknown number, a key length
 * the cipher does not take, AH that contradicts its transform, authentication beside GCM or GMAC, none beside NULL or CTR.
 * IPCOMP has no keys and is not asked for here.
 */
export const keymatSizes = (
  protocolId: number,
  transformId: number,
  keyLengthBits: number | undefined,
  authenticationAlgorithm: number | undefined,
): KeymatSizes | undefined => {
  const authentication = authenticationAlgorithm === undefined ? 0 : AUTHENTICATION_KEYS.get(authenticationAlgorithm);
  if (authentication === undefined) return undefined;
  if (protocolId === ProtocolId.IPSEC_AH) {
    const agrees = AH_ALGORITHMS.get(transformId) === authenticationAlgorithm && authentication > 0;
    return agrees && keyLengthBits === undefined ? { encryption: 0, authentication } : undefined;
  }
  const cipher = protocolId === ProtocolId.IPSEC_ESP ? ESP_CIPHERS.get(transformId) : undefined;
  if (cipher === undefined) return undefined;
  const fits = keyLengthBits === undefined || cipher.keyLengths.includes(keyLengthBits);
  const authenticates = authentication > 0;
  const allowed = cipher.authentication === 'optional' || (cipher.authentication === 'required') === authenticates;
  if (!fits || !allowed) return undefined;
  return { encryption: (keyLengthBits ?? cipher.defaultBits) / 8 + cipher.salt, authentication };
};

/** K1 | K2 | ..., where K1 = prf(key, first | seed) and Kn = prf(key, Kn-1 | seed). */
const expand = (
  hash: number,
  key: Uint8Array,
  size: number,
  first: Uint8Array,
  seed: readonly Uint8Array[],
): Uint8Array => {
  const blockSize = hashSize(hash);
  if (blockSize === undefined) throw new InvariantError(`hash ${hash} was negotiated but is not supported`);
  const material = new Uint8Array(size);
  let previous = first;
  for (let at = 0; at < size; at += blockSize) {
    const block = prf(hash, key, previous, ...seed);
    material.set(block.subarray(0, size - at), at);
    if (at > 0) previous.fill(0);
    previous = block;
  }
  if (size > 0) previous.fill(0);
  return material;
};

const EMPTY = new Uint8Array(0);
const NUMBER_0 = Uint8Array.of(0);
const NUMBER_1 = Uint8Array.of(1);
const NUMBER_2 = Uint8Array.of(2);

interface EspCipher {
  /** Key lengths in bits that may be asked for; none where the length is fixed (RFC 2407 §4.5). */
  readonly keyLengths: readonly number[];
  readonly defaultBits: number;
  /** Bytes of salt after the key. */
  readonly salt: number;
  readonly authentication: 'optional' | 'required' | 'forbidden';
}

const AES_KEYS = [128, 192, 256];
const BLOWFISH_KEYS = Array.from({ length: 45 }, (_, index) => 96 + 8 * index);

const ESP_CIPHERS: ReadonlyMap<number, EspCipher> = new Map([
  [EspTransform.DES, { keyLengths: [], defaultBits: 64, salt: 0, authentication: 'optional' }],
  [EspTransform['3DES'], { keyLengths: [], defaultBits: 192, salt: 0, authentication: 'optional' }],
  [EspTransform.CAST, { keyLengths: [128], defaultBits: 128, salt: 0, authentication: 'optional' }],
  [EspTransform.BLOWFISH, { keyLengths: BLOWFISH_KEYS, defaultBits: 128, salt: 0, authentication: 'optional' }],
  // RFC 2406 §2: not both NULL encryption and no authentication.
  [EspTransform.NULL, { keyLengths: [], defaultBits: 0, salt: 0, authentication: 'required' }],
  [EspTransform.AES, { keyLengths: AES_KEYS, defaultBits: 128, salt: 0, authentication: 'optional' }],
  // RFC 3686 §5.1 (salt), §7 (never without authentication).
  [EspTransform.AES_CTR, { keyLengths: AES_KEYS, defaultBits: 128, salt: 4, authentication: 'required' }],
  // RFC 4106 §8.1, RFC 4543 §5.1 (salt): these authenticate by themselves.
  [EspTransform.AES_GCM_16, { keyLengths: AES_KEYS, defaultBits: 128, salt: 4, authentication: 'forbidden' }],
  [EspTransform.AES_GMAC, { keyLengths: AES_KEYS, defaultBits: 128, salt: 4, authentication: 'forbidden' }],
]);

/** RFC 2407 §4.4.3: the authentication algorithm that goes with an AH transform. */
const AH_ALGORITHMS: ReadonlyMap<number, number> = new Map([
  [AhTransform.MD5, AuthenticationAlgorithm.HMAC_MD5],
  [AhTransform.SHA, AuthenticationAlgorithm.HMAC_SHA],
  [AhTransform.SHA2_256, AuthenticationAlgorithm.HMAC_SHA2_256],
  [AhTransform.SHA2_384, AuthenticationAlgorithm.HMAC_SHA2_384],
  [AhTransform.SHA2_512, AuthenticationAlgorithm.HMAC_SHA2_512],
  [AhTransform.RIPEMD, AuthenticationAlgorithm.HMAC_RIPEMD],
]);

/** In bytes: RFC 2403, 2404, 2857, 4868. */
const AUTHENTICATION_KEYS: ReadonlyMap<number, number> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 16],
  [AuthenticationAlgorithm.HMAC_SHA, 20],
  [AuthenticationAlgorithm.HMAC_SHA2_256, 32],
  [AuthenticationAlgorithm.HMAC_SHA2_384, 48],
  [AuthenticationAlgorithm.HMAC_SHA2_512, 64],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 20],
]);
