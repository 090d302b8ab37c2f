/** Files, PKCS #7, keys, caches: what the pieces of X.509 take and refuse. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it, test } from 'node:test';
import { DerTag, derElement, derInteger } from '../../../src/shared/crypto/der.ts';
import { boundedCache } from '../../../src/shared/x509/bounded-cache.ts';
import { parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { CertificateError } from '../../../src/shared/x509/certificate-error.ts';
import { readDer } from '../../../src/shared/x509/der-element.ts';
import { certificatesOfPkcs7 } from '../../../src/shared/x509/pkcs7.ts';
import { readPublicKey } from '../../../src/shared/x509/public-key.ts';
import { timeText } from '../../../src/shared/x509/time.ts';
import { CACHED_CERTIFICATES, createTrustStore, DEFAULT_TRUST_SETTINGS } from '../../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../../src/shared/x509/validate-path.ts';
import { CA, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';

const hex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits.replaceAll(' ', ''), 'hex'));

for (const [what, digits] of [
  ['bytes behind the end', '30 03 02 01 01 00'],
  ['a length of two bytes where one is enough', '30 81 03 02 01 01'],
  ['an indefinite length', '30 80 02 01 01 00 00'],
  ['an INTEGER with a needless zero', '30 04 02 02 00 01'],
  ['an end that is cut off', '30 04 02 01 01'],
  ['nothing', ''],
  ['a tag of two bytes', '3f 81 00 03 02 01 01'],
] as const) {
  test(`DER with ${what} is refused`, () => {
    assert.throws(() => readDer(hex(digits), 'x'), CertificateError);
  });
}

test('DER nested more than 32 deep is refused', () => {
  const nested = (depth: number): Uint8Array =>
    depth === 0 ? derInteger(Uint8Array.of(1)) : derElement(DerTag.SEQUENCE, nested(depth - 1));
  readDer(nested(30), 'x');
  assert.throws(() => readDer(nested(40), 'x'), /nested more than 32 deep/);
});

describe('RSA keys', () => {
  const spki = (modulus: Uint8Array, exponent: Uint8Array): Uint8Array => {
    const key = derElement(DerTag.SEQUENCE, derInteger(modulus), derInteger(exponent));
    const algorithm = derElement(DerTag.SEQUENCE, derElement(6, hex('2a864886f70d010101')), derElement(5));
    return derElement(DerTag.SEQUENCE, algorithm, derElement(DerTag.BIT_STRING, Uint8Array.of(0), key));
  };
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const modulus = new Uint8Array(Buffer.from(n, 'base64url'));
  const read = (key: Uint8Array) => readPublicKey(readDer(key, 'x'));

  it('tell their size', () => {
    assert.equal(read(spki(modulus, hex('010001'))).size?.bits, 1024);
    assert.equal(read(spki(modulus, hex('03'))).size?.bits, 1024);
  });

  const even = Uint8Array.from(modulus);
  even[127] = 0;
  for (const [what, key, reason] of [
    ['exponent 0', spki(modulus, hex('00')), /the exponent is even or below 3/],
    ['exponent 1', spki(modulus, hex('01')), /the exponent is even or below 3/],
    ['an even exponent', spki(modulus, hex('010000')), /the exponent is even or below 3/],
    ['an exponent of 72 bits', spki(modulus, hex('ff00000000000000ff')), /more than 64 bits/],
    ['an even modulus', spki(even, hex('010001')), /the modulus is even/],
    ['a modulus of 0', spki(hex('00'), hex('010001')), /the modulus is even/],
    ['a modulus of 16392 bits', spki(new Uint8Array(2049).fill(0xff), hex('010001')), /at most 16384/],
  ] as const) {
    it(`with ${what} are refused (CVE-2026-14957, CVE-2017-9022)`, () => {
      assert.throws(() => read(key), reason);
    });
  }
});

describe('DSA keys (an abort of Node in asymmetricKeyDetails: found by npm run fuzz -- certificate)', () => {
  const spki = (oid: string, p: Uint8Array): Uint8Array => {
    const numbers = [p, new Uint8Array(20).fill(0x81), new Uint8Array(128).fill(0x65)].map(derInteger);
    const algorithm = derElement(DerTag.SEQUENCE, derElement(6, hex(oid)), derElement(DerTag.SEQUENCE, ...numbers));
    const key = derInteger(new Uint8Array(128).fill(0x11));
    return derElement(DerTag.SEQUENCE, algorithm, derElement(DerTag.BIT_STRING, Uint8Array.of(0), key));
  };
  const read = (key: Uint8Array) => readPublicKey(readDer(key, 'x'));
  const DSA = '2a8648ce380401';
  const large = new Uint8Array(2049).fill(0xff);

  it('tell their size', () => {
    const { publicKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
    const { size } = read(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })));
    assert.deepEqual(size, { kind: 'DSA', bits: 1024 });
  });

  for (const [what, key, reason] of [
    ['a modulus of 40 bits', spki(DSA, hex('80d5801909')), /at least 1024/],
    ['an even modulus of 40 bits', spki(DSA, hex('66d5801908')), /DSA key: the modulus is even/],
    ['a modulus of 0', spki(DSA, hex('00')), /the modulus is even/],
    ['a modulus of 16392 bits', spki(DSA, large), /at most 16384/],
    ['another name of the algorithm', spki('2b0e03020c', large), /a key of a kind that is not known here/],
  ] as const) {
    it(`with ${what} are refused`, () => {
      assert.throws(() => read(key), reason);
    });
  }
});

test('times are told in UTC, over the whole range', () => {
  for (const text of [
    '1950-01-01 00:00:00',
    '1969-12-31 23:59:59',
    '1970-01-01 00:00:00',
    '2000-02-29 12:00:00',
    '2026-11-26 12:54:17',
    '9999-12-31 23:59:59',
  ]) {
    assert.equal(timeText(Date.parse(`${text.replace(' ', 'T')}Z`)), `${text} UTC`);
  }
});

test('a cache forgets what was used least recently', () => {
  const cache = boundedCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  assert.equal(cache.get('a'), 1);
  cache.set('c', 3);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c'), cache.size()], [1, undefined, 3, 2]);
});

describe('files', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const gate = pki.certificate({ subject: '/CN=gate', issuer: root });
  const storeOf = (bytes: Buffer) =>
    createTrustStore(
      { authorities: [{ file: 'ca', bytes }], certificates: [], revocationLists: [] },
      DEFAULT_TRUST_SETTINGS,
    );
  const subjectsIn = (bytes: Buffer): readonly string[] =>
    storeOf(bytes).authorities.map(({ file, certificate }) => `${file} ${certificate.subject.text}`);

  it('hold one certificate in DER, or several in PEM with text around them', () => {
    assert.deepEqual(subjectsIn(root.der), ['ca /CN=root']);
    const mixed = Buffer.concat([Buffer.from('our CA\n'), root.pem, Buffer.from('\nand the gate\r\n'), gate.pem]);
    assert.deepEqual(subjectsIn(mixed), ['ca /CN=root', 'ca /CN=gate']);
    const key = root.privateKey.export({ type: 'pkcs8', format: 'pem' });
    assert.deepEqual(subjectsIn(Buffer.concat([Buffer.from(key), root.pem])), ['ca /CN=root']);
  });

  it('that are broken are told, and leave the others alone', () => {
    const broken = Buffer.from(root.pem.toString().replace('MII', 'MIJ'));
    const store = storeOf(Buffer.concat([broken, gate.pem]));
    assert.deepEqual(store.authorities.length, 1);
    assert.deepEqual(
      store.problems.map(({ file }) => file),
      ['ca'],
    );
    assert.match(store.problems[0]?.problem ?? '', /^number 1: certificate: not DER/);
    for (const bytes of [Buffer.from('hello'), Buffer.alloc(0), root.pem.subarray(0, 100), pki.crl(root, [])]) {
      assert.match(storeOf(bytes).problems[0]?.problem ?? '', /neither DER nor PEM with -----BEGIN CERTIFICATE-----/);
    }
  });

  it('of PKCS #7 give their certificates, in DER and in BER', () => {
    const bundle = pki.openssl(
      'crl2pkcs7',
      '-nocrl',
      '-certfile',
      root.files.certificate,
      '-certfile',
      gate.files.certificate,
      '-outform',
      'DER',
    );
    assert.deepEqual(
      certificatesOfPkcs7(bundle)
        .map((der) => parseCertificate(der).subject.text)
        .sort(),
      ['/CN=gate', '/CN=root'],
    );
    const ber = Buffer.concat([Buffer.of(0x30, 0x80), bundle.subarray(4), Buffer.of(0, 0)]);
    assert.equal(bundle[1], 0x82);
    assert.equal(certificatesOfPkcs7(ber).length, 2);
    assert.throws(() => certificatesOfPkcs7(root.der), /PKCS #7/);
    assert.throws(() => certificatesOfPkcs7(bundle.subarray(0, -1)), /PKCS #7/);
  });

  it('of PKCS #7 with more than 32 certificates are refused', () => {
    const bundle = pki.openssl(
      'crl2pkcs7',
      '-nocrl',
      ...Array.from({ length: 33 }, () => ['-certfile', root.files.certificate]).flat(),
      '-outform',
      'DER',
    );
    assert.throws(() => certificatesOfPkcs7(bundle), /33 certificates, at most 32 are taken/);
  });

  it('never make the caches grow without end (CVE-2021-41991)', () => {
    const store = storeOf(root.pem);
    const leaf = parseCertificate(gate.der);
    assert.equal(validatePath(leaf, { untrusted: [], store, at: Date.now() }).kind, 'valid');
    assert.equal(store.goodSignatures.size(), 1);
    // Variants that a stranger makes: names and serial numbers that differ, none with a path.
    for (let variant = 0; variant < CACHED_CERTIFICATES + 50; variant++) {
      const der = Uint8Array.from(gate.der);
      const at = gate.der.indexOf('gate');
      der[at] = 0x41 + (variant % 26);
      der[at + 1] = 0x41 + Math.floor(variant / 26);
      assert.equal(validatePath(store.certificateOf(der), { untrusted: [], store, at: Date.now() }).kind, 'refused');
    }
    assert.equal(store.goodSignatures.size(), 1);
    assert.equal(store.certificateOf(gate.der), store.certificateOf(Uint8Array.from(gate.der)));
  });
});
