/** Keys that the openssl tool writes, and keys that nothing may be proved with. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { readPrivateKey, readPublicKey } from '../../../src/shared/credentials/keys.ts';
import { ecKey, rsaKey } from '../../helpers/credential-keys.ts';
import { isMissing, outputOf } from '../../helpers/foreign-programs.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const reasonOf = (read: ReturnType<typeof readPublicKey>): string => (read.kind === 'unfit' ? read.reason : '');

const openssl = (t: { skip(reason: string): void }, ...words: readonly string[]): string | undefined => {
  if (!isMissing('openssl')) return outputOf('openssl', words);
  t.skip('no openssl here');
  return undefined;
};

for (const [name, words] of [
  ['PKCS#1', ['genrsa', '-traditional', '2048']],
  ['PKCS#8', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['SEC 1 with its parameters in front', ['ecparam', '-name', 'prime256v1', '-genkey']],
  ['SEC 1 on P-384', ['ecparam', '-name', 'secp384r1', '-genkey', '-noout']],
  ['PKCS#8 on P-521', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']],
] as const) {
  test(`a private key as openssl writes it is read: ${name}`, (t) => {
    const pem = openssl(t, ...words);
    if (pem === undefined) return;
    assert.equal(reasonOf(readPrivateKey(bytesOf(pem), 2048)), '');
  });
}

for (const [name, words] of [
  ['PKCS#1', ['genrsa', '-traditional', '-aes128', '-passout', 'pass:word', '2048']],
  ['PKCS#8', ['genpkey', '-algorithm', 'RSA', '-aes128', '-pass', 'pass:word']],
] as const) {
  test(`an encrypted private key is refused with a clear line: ${name}`, (t) => {
    const pem = openssl(t, ...words);
    if (pem === undefined) return;
    assert.match(reasonOf(readPrivateKey(bytesOf(pem), 2048)), /^it is encrypted: /);
  });
}

test('public keys are read as PUBLIC KEY and as RSA PUBLIC KEY, and are the same', () => {
  const { publicKey } = rsaKey('peer');
  const read = (['spki', 'pkcs1'] as const).map((type) => {
    const found = readPublicKey(bytesOf(publicKey.export({ type, format: 'pem' }).toString()), 2048);
    return found.kind === 'key' ? found.key : assert.fail(found.reason);
  });
  for (const key of read) assert.ok(key.equals(publicKey));
});

test('neither a private key nor a certificate counts as a public key', () => {
  const { privateKey } = rsaKey('peer');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.match(reasonOf(readPublicKey(bytesOf(pem), 2048)), /no public key in PEM/);
  assert.match(reasonOf(readPublicKey(bytesOf('ssh-rsa AAAA'), 2048)), /no public key in PEM/);
  const broken = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
  assert.match(reasonOf(readPublicKey(bytesOf(broken), 2048)), /no public key/);
});

test('RSA keys below the floor are refused with both lengths', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = bytesOf(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  assert.match(reasonOf(readPublicKey(pem, 2048)), /an RSA key of 1024 bits: 2048 to 8192/);
  assert.equal(reasonOf(readPublicKey(pem, 1024)), '');
});

test('CVE-2017-9022: exponents 0, 1 and even ones, and even moduli, are refused', () => {
  const { n = '', e = '' } = rsaKey('peer').publicKey.export({ format: 'jwk' });
  const even = Buffer.from(n, 'base64url');
  even[even.length - 1] = 0xfe & (even.at(-1) ?? 0);
  const number = (...bytes: number[]): string => Buffer.from(bytes).toString('base64url');
  for (const jwk of [
    { kty: 'RSA', n, e: number(0) },
    { kty: 'RSA', n, e: number(1) },
    { kty: 'RSA', n, e: number(1, 0, 0) },
    { kty: 'RSA', n, e: number(1, 0, 0, 0, 0, 0, 0, 0, 1) },
    { kty: 'RSA', n: even.toString('base64url'), e },
  ]) {
    let pem: string;
    try {
      pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
    } catch {
      // OpenSSL will not even write such a key.
      continue;
    }
    assert.match(reasonOf(readPublicKey(bytesOf(pem), 2048)), /no p/, JSON.stringify(jwk.e));
  }
});

test('keys for anything but RSA and the curves of RFC 4754 are refused', () => {
  const { publicKey: ed25519 } = generateKeyPairSync('ed25519');
  const { publicKey: k256 } = ecKey('peer', 'secp256k1');
  const read = [ed25519, k256].map((key) =>
    reasonOf(readPublicKey(bytesOf(key.export({ type: 'spki', format: 'pem' }).toString()), 2048)),
  );
  assert.match(read[0] ?? '', /a key for ed25519/);
  assert.match(read[1] ?? '', /curve secp256k1/);
});
