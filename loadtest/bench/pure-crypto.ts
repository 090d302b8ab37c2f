/**
 * What cryptography alone costs the responder of a main mode and a quick mode without PFS: the functions of our own that each message has to call,
 * over messages of the usual size. AES-128, SHA2-256, tunnels with AES-128 and SHA2-256.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { AuthenticationMethod, EncryptionAlgorithm, HashAlgorithm } from '../../src/shared/constants/oakley.ts';
import { cipherSpec, decryptCbc, encryptCbc } from '../../src/shared/crypto/cipher.ts';
import { calibrateDiffieHellman, groupSpec, publicValue, sharedSecret } from '../../src/shared/crypto/dh.ts';
import { forgetKey } from '../../src/shared/crypto/key-cache.ts';
import { digest, prf } from '../../src/shared/crypto/prf.ts';
import { isProof, signProof } from '../../src/shared/crypto/signature.ts';
import { parseCertificate } from '../../src/shared/x509/certificate.ts';
import type { Certificates } from './certificates.ts';

/** ms of CPU of this process per handshake, over `rounds` of them. `certificates`: undefined with a pre-shared key. */
export const pureCrypto = (rounds: number, group: number, certificates: Certificates | undefined): number => {
  calibrateDiffieHellman([group], () => performance.now());
  const privateSize = groupSpec(group)?.privateSize ?? 0;
  const peer = publicValue(group, randomBytes(privateSize));
  const authenticate = certificates === undefined ? undefined : signatures(certificates);
  const handshake = (): void => {
    const privateValue = randomBytes(privateSize);
    publicValue(group, privateValue);
    const secret = sharedSecret(group, privateValue, peer);
    symmetric(secret, authenticate === undefined ? SHORT : LONG);
    authenticate?.();
  };
  for (let i = 0; i < rounds; i++) handshake();
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) handshake();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / rounds;
};

/** SIG_I checked and SIG_R made, and the signature of the peer's certificate checked: peers are new, no memory of earlier ones helps. */
const signatures = ({ initiator, responder, authority }: Certificates): (() => void) => {
  const hash = randomBytes(32);
  const publicKey = createPublicKey(initiator.key.publicPem);
  const signature = signProof(AuthenticationMethod.RSA_SIG, initiator.key.privateKey, hash);
  const { publicKey: authorityKey } = parseCertificate(authority);
  const [der = authority] = initiator.certificates;
  const signed = parseCertificate(der);
  return () => {
    const isRight =
      isProof(AuthenticationMethod.RSA_SIG, publicKey, hash, signature) &&
      authorityKey !== undefined &&
      verify(signed.algorithm.digest, signed.tbs, authorityKey, signed.signature);
    if (!isRight) throw new Error('a signature that does not fit');
    signProof(AuthenticationMethod.RSA_SIG, responder.key.privateKey, hash);
  };
};

/** RFC 2409 §5, §5.5 and appendix B. `proof`: bytes of the messages that carry ID and HASH or SIG. */
const symmetric = (secret: Uint8Array, proof: number): void => {
  const spec = cipherSpec(EncryptionAlgorithm.AES_CBC, 128);
  if (spec === undefined) throw new Error('no AES');
  const skeyid = prf(SHA2_256, randomBytes(32), secret);
  const skeyidD = prf(SHA2_256, skeyid, secret);
  const skeyidA = prf(SHA2_256, skeyid, skeyidD, secret);
  const skeyidE = prf(SHA2_256, skeyid, skeyidA, secret);
  const key = skeyidE.slice(0, spec.keySize);
  // HASH_I and HASH_R.
  for (let i = 0; i < 2; i++) prf(SHA2_256, skeyid, new Uint8Array(PUBLIC_VALUES));
  // HASH(1) to HASH(3).
  for (let i = 0; i < 3; i++) prf(SHA2_256, skeyidA, new Uint8Array(QUICK));
  // KEYMAT of a pair of SAs: 48 bytes for each.
  for (let i = 0; i < 4; i++) prf(SHA2_256, skeyidD, secret);
  for (const [sealed, opened] of [
    [proof, proof],
    [QUICK, QUICK],
    [QUICK_LAST, 0],
  ]) {
    const iv = digest(SHA2_256, secret).subarray(0, spec.blockSize);
    decryptCbc(spec, key, iv, new Uint8Array(sealed ?? 0));
    if (opened) encryptCbc(spec, key, iv, new Uint8Array(opened));
  }
  for (const used of [skeyid, skeyidD, skeyidA, skeyidE, key]) forgetKey(used);
};

const SHA2_256 = HashAlgorithm.SHA2_256;
/** Bytes. */
const SHORT = 64;
const LONG = 1248;
const QUICK = 160;
const QUICK_LAST = 48;
const PUBLIC_VALUES = 600;
