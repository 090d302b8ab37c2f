import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { GroupDescription } from '../../../src/shared/constants/oakley.ts';
import { groupSpec, publicValue, sharedSecret } from '../../../src/shared/crypto/dh.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { fromHex, readVectors, tally, toHex } from './vector-file.ts';

/** The private value from which a curve group derives the scalar `hex`: one less, with room for the extra random bits. */
const privateValueOf = (group: number, hex: string): Uint8Array => {
  const spec = groupSpec(group);
  assert.ok(spec);
  if (spec.kind === 'modp') return fromHex(hex);
  const value = BigInt(`0x${hex}`) - 1n;
  return fromHex(value.toString(16).padStart(2 * spec.privateSize, '0'));
};

interface DhVector {
  readonly name: string;
  readonly oakleyGroup: number;
  readonly pub_i: string;
  readonly pub_r: string;
  readonly shared: string;
  readonly privI: string;
  readonly privR: string;
}

test('vectors: dh-groups.json', (t) => {
  const file = 'dh-groups.json';
  const vectors = readVectors<{ readonly vectors: readonly DhVector[] }>(t, 'crypto', file);
  if (vectors === undefined) return;
  const counted = tally();
  for (const { name, oakleyGroup, pub_i, pub_r, shared, privI, privR } of vectors.vectors) {
    if (groupSpec(oakleyGroup) === undefined) {
      counted.leftOut(`group ${oakleyGroup} is not ours`);
      continue;
    }
    const initiator = privateValueOf(oakleyGroup, privI);
    const responder = privateValueOf(oakleyGroup, privR);
    assert.equal(toHex(publicValue(oakleyGroup, initiator)), pub_i, name);
    assert.equal(toHex(publicValue(oakleyGroup, responder)), pub_r, name);
    assert.equal(toHex(sharedSecret(oakleyGroup, initiator, fromHex(pub_r))), shared, name);
    assert.equal(toHex(sharedSecret(oakleyGroup, responder, fromHex(pub_i))), shared, name);
    counted.ran();
  }
  counted.print(t, file);
});

interface EcdhGroup {
  readonly tests: readonly {
    readonly tcId: number;
    readonly flags: readonly string[];
    readonly public: string;
    readonly private: string;
    readonly shared: string;
    readonly result: string;
  }[];
}

for (const [file, group] of [
  ['wycheproof-ecdh_secp256r1_ecpoint.json', GroupDescription.ECP_256],
  ['wycheproof-ecdh_secp521r1_ecpoint.json', GroupDescription.ECP_521],
] as const) {
  test(`vectors: ${file}`, (t) => {
    const vectors = readVectors<{ readonly data: { readonly testGroups: readonly EcdhGroup[] } }>(t, 'crypto', file);
    if (vectors === undefined) return;
    const counted = tally();
    for (const row of vectors.data.testGroups.flatMap(({ tests }) => tests)) {
      const point = fromHex(row.public);
      if (point[0] !== 4) {
        counted.leftOut('a KE payload has no form byte and no compressed points');
        continue;
      }
      const secret = (): Uint8Array => sharedSecret(group, privateValueOf(group, row.private), point.subarray(1));
      if (row.result === 'valid') assert.equal(toHex(secret()), row.shared, `case ${row.tcId}`);
      else assert.throws(secret, ProtocolError, `case ${row.tcId}`);
      counted.ran();
    }
    counted.print(t, file);
  });
}

test('vectors: every file of vectors/crypto is run by some test or left out for a reason', (t) => {
  const folder = sharedPath('vectors', 'crypto');
  if (folder === undefined) {
    t.skip('shared/vectors is absent');
    return;
  }
  const run = new Set([
    'block-ecb-botan.json',
    'cbc-botan.json',
    'dh-groups.json',
    'hmac-rfc2202-4231.json',
    'nist-cbc.json',
    'wycheproof-aes_cbc_pkcs5.json',
    'wycheproof-ecdh_secp256r1_ecpoint.json',
    'wycheproof-ecdh_secp521r1_ecpoint.json',
    'wycheproof-hmac_sha1.json',
    'wycheproof-hmac_sha256.json',
    'wycheproof-hmac_sha512.json',
  ]);
  const reasons = new Map([
    ['rsa-pkcs1v15-sign.json', 'RSA signatures are not built yet'],
    ['wycheproof-rsa_pkcs1_1024_sig_gen.json', 'RSA signatures are not built yet'],
    ['wycheproof-rsa_signature_2048_sha256.json', 'RSA signatures are not built yet'],
    ['wycheproof-primality.json', 'no primes are tested here: groups are fixed'],
  ]);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const reason = reasons.get(file);
    assert.ok(run.has(file) || reason !== undefined, `${file} is neither run nor left out`);
    if (reason !== undefined) t.diagnostic(`${file}: left out (${reason})`);
  }
});
