/** Signatures of phase 1 against openssl's, and forgeries. */
import assert from 'node:assert/strict';
import { constants, createHash, createPrivateKey, createPublicKey, privateEncrypt, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AuthenticationMethod, HashAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { hashForProof, isProof, methodOfKey, signProof } from '../../../src/shared/crypto/signature.ts';
import { ecKey, type KeyPair, rsaKey } from '../../helpers/credential-keys.ts';
import { isMissing, outputOf } from '../../helpers/foreign-programs.ts';

const RSA = AuthenticationMethod.RSA_SIG;
const HASH = createHash('sha256').update('HASH_I').digest();

const METHODS: readonly (readonly [string, number, KeyPair, Buffer])[] = [
  ['RSA', RSA, rsaKey('left'), HASH],
  ['ECDSA-256', AuthenticationMethod.ECDSA_256, ecKey('left', 'prime256v1'), HASH],
  ['ECDSA-384', AuthenticationMethod.ECDSA_384, ecKey('left', 'secp384r1'), createHash('sha384').update('x').digest()],
  ['ECDSA-521', AuthenticationMethod.ECDSA_521, ecKey('left', 'secp521r1'), createHash('sha512').update('x').digest()],
];

/** A block as a private key signs it: whatever it holds. */
const signBlock = (block: Uint8Array): Buffer =>
  privateEncrypt({ key: rsaKey('left').privateKey, padding: constants.RSA_NO_PADDING }, block);

/** 00 type ff ... 00 content, filled up with `behind`. */
const blockOf = (content: Uint8Array, { type = 1, fill = 0xff, behind = 0, size = 256 } = {}): Uint8Array => {
  const block = Buffer.alloc(size, fill);
  block[0] = 0;
  block[1] = type;
  const start = size - behind - content.length;
  block[start - 1] = 0;
  block.set(content, start);
  block.fill(0xab, size - behind);
  return block;
};

const accepts = (signature: Uint8Array, hash: Uint8Array = HASH): boolean =>
  isProof(RSA, rsaKey('left').publicKey, hash, signature);

for (const [name, method, pair, hash] of METHODS) {
  describe(name, () => {
    it('accepts what it has signed, and for this hash and key only', () => {
      const signature = signProof(method, pair.privateKey, hash);
      assert.ok(isProof(method, pair.publicKey, hash, signature));
      assert.ok(!isProof(method, pair.publicKey, Buffer.from(hash).fill(0, 0, 1), signature));
      const other =
        method === RSA ? rsaKey('right') : ecKey('right', pair.publicKey.asymmetricKeyDetails?.namedCurve ?? '');
      assert.ok(!isProof(method, other.publicKey, hash, signature));
    });

    it('CVE-2012-2388, CVE-2013-2944: refuses empty, zero, short and long signatures, and every changed byte it is shown', () => {
      const signature = signProof(method, pair.privateKey, hash);
      const wrong = [
        new Uint8Array(0),
        new Uint8Array(signature.length),
        new Uint8Array(signature.length).fill(0xff),
        signature.subarray(1),
        signature.subarray(0, -1),
        Buffer.concat([signature, Buffer.alloc(1)]),
        Buffer.concat([Buffer.alloc(1), signature]),
        randomBytes(signature.length),
      ];
      for (const at of [0, 1, signature.length >> 1, signature.length - 1]) {
        const changed = signature.slice();
        changed[at] = 1 ^ (changed[at] ?? 0);
        wrong.push(changed);
      }
      for (const one of wrong) assert.ok(!isProof(method, pair.publicKey, hash, one), Buffer.from(one).toString('hex'));
    });

    it('is for its own kind of key', () => {
      assert.equal(methodOfKey(pair.publicKey), method);
      assert.equal(methodOfKey(pair.privateKey), method);
      for (const [, other, otherPair] of METHODS) {
        if (other === method) continue;
        assert.ok(!isProof(other, pair.publicKey, hash, signProof(method, pair.privateKey, hash)));
        assert.throws(() => signProof(other, pair.privateKey, hash), /InvariantError/);
        assert.ok(!isProof(method, otherPair.publicKey, hash, signProof(method, pair.privateKey, hash)));
      }
    });
  });
}

describe('an RSA signature', () => {
  it('is the bare hash in a block of type 1 (RFC 2409 §5.1), as any padding of openssl’s is', () => {
    assert.ok(accepts(signBlock(blockOf(HASH))));
    assert.deepEqual(Buffer.from(signProof(RSA, rsaKey('left').privateKey, HASH)), signBlock(blockOf(HASH)));
  });

  it('CVE-2018-16151: with anything else than the hash in it is refused', () => {
    const digestInfo = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), HASH]);
    const forged: Readonly<Record<string, Uint8Array>> = {
      'a DigestInfo': blockOf(digestInfo),
      'bytes behind the hash': blockOf(HASH, { behind: 8 }),
      'one byte behind the hash': blockOf(HASH, { behind: 1 }),
      'bytes before the hash': blockOf(Buffer.concat([Buffer.alloc(4), HASH])),
      'a short hash': blockOf(HASH.subarray(0, -1)),
      'no hash': blockOf(new Uint8Array(0)),
      'block type 2': blockOf(HASH, { type: 2 }),
      'block type 0': blockOf(HASH, { type: 0, fill: 0 }),
      'padding of other bytes': blockOf(HASH, { fill: 0xfe }),
      'zeros for padding': blockOf(HASH, { fill: 0 }),
      // The hash far to the left: what is behind it could be made up to fit a cube.
      'eight bytes of padding': blockOf(HASH, { behind: 256 - HASH.length - 11 }),
      // An earlier end of the padding.
      'a second zero byte': Buffer.from(blockOf(HASH)).fill(0, 20, 21),
    };
    for (const [what, block] of Object.entries(forged)) assert.ok(!accepts(signBlock(block)), what);
  });

  it('of a key with exponent 3 is no cube root of something that begins right', () => {
    // What Bleichenbacher showed in 2006: with e = 3 a cube begins with any block that leaves the rest free.
    const block = BigInt(`0x0001ff00${HASH.toString('hex')}${'00'.repeat(256 - 4 - 32)}`);
    let root = 1n << 683n;
    for (let bit = 682n; bit >= 0n; bit--) if ((root + (1n << bit)) ** 3n <= block + (1n << 1500n)) root += 1n << bit;
    const { n = '' } = rsaKey('left').publicKey.export({ format: 'jwk' });
    const key = createPublicKey({ key: { kty: 'RSA', n, e: 'Aw' }, format: 'jwk' });
    assert.ok(!isProof(RSA, key, HASH, Buffer.from(root.toString(16).padStart(512, '0'), 'hex')));
  });

  it('above the modulus is refused', () => {
    const { n = '' } = rsaKey('left').publicKey.export({ format: 'jwk' });
    const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
    const signature = BigInt(`0x${Buffer.from(signProof(RSA, rsaKey('left').privateKey, HASH)).toString('hex')}`);
    const above = (signature + modulus).toString(16);
    if (above.length <= 512) assert.ok(!accepts(Buffer.from(above.padStart(512, '0'), 'hex')));
    assert.ok(!accepts(Buffer.from(modulus.toString(16), 'hex')));
  });
});

