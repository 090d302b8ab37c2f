/** SIGNED{...} of X.509 with a key of ours: RSA and ECDSA with SHA-2, by node:crypto. */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { DerTag } from '../crypto/der.ts';
import { InvariantError } from '../errors.ts';
import { bitString, nothing, objectIdentifier, sequence } from '../x509/der-build.ts';
import { type DerElement, derOf, fieldsOf, readDer, readWholeBits } from '../x509/der-element.ts';

/** What is signed names its algorithm too: `content` gets it. Throws InvariantError for a key that cannot sign certificates. */
export const signedDer = (content: (algorithm: DerElement) => DerElement, key: KeyObject): Uint8Array => {
  const { oid, digest } = algorithmOf(key);
  // RFC 4055 section 5: NULL with RSA; RFC 5758 section 3.2: nothing with ECDSA.
  const algorithm = sequence(objectIdentifier(oid), ...(key.asymmetricKeyType === 'rsa' ? [nothing()] : []));
  const tbs = content(algorithm);
  return derOf(sequence(tbs, algorithm, bitString(sign(digest, derOf(tbs), key))));
};

/** RFC 5280 section 4.2.1.2, method 1: SHA-1 of the bits of the public key. It is a name, nothing hangs on its strength. */
export const keyIdentifierOf = (spki: Uint8Array): Uint8Array => {
  const where = 'subjectPublicKeyInfo';
  const fields = fieldsOf(readDer(spki, where), DerTag.SEQUENCE, where);
  fields.takeAny('algorithm');
  return createHash('sha1')
    .update(readWholeBits(fields.takeAny('subjectPublicKey'), where))
    .digest();
};

const algorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) => {
  const name = asymmetricKeyType === 'ec' ? asymmetricKeyDetails?.namedCurve : asymmetricKeyType;
  const algorithm = ALGORITHMS.get(name ?? '');
  if (algorithm === undefined) throw new InvariantError(`a key for ${name} cannot sign certificates`);
  return algorithm;
};

/** The hash is as strong as the curve (RFC 5480 section 4). */
const ALGORITHMS: ReadonlyMap<string, { readonly oid: string; readonly digest: string }> = new Map([
  ['rsa', { oid: '1.2.840.113549.1.1.11', digest: 'sha256' }],
  ['prime256v1', { oid: '1.2.840.10045.4.3.2', digest: 'sha256' }],
  ['secp384r1', { oid: '1.2.840.10045.4.3.3', digest: 'sha384' }],
  ['secp521r1', { oid: '1.2.840.10045.4.3.4', digest: 'sha512' }],
]);
