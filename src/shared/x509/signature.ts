/** Signatures of certificates and CRLs (RFC 3279, 4055, 5758, 8410), checked by node:crypto over the bytes that were signed. */
import { constants, type KeyObject, type SigningOptions, verify } from 'node:crypto';
import { DerTag } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  type DerElement,
  derOf,
  fieldsOf,
  onlyPart,
  readOid,
  readSmallInteger,
  readWholeBits,
  sameDer,
} from './der-element.ts';

/** SIGNED{...} of X.509: what was signed, and by what algorithm. */
export interface Signed {
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

export interface SignatureAlgorithm {
  /** `RSA with SHA-256`, or the object identifier. */
  readonly name: string;
  readonly strength: 'good' | 'sha1' | 'broken' | 'unknown';
  /** As node:crypto names it; undefined where the algorithm hashes itself. */
  readonly digest: string | undefined;
  readonly keyTypes: readonly string[];
  readonly options: SigningOptions;
}

/** Splits a SIGNED element. Throws CertificateError. `outer` is the whole one. */
export const readSigned = (
  outer: DerElement,
  where: string,
): Signed & { readonly content: DerElement; readonly algorithmId: DerElement } => {
  const fields = fieldsOf(outer, DerTag.SEQUENCE, where);
  const content = fields.take(DerTag.SEQUENCE, 'what is signed');
  const algorithmId = fields.take(DerTag.SEQUENCE, 'signatureAlgorithm');
  const signature = readWholeBits(fields.take(DerTag.BIT_STRING, 'signatureValue'), `${where}: signatureValue`);
  fields.end();
  return { content, algorithmId, tbs: derOf(content), algorithm: readAlgorithm(algorithmId, where), signature };
};

/** RFC 5280 section 4.1.1.2: the algorithm inside of what is signed has to be the one outside. Throws CertificateError. */
export const expectSameAlgorithm = (inside: DerElement, outside: DerElement, where: string): void => {
  if (!sameDer(inside, outside)) throw new CertificateError(`${where}: two signature algorithms that differ`);
};

/** Whether `key` made the signature. False for a key of another kind than the algorithm's, and for algorithms that are broken or unknown. */
export const verifySignature = ({ tbs, algorithm, signature }: Signed, key: KeyObject): boolean => {
  if (algorithm.strength === 'broken' || algorithm.strength === 'unknown' || signature.length === 0) return false;
  if (!algorithm.keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  try {
    return verify(algorithm.digest, tbs, { key, ...algorithm.options }, signature);
  } catch {
    // OpenSSL throws where key and signature do not fit each other at all.
    return false;
  }
};

const readAlgorithm = (element: DerElement, where: string): SignatureAlgorithm => {
  const fields = fieldsOf(element, DerTag.SEQUENCE, where);
  const oid = readOid(fields.takeAny('algorithm'), where);
  if (oid !== PSS)
    return ALGORITHMS.get(oid) ?? { name: oid, strength: 'unknown', digest: undefined, keyTypes: [], options: {} };
  return readPss(fields.take(DerTag.SEQUENCE, 'RSASSA-PSS-params'), `${where}: RSASSA-PSS-params`);
};

/** RFC 4055 section 3.1; both digests have to be the same. */
const readPss = (parameters: DerElement, where: string): SignatureAlgorithm => {
  const fields = fieldsOf(parameters, DerTag.SEQUENCE, where);
  const hash = fields.takeIf(constructedTag(0));
  const mask = fields.takeIf(constructedTag(1));
  const salt = fields.takeIf(constructedTag(2));
  const digest = hash === undefined ? 'sha1' : digestOf(onlyPart(hash, where), where);
  const maskDigest = mask === undefined ? 'sha1' : maskDigestOf(onlyPart(mask, where), where);
  const saltLength = salt === undefined ? 20 : readSmallInteger(onlyPart(salt, where), DerTag.INTEGER, where);
  const isKnown = digest !== undefined && digest === maskDigest && saltLength <= 64;
  return {
    name: `RSASSA-PSS with ${digest ?? 'an unknown digest'}`,
    strength: isKnown ? (digest === 'sha1' ? 'sha1' : 'good') : 'unknown',
    digest,
    keyTypes: ['rsa', 'rsa-pss'],
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
  };
};

const maskDigestOf = (algorithm: DerElement, where: string): string | undefined => {
  const fields = fieldsOf(algorithm, DerTag.SEQUENCE, where);
  return readOid(fields.takeAny('mask generation'), where) === MGF1
    ? digestOf(fields.takeAny('digest'), where)
    : undefined;
};

const digestOf = (algorithm: DerElement, where: string): string | undefined =>
  DIGESTS.get(readOid(fieldsOf(algorithm, DerTag.SEQUENCE, where).takeAny('digest'), where));

const row = (
  oid: string,
  kind: string,
  type: string,
  digest: string,
  strength: SignatureAlgorithm['strength'] = 'good',
) =>
  [
    oid,
    {
      name: `${kind} with ${digest.toUpperCase().replace(/^SHA/, 'SHA-')}`,
      strength,
      digest,
      keyTypes: [type],
      options: {},
    },
  ] as const;

const edwards = (oid: string, name: string) =>
  [oid, { name, strength: 'good', digest: undefined, keyTypes: [name.toLowerCase()], options: {} }] as const;

const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  row('1.2.840.113549.1.1.2', 'RSA', 'rsa', 'md2', 'broken'),
  row('1.2.840.113549.1.1.3', 'RSA', 'rsa', 'md4', 'broken'),
  row('1.2.840.113549.1.1.4', 'RSA', 'rsa', 'md5', 'broken'),
  row('1.2.840.113549.1.1.5', 'RSA', 'rsa', 'sha1', 'sha1'),
  row('1.3.14.3.2.29', 'RSA', 'rsa', 'sha1', 'sha1'),
  row('1.2.840.113549.1.1.14', 'RSA', 'rsa', 'sha224'),
  row('1.2.840.113549.1.1.11', 'RSA', 'rsa', 'sha256'),
  row('1.2.840.113549.1.1.12', 'RSA', 'rsa', 'sha384'),
  row('1.2.840.113549.1.1.13', 'RSA', 'rsa', 'sha512'),
  row('1.2.840.10040.4.3', 'DSA', 'dsa', 'sha1', 'sha1'),
  row('2.16.840.1.101.3.4.3.1', 'DSA', 'dsa', 'sha224'),
  row('2.16.840.1.101.3.4.3.2', 'DSA', 'dsa', 'sha256'),
  row('1.2.840.10045.4.1', 'ECDSA', 'ec', 'sha1', 'sha1'),
  row('1.2.840.10045.4.3.1', 'ECDSA', 'ec', 'sha224'),
  row('1.2.840.10045.4.3.2', 'ECDSA', 'ec', 'sha256'),
  row('1.2.840.10045.4.3.3', 'ECDSA', 'ec', 'sha384'),
  row('1.2.840.10045.4.3.4', 'ECDSA', 'ec', 'sha512'),
  edwards('1.3.101.112', 'Ed25519'),
  edwards('1.3.101.113', 'Ed448'),
]);
const PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
