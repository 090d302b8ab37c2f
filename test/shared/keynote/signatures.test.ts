/** Keys and signatures, RFC 2792: who is the same principal, what counts from whom, and that both halves fit together. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, publicDecrypt } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { derElement } from '../../../src/shared/crypto/der.ts';
import { principalOf } from '../../../src/shared/keynote/principals.ts';
import { type SignatureVerdict, verifySignature } from '../../../src/shared/keynote/signatures.ts';
import { type KeyTexts, makeKeys, signText } from '../../../src/shared/keynote/signing.ts';
import { ask } from '../../helpers/keynote-query.ts';
import { OPENSSL_BODY, OPENSSL_SIGNATURES } from '../../helpers/openssl-credential.ts';

const pair = (algorithm: string, bits: number): KeyTexts => {
  const made = makeKeys(algorithm, bits);
  assert.ok(made.kind === 'made', made.kind === 'impossible' ? made.reason : '');
  return made.result;
};

const RSA = pair('rsa-hex:', 2048);
const DSA = pair('dsa-base64:', 1024);
const BODY = 'KeyNote-Version: 2\nLicensees: "K"\n';

/** `rsa-hex:` of the public half of a key that node:crypto has made. */
const rsaText = (key: KeyObject): string => `rsa-hex:${key.export({ type: 'pkcs1', format: 'der' }).toString('hex')}`;

const signature = (algorithm: string, { publicKey, privateKey }: KeyTexts, body = BODY): string => {
  const made = signText(body, algorithm, publicKey, privateKey);
  assert.ok(made.kind === 'made', made.kind === 'impossible' ? made.reason : '');
  return made.result;
};

const reason = (verdict: SignatureVerdict): string => (verdict.kind === 'refused' ? verdict.reason : 'valid');

describe('principals', () => {
  const der = Buffer.from(RSA.publicKey.slice('rsa-hex:'.length), 'hex');

  it('are the same when their keys are, in every writing', () => {
    const { identity } = principalOf(RSA.publicKey);
    const other = `RSA-Base64:${der.toString('base64')}`;
    assert.equal(principalOf(other).identity, identity);
    assert.equal(principalOf(RSA.publicKey.toUpperCase()).identity, identity);
    assert.notEqual(principalOf(pair('rsa-hex:', 1024).publicKey).identity, identity);
    const dsa = Buffer.from(DSA.publicKey.slice('dsa-base64:'.length), 'base64').toString('hex');
    assert.equal(principalOf(`dsa-hex:${dsa}`).identity, principalOf(DSA.publicKey).identity);
    assert.equal(principalOf('binary-hex:00ff').identity, principalOf('binary-base64:AP8=').identity);
    assert.notEqual(principalOf('binary-hex:00ff').identity, principalOf('text:00ff').identity);
  });

  it('are opaque texts, upper and lower case apart, where they are no keys', () => {
    for (const text of [
      'POLICY',
      'policy',
      'passphrase:a',
      'DN:/CN=a',
      'rsa-hex:',
      'rsa-hex:0',
      'rsa-hex:zz',
      'rsa-hex:3000',
      'x509-base64:abcd==',
      'dsa-hex:3003020100',
      'elgamal-hex:00',
      '',
    ]) {
      assert.deepEqual(principalOf(text), { identity: `text:${text}`, key: undefined }, text);
    }
    const trailing = Buffer.concat([der, Buffer.alloc(1)]).toString('hex');
    const negative = derElement(
      0x30,
      derElement(0x02, Uint8Array.of(0x80)),
      derElement(0x02, Uint8Array.of(3)),
    ).toString('hex');
    for (const text of [`rsa-hex:${trailing}`, `rsa-hex:${negative}`]) assert.equal(principalOf(text).key, undefined);
  });

  it('are read from anything without a fault', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('rsa', 'dsa', 'x509', 'binary'),
        fc.uint8Array({ maxLength: 200 }),
        (algorithm, bytes) => {
          const one = principalOf(`${algorithm}-hex:${Buffer.from(bytes).toString('hex')}`);
          assert.ok(one.identity.length > 0);
        },
      ),
    );
  });

  it('can be licensed by a passphrase beside the broken certificate that the manual shows', () => {
    const assertions = ['Authorizer: "POLICY"\nLicensees: "passphrase:foobar" || "x509-base64:abcd=="\n'];
    assert.equal(ask({ assertions, authorizers: ['passphrase:foobar'] }).value, 'true');
  });
});

