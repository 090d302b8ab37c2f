/** Diffie-Hellman on the ECP and Brainpool curves, RFC 5903, 5114 and 6932: KE is x | y, the secret is x (RFC 5903 §7, §9). */
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { DerTag, derContent, derElement, derInteger } from './der.ts';
import { blamingPeer, type DhEngine, invalidPublicValue } from './dh-engine.ts';
import { leftPadded, takeSecret } from './node-crypto.ts';

export interface EcpCurve {
  /** The name OpenSSL has for it. */
  readonly curve: string;
  /** Bytes of one coordinate. */
  readonly size: number;
  /** n, the number of points. */
  readonly order: bigint;
}

/** Random bytes beyond the size of the order: with 64 bits more the remainder is as good as uniform, FIPS 186-5 appendix A.2.1. */
export const EXTRA_RANDOM_BYTES = 8;

/** By one ECDH object, made once. Its computeSecret checks our own key again each time, which doubles or triples the cost. */
export const ecpObjectEngine = (curve: EcpCurve): DhEngine => {
  const ecdh = createECDH(curve.curve);
  return {
    publicValue: (privateValue) => publicPoint(curve, ecdh, privateValue),
    sharedSecret: (privateValue, peerPublic) => {
      checkLength(curve, peerPublic);
      const point = encodedPoint(peerPublic);
      const scalar = privateScalar(curve, privateValue);
      ecdh.setPrivateKey(scalar);
      scalar.fill(0);
      return takeSecret(
        blamingPeer(() => ecdh.computeSecret(point)),
        curve.size,
      );
    },
  };
};

/**
 * By KeyObjects: a private key that comes with its public one is imported without computing anything. The public value waits
 * beside the private one, found by the identity of its array; where it is missing it is computed again.
 */
export const ecpKeyObjectEngine = (curve: EcpCurve): DhEngine => {
  const ecdh = createECDH(curve.curve);
  const { algorithm, curveName } = curveAlgorithm(curve.curve);
  const known = new WeakMap<Uint8Array, Uint8Array>();
  return {
    publicValue: (privateValue) => {
      const value = publicPoint(curve, ecdh, privateValue);
      known.set(privateValue, value.slice());
      return value;
    },
    sharedSecret: (privateValue, peerPublic) => {
      checkLength(curve, peerPublic);
      const spki = derElement(DerTag.SEQUENCE, algorithm, pointBits(peerPublic));
      const publicKey = blamingPeer(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }));
      const ours = known.get(privateValue) ?? publicPoint(curve, ecdh, privateValue);
      const privateKey = importPrivate(curveName, privateScalar(curve, privateValue), ours);
      return takeSecret(diffieHellman({ privateKey, publicKey }), curve.size);
    },
  };
};

/**
 * The private scalar of `privateValue`, in 1 to n-1: (value mod (n - 1)) + 1, FIPS 186-5 appendix A.2.1. The caller clears it.
 * Its time depends on the value a little, as BigInt does; a value serves one exchange only, so there is nothing to average.
 */
export const privateScalar = (curve: EcpCurve, privateValue: Uint8Array): Uint8Array => {
  const words = leftPadded(privateValue, Math.ceil(privateValue.length / WORD) * WORD);
  const view = new DataView(words.buffer);
  let value = 0n;
  for (let at = 0; at < words.length; at += WORD) value = (value << WORD_BITS) | view.getBigUint64(at);
  words.fill(0);
  value = (value % (curve.order - 1n)) + 1n;
  const wide = new DataView(new ArrayBuffer(Math.ceil(curve.size / WORD) * WORD));
  for (let at = wide.byteLength - WORD; at >= 0; at -= WORD) {
    wide.setBigUint64(at, value);
    value >>= WORD_BITS;
  }
  const scalar = new Uint8Array(wide.buffer);
  return scalar.subarray(scalar.length - curve.size);
};

const publicPoint = (curve: EcpCurve, ecdh: ECDH, privateValue: Uint8Array): Uint8Array => {
  const scalar = privateScalar(curve, privateValue);
  ecdh.setPrivateKey(scalar);
  scalar.fill(0);
  const point = ecdh.getPublicKey();
  return leftPadded(point.subarray(UNCOMPRESSED.length), 2 * curve.size);
};

const checkLength = (curve: EcpCurve, value: Uint8Array): void => {
  if (value.length !== 2 * curve.size) {
    throw invalidPublicValue(`has ${value.length} bytes and not ${2 * curve.size}`);
  }
};

const encodedPoint = (value: Uint8Array): Uint8Array => {
  const point = new Uint8Array(UNCOMPRESSED.length + value.length);
  point.set(UNCOMPRESSED);
  point.set(value, UNCOMPRESSED.length);
  return point;
};

const pointBits = (value: Uint8Array): Uint8Array => derElement(DerTag.BIT_STRING, NO_UNUSED_BITS, UNCOMPRESSED, value);

/** ECPrivateKey with its public key, RFC 5915 §3; clears the scalar and what held it on the way. */
const importPrivate = (curveName: Uint8Array, scalar: Uint8Array, publicValue: Uint8Array): KeyObject => {
  const octets = derElement(DerTag.OCTET_STRING, scalar);
  const key = derElement(
    DerTag.SEQUENCE,
    derInteger(VERSION),
    octets,
    derElement(DerTag.EXPLICIT_0, curveName),
    derElement(DerTag.EXPLICIT_1, pointBits(publicValue)),
  );
  const privateKey = createPrivateKey({ key, format: 'der', type: 'sec1' });
  for (const secret of [scalar, octets, key]) secret.fill(0);
  return privateKey;
};

/** AlgorithmIdentifier and the curve's OBJECT IDENTIFIER in it, as OpenSSL itself writes them (with a throwaway key). */
const curveAlgorithm = (namedCurve: string): { readonly algorithm: Uint8Array; readonly curveName: Uint8Array } => {
  const der = generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'der', type: 'spki' });
  const start = derContent(der, 0).start;
  const content = derContent(der, start);
  const keyType = derContent(der, content.start);
  return { algorithm: der.subarray(start, content.end), curveName: der.subarray(keyType.end, content.end) };
};

const WORD = 8;
const WORD_BITS = 64n;
/** SEC 1 §2.3.3: the first byte of a point with both coordinates. */
const UNCOMPRESSED = Uint8Array.of(0x04);
const NO_UNUSED_BITS = Uint8Array.of(0);
const VERSION = Uint8Array.of(1);
