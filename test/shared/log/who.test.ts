import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { whoWords } from '../../../src/shared/log/who.ts';

const ALL = {
  messageId: '37267b13',
  cookies: '00112233445566778899aabbccddeeff',
  localIdentity: 'east@example.com',
  remoteIdentity: 'west@example.com',
  address: '192.0.2.1',
  connection: 'net-west',
  peer: 'west',
};

it('says all that is known of a peer, in one order', () => {
  assert.equal(
    whoWords(ALL),
    'peer west (connection net-west, 192.0.2.1, its ID west@example.com, our ID east@example.com, ' +
      'cookies 0011223344556677:8899aabbccddeeff, message id 37267b13)',
  );
});

it('leaves out what is not known; a peer without Remote-ID may be anybody', () => {
  assert.equal(whoWords({ peer: 'west', address: '192.0.2.1' }), 'peer west (192.0.2.1, its ID any)');
});

it('names a port that is not that of IKE: behind a NAT it tells peers apart', () => {
  assert.equal(
    whoWords({ peer: 'west', address: '192.0.2.1', port: 1027 }),
    'peer west (192.0.2.1 port 1027, its ID any)',
  );
  assert.equal(whoWords({ peer: 'west', address: '192.0.2.1', port: 500 }), 'peer west (192.0.2.1, its ID any)');
});

it('calls a stranger by the address, and a connection of no known peer by its name', () => {
  assert.equal(whoWords({ address: '192.0.2.9', peer: '' }), 'peer at 192.0.2.9');
  assert.equal(whoWords({ connection: 'net-west' }), 'connection net-west');
});

it('threats "log injection": an identity as long as a datagram does not fill the log', () => {
  fc.assert(
    fc.property(fc.nat(65_535), (length) => {
      assert.ok(whoWords({ ...ALL, remoteIdentity: 'x'.repeat(length) }).length < 400);
    }),
  );
});
