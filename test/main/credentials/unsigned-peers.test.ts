/** Peers that want signatures without a key of ours, as the log tells them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsignedPeers } from '../../../src/main/credentials/unsigned-peers.ts';
import { AuthenticationMethod } from '../../../src/shared/constants/oakley.ts';
import { NO_CREDENTIALS } from '../../../src/shared/credentials/credential-files.ts';
import { aes128Sha256, peerPolicy } from '../../helpers/lane-pair.ts';

test('ten thousand of them have twenty lines and one for the others, and what was said is not said again', () => {
  const said: string[] = [];
  const unsigned = new UnsignedPeers(
    () => NO_CREDENTIALS,
    ({ text }) => said.push(text),
  );
  const transforms = [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }];
  const peers = Array.from({ length: 10_000 }, (_, index) => peerPolicy({ name: `peer-${index}`, transforms }));
  unsigned.tell(peers);
  assert.equal(said.filter((text) => /^credentials: \[peer-\d+\] wants signatures \(RSA_SIG\)/.test(text)).length, 20);
  assert.deepEqual(said.slice(20), [
    'credentials: 9980 more peers want signatures without a private key of ours: isakmpd --check lists them',
  ]);
  unsigned.tell(peers);
  assert.equal(said.length, 21);
  unsigned.tell([...peers, peerPolicy({ name: 'another', transforms })]);
  assert.match(said.at(-1) ?? '', /\[another\] wants signatures/);
});