describe('signatures', () => {
  const algorithms: readonly (readonly [string, KeyTexts])[] = [
    ...['rsa-sha256', 'rsa-sha1', 'rsa-md5', 'x509-sha256', 'x509-sha1'].flatMap((name) =>
      ['hex', 'base64'].map((encoding) => [`sig-${name}-${encoding}:`, RSA] as const),
    ),
    ['sig-dsa-sha1-hex:', DSA],
    ['SIG-dsa-sha1-Base64:', DSA],
  ];

  it('of every algorithm and encoding are verified, and of nothing else', () => {
    for (const [algorithm, keys] of algorithms) {
      const text = signature(algorithm, keys);
      assert.equal(verifySignature(BODY, keys.publicKey, text, true).kind, 'valid', algorithm);
      const other = keys === RSA ? DSA : RSA;
      for (const [body, key, signed] of [
        [`${BODY} `, keys.publicKey, text],
        [BODY, other.publicKey, text],
        [BODY, 'K', text],
        [BODY, keys.publicKey, text.slice(0, -4)],
        [BODY, keys.publicKey, `${text.slice(0, algorithm.length)}`],
        [BODY, keys.publicKey, text.replace(/:(.)/, (_, digit: string) => `:${digit === '1' ? '2' : '1'}`)],
        [BODY, keys.publicKey, text.replace(/md5|sha1|sha256/i, (hash) => (hash === 'sha256' ? 'sha1' : 'sha256'))],
        [BODY, keys.publicKey, text.replace(/^sig-/i, 'sig')],
        [BODY, keys.publicKey, `${text}=`],
      ] as const) {
        assert.equal(verifySignature(body, key, signed, true).kind, 'refused', `${algorithm}: ${signed.slice(0, 40)}`);
      }
    }
  });

  it('cover the name of their algorithm: a stronger one cannot be put in its place', () => {
    const text = signature('sig-x509-sha256-hex:', RSA);
    assert.equal(
      reason(verifySignature(BODY, RSA.publicKey, text.replace('x509', 'rsa'), true)),
      'its signature is wrong',
    );
  });

  it('of certificates with SHA-1 have the identifier that libkeynote wants: 1.3.14.3.2.15', () => {
    const bytes = Buffer.from(signature('sig-x509-sha1-hex:', RSA).slice('sig-x509-sha1-hex:'.length), 'hex');
    const key = createPublicKey({ key: Buffer.from(RSA.publicKey.slice(8), 'hex'), format: 'der', type: 'pkcs1' });
    const digest = createHash('sha1').update(`${BODY}sig-x509-sha1-hex:`).digest('hex');
    assert.equal(publicDecrypt(key, bytes).toString('hex'), `3021300906052b0e03020f05000414${digest}`);
  });

  it('made by the openssl tool are verified', () => {
    const attributes = { app_domain: 'IPsec policy' };
    const authorizer = /"([\s\S]*?)"/.exec(OPENSSL_BODY)?.[1] ?? '';
    const assertions = [`Authorizer: "POLICY"\nLicensees: "${authorizer}"\n`];
    for (const text of Object.values(OPENSSL_SIGNATURES)) {
      const question = { assertions, authorizers: ['DN:/CN=a'], environment: attributes };
      const credential = `${OPENSSL_BODY}Signature: "${text}"\n`;
      assert.equal(ask({ ...question, credentials: [credential] }).value, 'true', text.slice(0, 30));
      const changed = credential.replace('# made', '# Made');
      assert.match(
        ask({ ...question, credentials: [changed] }).decision,
        /credential 1 does not count: its signature is wrong/,
      );
    }
  });

  it('with MD5, DSA or unfit keys do not count from a peer, and SHA-1 is warned of', () => {
    const from = (algorithm: string, keys: KeyTexts): SignatureVerdict =>
      verifySignature(BODY, keys.publicKey, signature(algorithm, keys), false);
    assert.equal(reason(from('sig-rsa-md5-hex:', RSA)), 'it is signed with MD5');
    assert.equal(reason(from('sig-dsa-sha1-hex:', DSA)), 'it is signed with DSA');
    assert.deepEqual(from('sig-rsa-sha1-hex:', RSA), { kind: 'valid', weakness: 'signed with the hash SHA1' });
    assert.deepEqual(from('sig-rsa-sha256-hex:', RSA), { kind: 'valid', weakness: undefined });
    assert.deepEqual(from('sig-rsa-sha256-hex:', pair('rsa-base64:', 1024)), {
      kind: 'valid',
      weakness: 'signed with a key of 1024 bits',
    });
    const small = generateKeyPairSync('rsa', { modulusLength: 768 });
    const short = {
      publicKey: rsaText(small.publicKey),
      privateKey: small.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    };
    assert.match(reason(from('sig-rsa-sha256-hex:', short)), /an RSA key of 768 bits/);
  });

  it('by keys that are none do not count: even moduli, exponent 1, exponents too long', () => {
    const odd = createPublicKey({
      key: Buffer.from(RSA.publicKey.slice(8), 'hex'),
      format: 'der',
      type: 'pkcs1',
    }).export({ format: 'jwk' });
    const modulus = Buffer.from(odd.n ?? '', 'base64url');
    const even = Buffer.from(modulus);
    even[even.length - 1] = 0;
    const key = (n: Buffer, e: Buffer): string =>
      `rsa-hex:${derElement(0x30, derElement(0x02, Buffer.alloc(1), n), derElement(0x02, e)).toString('hex')}`;
    const signed = `sig-rsa-sha1-hex:${'00'.repeat(256)}`;
    for (const unfit of [
      key(even, Buffer.from([3])),
      key(modulus, Buffer.from([1])),
      key(modulus, Buffer.from([2])),
      key(modulus, Buffer.alloc(9, 3)),
      key(modulus, Buffer.from([0])),
    ]) {
      assert.equal(reason(verifySignature(BODY, unfit, signed, false)), 'its authorizer is no proper RSA key');
      assert.equal(verifySignature(BODY, unfit, signed, true).kind, 'refused');
    }
    for (const zero of ['00', 'ff'].map((digits) => `sig-rsa-sha1-hex:${digits.repeat(256)}`)) {
      assert.equal(reason(verifySignature(BODY, RSA.publicKey, zero, false)), 'its signature is wrong');
    }
  });
});

