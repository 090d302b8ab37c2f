/** Header, whole messages, padding, the encrypted body, and the log line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotifyType } from '../../../src/shared/constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../../../src/shared/errors.ts';
import { cursor, Sink, take } from '../../../src/shared/wire/cursor.ts';
import {
  describeMessage,
  HEADER_SIZE,
  padToBlock,
  readHeader,
  readPayloads,
  withEncryptedBody,
  writeBody,
  writeMessage,
} from '../../../src/shared/wire/message.ts';
import { fromHex, toHex } from '../../helpers/wire-bytes.ts';

const HEADER = {
  initiatorCookie: fromHex('0102030405060708'),
  responderCookie: fromHex('1112131415161718'),
  exchangeType: 2,
  flags: 0,
  messageId: 0xdeadbeef,
};
const VID = { kind: 'VID', value: { vendorId: fromHex('cafe') } } as const;
const HASH = { kind: 'HASH', value: { hashData: fromHex('ab') } } as const;
const MESSAGE = '0102030405060708 1112131415161718 08100200 deadbeef 00000027 0d000005ab 00000006cafe';

/** A header that announces `length`, in a datagram of `size` bytes. */
const datagram = (length: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(Math.max(size, HEADER_SIZE));
  new DataView(bytes.buffer).setUint32(24, length);
  return bytes.slice(0, size);
};

const unequal = (bytes: Uint8Array): void =>
  assert.throws(
    () => readHeader(bytes),
    (error) => error instanceof ProtocolError && error.notify === NotifyType.UNEQUAL_PAYLOAD_LENGTHS,
  );

describe('readHeader, RFC 2408 §3.1', () => {
  it('reads every field', () => {
    const header = readHeader(fromHex('0102030405060708 1112131415161718 08 23 20 05 deadbeef 0000001c'));
    assert.deepEqual(header, {
      initiatorCookie: fromHex('0102030405060708'),
      responderCookie: fromHex('1112131415161718'),
      nextPayload: 8,
      majorVersion: 2,
      minorVersion: 3,
      exchangeType: 32,
      flags: 5,
      messageId: 0xdeadbeef,
      length: 28,
    });
  });
  it('hands out cookies as views of the datagram', () => {
    const bytes = fromHex(MESSAGE);
    assert.equal(readHeader(bytes).initiatorCookie.buffer, bytes.buffer);
  });
  it('reads a datagram that lies inside a larger buffer', () => {
    const bytes = fromHex(`ffff${MESSAGE}ffff`).subarray(2, 41);
    assert.equal(readHeader(bytes).messageId, 0xdeadbeef);
  });
  it('CVE-2013-4564: refuses every datagram below 28 bytes', () => {
    for (let size = 0; size < HEADER_SIZE; size++) unequal(datagram(28, size));
  });
  it('refuses a length below 28', () => unequal(datagram(27, 40)));
  it('refuses a length of 0 (tcpdump isakmp-pointer-loop)', () => unequal(datagram(0, 30)));
  it('CVE-2004-0403: refuses a length beyond the datagram', () => unequal(datagram(41, 40)));
  it('CVE-2004-0403: refuses a length of 4 GiB', () => unequal(datagram(0xffffffff, 40)));
  it('refuses a length above 65535', () => unequal(datagram(65536, 65536)));
  it('takes a length of 65535', () => assert.equal(readHeader(datagram(65535, 65535)).length, 65535));
  it('takes 16 zero bytes after the message', () => assert.equal(readHeader(datagram(28, 44)).length, 28));
  it('refuses 17 zero bytes after the message', () => unequal(datagram(28, 45)));
  it('refuses another byte after the message', () => {
    const bytes = datagram(28, 30);
    bytes[29] = 1;
    unequal(bytes);
  });
});

describe('writeMessage', () => {
  it('derives version, next payloads and lengths', () =>
    assert.equal(toHex(writeMessage(HEADER, [HASH, VID])), toHex(fromHex(MESSAGE))));
  it('writes a message without payloads', () => {
    const message = writeMessage(HEADER, []);
    assert.deepEqual([message.length, message[16]], [28, 0]);
  });
  it('answers a copy that later messages leave alone', () => {
    const message = writeMessage(HEADER, [HASH, VID]);
    writeMessage({ ...HEADER, messageId: 1 }, [VID]);
    assert.equal(toHex(message), toHex(fromHex(MESSAGE)));
  });
  it('refuses a message above 65535 bytes', () => {
    const half = { kind: 'VID', value: { vendorId: new Uint8Array(40000) } } as const;
    assert.throws(() => writeMessage(HEADER, [half, half]), InvariantError);
  });
  it('refuses a cookie that is not 8 bytes', () =>
    assert.throws(() => writeMessage({ ...HEADER, responderCookie: new Uint8Array(0) }, []), InvariantError));
  it('refuses a message id that does not fit', () =>
    assert.throws(() => writeMessage({ ...HEADER, messageId: -1 }, []), InvariantError));
});

describe('writeBody', () => {
  it('refuses what no payload could hold', () =>
    assert.throws(() => writeBody({ kind: 'VID', value: { vendorId: new Uint8Array(65532) } }), InvariantError));
});

