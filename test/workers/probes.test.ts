/** Active dead peer detection on a lane, RFC 3706. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { lanePair } from '../helpers/lane-pair.ts';

test('a peer that answers is alive', () => {
  const pair = lanePair();
  pair.start();
  const isakmp = pair.isakmp();
  pair.pass(1_000);
  pair.left.tell({ kind: 'probe', isakmp, quietSince: pair.now });
  pair.run();
  assert.deepEqual(pair.left.all('peerAlive'), [{ kind: 'peerAlive', isakmp, heardAt: pair.now }]);
  pair.pass(60_000);
  assert.deepEqual(pair.left.all('peerDead'), []);
});

test('one that was heard over IKE meanwhile is not asked', () => {
  const pair = lanePair();
  pair.start();
  pair.pass(1_000);
  pair.right.tell({ kind: 'sendDelete', isakmp: pair.isakmp(pair.right), protocolId: ProtocolId.IPSEC_ESP, spis: [7] });
  pair.run();
  const before = pair.wire.length;
  pair.left.tell({ kind: 'probe', isakmp: pair.isakmp(), quietSince: pair.now - 100 });
  pair.run();
  assert.equal(pair.wire.length, before);
  assert.equal(pair.left.all('peerAlive').length, 1);
});

test('one that does not answer five times, five seconds apart, is dead', () => {
  const pair = lanePair();
  pair.start();
  const isakmp = pair.isakmp();
  pair.bend = () => [];
  const before = pair.wire.length;
  pair.left.tell({ kind: 'probe', isakmp, quietSince: pair.now + 1 });
  pair.pass(24_999);
  assert.deepEqual([pair.wire.length - before, pair.left.all('peerDead').length], [5, 0]);
  pair.pass(1);
  assert.deepEqual(pair.left.all('peerDead'), [{ kind: 'peerDead', isakmp }]);
  assert.match(
    pair.left.log.at(-1) ?? '',
    /^peer does not answer: peer peer \(.*\): no answer to 5 R-U-THERE in 25 s: its SAs are deleted$/,
  );
  pair.pass(60_000);
  assert.equal(pair.wire.length - before, 5);
});

test('threats: an answer to an older question, held back until now, does not make a peer alive', () => {
  const pair = lanePair();
  pair.start();
  const isakmp = pair.isakmp();
  pair.pass(1_000);
  const held: Uint8Array[] = [];
  pair.bend = (from, bytes) => {
    if (from === pair.left) return [bytes];
    held.push(bytes);
    return [];
  };
  pair.left.tell({ kind: 'probe', isakmp, quietSince: pair.now });
  pair.run();
  pair.bend = () => [];
  pair.pass(25_000);
  assert.equal(pair.left.all('peerDead').length, 1);
  pair.left.tell({ kind: 'probe', isakmp, quietSince: pair.now });
  pair.pass(1_000);
  pair.left.hear(held[0] ?? assert.fail(), '10.0.0.2');
  assert.equal(pair.left.all('peerAlive').length, 0);
  assert.match(pair.left.log.at(-1) ?? '', /^dpd_handle_notify: got bad ACK seqno \d+, expected \d+$/);
  pair.pass(25_000);
  assert.equal(pair.left.all('peerDead').length, 2);
});
