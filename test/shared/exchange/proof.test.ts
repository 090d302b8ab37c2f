import assert from 'node:assert/strict';
import { it } from 'node:test';
import { credentialFiles, rsaKey } from '../../helpers/credential-keys.ts';
import { aggressiveModePair, mainModePair, runPair } from '../../helpers/exchange-pair.ts';
import { peerPolicy } from '../../helpers/lane-pair.ts';

const KEYS = {
  initiator: credentialFiles(rsaKey('left'), { 'ipv4/10.0.0.2': rsaKey('right') }),
  responder: credentialFiles(rsaKey('right'), { 'ipv4/10.0.0.1': rsaKey('left') }),
};

for (const [mode, make] of [
  ['main mode', mainModePair],
  ['aggressive mode', aggressiveModePair],
] as const) {
  it(`${mode} answers with the public key that the peer has proved to have`, () => {
    const pair = make({}, KEYS);
    runPair(pair);
    for (const [side, name] of [
      [pair.initiator, 'right'],
      [pair.responder, 'left'],
    ] as const) {
      const authenticated = side.result?.authenticated;
      assert.ok(authenticated?.kind === 'publicKey');
      const spki = rsaKey(name).publicKey.export({ type: 'spki', format: 'der' });
      const { key, chain, keynote, rawKeyOf } = authenticated;
      assert.deepEqual([key, chain, keynote], [new Uint8Array(spki), [], []]);
      assert.deepEqual(rawKeyOf, side.result?.remoteId, 'it is one of Pubkey-directory');
    }
  });

  it(`${mode} answers with the secret that the peer has proved to know, which stays what it is`, () => {
    const { preSharedKey } = peerPolicy();
    const pair = make({ preSharedKey });
    runPair(pair);
    for (const { result } of [pair.initiator, pair.responder]) {
      assert.deepEqual(result?.authenticated, {
        kind: 'passphrase',
        secret: new TextEncoder().encode('mekmitasdigoat'),
      });
    }
  });
}
