import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationMethod } from '../../../src/shared/constants/oakley.ts';
import { unsignedPeers } from '../../../src/shared/credentials/check-peers.ts';
import { createCredentials } from '../../../src/shared/credentials/credentials.ts';
import type { PeerPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { credentialFiles, privatePem, rsaKey } from '../../helpers/credential-keys.ts';
import { aes128Sha256, fqdn, peerPolicy } from '../../helpers/lane-pair.ts';

const signing = (changes: Partial<PeerPolicy> = {}): PeerPolicy =>
  peerPolicy({ transforms: [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }], ...changes });

/** Names of peers for whom there is no key, with keys for these identities of ours; '': for all. */
const unsigned = (peers: readonly PeerPolicy[], ...identities: readonly string[]): number => {
  const privateKeys = identities.map((identity) => ({
    file: `private/${identity}`,
    identity,
    bytes: Buffer.from(privatePem(rsaKey('own'))),
  }));
  const files = { ...credentialFiles(undefined, {}), privateKeys };
  return unsignedPeers(peers, createCredentials(files), files).length;
};

test('a peer that wants signatures needs a key of the identity that we have for it, or one for all', () => {
  const named = signing({ localId: fqdn('us.example') });
  assert.equal(unsigned([named]), 1);
  assert.equal(unsigned([named], 'us.example'), 0);
  assert.equal(unsigned([named], 'other.example'), 1);
  assert.equal(unsigned([named], ''), 0);
});

test('without ID it is our address that needs one, whichever that will be', () => {
  assert.equal(unsigned([signing()], '192.0.2.1'), 0);
  assert.equal(unsigned([signing()], 'us.example'), 1);
  assert.equal(unsigned([signing({ localAddress: '192.0.2.2' })], '192.0.2.1'), 1);
});

test('a peer with secrets only needs none', () => {
  assert.equal(unsigned([peerPolicy()]), 0);
});
