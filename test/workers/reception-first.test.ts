/** Reception checks of isakmpd in their order: what is logged, what notify goes out, or silence. Row numbers are those of the behaviour document, section 5.3. First messages, and what strangers may cause. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType, PayloadType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import { type OutPayload, readHeader } from '../../src/shared/wire/message.ts';
import { clearNotify, notifyOf, readAnything, ScriptedPeer } from '../helpers/ike-script.ts';
import { type LaneHost, peerPolicy } from '../helpers/lane-pair.ts';
import { At, dropped, patched, responder } from '../helpers/reception.ts';

interface Row {
  readonly row: string;
  readonly name: string;
  readonly send: (peer: ScriptedPeer) => Uint8Array;
  /** All lines; undefined: only that the message is said to be dropped. */
  readonly lines?: readonly string[];
  /** Undefined: no answer. */
  readonly notify: keyof typeof NotifyType | undefined;
}

/** An SA payload with other attributes, ids and numbers than an honest one. */
const offer = (change: (sa: Uint8Array) => void): OutPayload => {
  const sa = Uint8Array.from([
    ...[0, 0, 0, 1, 0, 0, 0, 1],
    ...[0, 0, 0, 36, 1, 1, 0, 1],
    ...[0, 0, 0, 28, 0, 1, 0, 0],
    ...[0x80, 1, 0, 7, 0x80, 2, 0, 4, 0x80, 3, 0, 1, 0x80, 4, 0, 19, 0x80, 14, 0, 128],
  ]);
  change(sa);
  return { kind: 'raw', type: PayloadType.SA, body: sa };
};

const HEADER_ROWS: readonly Row[] = [
  {
    row: '1',
    name: 'a length that is not the datagram’s',
    send: (peer) => patched(peer.message1(), { [At.length + 3]: 200 }),
    lines: ['message_recv: bad message length'],
    notify: undefined,
  },
  {
    row: '1',
    name: 'a datagram shorter than a header',
    send: (peer) => peer.message1().slice(0, 27),
    lines: ['message_recv: bad message length'],
    notify: undefined,
  },
  {
    row: '3',
    name: 'unknown cookies',
    send: (peer) => {
      peer.responderCookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
      return peer.message1();
    },
    notify: 'INVALID_COOKIE',
  },
  {
    row: '3',
    name: 'an initiator cookie of zeros',
    send: (peer) => peer.clear([peer.sa], { initiatorCookie: new Uint8Array(8) }),
    lines: ['message_recv: invalid cookie(s) 0000000000000000 0000000000000000', dropped('INVALID_COOKIE')],
    notify: 'INVALID_COOKIE',
  },
  {
    row: '5',
    name: 'a first payload type that is reserved',
    send: (peer) => patched(peer.message1(), { [At.nextPayload]: 33 }),
    lines: [
      'message_recv: invalid payload type 33 in ISAKMP header (check passphrases, if applicable and in Phase 1)',
      dropped('INVALID_PAYLOAD_TYPE'),
    ],
    notify: 'INVALID_PAYLOAD_TYPE',
  },
  {
    row: '6',
    name: 'major version 2 (IKEv2; decisions 3.12)',
    send: (peer) =>
      patched(peer.message1(), { [At.version]: 0x20, [At.nextPayload]: 33, [At.exchangeType]: 34, [At.flags]: 8 }),
    lines: ['message_recv: invalid version major 2', dropped('INVALID_MAJOR_VERSION')],
    notify: 'INVALID_MAJOR_VERSION',
  },
  {
    row: '6',
    name: 'minor version 1',
    send: (peer) => patched(peer.message1(), { [At.version]: 0x11 }),
    lines: ['message_recv: invalid version minor 1', dropped('INVALID_MINOR_VERSION')],
    notify: 'INVALID_MINOR_VERSION',
  },
  ...[0, 7, 31, 32, 243].map(
    (type): Row => ({
      row: '7',
      name: `exchange type ${type} without responder cookie`,
      send: (peer) => patched(peer.message1(), { [At.exchangeType]: type }),
      lines: [`message_recv: invalid exchange type ${type}`, dropped('INVALID_EXCHANGE_TYPE')],
      notify: 'INVALID_EXCHANGE_TYPE',
    }),
  ),
  {
    row: '8',
    name: 'flags other than E, C and A',
    send: (peer) => patched(peer.message1(), { [At.flags]: 0x08 }),
    lines: ['message_recv: invalid flags 8', dropped('INVALID_FLAGS')],
    notify: 'INVALID_FLAGS',
  },
  {
    row: '9',
    name: 'a message id in a first message',
    send: (peer) => patched(peer.message1(), { [At.messageId + 3]: 5 }),
    lines: ['message_recv: invalid message id 5', dropped('INVALID_MESSAGE_ID')],
    notify: 'INVALID_MESSAGE_ID',
  },
  ...[ExchangeType.BASE, ExchangeType.AUTH_ONLY].map(
    (type): Row => ({
      row: '11',
      name: `exchange type ${type}, which nobody here speaks`,
      send: (peer) => patched(peer.message1(), { [At.exchangeType]: type }),
      lines: [`message_recv: unsupported exchange type ${type}`, dropped('UNSUPPORTED_EXCHANGE_TYPE')],
      notify: 'UNSUPPORTED_EXCHANGE_TYPE',
    }),
  ),
  {
    row: '12',
    name: 'an encrypted first message',
    send: (peer) => patched(peer.message1(), { [At.flags]: 0x01 }),
    lines: [],
    notify: undefined,
  },
];

