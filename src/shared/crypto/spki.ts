/** SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of keys of node:crypto. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { plainBytes } from './node-crypto.ts';

/**
 * DER of a key's public half; the key may be private. Made once for each key object, since OpenSSL may take half as long for it as for a signature: it is
 * one array for all who ask, and nobody changes it.
 */
export const spkiOf = (key: KeyObject): Uint8Array => {
  const known = made.get(key);
  if (known !== undefined) return known;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = plainBytes(publicKey.export({ type: 'spki', format: 'der' }));
  made.set(key, spki);
  return spki;
};

const made = new WeakMap<KeyObject, Uint8Array>();
