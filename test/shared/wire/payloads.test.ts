/** Every payload as a pair of value and bytes, taken through reader and writer in all four directions, and the attribute helpers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvariantError } from '../../../src/shared/errors.ts';
import { type OutPayload, readPayloads, writeBody, writeMessage } from '../../../src/shared/wire/message.ts';
import { attributeNumber, durationAttribute } from '../../../src/shared/wire/payloads.ts';
import { KINDS } from '../../helpers/wire-arbitrary.ts';
import { asOutPayload, fromHex, plain, toHex } from '../../helpers/wire-bytes.ts';

const b = fromHex;

/** Name, payload, and its bytes with the generic header as the last payload of a message. */
const CASES: readonly (readonly [name: string, payload: OutPayload, hex: string])[] = [
  [
    'phase 1 SA with one transform numbered 0, RFC 2408 §3.4-3.6',
    {
      kind: 'SA',
      value: {
        doi: 1,
        situation: 1,
        proposals: [
          {
            proposalNumber: 1,
            protocolId: 1,
            spi: b(''),
            transforms: [
              {
                transformNumber: 0,
                transformId: 1,
                attributes: [
                  { type: 1, value: 7 },
                  { type: 12, value: b('00015180') },
                  { type: 14, value: 128 },
                ],
              },
            ],
          },
        ],
      },
    },
    `0000002c 00000001 00000001
     00000020 01010001
     00000018 00010000 80010007 000c000400015180 800e0080`,
  ],
  [
    'phase 2 SA of AH and ESP under one proposal number, with two transforms',
    {
      kind: 'SA',
      value: {
        doi: 1,
        situation: 1,
        proposals: [
          {
            proposalNumber: 1,
            protocolId: 2,
            spi: b('11223344'),
            transforms: [{ transformNumber: 1, transformId: 3, attributes: [] }],
          },
          {
            proposalNumber: 1,
            protocolId: 3,
            spi: b('55667788'),
            transforms: [
              { transformNumber: 1, transformId: 12, attributes: [{ type: 4, value: 1 }] },
              { transformNumber: 2, transformId: 3, attributes: [{ type: 32767, value: b('') }] },
            ],
          },
        ],
      },
    },
    `00000044 00000001 00000001
     02000014 01020401 11223344 00000008 01030000
     00000024 01030402 55667788 0300000c 010c0000 80040001 0000000c 02030000 7fff0000`,
  ],
  ['KE, RFC 2408 §3.7', { kind: 'KE', value: { keyExchangeData: b('0102030405') } }, '00000009 0102030405'],
  [
    'ID of an IPv4 address, RFC 2407 §4.6.2',
    { kind: 'ID', value: { idType: 1, protocolId: 17, port: 500, identificationData: b('0a420001') } },
    '0000000c 01 11 01f4 0a420001',
  ],
  [
    'ID of an IPv4 subnet',
    { kind: 'ID', value: { idType: 4, protocolId: 0, port: 0, identificationData: b('c0a81600 ffffff00') } },
    '00000010 04 00 0000 c0a81600 ffffff00',
  ],
  [
    'ID of a name',
    { kind: 'ID', value: { idType: 2, protocolId: 0, port: 0, identificationData: b('677720612e62') } },
    '0000000e 02 00 0000 677720612e62',
  ],
  [
    'CERT, RFC 2408 §3.9',
    { kind: 'CERT', value: { encoding: 4, certificateData: b('30820001ff') } },
    '0000000a 04 30820001ff',
  ],
  [
    'CERTREQ without an authority, RFC 2408 §3.10',
    { kind: 'CERTREQ', value: { certificateType: 4, authority: b('') } },
    '00000005 04',
  ],
  ['HASH, RFC 2408 §3.11', { kind: 'HASH', value: { hashData: b('a1b2c3') } }, '00000007 a1b2c3'],
  ['SIG, RFC 2408 §3.12', { kind: 'SIG', value: { signatureData: b('a1b2c3d4') } }, '00000008 a1b2c3d4'],
  [
    'NONCE of the least length, RFC 2408 §3.13',
    { kind: 'NONCE', value: { nonceData: b('0011223344556677') } },
    '0000000c 0011223344556677',
  ],
  [
    'NOTIFY R-U-THERE, RFC 3706 §5.3',
    {
      kind: 'NOTIFY',
      value: {
        doi: 1,
        protocolId: 1,
        notifyType: 36136,
        spi: b('00010203040506070809 0a0b0c0d0e0f'),
        notificationData: b('00000007'),
      },
    },
    '00000020 00000001 01 10 8d28 000102030405060708090a0b0c0d0e0f 00000007',
  ],
  [
    'NOTIFY with DOI 0 and nothing else, RFC 2408 §3.14',
    { kind: 'NOTIFY', value: { doi: 0, protocolId: 1, notifyType: 14, spi: b(''), notificationData: b('') } },
    '0000000c 00000000 01 00 000e',
  ],
  [
    'DELETE of two ESP SAs, RFC 2408 §3.15',
    { kind: 'DELETE', value: { doi: 1, protocolId: 3, spis: [b('11223344'), b('55667788')] } },
    '00000014 00000001 03 04 0002 11223344 55667788',
  ],
  [
    'DELETE of an ISAKMP SA',
    { kind: 'DELETE', value: { doi: 1, protocolId: 1, spis: [b('000102030405060708090a0b0c0d0e0f')] } },
    '0000001c 00000001 01 10 0001 000102030405060708090a0b0c0d0e0f',
  ],
  [
    'DELETE of an IPCOMP association by its two-byte CPI',
    { kind: 'DELETE', value: { doi: 1, protocolId: 4, spis: [b('1234')] } },
    '0000000e 00000001 04 02 0001 1234',
  ],
  [
    'VID of dead peer detection, RFC 3706 §5.1',
    { kind: 'VID', value: { vendorId: b('afcad71368a1f1c96b8696fc77570100') } },
    '00000014 afcad71368a1f1c96b8696fc77570100',
  ],
  [
    'ATTRIBUTE request for an address and a mask, mode config',
    {
      kind: 'ATTRIBUTE',
      value: {
        type: 1,
        identifier: 0xbeef,
        attributes: [
          { type: 1, value: b('') },
          { type: 2, value: b('ffffff00') },
        ],
      },
    },
    '00000014 01 00 beef 00010000 00020004 ffffff00',
  ],
  ['NAT-D, RFC 3947 §3.2', { kind: 'NAT_D', value: { hash: b('0102030405') }, draft: false }, '00000009 0102030405'],
  ['NAT-D of the drafts', { kind: 'NAT_D', value: { hash: b('0102030405') }, draft: true }, '00000009 0102030405'],
  [
    'NAT-OA, RFC 3947 §5.2',
    { kind: 'NAT_OA', value: { idType: 1, address: b('0a000001') }, draft: false },
    '0000000c 01 000000 0a000001',
  ],
  [
    'NAT-OA of the drafts with an IPv6 address',
    { kind: 'NAT_OA', value: { idType: 5, address: b('20010db8000000000000000000000001') }, draft: true },
    '00000018 05 000000 20010db8000000000000000000000001',
  ],
  [
    "FRAGMENT, Cisco's",
    { kind: 'FRAGMENT', value: { fragmentId: 1, fragmentNumber: 2, flags: 1, data: b('cafe') } },
    '0000000a 0001 02 01 cafe',
  ],
  ['a private payload', { kind: 'raw', type: 200, body: b('cafe') }, '00000006 cafe'],
];

