import assert from 'node:assert/strict';
import { getDiffieHellman, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { NotifyType } from '../../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../../src/shared/constants/oakley.ts';
import { calibrateDiffieHellman, groupSpec, publicValue, sharedSecret } from '../../../src/shared/crypto/dh.ts';
import type { GroupSpec } from '../../../src/shared/crypto/dh-groups.ts';
import { InvariantError, ProtocolError } from '../../../src/shared/errors.ts';

const MODP = [1, 2, 5, 14, 15, 16, 17, 18];
const ECP = [19, 20, 21, 25, 26, 27, 28, 29, 30];
const GROUPS = [...MODP, ...ECP];
/** Groups in which an exponentiation takes milliseconds. */
const BIG = [15, 16, 17, 18];

const specOf = (group: number): GroupSpec => {
  const spec = groupSpec(group);
  assert.ok(spec, `group ${group}`);
  return spec;
};
const freshPrivate = (group: number): Uint8Array => new Uint8Array(randomBytes(specOf(group).privateSize));
const nameOfModp = (group: number): string => `modp${group}`;
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytesOf = (value: bigint, size: number): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex'));

const isInvalidKeyInformation = (fault: unknown): boolean =>
  fault instanceof ProtocolError && fault.notify === NotifyType.INVALID_KEY_INFORMATION;

test('the groups of behaviour 5.7 are there, with their sizes in bytes', () => {
  const sizes = GROUPS.map((group) => {
    const { name, kind, publicSize, secretSize } = specOf(group);
    return `${group} ${name} ${kind} ${publicSize} ${secretSize}`;
  });
  assert.deepEqual(sizes, [
    '1 MODP_768 modp 96 96',
    '2 MODP_1024 modp 128 128',
    '5 MODP_1536 modp 192 192',
    '14 MODP_2048 modp 256 256',
    '15 MODP_3072 modp 384 384',
    '16 MODP_4096 modp 512 512',
    '17 MODP_6144 modp 768 768',
    '18 MODP_8192 modp 1024 1024',
    '19 ECP_256 ecp 64 32',
    '20 ECP_384 ecp 96 48',
    '21 ECP_521 ecp 132 66',
    '25 ECP_192 ecp 48 24',
    '26 ECP_224 ecp 56 28',
    '27 BP_224 ecp 56 28',
    '28 BP_256 ecp 64 32',
    '29 BP_384 ecp 96 48',
    '30 BP_512 ecp 128 64',
  ]);
});

test('private values have at least twice the strength of the group (RFC 3526 §8), and 64 bits more than the order on curves', () => {
  for (const [group, least] of [
    [1, 256],
    [2, 256],
    [5, 256],
    [14, 220],
    [15, 260],
    [16, 300],
    [17, 340],
    [18, 380],
  ] as const) {
    assert.ok(specOf(group).privateSize * 8 >= least, `group ${group}`);
  }
  for (const group of ECP) assert.equal(specOf(group).privateSize, specOf(group).secretSize + 8);
});

test('EC2N groups, groups 22 to 24 (CVE-2015-3240 row) and unknown numbers are not there', () => {
  const { EC2N_155, EC2N_185 } = GroupDescription;
  for (const group of [0, EC2N_155, EC2N_185, 6, 13, 22, 23, 24, 31, 32768, -1, Number.NaN]) {
    assert.equal(groupSpec(group), undefined);
    assert.throws(() => publicValue(group, new Uint8Array(64)), InvariantError);
    assert.throws(() => sharedSecret(group, new Uint8Array(64), new Uint8Array(64)), InvariantError);
  }
});

for (const group of GROUPS) {
  const spec = specOf(group);

  test(`${spec.name}: both sides get the same secret, of full size`, () => {
    const bytes = fc.uint8Array({ minLength: spec.privateSize, maxLength: spec.privateSize });
    // All zeros is no private value: g^0 is 1, which the other side refuses.
    const privateValue = bytes.filter((value) => value.some((byte) => byte !== 0));
    fc.assert(
      fc.property(privateValue, privateValue, (initiator, responder) => {
        const gxi = publicValue(group, initiator);
        const gxr = publicValue(group, responder);
        const secret = sharedSecret(group, initiator, gxr);
        assert.equal(gxi.length, spec.publicSize);
        assert.equal(secret.length, spec.secretSize);
        assert.deepEqual(sharedSecret(group, responder, gxi), secret);
      }),
      { numRuns: BIG.includes(group) ? 2 : 10 },
    );
  });

  test(`${spec.name}: the same private value gives the same public value, so that exchanges replay`, () => {
    const privateValue = freshPrivate(group);
    const first = publicValue(group, privateValue);
    publicValue(group, freshPrivate(group));
    assert.deepEqual(publicValue(group, privateValue), first);
    assert.deepEqual(publicValue(group, structuredClone(privateValue)), first);
  });

  test(`${spec.name}: two exchanges in one thread have different public values (generateKeys twice would repeat the key)`, () => {
    assert.notDeepEqual(publicValue(group, freshPrivate(group)), publicValue(group, freshPrivate(group)));
  });

  test(`${spec.name}: public values of the wrong length are INVALID_KEY_INFORMATION (CVE-2015-3240)`, () => {
    const privateValue = freshPrivate(group);
    const good = publicValue(group, freshPrivate(group));
    for (const wrong of [
      new Uint8Array(0),
      good.subarray(1),
      good.subarray(0, -1),
      new Uint8Array([0, ...good]),
      new Uint8Array([4, ...good]),
      new Uint8Array(65535).fill(2),
    ]) {
      assert.throws(() => sharedSecret(group, privateValue, wrong), isInvalidKeyInformation, `${wrong.length} bytes`);
    }
  });
}

test('interleaved exchanges in one group keep their keys apart', () => {
  for (const group of [2, 14, 19, 20]) {
    const [a, b, c, d] = [0, 1, 2, 3].map(() => freshPrivate(group));
    assert.ok(a && b && c && d);
    const [ga, gb, gc, gd] = [a, b, c, d].map((value) => publicValue(group, value));
    assert.ok(ga && gb && gc && gd);
    const cd = sharedSecret(group, c, gd);
    const ab = sharedSecret(group, a, gb);
    assert.deepEqual(sharedSecret(group, b, ga), ab);
    assert.deepEqual(sharedSecret(group, d, gc), cd);
    assert.notDeepEqual(ab, cd);
  }
});

test('a cloned private value works as well as the array that publicValue was given', () => {
  for (const group of [2, 14, 19, 20]) {
    const privateValue = freshPrivate(group);
    const peer = publicValue(group, freshPrivate(group));
    publicValue(group, privateValue);
    assert.deepEqual(sharedSecret(group, structuredClone(privateValue), peer), sharedSecret(group, privateValue, peer));
  }
});

test('a second secret from the same private value is the same, and one array filled anew is a new key', () => {
  for (const group of [2, 14, 19, 20]) {
    const privateValue = freshPrivate(group);
    const first = publicValue(group, privateValue);
    const peer = publicValue(group, freshPrivate(group));
    assert.deepEqual(sharedSecret(group, privateValue, peer), sharedSecret(group, privateValue, peer));
    privateValue.set(freshPrivate(group));
    assert.notDeepEqual(publicValue(group, privateValue), first);
  }
});

test('changing the returned public value does not change the exchange', () => {
  for (const group of [14, 20]) {
    const privateValue = freshPrivate(group);
    const peerPrivate = freshPrivate(group);
    const peer = publicValue(group, peerPrivate);
    const ours = publicValue(group, privateValue);
    const sent = ours.slice();
    ours.fill(0);
    assert.deepEqual(sharedSecret(group, privateValue, peer), sharedSecret(group, peerPrivate, sent));
  }
});

test('a private value that is too short is our fault', () => {
  for (const group of [2, 14, 19]) {
    const short = new Uint8Array(specOf(group).privateSize - 1).fill(1);
    assert.throws(() => publicValue(group, short), InvariantError);
    assert.throws(() => sharedSecret(group, short, new Uint8Array(specOf(group).publicSize)), InvariantError);
  }
});

test('public values and secrets are plain Uint8Arrays that own their bytes', () => {
  for (const group of [2, 14, 19, 20]) {
    const privateValue = freshPrivate(group);
    const peer = publicValue(group, freshPrivate(group));
    for (const bytes of [peer, sharedSecret(group, privateValue, peer)]) {
      assert.equal(bytes.constructor, Uint8Array);
      assert.equal(bytes.buffer.byteLength, bytes.length);
    }
  }
});

for (const group of MODP) {
  const size = specOf(group).publicSize;
  const prime = numberOf(getDiffieHellman(nameOfModp(group)).getPrime());

  test(`group ${group}: 0, 1, p-1, p and above are INVALID_KEY_INFORMATION (CVE-2015-3240, P27), which Node 20 lets pass above p+1`, () => {
    const privateValue = freshPrivate(group);
    const largest = (1n << BigInt(8 * size)) - 1n;
    for (const value of [0n, 1n, prime - 1n, prime, prime + 1n, prime + 2n, prime + 12345n, largest]) {
      assert.throws(() => sharedSecret(group, privateValue, bytesOf(value, size)), isInvalidKeyInformation);
    }
  });

  test(`group ${group}: 2 and its inverse are good, and the group still works after bad values`, () => {
    const privateValue = freshPrivate(group);
    const ours = publicValue(group, privateValue);
    assert.throws(() => sharedSecret(group, privateValue, new Uint8Array(size)), isInvalidKeyInformation);
    // g^1 and g^-1; by the first the secret is our own public value.
    assert.deepEqual(sharedSecret(group, privateValue, bytesOf(2n, size)), ours);
    assert.equal(sharedSecret(group, privateValue, bytesOf((prime + 1n) / 2n, size)).length, size);
  });
}

for (const group of ECP) {
  const { publicSize, secretSize } = specOf(group);

  test(`group ${group}: points off the curve are INVALID_KEY_INFORMATION (CVE-2015-3240, RFC 6989 §2.3)`, () => {
    const privateValue = freshPrivate(group);
    const good = publicValue(group, freshPrivate(group));
    const swapped = new Uint8Array([...good.subarray(secretSize), ...good.subarray(0, secretSize)]);
    const flipped = good.slice();
    flipped.set([(good.at(-1) ?? 0) ^ 1], publicSize - 1);
    for (const point of [
      new Uint8Array(publicSize),
      new Uint8Array(publicSize).fill(0xff),
      new Uint8Array(publicSize).fill(1),
      swapped,
      flipped,
    ]) {
      assert.throws(() => sharedSecret(group, privateValue, point), isInvalidKeyInformation);
    }
    assert.equal(sharedSecret(group, privateValue, good).length, secretSize);
  });
}

test('garbage of the right length gives a secret or INVALID_KEY_INFORMATION, nothing else', () => {
  for (const group of [1, 2, 5, 14, 19, 25, 28]) {
    const { publicSize } = specOf(group);
    const privateValue = freshPrivate(group);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: publicSize, maxLength: publicSize }), (garbage) => {
        try {
          sharedSecret(group, privateValue, garbage);
        } catch (fault) {
          assert.ok(isInvalidKeyInformation(fault), String(fault));
        }
      }),
      { numRuns: 20 },
    );
  }
});