describe('readPayloads', () => {
  it('says where each payload lies and where the chain ends', () => {
    const bytes = fromHex(`${MESSAGE} 000000`);
    const { payloads, end } = readPayloads(bytes, 8, HEADER_SIZE, bytes.length);
    assert.deepEqual(
      payloads.map((payload) => [payload.kind, payload.start, payload.end, toHex(payload.body)]),
      [
        ['HASH', 28, 33, 'ab'],
        ['VID', 33, 39, 'cafe'],
      ],
    );
    assert.equal(end, 39);
  });
  it('never looks beyond the end it is given', () => {
    const bytes = fromHex(MESSAGE);
    assert.throws(() => readPayloads(bytes, 8, HEADER_SIZE, 38), ProtocolError);
  });
  it('hands out views, not copies', () => {
    const bytes = fromHex(MESSAGE);
    const [hash] = readPayloads(bytes, 8, HEADER_SIZE, bytes.length).payloads;
    assert.ok(hash?.kind === 'HASH');
    assert.equal(hash.value.hashData.buffer, bytes.buffer);
  });
  it('calls an impossible range our own fault', () =>
    assert.throws(() => readPayloads(fromHex(MESSAGE), 8, HEADER_SIZE, 40), InvariantError));
});

describe('padToBlock', () => {
  it('fills the body with zeros up to whole blocks and counts them in the header', () => {
    const padded = padToBlock(fromHex(MESSAGE), 16);
    assert.equal(toHex(padded.subarray(28)), '0d000005ab00000006cafe0000000000');
    assert.equal(readHeader(padded).length, 44);
  });
  it('leaves whole blocks as they are', () => {
    const whole = padToBlock(fromHex(MESSAGE), 8);
    assert.equal(padToBlock(whole, 16), whole);
    assert.equal(padToBlock(fromHex(MESSAGE), 11).length, 39);
  });
  it('leaves the message it was given alone', () => {
    const message = fromHex(MESSAGE);
    padToBlock(message, 16);
    assert.equal(toHex(message), toHex(fromHex(MESSAGE)));
  });
  it('refuses to grow a message beyond 65535 bytes', () =>
    assert.throws(() => padToBlock(new Uint8Array(65535), 16), InvariantError));
});

describe('withEncryptedBody', () => {
  it('sets the encryption flag beside the others and replaces the body', () => {
    const message = writeMessage({ ...HEADER, flags: 2 }, [HASH, VID]);
    const encrypted = withEncryptedBody(message, fromHex('ffeeddccbbaa99887766 55'));
    assert.equal(readHeader(encrypted).flags, 3);
    assert.equal(toHex(encrypted.subarray(28)), 'ffeeddccbbaa9988776655');
    assert.equal(toHex(encrypted.subarray(0, 19)), toHex(message.subarray(0, 19)));
    assert.equal(readHeader(message).flags, 2);
  });
  it('refuses a body of another length', () =>
    assert.throws(() => withEncryptedBody(fromHex(MESSAGE), new Uint8Array(16)), InvariantError));
});

describe('describeMessage', () => {
  const line = (hex: string): string => {
    const bytes = fromHex(hex);
    const header = readHeader(bytes);
    return describeMessage(header, readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length).payloads);
  };
  it('is one line of exchange, cookies, message id and payload names', () =>
    assert.equal(line(MESSAGE), 'ID_PROT 0102030405060708:1112131415161718 msgid deadbeef HASH VID'));
  it('CVE-2015-3204: prints unknown numbers as numbers', () =>
    assert.equal(
      line('0000000000000000 0000000000000000 c8fff3ff 00000001 00000020 00000004'),
      '243 0000000000000000:0000000000000000 msgid 00000001 200',
    ));
  it('CVE-2020-1763, CVE-2022-23094: needs no payloads and no state', () =>
    assert.equal(
      describeMessage(readHeader(datagram(28, 28)), []),
      'NONE 0000000000000000:0000000000000000 msgid 00000000',
    ));
  it('repeats none of the text a peer sent', () => {
    const text = '\n\u001b[31m\u202eevil';
    const id = { idType: 2, protocolId: 0, port: 0, identificationData: new Uint8Array(Buffer.from(text)) };
    const message = writeMessage(HEADER, [
      { kind: 'ID', value: id },
      { kind: 'VID', value: { vendorId: new Uint8Array(Buffer.from(text)) } },
    ]);
    assert.match(line(toHex(message)), /^[ -~]*msgid deadbeef ID VID$/);
  });
});

describe('take', () => {
  it('refuses to run past the end of the enclosing payload', () => {
    const c = cursor(new Uint8Array(8));
    c.end = 4;
    assert.equal(take(c, 4), 0);
    assert.throws(() => take(c, 1), ProtocolError);
    assert.equal(c.offset, 4);
  });
  it('refuses a negative size', () => assert.throws(() => take(cursor(new Uint8Array(8)), -1), ProtocolError));
});

describe('Sink', () => {
  it('grows with what is written', () => {
    const sink = new Sink();
    for (let i = 0; i < 3000; i++) sink.u16(i);
    const bytes = sink.finish();
    assert.equal(bytes.length, 6000);
    assert.deepEqual([bytes[0], bytes[1], bytes[5998], bytes[5999]], [0, 0, 0x0b, 0xb7]);
  });
  it('starts anew after finish', () => {
    const sink = new Sink();
    sink.u32(0xffffffff);
    sink.finish();
    sink.u8(1);
    assert.equal(toHex(sink.finish()), '01');
  });
  it('refuses numbers that do not fit', () => {
    const sink = new Sink();
    for (const write of [() => sink.u8(256), () => sink.u16(-1), () => sink.u32(2 ** 32), () => sink.u8(0.5)]) {
      assert.throws(write, InvariantError);
    }
    assert.equal(sink.length, 0);
  });
});