const PAYLOAD_ROWS: readonly Row[] = [
  {
    row: '13',
    name: 'a payload that runs past the end',
    send: (peer) => patched(peer.message1(), { 31: 0xff }),
    notify: 'UNEQUAL_PAYLOAD_LENGTHS',
  },
  {
    row: '14',
    name: 'a reserved byte that is not zero',
    send: (peer) => patched(peer.message1(), { 29: 0x8e }),
    lines: ['message_parse_payloads: reserved field non-zero: 8e', dropped('PAYLOAD_MALFORMED')],
    notify: 'PAYLOAD_MALFORMED',
  },
  {
    row: '14',
    name: 'a nonce of seven bytes',
    send: (peer) => peer.clear([peer.sa, { kind: 'raw', type: PayloadType.NONCE, body: new Uint8Array(7) }]),
    notify: 'PAYLOAD_MALFORMED',
  },
  {
    row: '15',
    name: 'a payload that is not expected now',
    send: (peer) => peer.clear([peer.sa, peer.ke]),
    lines: ['message_parse_payloads: unexpected KE payload', dropped('INVALID_PAYLOAD_TYPE')],
    notify: 'INVALID_PAYLOAD_TYPE',
  },
  {
    row: '15',
    name: 'a payload of IKEv2 further down (CVE-2015-3991)',
    send: (peer) => peer.clear([peer.sa, { kind: 'raw', type: 40, body: new Uint8Array(8) }]),
    notify: 'INVALID_PAYLOAD_TYPE',
  },
  {
    row: '17',
    name: 'another DOI',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa[3] = 9;
        }),
      ]),
    notify: 'DOI_NOT_SUPPORTED',
  },
  {
    row: '17',
    name: 'another situation (CVE-2015-3204: unknown bits)',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa.fill(0xff, 4, 8);
        }),
      ]),
    notify: 'SITUATION_NOT_SUPPORTED',
  },
  {
    row: '18',
    name: 'a proposal for no known protocol',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa[13] = 77;
        }),
      ]),
    notify: 'INVALID_PROTOCOL_ID',
  },
  {
    row: '19',
    name: 'a wrong count of transforms',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa[15] = 2;
        }),
      ]),
    notify: 'BAD_PROPOSAL_SYNTAX',
  },
  {
    row: '20',
    name: 'a transform id that means nothing (RFC 2408 §5.6: ignored)',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa[21] = 9;
        }),
      ]),
    notify: 'NO_PROPOSAL_CHOSEN',
  },
  {
    row: '21',
    name: 'an attribute type that means nothing (only that transform is not acceptable)',
    send: (peer) =>
      peer.clear([
        offer((sa) => {
          sa[25] = 99;
        }),
      ]),
    notify: 'NO_PROPOSAL_CHOSEN',
  },
  {
    row: '23',
    name: 'an unknown certificate encoding',
    send: (peer) => peer.clear([peer.sa, { kind: 'raw', type: PayloadType.CERT, body: Uint8Array.of(14, 1, 2) }]),
    notify: 'INVALID_CERT_ENCODING',
  },
  {
    row: '28',
    name: 'no SA payload',
    send: (peer) => peer.clear([{ kind: 'VID', value: { vendorId: new Uint8Array(16) } }]),
    lines: ['exchange_run: exchange_validate failed', dropped('PAYLOAD_MALFORMED')],
    notify: 'PAYLOAD_MALFORMED',
  },
  {
    row: '30',
    name: 'no proposal that suits',
    send: () => new ScriptedPeer({ transforms: [{ ...transform(), group: GroupDescription.MODP_2048 }] }).message1(),
    notify: 'NO_PROPOSAL_CHOSEN',
  },
];

