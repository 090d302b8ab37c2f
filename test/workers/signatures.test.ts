/** Main and aggressive mode with signatures, raw public keys on both sides. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../src/shared/constants/oakley.ts';
import type { CredentialFiles } from '../../src/shared/credentials/credential-files.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { credentialFiles, ecKey, type KeyPair, rsaKey } from '../helpers/credential-keys.ts';
import { aes128Sha256, fqdn, type LanePair, lanePair, peerPolicy } from '../helpers/lane-pair.ts';

const signing = (method: number): Partial<PeerPolicy> => ({
  transforms: [{ ...aes128Sha256(), authentication: method }],
  preSharedKey: undefined,
});

const LEFT = '10.0.0.1';
const RIGHT = '10.0.0.2';

const worldWith = (changes: Partial<PeerPolicy>, left: CredentialFiles, right: CredentialFiles): LanePair => {
  const world = lanePair(changes);
  world.left.tell({ kind: 'credentials', files: left });
  world.right.tell({ kind: 'credentials', files: right });
  return world;
};

const worldOf = (method: number, left: KeyPair, right: KeyPair, changes: Partial<PeerPolicy> = {}): LanePair =>
  worldWith(
    { ...signing(method), ...changes },
    credentialFiles(left, { [`ipv4/${RIGHT}`]: right }),
    credentialFiles(right, { [`ipv4/${LEFT}`]: left }),
  );

const established = ({ left, right }: LanePair): readonly number[] =>
  [left, right].map((host) => host.all('phase1Established').length);

const RSA = AuthenticationMethod.RSA_SIG;
const MODES = { 'main mode': ExchangeType.ID_PROT, 'aggressive mode': ExchangeType.AGGRESSIVE };

for (const [mode, exchangeType] of Object.entries(MODES)) {
  describe(mode, () => {
    for (const [name, method, left, right] of [
      ['RSA signatures', RSA, rsaKey('left'), rsaKey('right')],
      ['RSA keys of different lengths', RSA, rsaKey('left'), rsaKey('right', 3072)],
      ['ECDSA-256', AuthenticationMethod.ECDSA_256, ecKey('left', 'prime256v1'), ecKey('right', 'prime256v1')],
      ['ECDSA-384', AuthenticationMethod.ECDSA_384, ecKey('left', 'secp384r1'), ecKey('right', 'secp384r1')],
      ['ECDSA-521', AuthenticationMethod.ECDSA_521, ecKey('left', 'secp521r1'), ecKey('right', 'secp521r1')],
    ] as const) {
      it(`works with ${name}, and so does a quick mode afterwards`, () => {
        const world = worldOf(method, left, right, { exchangeType });
        world.start();
        assert.deepEqual(established(world), [1, 1], world.right.log.join('\n'));
        world.quick();
        assert.equal(world.left.all('phase2Established').length, 1);
        assert.deepEqual(world.left.notices, []);
      });
    }

    it('CVE-2004-0155: refuses a peer that has not the private key, and says so', () => {
      const world = worldWith(
        { ...signing(RSA), exchangeType },
        credentialFiles(rsaKey('thief'), { [`ipv4/${RIGHT}`]: rsaKey('right') }),
        credentialFiles(rsaKey('right'), { [`ipv4/${LEFT}`]: rsaKey('left') }),
      );
      world.start();
      assert.deepEqual(world.right.all('phase1Established'), []);
      assert.match(world.right.explanations.join(), /its signature is not made with the key of 10\.0\.0\.1/);
      assert.match(world.right.log.join(), /due to notification type INVALID_SIGNATURE/);
      assert.equal(NotifyType.INVALID_SIGNATURE, 25);
    });

    it('refuses an identity whose key is not known, and says where it belongs', () => {
      const world = worldWith(
        { ...signing(RSA), exchangeType },
        credentialFiles(rsaKey('left'), { [`ipv4/${RIGHT}`]: rsaKey('right') }),
        credentialFiles(rsaKey('right'), { 'ipv4/10.0.0.9': rsaKey('left'), 'fqdn/10.0.0.1': rsaKey('left') }),
      );
      world.start();
      assert.deepEqual(world.right.all('phase1Established'), []);
      assert.ok(world.right.log.includes('rsa_sig_decode_hash: no public key found'));
      assert.match(
        world.right.explanations.join(),
        /no public key of 10\.0\.0\.1 for RSA_SIG \(it sends no certificate\); let it send .*, or put its key into Pubkey-directory, in ipv4\/10\.0\.0\.1$/,
      );
    });

    it('threat wrong identity: whoever has proved to be somebody else than Remote-ID is refused', () => {
      const world = worldWith(
        { ...signing(RSA), exchangeType, localId: fqdn('mallory') },
        credentialFiles(rsaKey('left'), { 'fqdn/mallory': rsaKey('right') }),
        credentialFiles(rsaKey('right'), { 'fqdn/mallory': rsaKey('left') }),
      );
      world.right.tell({
        kind: 'peer',
        policy: peerPolicy({ ...signing(RSA), exchangeType, localId: fqdn('mallory'), remoteId: fqdn('alice') }),
      });
      world.start();
      assert.deepEqual(world.right.all('phase1Established'), []);
      assert.match(world.right.explanations.join(), /it calls itself mallory, \[peer\]:Remote-ID wants alice/);
    });
  });
}

it('a private key of one identity is used for that identity', () => {
  const key = credentialFiles(rsaKey('left'), { 'fqdn/gate': rsaKey('left') });
  const named = { ...key, privateKeys: key.privateKeys.map((file) => ({ ...file, identity: 'Gate' })) };
  const world = worldWith({ ...signing(RSA), localId: fqdn('gate') }, named, named);
  world.start();
  assert.deepEqual(established(world), [1, 1]);
});

it('without a private key nothing is offered, and it is said why', () => {
  const world = worldWith(signing(RSA), credentialFiles(undefined, {}), credentialFiles(rsaKey('right'), {}));
  world.start();
  assert.match(
    world.left.all('phase1Failed')[0]?.failure.reason ?? '',
    /none of its Transforms can be offered; we have no private key to sign with/,
  );
});

it('without a private key a responder refuses what it could not answer for, and says why', () => {
  const world = worldWith(
    signing(RSA),
    credentialFiles(rsaKey('left'), {}),
    credentialFiles(ecKey('right', 'prime256v1'), {}),
  );
  world.start();
  assert.match(
    world.right.explanations.join(),
    /wants AUTHENTICATION_METHOD a method that we have a private key for \(Private-key\), not RSA_SIG/,
  );
});

it('the better transform is agreed on that both can prove themselves with', () => {
  const both = [{ ...aes128Sha256(), authentication: AuthenticationMethod.ECDSA_256 }, aes128Sha256()];
  const world = worldWith(
    { transforms: both },
    credentialFiles(ecKey('left', 'prime256v1'), {}),
    credentialFiles(rsaKey('right'), {}),
  );
  world.start();
  assert.deepEqual(established(world), [1, 1]);
});

it('ANY is taken as the peer offers it', () => {
  const world = worldOf(RSA, rsaKey('left'), rsaKey('right'));
  const policy = world.right.policy;
  world.right.tell({
    kind: 'peer',
    policy: { ...policy, transforms: [{ ...aes128Sha256(), authentication: 'ANY' }] },
  });
  world.start();
  assert.deepEqual(established(world), [1, 1]);
});

it('a negotiation goes on with the keys that it began with', () => {
  const world = worldOf(RSA, rsaKey('left'), rsaKey('right'));
  world.bend = (_from, bytes, index) => {
    if (index === 3)
      for (const host of world.hosts) host.tell({ kind: 'credentials', files: credentialFiles(undefined, {}) });
    return [bytes];
  };
  world.start();
  assert.deepEqual(established(world), [1, 1]);
  world.bend = (_from, bytes) => [bytes];
  world.start(2);
  assert.equal(world.left.all('phase1Failed').length, 1);
});
