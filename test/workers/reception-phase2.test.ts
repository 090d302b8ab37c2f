/** Reception checks of isakmpd in their order: what is logged, what notify goes out, or silence. Row numbers are those of the behaviour document, section 5.3. Under an established ISAKMP SA. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdType, ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType } from '../../src/shared/constants/isakmp.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { spiBytes } from '../../src/shared/policy/spi.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import { clearNotify, notifyOf, ScriptedPeer } from '../helpers/ike-script.ts';
import { connectionPolicy, espSuite, mirrored, subnet } from '../helpers/lane-pair.ts';
import { espOffer, IDS, idOf, NONCE } from '../helpers/quick-script.ts';
import { At, dropped, patched, responder } from '../helpers/reception.ts';

describe('a message under an established ISAKMP SA, behaviour 5.3', () => {
  const established = (changes: Partial<PeerPolicy> = {}) => {
    const host = responder(changes);
    const peer = new ScriptedPeer().mainMode(host);
    host.clear();
    return { host, peer };
  };
  const quick = (peer: ScriptedPeer) => peer.exchange(ExchangeType.QUICK_MODE);
  /** The notify of a protected informational answer. */
  const protectedNotify = (peer: ScriptedPeer, bytes: Uint8Array | undefined) => {
    assert.ok(bytes);
    const { exchangeType, messageId, flags } = readHeader(bytes);
    assert.deepEqual([exchangeType, flags], [ExchangeType.INFO, 1]);
    return peer.exchange(ExchangeType.INFO, messageId).read(bytes).notifies[0]?.value;
  };

  it('an honest quick mode is answered, so that the refusals below mean something', () => {
    const { host, peer } = established();
    assert.equal(host.hear(quick(peer).authentic([espOffer(), NONCE, ...IDS])).length, 1);
  });

  it('rows 5, 7 and 8: what its header disqualifies gets a protected notify', () => {
    for (const [at, value, notify] of [
      [At.nextPayload, 33, NotifyType.INVALID_PAYLOAD_TYPE],
      [At.exchangeType, 31, NotifyType.INVALID_EXCHANGE_TYPE],
      [At.flags, 9, NotifyType.INVALID_FLAGS],
    ] as const) {
      const { host, peer } = established();
      const answers = host.hear(patched(quick(peer).authentic([espOffer(), NONCE, ...IDS]), { [at]: value }));
      assert.equal(protectedNotify(peer, answers[0])?.notifyType, notify);
    }
  });

  it('row 11: a transaction exchange gets UNSUPPORTED_EXCHANGE_TYPE', () => {
    const { host, peer } = established();
    const answers = host.hear(peer.exchange(ExchangeType.TRANSACTION).authentic([]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.UNSUPPORTED_EXCHANGE_TYPE);
  });

  it('row 12a: a quick mode in the clear gets INVALID_FLAGS', () => {
    const { host, peer } = established();
    const bytes = peer.clear([espOffer(), NONCE], { exchangeType: ExchangeType.QUICK_MODE, messageId: 77 });
    const answers = host.hear(bytes);
    assert.deepEqual(host.plainLog, ['message_recv: cleartext phase 2 message', dropped('INVALID_FLAGS')]);
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.INVALID_FLAGS);
  });

  it('row 12b: a quick mode in the clear before phase 1 is done gets PAYLOAD_MALFORMED, an encrypted one silence', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.message3(host.hear(peer.message1())[0]);
    const bytes = peer.clear([espOffer(), NONCE], { exchangeType: ExchangeType.QUICK_MODE, messageId: 77 });
    assert.deepEqual(host.hear(patched(bytes, { [At.flags]: 1 })), []);
    assert.deepEqual(host.log, []);
    assert.equal(clearNotify(host.hear(bytes)[0]), NotifyType.PAYLOAD_MALFORMED);
  });

  it('row 14: HASH must come first in phase 2', () => {
    const { host, peer } = established();
    const hash = { kind: 'HASH', value: { hashData: new Uint8Array(32) } } as const;
    const answers = host.hear(quick(peer).sealed([NONCE, hash, espOffer()]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.PAYLOAD_MALFORMED);
  });

  it('row 15: a DELETE inside a quick mode gets INVALID_PAYLOAD_TYPE', () => {
    const { host, peer } = established();
    const gone = { kind: 'DELETE', value: { doi: 1, protocolId: 3, spis: [spiBytes(0x2002)] } } as const;
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, gone]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.INVALID_PAYLOAD_TYPE);
  });

  it('row 26: a vendor id inside phase 2 is taken (decisions 3.10)', () => {
    const { host, peer } = established();
    const vendor = { kind: 'VID', value: { vendorId: new Uint8Array(16) } } as const;
    assert.equal(host.hear(quick(peer).authentic([espOffer(), NONCE, ...IDS, vendor])).length, 1);
    assert.equal(host.all('phase2Started').length, 1);
  });

  it('row 27: a notify about other cookies is dropped as INVALID_SPI, without answer since it is informational itself', () => {
    const { host, peer } = established();
    const foreign = notifyOf(NotifyType.INITIAL_CONTACT, { spi: new Uint8Array(16).fill(3) });
    assert.deepEqual(host.hear(peer.exchange().authentic([foreign])), []);
    assert.deepEqual(host.plainLog, [
      'exchange_run: a notify with the cookies of another ISAKMP SA',
      dropped('INVALID_SPI'),
    ]);
    assert.equal(host.all('initialContact').length, 0);
  });

  it('row 28: a quick mode without SA payload gets PAYLOAD_MALFORMED', () => {
    const { host, peer } = established();
    const answers = host.hear(quick(peer).authentic([NONCE]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.PAYLOAD_MALFORMED);
    assert.equal(host.log[0], 'exchange_run: exchange_validate failed');
  });

  it('row 29: a wrong HASH(1) gets INVALID_HASH_INFORMATION', () => {
    const { host, peer } = established();
    const hash = { kind: 'HASH', value: { hashData: new Uint8Array(32) } } as const;
    const answers = host.hear(quick(peer).sealed([hash, espOffer(), NONCE, ...IDS]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.INVALID_HASH_INFORMATION);
    assert.equal(host.all('phase2Started').length, 0);
  });

  it('row 29: a wrong hash of an informational message is only logged: no notify about a notify', () => {
    const { host, peer } = established();
    const hash = { kind: 'HASH', value: { hashData: new Uint8Array(32) } } as const;
    assert.deepEqual(host.hear(peer.exchange().sealed([hash, notifyOf(NotifyType.INITIAL_CONTACT)])), []);
    assert.ok(host.log.includes(dropped('INVALID_HASH_INFORMATION')));
    assert.equal(host.all('initialContact').length, 0);
  });

  it('row 30: no suite that suits gets NO_PROPOSAL_CHOSEN, which names the peer’s SPI', () => {
    const strict = mirrored(
      connectionPolicy({ suites: [espSuite({ keyLength: { offered: 256, least: 256, most: 256 } })] }),
    );
    const { host, peer } = established({ connections: [strict] });
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, ...IDS]));
    const notify = protectedNotify(peer, answers[0]);
    assert.deepEqual(
      [notify?.notifyType, notify?.protocolId, notify?.spi],
      [NotifyType.NO_PROPOSAL_CHOSEN, ProtocolId.IPSEC_ESP, spiBytes(0x2002)],
    );
    assert.deepEqual(host.log.slice(0, 3), [
      'attribute_unacceptable: KEY_LENGTH: got 128, expected 256',
      'message_negotiate_sa: no compatible proposal found',
      dropped('NO_PROPOSAL_CHOSEN'),
    ]);
  });

  it('row 30: a KE payload without group gets NO_PROPOSAL_CHOSEN', () => {
    const { host, peer } = established();
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, peer.ke, ...IDS]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.NO_PROPOSAL_CHOSEN);
    assert.equal(host.log[0], 'exchange_run: KE payload without a group');
  });

  it('CVE-2023-38711, row 33: names where selectors are expected get INVALID_ID_INFORMATION', () => {
    const { host, peer } = established();
    const name = {
      kind: 'ID',
      value: { idType: IdType.FQDN, protocolId: 0, port: 0, identificationData: Buffer.from('a.example') },
    } as const;
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, IDS[0], name]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.INVALID_ID_INFORMATION);
  });

  it('row 33: IDs that no connection of this peer has get INVALID_ID_INFORMATION and isakmpd’s line', () => {
    const { host, peer } = established();
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, idOf(subnet(172, 16, 0)), IDS[1]]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.INVALID_ID_INFORMATION);
    assert.deepEqual(host.log.slice(0, 2), [
      'responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: initiator id 172.16.0.0/255.255.255.0, ' +
        'responder id 10.1.2.0/255.255.255.0',
      dropped('INVALID_ID_INFORMATION'),
    ]);
  });

  it('row 34: one ID instead of two gets PAYLOAD_MALFORMED', () => {
    const { host, peer } = established();
    const answers = host.hear(quick(peer).authentic([espOffer(), NONCE, IDS[0]]));
    assert.equal(protectedNotify(peer, answers[0])?.notifyType, NotifyType.PAYLOAD_MALFORMED);
  });

  it('a quick mode with message id 0, or with one that was used, is dropped without a word', () => {
    const { host, peer } = established();
    const info = peer.exchange();
    host.hear(info.authentic([notifyOf(NotifyType.REPLAY_STATUS)]));
    host.clear();
    assert.deepEqual(
      host.hear(peer.exchange(ExchangeType.QUICK_MODE, info.messageId).authentic([espOffer(), NONCE, ...IDS])),
      [],
    );
    const zero = patched(quick(peer).authentic([espOffer(), NONCE, ...IDS]), { 20: 0, 21: 0, 22: 0, 23: 0 });
    assert.deepEqual(host.hear(zero), []);
    assert.deepEqual(host.log, []);
  });
});