const transform = () => peerPolicy().transforms[0] ?? assert.fail();

const check = (host: LaneHost, { send, lines, notify }: Row): void => {
  const peer = new ScriptedPeer();
  const answers = host.hear(send(peer));
  if (lines !== undefined) assert.deepEqual(host.plainLog, lines);
  else assert.ok(host.log.includes(dropped(notify ?? '')), host.log.join('\n'));
  assert.deepEqual(
    answers.map((bytes) => clearNotify(bytes)),
    notify === undefined ? [] : [NotifyType[notify]],
  );
  assert.equal(host.core.remains, 0);
  assert.equal(host.table.size, 0);
};

describe('a first message, behaviour 5.3', () => {
  for (const row of [...HEADER_ROWS, ...PAYLOAD_ROWS]) {
    const outcome = row.notify ?? 'silence';
    it(`row ${row.row}: ${row.name} leaves no state and gets ${outcome}`, () => check(responder(), row));
  }

  it('row 3: INVALID_COOKIE names the cookies that were sent, in its header and as its SPI', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    peer.responderCookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const [answer = new Uint8Array(0)] = host.hear(peer.message1());
    const { header, notifies } = readAnything(answer);
    const cookies = [...peer.initiatorCookie, ...peer.responderCookie];
    assert.deepEqual([...header.initiatorCookie, ...header.responderCookie], cookies);
    assert.deepEqual([...(notifies[0]?.value.spi ?? [])], cookies);
    assert.equal(notifies[0]?.value.protocolId, ProtocolId.ISAKMP);
    const digits = Buffer.from(cookies).toString('hex');
    assert.equal(host.log[0], `message_recv: invalid cookie(s) ${digits.slice(0, 16)} ${digits.slice(16)}`);
  });

  it('CVE-2023-30570: the refusal of a first message has no responder cookie, and nothing is kept that could be spoken to', () => {
    const host = responder();
    const peer = new ScriptedPeer({ transforms: [{ ...transform(), group: GroupDescription.MODP_2048 }] });
    const [answer = new Uint8Array(0)] = host.hear(peer.message1());
    assert.deepEqual(readHeader(answer).responderCookie, new Uint8Array(8));
    assert.deepEqual(readHeader(answer).initiatorCookie, peer.initiatorCookie);
    peer.responderCookie = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9);
    assert.equal(clearNotify(host.hear(peer.clear([peer.ke, peer.nonce]))[0]), NotifyType.INVALID_COOKIE);
    assert.equal(host.core.remains, 0);
  });

  it('row 16: private payload types are skipped', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const answers = host.hear(peer.clear([peer.sa, { kind: 'raw', type: 200, body: new Uint8Array(9) }]));
    assert.equal(readHeader(answers[0] ?? new Uint8Array(0)).exchangeType, ExchangeType.ID_PROT);
  });

  it('row 24: a CERTREQ of any type is taken in any message of phase 1 (decisions 3.10)', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const certificateRequest = {
      kind: 'CERTREQ',
      value: { certificateType: 77, authority: new Uint8Array(0) },
    } as const;
    const [answer = new Uint8Array(0)] = host.hear(peer.clear([peer.sa, certificateRequest]));
    assert.equal(readHeader(answer).exchangeType, ExchangeType.ID_PROT);
  });

  it('decisions 3.10: up to 16 zero bytes after the message are no part of it', () => {
    const host = responder();
    const message1 = new ScriptedPeer().message1();
    const long = new Uint8Array(message1.length + 16);
    long.set(message1);
    assert.equal(readHeader(host.hear(long)[0] ?? new Uint8Array(0)).exchangeType, ExchangeType.ID_PROT);
    assert.equal(host.hear(message1).length, 1, 'the same message without them is a duplicate');
    assert.equal(host.core.counts.halfOpen, 1);
  });

  it('threats, fragmentation: a fragment of Cisco’s kind comes before any state and leaves none', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    host.hear(peer.clear([{ kind: 'raw', type: PayloadType.FRAGMENT, body: Uint8Array.of(0, 1, 1, 1, 9, 9) }]));
    host.hear(peer.clear([{ kind: 'raw', type: PayloadType.FRAGMENT, body: Uint8Array.of(0) }]));
    assert.equal(host.core.remains, 0);
  });

  it('an address that configuration does not know is refused with isakmpd’s line and no answer', () => {
    const host = responder();
    assert.deepEqual(host.hear(new ScriptedPeer().message1(), '10.0.0.9', 500, { peer: '' }), []);
    assert.deepEqual(host.plainLog, ['exchange_setup_p1: no "Default" tag in [Phase 1] section']);
  });

  it('CVE-2002-1623: aggressive mode with a peer configured for main mode is refused with isakmpd’s line and no answer', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const first = peer.clear([peer.sa, peer.ke, peer.nonce, peer.id], { exchangeType: ExchangeType.AGGRESSIVE });
    assert.deepEqual(host.hear(first), []);
    assert.deepEqual(host.plainLog, ['exchange_setup_p1: expected exchange type ID_PROT got AGGRESSIVE']);
  });
});

