import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ecpKeyObjectEngine, ecpObjectEngine, privateScalar } from '../../../src/shared/crypto/dh-ecp.ts';
import type { DhEngine } from '../../../src/shared/crypto/dh-engine.ts';
import { findGroup } from '../../../src/shared/crypto/dh-groups.ts';
import {
  checkModpValue,
  modpGroup,
  modpKeyObjectEngine,
  modpObjectEngine,
} from '../../../src/shared/crypto/dh-modp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';

const CURVES = [19, 20, 21, 25, 26, 27, 28, 29, 30].map((number) => {
  const group = findGroup(number);
  assert.ok(group?.kind === 'ecp');
  return group.curve;
});

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytesOf = (value: bigint, size: number): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex'));

const agree = (first: DhEngine, second: DhEngine, privateSize: number): void => {
  const privateValue = new Uint8Array(randomBytes(privateSize));
  const value = first.publicValue(privateValue);
  assert.deepEqual(second.publicValue(privateValue), value);
  const peer = new Uint8Array(randomBytes(privateSize));
  const peerValue = second.publicValue(peer);
  const secret = first.sharedSecret(privateValue, peerValue);
  assert.deepEqual(second.sharedSecret(privateValue, peerValue), secret);
  assert.deepEqual(first.sharedSecret(peer, value), secret);
};

// Above group 5 the object takes Node 24 too long to make.
for (const name of ['modp1', 'modp2', 'modp5']) {
  test(`${name}: DiffieHellman objects and KeyObjects agree`, () => {
    const group = modpGroup(name);
    agree(modpObjectEngine(group), modpKeyObjectEngine(group), 32);
  });

  test(`${name}: both ways refuse values above p+1, which computeSecret of Node 20 takes`, () => {
    const group = modpGroup(name);
    const privateValue = new Uint8Array(32).fill(7);
    const size = group.prime.length;
    const prime = numberOf(group.prime);
    for (const engine of [modpObjectEngine(group), modpKeyObjectEngine(group)]) {
      for (const value of [prime + 2n, (1n << BigInt(8 * size)) - 1n]) {
        assert.throws(() => engine.sharedSecret(privateValue, bytesOf(value, size)), ProtocolError);
      }
    }
  });
}

test('our own check of a MODP value goes from 2 to p-2, without help of OpenSSL (RFC 6989 §2.1)', () => {
  for (const name of ['modp1', 'modp2', 'modp5', 'modp14', 'modp15', 'modp16', 'modp17', 'modp18']) {
    const group = modpGroup(name);
    const size = group.prime.length;
    const prime = numberOf(group.prime);
    for (const value of [2n, 256n, prime - 2n]) checkModpValue(group, bytesOf(value, size));
    for (const value of [0n, 1n, prime - 1n, prime, prime + 1n]) {
      assert.throws(() => checkModpValue(group, bytesOf(value, size)), ProtocolError, `${name} ${value}`);
    }
  }
});

test('both ways pad a public value and a secret that start with zeros', () => {
  const group = modpGroup('modp1');
  const size = group.prime.length;
  for (const engine of [modpObjectEngine(group), modpKeyObjectEngine(group)]) {
    const peerPublic = engine.publicValue(new Uint8Array(32).fill(3));
    const zeros = { publicValue: 0, sharedSecret: 0 };
    for (let seed = 1; seed < 5000 && (zeros.publicValue === 0 || zeros.sharedSecret === 0); seed += 1) {
      const privateValue = new Uint8Array(32).fill(0x5a);
      new DataView(privateValue.buffer).setUint32(28, seed);
      const value = engine.publicValue(privateValue);
      const secret = engine.sharedSecret(privateValue, peerPublic);
      assert.deepEqual([value.length, secret.length], [size, size]);
      if (value[0] === 0) zeros.publicValue += 1;
      if (secret[0] === 0) zeros.sharedSecret += 1;
    }
    assert.ok(zeros.publicValue > 0 && zeros.sharedSecret > 0, 'none with leading zeros among 5000');
  }
});

for (const curve of CURVES) {
  test(`${curve.curve}: ECDH objects and KeyObjects agree`, () => {
    agree(ecpObjectEngine(curve), ecpKeyObjectEngine(curve), curve.size + 8);
  });

  test(`${curve.curve}: the order is the curve’s: n-1 is the last private key, and gives minus the first point`, () => {
    const ecdh = createECDH(curve.curve);
    ecdh.setPrivateKey(bytesOf(1n, curve.size));
    const first = ecdh.getPublicKey();
    ecdh.setPrivateKey(bytesOf(curve.order - 1n, curve.size));
    assert.deepEqual(ecdh.getPublicKey().subarray(0, curve.size + 1), first.subarray(0, curve.size + 1));
    assert.throws(() => ecdh.setPrivateKey(bytesOf(curve.order, curve.size)), { code: 'ERR_CRYPTO_INVALID_KEYTYPE' });
  });

  test(`${curve.curve}: a private value becomes a scalar in 1 to n-1, FIPS 186-5 appendix A.2.1`, () => {
    const size = curve.size + 8;
    const scalarOf = (value: bigint): bigint => numberOf(privateScalar(curve, bytesOf(value, size)));
    assert.equal(scalarOf(0n), 1n);
    assert.equal(scalarOf(curve.order - 2n), curve.order - 1n);
    assert.equal(scalarOf(curve.order - 1n), 1n);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size + 3 }), (privateValue) => {
        const scalar = privateScalar(curve, privateValue);
        assert.equal(scalar.length, curve.size);
        assert.equal(numberOf(scalar), (numberOf(privateValue) % (curve.order - 1n)) + 1n);
      }),
      { numRuns: 30 },
    );
  });
}