describe('openssl', () => {
  it('RSA: its raw signatures are ours', (t) => {
    if (isMissing('openssl')) return t.skip('no openssl here');
    const folder = mkdtempSync(join(tmpdir(), 'isakmpd-signature-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = (name: string): string => join(folder, name);
    outputOf('openssl', ['genrsa', '-out', file('key'), '2048']);
    writeFileSync(file('hash'), HASH);
    // Without a digest named, pkeyutl pads the bare value.
    outputOf('openssl', ['pkeyutl', '-sign', '-inkey', file('key'), '-in', file('hash'), '-out', file('signature')]);
    const key = createPrivateKey(readFileSync(file('key')));
    const theirs = readFileSync(file('signature'));
    assert.ok(isProof(RSA, createPublicKey(key), HASH, theirs));
    assert.deepEqual(Buffer.from(signProof(RSA, key, HASH)), theirs);
  });

  for (const [name, method, pair, hash] of METHODS.slice(1)) {
    it(`${name}: each takes the other’s signatures over the bare hash`, (t) => {
      if (isMissing('openssl')) return t.skip('no openssl here');
      const folder = mkdtempSync(join(tmpdir(), 'isakmpd-signature-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = (part: string): string => join(folder, part);
      writeFileSync(file('key'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      writeFileSync(file('hash'), hash);
      outputOf('openssl', ['pkeyutl', '-sign', '-inkey', file('key'), '-in', file('hash'), '-out', file('der')]);
      const size = signProof(method, pair.privateKey, hash).length / 2;
      assert.ok(isProof(method, pair.publicKey, hash, rawOf(readFileSync(file('der')), size)));
      writeFileSync(file('ours'), derOf(signProof(method, pair.privateKey, hash)));
      const words = ['pkeyutl', '-verify', '-inkey', file('key'), '-in', file('hash'), '-sigfile', file('ours')];
      assert.match(outputOf('openssl', words), /Signature Verified Successfully/);
    });
  }
});

it('HASH_I and HASH_R of ECDSA are made with the hash of the curve (RFC 4754 §6), of RSA with the negotiated one', () => {
  const hashes = [RSA, ...METHODS.slice(1).map(([, method]) => method)].map((one) =>
    hashForProof(one, HashAlgorithm.SHA),
  );
  const { SHA, SHA2_256, SHA2_384, SHA2_512 } = HashAlgorithm;
  assert.deepEqual(hashes, [SHA, SHA2_256, SHA2_384, SHA2_512]);
});

/** r | s of a SEQUENCE of two INTEGERs. */
const rawOf = (der: Buffer, size: number): Buffer => {
  const start = (der[1] ?? 0) >= 0x80 ? 3 : 2;
  const length = der[start + 1] ?? 0;
  const integers = [der.subarray(start + 2, start + 2 + length), der.subarray(start + 4 + length)];
  return Buffer.concat(
    integers.map((bytes) => {
      const magnitude = bytes.subarray(Math.max(0, bytes.length - size));
      return Buffer.concat([Buffer.alloc(size - magnitude.length), magnitude]);
    }),
  );
};

const derOf = (raw: Uint8Array): Buffer => {
  const integers = [raw.subarray(0, raw.length / 2), raw.subarray(raw.length / 2)].map((half) => {
    const start = half.findIndex((byte) => byte !== 0);
    const digits = Buffer.from(half.subarray(start));
    const magnitude = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits;
    return Buffer.concat([Buffer.from([2, magnitude.length]), magnitude]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.from(body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length]), body]);
};