const HEADER = {
  initiatorCookie: b('0102030405060708'),
  responderCookie: b('1112131415161718'),
  exchangeType: 5,
  flags: 0,
  messageId: 0,
};

/** The payload's bytes with its generic header, and its type, as the header of a message names it. */
const write = (payload: OutPayload): readonly [hex: string, type: number] => {
  const message = writeMessage(HEADER, [payload]);
  return [toHex(message.subarray(28)), message[16] ?? 0];
};

const read = (hex: string, type: number): OutPayload => {
  const bytes = fromHex(hex);
  const { payloads, end } = readPayloads(bytes, type, 0, bytes.length);
  const [payload] = payloads;
  assert.ok(payload !== undefined && payloads.length === 1 && end === bytes.length);
  assert.deepEqual([payload.start, payload.end, toHex(payload.body)], [0, bytes.length, toHex(bytes.subarray(4))]);
  return asOutPayload(payload);
};

describe('each payload', () => {
  for (const [name, payload, spaced] of CASES) {
    const hex = spaced.replaceAll(/\s/g, '');
    const [, type] = write(payload);
    it(`reads its bytes: ${name}`, () => assert.deepEqual(plain(read(hex, type)), plain(payload)));
    it(`writes its bytes: ${name}`, () => assert.equal(write(payload)[0], hex));
    it(`writes what it read: ${name}`, () => assert.equal(write(read(hex, type))[0], hex));
    it(`reads what it wrote: ${name}`, () => assert.deepEqual(plain(read(write(payload)[0], type)), plain(payload)));
    it(`writes its body alone: ${name}`, () => assert.equal(toHex(writeBody(payload)), hex.slice(8)));
  }

  it('of every kind has a case here', () => {
    const kinds = new Set<string>(CASES.map(([, payload]) => payload.kind));
    assert.deepEqual(
      KINDS.filter((kind) => !kinds.has(kind)),
      [],
    );
  });

  it('goes under the number its standard gives it', () => {
    const numbers = CASES.map(([, payload]) => write(payload)[1]);
    assert.deepEqual([...new Set(numbers)], [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 130, 21, 131, 132, 200]);
  });
});

