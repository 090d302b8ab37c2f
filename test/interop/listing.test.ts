/** Reading what the three daemons list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areEqual, commonPairs, parseIsakmpdResult, parseSwanctl, parseWhack, readyListing } from './listing.ts';

const RESULT = `SA name: net1 (Phase 2)
src: 192.0.2.1 dst: 192.0.2.2
Lifetime: 1200 seconds
Soft timeout in 1086 seconds
Hard timeout in 1196 seconds
Flags 0x00000003
SPI 0: 0a0b0c0d 
SPI 1: 01020304 
Transform: IPsec ESP
Encryption key length: 16
Authentication key length: 32
Encryption algorithm: AES (CBC)
Authentication algorithm: HMAC-SHA2-256

SA name: peer (Phase 1/Initiator)
src: 192.0.2.1 dst: 192.0.2.2
Lifetime: 3600 seconds
Flags 0x00000003
icookie 1111111111111111 rcookie 2222222222222222

SA name: <unnamed> (Phase 1/Responder)
<no transport>
Flags 0x00000000
icookie 3333333333333333 rcookie 0000000000000000

`;

test('the outgoing SPI of S is SPI 0, the incoming one SPI 1', () => {
  assert.deepEqual(readyListing(parseIsakmpdResult(RESULT)).pairs, [{ inbound: '01020304', outbound: '0a0b0c0d' }]);
});

test('a half-open phase 1 of S is not in the listing', () => {
  assert.deepEqual(readyListing(parseIsakmpdResult(RESULT)).phase1, [{ id: '11111111111111112222222222222222' }]);
});

test('S tells the algorithms of an IPsec SA', () => {
  const [sa] = parseIsakmpdResult(RESULT);
  assert.deepEqual(sa?.encryption, { name: 'AES (CBC)', keyBytes: 16 });
  assert.deepEqual(sa?.authentication, { name: 'HMAC-SHA2-256', keyBytes: 32 });
});

test('an empty result lists nothing', () => {
  assert.deepEqual(readyListing(parseIsakmpdResult('')), { phase1: [], pairs: [] });
});

test('swanctl lists both cookies and every child that is installed or replaced', () => {
  const child = (state: string, spiIn: string, spiOut: string) =>
    `{name=n uniqueid=1 state=${state} mode=TUNNEL protocol=ESP spi-in=${spiIn} spi-out=${spiOut} local-ts=[x]}`;
  const children = `n-1 ${child('REKEYED', '00000001', '00000002')} n-2 ${child('INSTALLED', '00000003', '00000004')}`;
  const sa = `state=ESTABLISHED local-port=500 initiator-spi=1111111111111111 responder-spi=2222222222222222`;
  assert.deepEqual(
    parseSwanctl(`list-sa event {peer {uniqueid=1 ${sa} child-sas {${children}}}}\nlist-sas reply {}\n`),
    {
      phase1: [{ id: '11111111111111112222222222222222' }],
      pairs: [
        { inbound: '00000001', outbound: '00000002' },
        { inbound: '00000003', outbound: '00000004' },
      ],
    },
  );
});

for (const separator of ['.', ':']) {
  test(`whack shows the outbound SPI first, written as esp${separator}`, () => {
    const states = `000 #1: "net1":500 STATE_MAIN_R3 (IKE SA established); REPLACE in 15569s; newest;
000 #2: "net1":500 STATE_QUICK_R2 (IPsec SA established); REPLACE in 3689s; ISAKMP SA #1; idle;
000 #2: "net1" esp${separator}c79d032f@192.0.2.1 esp${separator}17b896a@192.0.2.2 tun.0@192.0.2.1 Traffic: ESPin=0B
`;
    assert.deepEqual(parseWhack(states), {
      phase1: [{ id: '1' }],
      pairs: [{ inbound: '017b896a', outbound: 'c79d032f' }],
    });
  });
}

test('two listings are equal if one receives on what the other sends to', () => {
  const ours = { phase1: [], pairs: [{ inbound: '00000001', outbound: '00000002' }] };
  const theirs = { phase1: [], pairs: [{ inbound: '00000002', outbound: '00000001' }] };
  assert.ok(areEqual(ours, theirs));
  assert.ok(!areEqual(ours, ours));
});

test('a pair that only one side has is not common', () => {
  const theirs = { phase1: [], pairs: [{ inbound: '00000002', outbound: '00000001' }] };
  assert.deepEqual(commonPairs({ phase1: [], pairs: [{ inbound: '00000001', outbound: '00000009' }] }, theirs), []);
});
