/** The CBC ciphers of phase 1: which there are, with which keys, and their use without padding (RFC 2409 appendix B pads in the message). */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { NotifyType } from '../constants/isakmp.ts';
import { EncryptionAlgorithm } from '../constants/oakley.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { isWeakDesKey, sameDesKey } from './des-weak-keys.ts';
import { forgetKey, secretKey } from './key-cache.ts';
import { errorCode, plainBytes } from './node-crypto.ts';

/** A cipher with its key length settled. */
export interface CipherSpec {
  /** A number of EncryptionAlgorithm. */
  readonly algorithm: number;
  /** The name OpenSSL has for it. */
  readonly name: string;
  /** In bytes. */
  readonly keySize: number;
  /** In bytes; also the size of the IV. */
  readonly blockSize: number;
  /** Whether OpenSSL has it only under --openssl-legacy-provider. */
  readonly legacyProvider: boolean;
}

/** The cipher for a phase 1 offer; undefined for a cipher we do not have or a key length it does not take (RFC 2409 appendix A: none where it is fixed). */
export const cipherSpec = (algorithm: number, keyLengthBits: number | undefined): CipherSpec | undefined => {
  const family = FAMILIES.get(algorithm);
  if (family === undefined) return undefined;
  if (keyLengthBits === undefined) return family.byKeyLength.get(family.defaultBits);
  return family.fixed ? undefined : family.byKeyLength.get(keyLengthBits);
};

/** Whether this process can run the cipher: Blowfish and CAST need the legacy provider, which is chosen when the process starts. */
export const cipherAvailable = (spec: CipherSpec): boolean => {
  const known = availability.get(spec.name);
  if (known !== undefined) return known;
  const available = probe(spec);
  availability.set(spec.name, available);
  return available;
};

/** Encrypts whole blocks, which the caller has padded. */
export const encryptCbc = (spec: CipherSpec, key: Uint8Array, iv: Uint8Array, padded: Uint8Array): Uint8Array => {
  if (padded.length === 0 || padded.length % spec.blockSize !== 0) {
    throw new InvariantError(`${padded.length} bytes to encrypt are no whole blocks`);
  }
  const cipher = createCipheriv(spec.name, keyObject(spec, key), checkedIv(spec, iv)).setAutoPadding(false);
  // Whole blocks without padding: everything comes out of update(), final() would be empty.
  return plainBytes(cipher.update(padded));
};

/** Decrypts whole blocks, padding included. Throws a ProtocolError (PAYLOAD_MALFORMED) where there are none or a part of one. */
export const decryptCbc = (spec: CipherSpec, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array => {
  if (ciphertext.length === 0 || ciphertext.length % spec.blockSize !== 0) {
    throw new ProtocolError(
      NotifyType.PAYLOAD_MALFORMED,
      `${ciphertext.length} encrypted bytes are no whole blocks of ${spec.blockSize}`,
    );
  }
  const decipher = createDecipheriv(spec.name, keyObject(spec, key), checkedIv(spec, iv)).setAutoPadding(false);
  return plainBytes(decipher.update(ciphertext));
};

/**
 * Whether the key makes the cipher weaker than it looks: a weak or semi-weak DES key, or triple DES with a pair of equal
 * neighbours, which is single DES (RFC 2451 §2.3). A negotiation that derives one fails.
 */
export const isWeakKey = (spec: CipherSpec, key: Uint8Array): boolean => {
  if (spec.name !== DES_EDE3) return false;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < key.length; at += DES_KEY_SIZE) parts.push(key.subarray(at, at + DES_KEY_SIZE));
  return parts.some((part, index) => {
    const next = parts[index + 1];
    return isWeakDesKey(part) || (next !== undefined && sameDesKey(part, next));
  });
};

const keyObject = (spec: CipherSpec, key: Uint8Array): KeyObject => {
  if (key.length !== spec.keySize) throw new InvariantError(`${spec.name} got a key of ${key.length} bytes`);
  return spec.algorithm === EncryptionAlgorithm.DES_CBC ? tripled(key) : secretKey(key);
};

/** Single DES is triple DES with three equal keys, and needs no legacy provider that way. */
const tripled = (key: Uint8Array): KeyObject => {
  const three = new Uint8Array(3 * key.length);
  for (let at = 0; at < three.length; at += key.length) three.set(key, at);
  const made = createSecretKey(three);
  three.fill(0);
  return made;
};

const checkedIv = (spec: CipherSpec, iv: Uint8Array): Uint8Array => {
  if (iv.length !== spec.blockSize) throw new InvariantError(`${spec.name} got an IV of ${iv.length} bytes`);
  return iv;
};

const probe = (spec: CipherSpec): boolean => {
  const key = new Uint8Array(spec.keySize);
  try {
    createCipheriv(spec.name, keyObject(spec, key), new Uint8Array(spec.blockSize));
    return true;
  } catch (fault) {
    if (UNAVAILABLE.has(errorCode(fault) ?? '')) return false;
    throw fault;
  } finally {
    forgetKey(key);
  }
};

/** What Node says of a cipher whose provider is not loaded, and of one that its OpenSSL was built without. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['ERR_OSSL_EVP_UNSUPPORTED', 'ERR_CRYPTO_UNKNOWN_CIPHER']);
const availability = new Map<string, boolean>();

interface Family {
  readonly fixed: boolean;
  readonly defaultBits: number;
  readonly byKeyLength: ReadonlyMap<number, CipherSpec>;
}

const family = (
  algorithm: number,
  keySizes: readonly number[],
  defaultSize: number,
  make: (keySize: number) => Omit<CipherSpec, 'algorithm' | 'keySize'>,
): readonly [number, Family] => {
  const specs = keySizes.map((keySize) => ({ algorithm, keySize, ...make(keySize) }));
  const byKeyLength = new Map(specs.map((spec) => [spec.keySize * 8, spec]));
  return [algorithm, { fixed: keySizes.length === 1, defaultBits: defaultSize * 8, byKeyLength }];
};

const sizes = (least: number, most: number): readonly number[] =>
  Array.from({ length: most - least + 1 }, (_, index) => least + index);

const DES_EDE3 = 'des-ede3-cbc';
const DES_KEY_SIZE = 8;
const desCbc = () => ({ name: DES_EDE3, blockSize: 8, legacyProvider: false });

/** Key lengths are those of the original isakmpd. */
const FAMILIES: ReadonlyMap<number, Family> = new Map([
  family(EncryptionAlgorithm.DES_CBC, [DES_KEY_SIZE], DES_KEY_SIZE, desCbc),
  family(EncryptionAlgorithm['3DES_CBC'], [24], 24, desCbc),
  family(EncryptionAlgorithm.BLOWFISH_CBC, sizes(12, 56), 16, () => ({
    name: 'bf-cbc',
    blockSize: 8,
    legacyProvider: true,
  })),
  family(EncryptionAlgorithm.CAST_CBC, sizes(12, 16), 16, () => ({
    name: 'cast5-cbc',
    blockSize: 8,
    legacyProvider: true,
  })),
  family(EncryptionAlgorithm.AES_CBC, [16, 24, 32], 16, (keySize) => ({
    name: `aes-${keySize * 8}-cbc`,
    blockSize: 16,
    legacyProvider: false,
  })),
]);