describe('a payload that cannot be', () => {
  const refused = (payload: OutPayload): void => assert.throws(() => write(payload), InvariantError);

  it('is not written: more than 65531 bytes', () =>
    refused({ kind: 'VID', value: { vendorId: new Uint8Array(65532) } }));

  it('is not written: an SPI of 256 bytes', () =>
    refused({
      kind: 'NOTIFY',
      value: { doi: 1, protocolId: 1, notifyType: 1, spi: new Uint8Array(256), notificationData: b('') },
    }));

  it('is not written: a basic attribute above 65535', () =>
    refused({ kind: 'ATTRIBUTE', value: { type: 1, identifier: 1, attributes: [{ type: 12, value: 65536 }] } }));

  it('is not written: an attribute type that would set the AF bit', () =>
    refused({ kind: 'ATTRIBUTE', value: { type: 1, identifier: 1, attributes: [{ type: 0x8001, value: b('') }] } }));

  it('is not written: DELETE with SPIs of several sizes', () =>
    refused({ kind: 'DELETE', value: { doi: 1, protocolId: 4, spis: [b('1234'), b('12345678')] } }));

  it('is not written: DELETE of ESP with an SPI of 16 bytes', () =>
    refused({ kind: 'DELETE', value: { doi: 1, protocolId: 3, spis: [new Uint8Array(16)] } }));

  it('leaves nothing behind in the next message', () => {
    refused({ kind: 'DELETE', value: { doi: 1, protocolId: 4, spis: [b('1234'), b('12345678')] } });
    assert.equal(write({ kind: 'HASH', value: { hashData: b('01') } })[0], '0000000501');
  });
});

describe('attributeNumber', () => {
  const cases: readonly (readonly [value: number | Uint8Array, number: number | undefined])[] = [
    [7, 7],
    [b('00015180'), 86400],
    [b('ff'), 255],
    [b('ffffffffffff'), 281474976710655],
    [b('00000000000001'), undefined],
    [b(''), undefined],
  ];
  for (const [value, number] of cases) {
    it(`reads ${typeof value === 'number' ? value : `0x${toHex(value)}`} as ${number}`, () =>
      assert.equal(attributeNumber({ type: 12, value }), number));
  }
});

describe('durationAttribute', () => {
  it('is basic up to 65535', () => assert.deepEqual(durationAttribute(12, 65535), { type: 12, value: 65535 }));
  it('is a variable attribute of four bytes above', () =>
    assert.deepEqual(durationAttribute(12, 86400), { type: 12, value: b('00015180') }));
  it('reads back as the number it was made of', () =>
    assert.equal(attributeNumber(durationAttribute(2, 4294967295)), 4294967295));
  it('refuses what four bytes cannot hold', () => assert.throws(() => durationAttribute(2, 2 ** 32), InvariantError));
});