describe('signing', () => {
  it('refuses what cannot be, without a word of the key', () => {
    const refused = (...[algorithm, authorizer, key]: readonly [string, string, string]): string => {
      const made = signText(BODY, algorithm, authorizer, key);
      assert.ok(made.kind === 'impossible');
      return made.reason;
    };
    assert.match(refused('sig-rsa-sha512-hex:', RSA.publicKey, RSA.privateKey), /"sig-rsa-sha512-hex:" is not known/);
    assert.match(refused('sig-rsa-sha1-hex:00', RSA.publicKey, RSA.privateKey), /is not known/);
    assert.equal(
      refused('sig-rsa-sha1-hex:', DSA.publicKey, RSA.privateKey),
      'the private key does not belong to the Authorizer of the assertion',
    );
    assert.equal(refused('sig-dsa-sha1-hex:', DSA.publicKey, RSA.privateKey), 'the private key is no DSA key');
    for (const key of [
      '',
      'private-key-rsa-hex:00',
      'private-key-dsa-hex:3000',
      RSA.publicKey,
      '-----BEGIN RSA PRIVATE KEY-----\n',
    ]) {
      assert.equal(refused('sig-rsa-sha1-hex:', RSA.publicKey, key), 'the private key cannot be read');
    }
    for (const [algorithm, bits] of [
      ['rsa-hex', 2048],
      ['rsa-hex:', 512],
      ['rsa-hex:', 1e9],
      ['dsa-hex:', Number.NaN],
      ['ec-hex:', 256],
    ] as const) {
      assert.equal(makeKeys(algorithm, bits).kind, 'impossible');
    }
  });
});