/** The first of the private values 1, 2, 3 ... (as seeds) for which `found` holds. */
const search = (group: number, found: (privateValue: Uint8Array) => boolean): Uint8Array => {
  const { privateSize } = specOf(group);
  for (let seed = 1; seed < 10_000; seed += 1) {
    const privateValue = new Uint8Array(privateSize).fill(0x5a);
    new DataView(privateValue.buffer).setUint32(privateSize - 4, seed);
    if (found(privateValue)) return privateValue;
  }
  throw new assert.AssertionError({ message: 'no such value in 10,000' });
};

test('a public value with leading zeros is padded to the length of the group', () => {
  for (const group of [1, 25]) {
    const { publicSize, secretSize } = specOf(group);
    const privateValue = search(group, (candidate) => publicValue(group, candidate)[0] === 0);
    const value = publicValue(group, privateValue);
    assert.equal(value.length, publicSize);
    const peer = freshPrivate(group);
    const secret = sharedSecret(group, peer, value);
    assert.equal(secret.length, secretSize);
    assert.deepEqual(sharedSecret(group, privateValue, publicValue(group, peer)), secret);
  }
});

test('a secret with leading zeros is padded to its full size', () => {
  for (const group of [1, 25]) {
    const { secretSize } = specOf(group);
    const peer = new Uint8Array(specOf(group).privateSize).fill(3);
    const peerPublic = publicValue(group, peer);
    const privateValue = search(group, (candidate) => sharedSecret(group, candidate, peerPublic)[0] === 0);
    const secret = sharedSecret(group, privateValue, peerPublic);
    assert.equal(secret.length, secretSize);
    assert.deepEqual(sharedSecret(group, peer, publicValue(group, privateValue)), secret);
  }
});