describe('what strangers may cause', () => {
  it('DoS: ten thousand refused messages cause some tens of notifies and lines, and leave nothing (CVE-2004-0222)', () => {
    const host = responder();
    let answers = 0;
    for (let i = 0; i < 10_000; i++) {
      const peer = new ScriptedPeer();
      answers += host.hear(patched(peer.clear([peer.sa]), { [At.flags]: 8, 0: i & 255, 1: i >> 8 })).length;
      if (i === 100) assert.ok(answers <= 60);
      if (i === 200) break;
    }
    const flags = patched(new ScriptedPeer().message1(), { [At.flags]: 8 });
    for (let i = 0; i < 10_000; i++) answers += host.hear(flags).length;
    assert.ok(answers <= 60, `${answers} answers`);
    assert.ok(host.log.length <= 120, `${host.log.length} lines`);
    assert.equal(host.core.remains, 0);
  });

  it('an informational message never gets an answer, whatever is wrong with it', () => {
    const host = responder();
    const peer = new ScriptedPeer();
    const info = peer.clear([notifyOf(NotifyType.INVALID_COOKIE)], { exchangeType: ExchangeType.INFO, messageId: 9 });
    peer.responderCookie = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1);
    const known = peer.clear([notifyOf(NotifyType.INVALID_COOKIE)], { exchangeType: ExchangeType.INFO, messageId: 9 });
    for (const bytes of [info, known, patched(known, { [At.version]: 0x20 }), patched(known, { [At.flags]: 8 })]) {
      assert.deepEqual(host.hear(bytes), []);
    }
  });
});
