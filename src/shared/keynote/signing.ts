/** The other half of signatures: making keys and signing, as keynote(1) does. Private keys come and go as text in its form. */
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  sign,
} from 'node:crypto';
import { decodeDsaPrivateKey, dsaPrivateKeyObject, encodeDsaKey, encodeDsaPrivateKey, makeDsaKey } from './dsa.ts';
import { decodeText, encodeText } from './encodings.ts';
import { principalOf } from './principals.ts';
import { signatureAlgorithm } from './signatures.ts';
import { signedContents } from './signed-digest.ts';

export interface KeyTexts {
  readonly publicKey: string;
  readonly privateKey: string;
}

export type Made<Result> =
  | { readonly kind: 'made'; readonly result: Result }
  | { readonly kind: 'impossible'; readonly reason: string };

/** A key pair; `algorithm` is `rsa-hex:` or one of its siblings, `bits` the size of the modulus. */
export const makeKeys = (algorithm: string, bits: number): Made<KeyTexts> => {
  const [, kind, digits] = /^(rsa|dsa)-(hex|base64):$/.exec(algorithm.toLowerCase()) ?? [];
  if (kind === undefined)
    return impossible(`"${algorithm}" makes no keys: rsa-hex:, rsa-base64:, dsa-hex: and dsa-base64: do`);
  const most = kind === 'rsa' ? MOST_RSA_BITS : MOST_DSA_BITS;
  if (!(bits >= LEAST_BITS && bits <= most)) return impossible(`a key has ${LEAST_BITS} to ${most} bits, not ${bits}`);
  const pair = kind === 'rsa' ? rsaPair(bits) : dsaPair(bits);
  if (pair === undefined) return impossible('OpenSSL makes no such key');
  const encoding = digits === 'hex' ? 'hex' : 'base64';
  const result = {
    publicKey: algorithm + encodeText(pair.publicKey, encoding),
    privateKey: PRIVATE_PREFIX + algorithm + encodeText(pair.privateKey, encoding),
  };
  pair.privateKey.fill(0);
  return { kind: 'made', result };
};

/**
 * The text of the Signature field. `algorithm` is its name with the colon, `authorizer` the text of the principal that the key has to belong to. The
 * private key is that of `makeKeys`, or the PEM file that belongs to a certificate.
 */
export const signText = (
  signedText: string,
  algorithm: string,
  authorizer: string,
  privateKey: string,
): Made<string> => {
  const found = signatureAlgorithm(algorithm);
  if (found?.length !== algorithm.length) return impossible(`the signature algorithm "${algorithm}" is not known`);
  const { key, hash, form, encoding } = found.algorithm;
  const signer = signerOf(privateKey);
  if (signer === undefined) return impossible('the private key cannot be read');
  if (signer.object.asymmetricKeyType !== key) return impossible(`the private key is no ${key.toUpperCase()} key`);
  if (principalOf(authorizer).identity !== signer.identity) {
    return impossible('the private key does not belong to the Authorizer of the assertion');
  }
  const signed = Buffer.from(signedText + algorithm, 'latin1');
  const [content = EMPTY] = signedContents(form, hash, createHash(hash).update(signed).digest());
  const signature =
    key === 'dsa'
      ? sign(hash, signed, signer.object)
      : privateEncrypt({ key: signer.object, padding: constants.RSA_PKCS1_PADDING }, content);
  return { kind: 'made', result: algorithm + encodeText(signature, encoding) };
};

interface Pair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

const rsaPair = (bits: number): Pair =>
  generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'pkcs1', format: 'der' },
    privateKeyEncoding: { type: 'pkcs1', format: 'der' },
  });

const dsaPair = (bits: number): Pair | undefined => {
  const key = makeDsaKey(bits);
  if (key === undefined) return undefined;
  const pair = { publicKey: encodeDsaKey(key), privateKey: encodeDsaPrivateKey(key) };
  key.x.fill(0);
  return pair;
};

/** A private key in the form of keynote(1) (`private-key-rsa-hex:...`) or PEM; undefined where it is none. */
export const privateKeyObject = (text: string): KeyObject | undefined => signerOf(text)?.object;

interface Signer {
  readonly object: KeyObject;
  /** Of its public key as a principal. */
  readonly identity: string;
}

const signerOf = (text: string): Signer | undefined => {
  try {
    if (text.includes('-----BEGIN')) return rsaSigner(createPrivateKey({ key: text, format: 'pem' }));
    const [, kind, encoding = '', digits = ''] = PRIVATE_FORM.exec(text) ?? [];
    const der =
      kind === undefined ? undefined : decodeText(digits, encoding.toLowerCase() === 'hex' ? 'hex' : 'base64');
    if (der === undefined) return undefined;
    const signer =
      kind?.toLowerCase() === 'rsa'
        ? rsaSigner(createPrivateKey({ key: der, format: 'der', type: 'pkcs1' }))
        : dsaSigner(der);
    der.fill(0);
    return signer;
  } catch {
    // What OpenSSL says about a wrong key helps nobody, and might quote it.
    return undefined;
  }
};

const rsaSigner = (object: KeyObject): Signer | undefined => {
  if (object.asymmetricKeyType !== 'rsa') return undefined;
  const publicKey = createPublicKey(object).export({ type: 'pkcs1', format: 'der' });
  return { object, identity: principalOf(`rsa-hex:${encodeText(publicKey, 'hex')}`).identity };
};

const dsaSigner = (der: Uint8Array): Signer | undefined => {
  const key = decodeDsaPrivateKey(der);
  if (key === undefined) return undefined;
  const { identity } = principalOf(`dsa-hex:${encodeText(encodeDsaKey(key), 'hex')}`);
  return { object: dsaPrivateKeyObject(key), identity };
};

const impossible = (reason: string): { readonly kind: 'impossible'; readonly reason: string } => ({
  kind: 'impossible',
  reason,
});

const EMPTY = new Uint8Array();
const PRIVATE_PREFIX = 'private-key-';
const PRIVATE_FORM = /^private-key-(rsa|dsa)-(hex|base64):(.*)$/i;

const LEAST_BITS = 1024;
const MOST_RSA_BITS = 8192;
const MOST_DSA_BITS = 3072;