test('calibration leaves out what we do not have and what takes too long', () => {
  const rows = calibrateDiffieHellman([0, 3, 19, 17, 18, 24], () => 0);
  assert.deepEqual(
    rows.map((row) => row.group),
    [19],
  );
});

test('whatever path calibration keeps, the group gives the same values', () => {
  for (const group of [2, 5, 19, 20, 25]) {
    const privateValue = freshPrivate(group);
    const peer = publicValue(group, freshPrivate(group));
    const before = [publicValue(group, privateValue), sharedSecret(group, privateValue, peer)];
    // The first path tried seems to take no time, or the second does: one of the two clocks keeps the other path.
    for (const clock of [() => 0, acceleratingClock()]) {
      calibrateDiffieHellman([group], clock);
      assert.deepEqual([publicValue(group, privateValue), sharedSecret(group, privateValue, peer)], before);
    }
  }
});

/** Each reading is a smaller step from the last, so that what is measured later seems faster. */
const acceleratingClock = (): (() => number) => {
  let now = 0;
  let step = 1;
  return () => {
    now += step;
    step /= 2;
    return now;
  };
};

test('calibration with a real clock answers for every group, and pays for its set-up', (t) => {
  const rows = calibrateDiffieHellman([1, 2, 5, 14, 15, 16, 19, 20, 21, 25, 30], () => performance.now());
  const milliseconds = (cost: number | undefined): string => cost?.toFixed(2) ?? 'not tried';
  for (const { group, path, object, keyObject } of rows) {
    t.diagnostic(`${group}: ${path} (object ${milliseconds(object)}, keyObject ${milliseconds(keyObject)} ms)`);
    const privateValue = freshPrivate(group);
    const peer = freshPrivate(group);
    assert.deepEqual(
      sharedSecret(group, privateValue, publicValue(group, peer)),
      sharedSecret(group, peer, publicValue(group, privateValue)),
    );
  }
  assert.equal(rows.length, 11);
});
