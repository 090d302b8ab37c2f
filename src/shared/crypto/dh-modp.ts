/** Diffie-Hellman in the MODP groups of RFC 2409 §6 and RFC 3526, by DiffieHellman objects and by KeyObjects. */
import {
  createDiffieHellman,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  getDiffieHellman,
  type KeyObject,
} from 'node:crypto';
import { DerTag, derContent, derElement, derInteger } from './der.ts';
import { blamingPeer, type DhEngine, invalidPublicValue } from './dh-engine.ts';
import { leftPadded, takeSecret } from './node-crypto.ts';

/** A MODP group as node:crypto has it. */
export interface ModpGroup {
  readonly prime: Buffer;
  /** p - 1, the first of the values that are too large. */
  readonly limit: Buffer;
}

/** The group called 'modp14' and so on. Costs 15 and 28 ms for modp1 and modp2, where OpenSSL checks the prime, and next to nothing for others. */
export const modpGroup = (name: string): ModpGroup => {
  const prime = getDiffieHellman(name).getPrime();
  const limit = Buffer.from(prime);
  // The prime is odd: p - 1 only clears its last bit.
  limit.set([(prime.at(-1) ?? 0) & 0xfe], limit.length - 1);
  return { prime, limit };
};

/**
 * Throws a ProtocolError unless the value has the length of the prime and 2 <= y <= p - 2, which is all that safe primes need
 * (RFC 6989 §2.1). OpenSSL under Node 20 lets values above p + 1 pass.
 */
export const checkModpValue = (group: ModpGroup, value: Uint8Array): void => {
  const { prime, limit } = group;
  if (value.length !== prime.length) throw invalidPublicValue(`has ${value.length} bytes and not ${prime.length}`);
  if (limit.compare(value) <= 0) throw invalidPublicValue('is p-1 or more');
  if ((value.at(-1) ?? 0) < 2 && value.subarray(0, -1).every((byte) => byte === 0)) {
    throw invalidPublicValue('is 0 or 1');
  }
};

/**
 * By one DiffieHellman object, made once: 15 and 28 ms for modp1 and modp2; for the others nothing on Node 20 and 22, but
 * 80 ms to many seconds on Node 24, which checks those primes too.
 */
export const modpObjectEngine = (group: ModpGroup): DhEngine => {
  const size = group.prime.length;
  const dh = createDiffieHellman(group.prime, GENERATOR);
  /** generateKeys() on an object that has a key returns that same key again: each use sets its own private value first, and takes it away last. */
  const withPrivate = <T>(privateValue: Uint8Array, use: () => T): T => {
    dh.setPrivateKey(privateValue);
    try {
      return use();
    } finally {
      dh.setPrivateKey(ONE);
    }
  };
  return {
    publicValue: (privateValue) => withPrivate(privateValue, () => leftPadded(dh.generateKeys(), size)),
    sharedSecret: (privateValue, peerPublic) => {
      checkModpValue(group, peerPublic);
      return withPrivate(privateValue, () =>
        takeSecret(
          blamingPeer(() => dh.computeSecret(peerPublic)),
          size,
        ),
      );
    },
  };
};

/**
 * By KeyObjects, with no set-up. To import a private key costs as much as its public value, which OpenSSL then computes; the
 * imported key waits beside the private value, found by the identity of its array, until the shared secret has been made.
 */
export const modpKeyObjectEngine = (group: ModpGroup): DhEngine => {
  const size = group.prime.length;
  const algorithm = derElement(
    DerTag.SEQUENCE,
    DH_KEY_AGREEMENT,
    derElement(DerTag.SEQUENCE, derInteger(group.prime), derInteger(GENERATOR)),
  );
  const imported = new WeakMap<Uint8Array, KeyObject>();
  return {
    publicValue: (privateValue) => {
      const privateKey = importPrivate(algorithm, privateValue);
      imported.set(privateValue, privateKey);
      return leftPadded(exportPublic(privateKey), size);
    },
    sharedSecret: (privateValue, peerPublic) => {
      checkModpValue(group, peerPublic);
      const privateKey = imported.get(privateValue) ?? importPrivate(algorithm, privateValue);
      const publicKey = importPublic(algorithm, peerPublic);
      const secret = blamingPeer(() => diffieHellman({ privateKey, publicKey }));
      imported.delete(privateValue);
      return takeSecret(secret, size);
    },
  };
};

/** PKCS#8 with the private value as INTEGER, RFC 5208 §5 and PKCS#3; what held the value on the way is cleared. */
const importPrivate = (algorithm: Uint8Array, privateValue: Uint8Array): KeyObject => {
  const integer = derInteger(privateValue);
  const octets = derElement(DerTag.OCTET_STRING, integer);
  const key = derElement(DerTag.SEQUENCE, derInteger(ZERO), algorithm, octets);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  for (const secret of [integer, octets, key]) secret.fill(0);
  return privateKey;
};

/** SubjectPublicKeyInfo with the value as INTEGER in the bit string. */
const importPublic = (algorithm: Uint8Array, value: Uint8Array): KeyObject => {
  const key = derElement(DerTag.SEQUENCE, algorithm, derElement(DerTag.BIT_STRING, NO_UNUSED_BITS, derInteger(value)));
  return createPublicKey({ key, format: 'der', type: 'spki' });
};

/** The public value that belongs to a private key, without leading zeros. */
const exportPublic = (privateKey: KeyObject): Uint8Array => {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const bitString = derContent(der, derContent(der, derContent(der, 0).start).end);
  const { start, end } = derContent(der, bitString.start + NO_UNUSED_BITS.length);
  return der.subarray(der[start] === 0 ? start + 1 : start, end);
};

/** RFC 2409 §6, RFC 3526: the generator is 2. */
const GENERATOR = Uint8Array.of(2);
const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);
const NO_UNUSED_BITS = Uint8Array.of(0);
/** OBJECT IDENTIFIER 1.2.840.113549.1.3.1, PKCS#3 dhKeyAgreement. */
const DH_KEY_AGREEMENT = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01);
