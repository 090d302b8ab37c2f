/** Messages that are wrong in one way each: which notify they earn, and where the fault is said to be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotifyType, notifyName } from '../../../src/shared/constants/isakmp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import { readPayloads } from '../../../src/shared/wire/message.ts';
import { fromHex } from '../../helpers/wire-bytes.ts';
import { counted } from '../../helpers/wire-steps.ts';

type Fault = readonly [name: string, type: number, hex: string, notify: NotifyType, place: string];

const N = NotifyType;

/** A name, the first payload's type, the chain, the notify it earns, and the path of the fault. */
const FAULTS: readonly Fault[] = [
  // Generic headers, behaviour 5.3 rows 13 and 14.
  ['three bytes where a generic header should be', 13, '000000', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['no bytes where a payload was announced', 13, '', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['CVE-2004-0218: a payload of length 0, which would never end', 13, '0d000000', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['a payload of length 3', 13, '00000003', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['CVE-2004-0392: a payload longer than its message', 13, '00000009 01020304', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['CVE-2022-23094: a second payload of length 1', 13, '0d000004 0d000001', N.UNEQUAL_PAYLOAD_LENGTHS, 'VID'],
  ['a reserved byte', 5, '008e000c 01000000 0a000001', N.PAYLOAD_MALFORMED, 'ID'],
  ['a reserved byte together with a wrong length', 5, 'ff8effff', N.PAYLOAD_MALFORMED, 'ID'],

  // Payload types, row 15 and RFC 2408 §5.3.
  ['a proposal outside an SA', 2, '00000008 01010000', N.INVALID_PAYLOAD_TYPE, ''],
  ['a transform outside an SA', 3, '00000008 01010000', N.INVALID_PAYLOAD_TYPE, ''],
  ['CVE-2015-3204: the next payload is SAK, of GDOI', 13, '0f000004 00000004', N.INVALID_PAYLOAD_TYPE, ''],
  ['a reserved payload type', 13, '7f000004 00000004', N.INVALID_PAYLOAD_TYPE, ''],
  ['CVE-2015-3991: an SA payload of IKEv2', 33, '00000004', N.INVALID_PAYLOAD_TYPE, ''],
  ['CVE-2015-3991: an encrypted payload of IKEv2', 46, '00000004', N.INVALID_PAYLOAD_TYPE, ''],
  [
    'CVE-2015-3991: a payload of IKEv2 after a good one',
    10,
    '2200000c 0011223344556677 00000004',
    N.INVALID_PAYLOAD_TYPE,
    '',
  ],

  // SA, rows 17 to 19.
  ['CVE-2015-3204: an SA of an unknown DOI', 1, '0000000c ffffffff 00000001', N.DOI_NOT_SUPPORTED, 'SA/doi'],
  ['an SA of DOI 0 without a situation', 1, '00000008 00000000', N.DOI_NOT_SUPPORTED, 'SA/doi'],
  ['an SA that ends in its DOI', 1, '00000006 0000', N.PAYLOAD_MALFORMED, 'SA/doi'],
  [
    'CVE-2015-3204: a situation of all bits',
    1,
    '0000000c 00000001 ffffffff',
    N.SITUATION_NOT_SUPPORTED,
    'SA/situation',
  ],
  ['an SA without proposals', 1, '0000000c 00000001 00000001', N.BAD_PROPOSAL_SYNTAX, 'SA/proposals'],
  [
    'a proposal without transforms',
    1,
    '00000014 00000001 00000001 00000008 01010000',
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[0]/transforms',
  ],
  [
    'a proposal of an unknown protocol',
    1,
    sa('0000001001090001 0000000801010000'),
    N.INVALID_PROTOCOL_ID,
    'SA/P[0]/protocolId',
  ],
  [
    'CVE-2004-0219: a proposal longer than its SA',
    1,
    sa('0000001101010001 0000000801010000'),
    N.UNEQUAL_PAYLOAD_LENGTHS,
    'SA/P[0]',
  ],
  [
    'CVE-2004-0219: a proposal of length 0',
    1,
    sa('0000000001010001 0000000801010000'),
    N.UNEQUAL_PAYLOAD_LENGTHS,
    'SA/P[0]',
  ],
  [
    'CVE-2004-0219: a transform longer than its proposal',
    1,
    sa('0000001001010001 0000000901010000'),
    N.UNEQUAL_PAYLOAD_LENGTHS,
    'SA/P[0]/T[0]',
  ],
  [
    'CVE-2004-0219: an SPI longer than its proposal',
    1,
    sa('000000100101ff01 0000000801010000'),
    N.PAYLOAD_MALFORMED,
    'SA/P[0]/spi',
  ],
  ['a reserved byte in a proposal', 1, sa('0001001001010001 0000000801010000'), N.PAYLOAD_MALFORMED, 'SA/P[0]'],
  [
    'fewer transforms than announced',
    1,
    sa('0000001001010002 0000000801010000'),
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[0]/transformCount',
  ],
  [
    'more transforms than announced',
    1,
    sa('0000001801010001 0300000801010000 0000000802010000'),
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[0]/transformCount',
  ],
  [
    'transforms of the same number',
    1,
    sa('0000001801010002 0300000801010000 0000000801010000'),
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[0]/T[1]',
  ],
  [
    'transforms in falling order',
    1,
    sa('0000001801010002 0300000802010000 0000000801010000'),
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[0]/T[1]',
  ],
  [
    'proposals in falling order',
    1,
    sa('0200001002010001 0000000801010000 0000001001010001 0000000801010000'),
    N.BAD_PROPOSAL_SYNTAX,
    'SA/P[1]',
  ],
  [
    'a transform followed by a proposal',
    1,
    sa('0000001801010002 0200000801010000 0000000802010000'),
    N.INVALID_PAYLOAD_TYPE,
    'SA/P[0]/T[0]',
  ],
  ['a proposal followed by a KE', 1, sa('0400001001010001 0000000801010000'), N.INVALID_PAYLOAD_TYPE, 'SA/P[0]'],
  [
    'bytes after the last transform',
    1,
    sa('0000001401010001 0000000801010000 00000000'),
    N.PAYLOAD_MALFORMED,
    'SA/P[0]',
  ],
  ['bytes after the last proposal', 1, sa('0000001001010001 0000000801010000 00000000'), N.PAYLOAD_MALFORMED, 'SA'],
  [
    'half an attribute',
    1,
    sa('0000001201010001 0000000a01010000 8001'),
    N.PAYLOAD_MALFORMED,
    'SA/P[0]/T[0]/attributes',
  ],
  [
    'an attribute that runs past its transform',
    1,
    sa('0000001401010001 0000000c01010000 000cffff'),
    N.PAYLOAD_MALFORMED,
    'SA/P[0]/T[0]/attributes',
  ],

  // The others, rows 14, 22 and 23.
  ['an ID of type 0', 5, '00000008 00000000', N.INVALID_ID_INFORMATION, 'ID/idType'],
  ['an ID of type 12', 5, '00000008 0c000000', N.INVALID_ID_INFORMATION, 'ID/idType'],
  ['an ID that ends in its port', 5, '00000007 010000', N.PAYLOAD_MALFORMED, 'ID/port'],
  ['an IPv4 ID of three bytes', 5, '0000000b 01000000 0a0000', N.INVALID_ID_INFORMATION, 'ID/identificationData'],
  [
    'an IPv6 subnet of 16 bytes',
    5,
    '00000018 06000000 00000000000000000000000000000000',
    N.INVALID_ID_INFORMATION,
    'ID/identificationData',
  ],
  ['a CERT of encoding 14', 6, '00000006 0e30', N.INVALID_CERT_ENCODING, 'CERT/encoding'],
  ['a CERT without its encoding', 6, '00000004', N.PAYLOAD_MALFORMED, 'CERT/encoding'],
  ['CVE-2004-0220: a CERTREQ without its type', 7, '00000004', N.PAYLOAD_MALFORMED, 'CERTREQ/certificateType'],
  ['CVE-2004-0220: a CERTREQ of length 3', 7, '00000003', N.UNEQUAL_PAYLOAD_LENGTHS, 'CERTREQ'],
  ['a nonce of 7 bytes', 10, '0000000b 00112233445566', N.PAYLOAD_MALFORMED, 'NONCE/nonceData'],
  ['a nonce of 257 bytes', 10, `00000105 ${'00'.repeat(257)}`, N.PAYLOAD_MALFORMED, 'NONCE/nonceData'],
  [
    'CVE-2009-0790: a NOTIFY that ends before its SPI',
    11,
    '0000000c 00000001 01108d28',
    N.PAYLOAD_MALFORMED,
    'NOTIFY/spi',
  ],
  ['a NOTIFY of one byte', 11, '00000005 00', N.PAYLOAD_MALFORMED, 'NOTIFY/doi'],
  [
    'CVE-2004-0221: a DELETE of 65535 SPIs that has one',
    12,
    '00000010 00000001 0304ffff 11223344',
    N.PAYLOAD_MALFORMED,
    'DELETE/spis',
  ],
  [
    'CVE-2004-0221: a DELETE with more bytes than SPIs',
    12,
    '00000014 00000001 03040001 1122334455667788',
    N.PAYLOAD_MALFORMED,
    'DELETE/spis',
  ],
  [
    'CVE-2004-0221: a DELETE with SPIs of no bytes',
    12,
    '0000000c 00000001 03000001',
    N.PAYLOAD_MALFORMED,
    'DELETE/spis',
  ],
  [
    'CVE-2004-0221: a DELETE with SPIs of 255 bytes',
    12,
    '0000000c 00000001 03ff0000',
    N.PAYLOAD_MALFORMED,
    'DELETE/spis',
  ],
  [
    'a DELETE of an ESP SA by 16 bytes',
    12,
    '0000001c 00000001 03100001 00112233445566778899aabbccddeeff',
    N.PAYLOAD_MALFORMED,
    'DELETE/spis',
  ],
  ['a DELETE of an ESP SA by two bytes', 12, '0000000e 00000001 03020001 0011', N.PAYLOAD_MALFORMED, 'DELETE/spis'],
  [
    'a DELETE of an unknown protocol',
    12,
    '00000010 00000001 09040001 11223344',
    N.INVALID_PROTOCOL_ID,
    'DELETE/protocolId',
  ],
  ['a mode config ATTRIBUTE of three bytes', 14, '00000007 010000', N.PAYLOAD_MALFORMED, 'ATTRIBUTE/identifier'],
  ['a NAT-OA of a name', 21, '0000000c 02000000 61616161', N.INVALID_ID_INFORMATION, 'NAT_OA/idType'],
  ['a NAT-OA of five bytes', 131, '0000000d 01000000 0a00000100', N.INVALID_ID_INFORMATION, 'NAT_OA_DRAFT/address'],
  [
    'CVE-2016-1287: a FRAGMENT shorter than its own header',
    132,
    '00000007 000101',
    N.PAYLOAD_MALFORMED,
    'FRAGMENT/flags',
  ],
];

/** An SA of the IPsec DOI around these proposals. */
function sa(proposals: string): string {
  const body = `0000000100000001${proposals.replaceAll(' ', '')}`;
  return `0000${(4 + body.length / 2).toString(16).padStart(4, '0')}${body}`;
}

const fault = (type: number, bytes: Uint8Array): ProtocolError => {
  try {
    readPayloads(bytes, type, 0, bytes.length);
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return error;
  }
  return assert.fail('was read');
};

describe('a faulty payload', () => {
  for (const [name, type, hex, notify, place] of FAULTS) {
    it(`is refused with ${notifyName(notify)}: ${name}`, () => {
      const error = fault(type, fromHex(hex));
      assert.equal(`${notifyName(error.notify)} ${error.path.join('/')}`, `${notifyName(notify)} ${place}`);
    });
  }

  it('with a reserved byte is refused in the words that operators know from a wrong pre-shared key', () =>
    assert.equal(fault(5, fromHex('fe8e3a41 00')).message, 'reserved field non-zero: 8e'));

  it('with a reserved byte below 16 names two digits', () =>
    assert.equal(fault(5, fromHex('00010004')).message, 'reserved field non-zero: 01'));
});

describe('what is not a fault', () => {
  const types = (type: number, hex: string): readonly string[] => {
    const bytes = fromHex(hex);
    return readPayloads(bytes, type, 0, bytes.length).payloads.map((payload) => payload.kind);
  };

  it('is a payload of a private type, which is skipped', () =>
    assert.deepEqual(types(13, '80000004 0d000005aa 00000004'), ['VID', 'private', 'VID']));

  it('is padding after the last payload, of any bytes', () => {
    const bytes = fromHex('00000005aa deadbeef');
    assert.equal(readPayloads(bytes, 13, 0, bytes.length).end, 5);
  });

  it('is a message without payloads', () => assert.deepEqual(types(0, 'deadbeef'), []));
  it('is an unknown attribute, which is kept', () =>
    assert.deepEqual(types(1, sa('0000001401010001 0000000c01010000 ffff0001')), ['SA']));
  it('is a notify of an unknown DOI, protocol and type', () =>
    assert.deepEqual(types(11, '0000000c ffffffff ff00 ffff'), ['NOTIFY']));
  it('CVE-2014-2891: is an XAUTH name of any bytes, which nobody looks into', () =>
    assert.deepEqual(types(14, '00000010 02000001 40890004 ff000a1b'), ['ATTRIBUTE']));
  it('is a DELETE of no SPIs', () => assert.deepEqual(types(12, '0000000c 00000001 03040000'), ['DELETE']));
  it('is a request for a certificate of a kind we do not have', () =>
    assert.deepEqual(types(7, '00000005 ff'), ['CERTREQ']));
  it('is a reserved field inside a transform', () =>
    assert.deepEqual(types(1, sa('0000001001010001 000000080101ffff')), ['SA']));
});

/** A chain of `count` payloads of `size` bytes, each followed by type `next`, the last by none. */
const chainOf = (count: number, body: (index: number) => string, next: string): string =>
  Array.from({ length: count }, (_, index) => {
    const bytes = body(index);
    const length = (4 + bytes.length / 2).toString(16).padStart(4, '0');
    return `${index + 1 < count ? next : '00'}00${length}${bytes}`;
  }).join('');

const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, '0');
const transforms = (count: number): string => chainOf(count, (index) => `${byte(index + 1)}010000`, '03');
const proposals = (count: number, transformCount: number): string =>
  chainOf(count, () => `010100${byte(transformCount)}${transforms(transformCount)}`, '02');
const attributes = (count: number): string =>
  sa(chainOf(1, () => `01010001${chainOf(1, () => `01010000${'80010001'.repeat(count)}`, '03')}`, '02'));

describe('a message that is made to be expensive', () => {
  const steps = (type: number, bytes: Uint8Array, read: boolean): void => {
    const outcome = counted(() => {
      try {
        readPayloads(bytes, type, 0, bytes.length);
        return 'read';
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.notify === NotifyType.PAYLOAD_MALFORMED, String(error));
        return 'refused';
      }
    });
    assert.equal(outcome.value, read ? 'read' : 'refused');
    assert.ok(outcome.steps <= 2 * bytes.length + 10, `${outcome.steps} steps for ${bytes.length} bytes`);
  };

  it('may have 64 payloads', () => steps(13, fromHex(chainOf(64, () => '', '0d')), true));
  it('may not have 65 payloads (threats: 1000 CERTREQs)', () =>
    steps(7, fromHex(chainOf(65, () => '04', '07')), false));
  it('costs no more with 16000 payloads than with 65', () => {
    const bytes = fromHex(chainOf(16000, () => '', '0d'));
    assert.ok(counted(() => fault(13, bytes)).steps < 1000);
  });
  it('may have 32 proposals', () => steps(1, fromHex(sa(proposals(32, 1))), true));
  it('may not have 33 proposals', () => steps(1, fromHex(sa(proposals(33, 1))), false));
  it('may have 255 transforms in a proposal', () => steps(1, fromHex(sa(proposals(1, 255))), true));
  it('may not have 256 transforms in a proposal', () => steps(1, fromHex(sa(proposals(1, 256))), false));
  it('costs what its bytes do with 255 transforms in each of 31 proposals (threats: huge proposals)', () =>
    steps(1, fromHex(sa(proposals(31, 255))), true));
  it('may have 64 attributes in a transform', () => steps(1, fromHex(attributes(64)), true));
  it('may not have 65 attributes in a transform', () => steps(1, fromHex(attributes(65)), false));
  it('may have 64 attributes in a mode config payload and not 65', () => {
    const payload = (count: number): Uint8Array =>
      fromHex(chainOf(1, () => `01000001${'80010001'.repeat(count)}`, '00'));
    steps(14, payload(64), true);
    steps(14, payload(65), false);
  });
  it('costs what its bytes do with a vendor id of 64 KiB', () =>
    steps(13, fromHex(chainOf(1, () => '00'.repeat(65531), '00')), true));
  it('costs what its bytes do with a DELETE of 16000 SPIs (CVE-2004-0221)', () =>
    steps(12, fromHex(chainOf(1, () => `000000010304${(16000).toString(16)}${'00'.repeat(64000)}`, '00')), true));
});
