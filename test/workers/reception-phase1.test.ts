/** Reception checks of isakmpd in their order: what is logged, what notify goes out, or silence. Row numbers are those of the behaviour document, section 5.3. Phase 1 under way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IdType } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType, PayloadType } from '../../src/shared/constants/isakmp.ts';
import { clearNotify, ScriptedPeer } from '../helpers/ike-script.ts';
import { At, dropped, patched, responder } from '../helpers/reception.ts';

describe('a message of phase 1 under way, behaviour 5.3', () => {
  it('row 2: the first message again gets the same answer, and nothing more is kept (decisions 3.14)', () => {
    const host = responder();
    const message1 = new ScriptedPeer().message1();
    const [first] = host.hear(message1);
    assert.deepEqual(host.hear(message1), [first]);
    assert.equal(host.core.counts.halfOpen, 1);
  });

  it('row 12a: message 5 in the clear gets INVALID_FLAGS', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    peer.learnKeys(message4);
    const answers = host.hear(peer.clear([peer.id, peer.hashPayload('initiator')]));
    assert.deepEqual(host.plainLog, ['message_recv: cleartext phase 1 message', dropped('INVALID_FLAGS')]);
    assert.equal(clearNotify(answers[0]), NotifyType.INVALID_FLAGS);
  });

  it('row 12b: another exchange type, or a message id, under the cookies of a main mode gets PAYLOAD_MALFORMED', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const message3 = peer.message3(host.hear(peer.message1())[0]);
    for (const odd of [
      patched(message3, { [At.exchangeType]: ExchangeType.AGGRESSIVE }),
      patched(message3, { [At.messageId]: 1 }),
    ]) {
      host.clear();
      assert.equal(clearNotify(host.hear(odd)[0]), NotifyType.PAYLOAD_MALFORMED);
      assert.deepEqual(host.plainLog, ['message_recv: no exchange', dropped('PAYLOAD_MALFORMED')]);
    }
    assert.equal(host.hear(message3).length, 1, 'and the main mode goes on');
  });

  it('row 14: a wrong pre-shared key gets the line that operators know and PAYLOAD_MALFORMED, then an explanation', () => {
    const host = responder();
    const peer = new ScriptedPeer({ preSharedKey: 'not the secret' });
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    assert.equal(clearNotify(host.hear(peer.message5(message4))[0]), NotifyType.PAYLOAD_MALFORMED);
    const [line, drop, explanation, ...more] = host.log;
    assert.match(line ?? '', /^message_parse_payloads: reserved field non-zero: [0-9a-f]{2}$/);
    assert.equal(drop, dropped('PAYLOAD_MALFORMED'));
    assert.match(explanation ?? '', /^phase 1 refused: peer peer \(.*10\.0\.0\.1.*probably a wrong pre-shared key/);
    assert.deepEqual(more, []);
  });

  it('row 14: whatever nonsense another secret makes of message 5, the last line says that it is probably that', () => {
    const header = fc.tuple(fc.constantFrom(0, 1, 4, 5, 6, 8, 11, 12, 77, 200), fc.constantFrom(0, 1, 200), fc.nat(64));
    fc.assert(
      fc.property(header, fc.uint8Array({ minLength: 60, maxLength: 60 }), ([next, reserved, length], rest) => {
        const host = responder();
        const peer = new ScriptedPeer();
        const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
        peer.learnKeys(message4);
        host.hear(peer.sealedBytes(PayloadType.ID, Uint8Array.of(next, reserved, 0, length, ...rest)));
        assert.match(host.log.at(-1) ?? '', /probably a wrong pre-shared key/);
        assert.equal(host.core.counts.isakmpSas, 0);
      }),
      { numRuns: 200 },
    );
  });

  it('row 22: an ID type that does not exist gets INVALID_ID_INFORMATION', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    peer.learnKeys(message4);
    const id = { kind: 'raw', type: PayloadType.ID, body: Uint8Array.of(12, 0, 0, 0, 1, 2, 3, 4) } as const;
    assert.equal(
      clearNotify(host.hear(peer.sealed([id, peer.hashPayload('initiator')]))[0]),
      NotifyType.INVALID_ID_INFORMATION,
    );
  });

  for (const [protocol, port, lines] of [
    [0, 0, 0],
    [17, 500, 0],
    [17, 4500, 1],
    [6, 80, 1],
  ] as const) {
    it(`row 22: an identity with protocol ${protocol} and port ${port} is taken with ${lines} lines about it`, () => {
      const host = responder();
      const data = Uint8Array.of(10, 0, 0, 1);
      new ScriptedPeer({ identity: { type: IdType.IPV4_ADDR, protocol, port, data } }).mainMode(host);
      const dubious = host.log.filter(
        (text) => text === 'ipsec_validate_id_information: dubious ID information accepted',
      );
      assert.equal(dubious.length, lines);
      assert.equal(host.core.counts.isakmpSas, 1);
    });
  }

  it('row 25: a KE payload of the wrong length gets INVALID_KEY_INFORMATION (RFC 2409, threats CVE-2015-3240)', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.message3(host.hear(peer.message1())[0]);
    const short = { kind: 'KE', value: { keyExchangeData: new Uint8Array(63) } } as const;
    assert.equal(clearNotify(host.hear(peer.clear([short, peer.nonce]))[0]), NotifyType.INVALID_KEY_INFORMATION);
  });

  it('row 28: message 3 without nonce gets PAYLOAD_MALFORMED', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.message3(host.hear(peer.message1())[0]);
    assert.equal(clearNotify(host.hear(peer.clear([peer.ke]))[0]), NotifyType.PAYLOAD_MALFORMED);
    assert.equal(host.log[0], 'exchange_run: exchange_validate failed');
  });

  it('row 31: another identity than Remote-ID gets INVALID_ID_INFORMATION, isakmpd’s line and an explanation', () => {
    const other = { type: IdType.IPV4_ADDR, protocol: 0, port: 0, data: Uint8Array.of(10, 9, 9, 9) };
    const host = responder({ remoteId: other });
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    const answers = host.hear(peer.message5(message4));
    assert.equal(clearNotify(answers[0]), NotifyType.INVALID_ID_INFORMATION);
    assert.deepEqual(host.log, [
      'ike_phase_1_recv_ID: received remote ID other than expected 10.9.9.9',
      dropped('INVALID_ID_INFORMATION'),
      "phase 1 refused: peer peer (connection net, 10.0.0.1, its ID 10.0.0.1, our ID 10.0.0.2, cookies 308880dbec03b2d5:28e64aee381af7d4): it calls itself 10.0.0.1, [peer]:Remote-ID wants 10.9.9.9; let the section that Remote-ID names have ID-type=IPV4_ADDR, Address=10.0.0.1 to accept it, or correct the peer's own ID",
    ]);
    assert.equal(host.core.counts.isakmpSas, 0);
  });

  it('row 32: a hash that does not fit is only logged', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const [message4] = host.hear(peer.message3(host.hear(peer.message1())[0]));
    peer.learnKeys(message4);
    const wrong = { kind: 'HASH', value: { hashData: new Uint8Array(32) } } as const;
    assert.deepEqual(host.hear(peer.sealed([peer.id, wrong])), []);
    assert.equal(host.log.length, 1);
    assert.match(host.log[0] ?? '', /probably a wrong pre-shared key/);
  });

  it('row 10: a message of phase 1 after its end is dropped with isakmpd’s line', () => {
    const host = responder();
    const peer = new ScriptedPeer().mainMode(host);
    host.clear();
    const vendor = { kind: 'VID', value: { vendorId: new Uint8Array(16) } } as const;
    assert.deepEqual(host.hear(peer.clear([peer.ke, peer.nonce, vendor])), []);
    assert.deepEqual(host.log, ['message_recv: phase 1 message after ISAKMP SA is ready']);
  });

  it('no key for the peer: isakmpd’s line, an explanation, no answer', () => {
    const host = responder({ preSharedKey: undefined });
    const peer = new ScriptedPeer();
    assert.deepEqual(host.hear(peer.message3(host.hear(peer.message1())[0])), []);
    assert.deepEqual(host.log, [
      'ike_auth_get_key: no key found for peer "peer" or local ID "10.0.0.2"',
      'phase 1 refused: peer peer (connection net, 10.0.0.1, its ID any, our ID 10.0.0.2, cookies 308880dbec03b2d5:28e64aee381af7d4): no pre-shared key for it; add [peer]:Authentication',
    ]);
  });
});
