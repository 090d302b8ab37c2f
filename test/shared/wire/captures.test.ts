/** Real traffic: every datagram of the foreign captures is read as their decode says and written back byte for byte. */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { NotifyType } from '../../../src/shared/constants/isakmp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import {
  HEADER_SIZE,
  type Header,
  readHeader,
  readPayloads,
  withEncryptedBody,
  writeMessage,
} from '../../../src/shared/wire/message.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { asOutPayload, fromHex, toHex } from '../../helpers/wire-bytes.ts';
import { type Capture, type CapturedPacket, captures, pcapDatagrams } from '../../helpers/wire-captures.ts';

const ABSENT = 'shared/vectors is absent';
/** NAT-D of drafts 4 to 8, which two old Ciscos agreed on between them. We never offer those drafts, and refuse the number. */
const NAT_D_OF_OLD_DRAFTS = 15;

const CIPHERS: Readonly<Record<string, string>> = { '3DES-CBC': 'des-ede3-cbc', 'AES-256-CBC': 'aes-256-cbc' };

/** The message without its padding, read and written again. */
const rewritten = (
  header: Header,
  bytes: Uint8Array,
): { readonly message: Uint8Array; readonly padding: Uint8Array } => {
  const { payloads, end } = readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length);
  return { message: writeMessage(header, payloads.map(asOutPayload)), padding: bytes.subarray(end, header.length) };
};

/** What was written with `padding` behind it, as one whole message. */
const padded = (message: Uint8Array, padding: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(message.length + padding.length);
  whole.set(message);
  whole.set(padding, message.length);
  new DataView(whole.buffer).setUint32(24, whole.length);
  return whole;
};

const checkHeader = (header: Header, { header: expected }: CapturedPacket): void =>
  assert.deepEqual(header, {
    initiatorCookie: fromHex(expected.icookie),
    responderCookie: fromHex(expected.rcookie),
    nextPayload: expected.nextPayload,
    majorVersion: expected.version >> 4,
    minorVersion: expected.version & 0x0f,
    exchangeType: expected.exchange,
    flags: expected.flags,
    messageId: Number.parseInt(expected.messageId, 16),
    length: expected.length,
  });

const checkPayloads = (header: Header, bytes: Uint8Array, packet: CapturedPacket): void => {
  const { payloads } = readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length);
  assert.deepEqual(
    payloads.map(({ type, start, end, body }) => ({ type, length: end - start, bodyHex: toHex(body) })),
    packet.payloads?.map(({ type, length, bodyHex }) => ({ type, length, bodyHex })),
  );
};

const checkClear = (header: Header, bytes: Uint8Array, packet: CapturedPacket): 'clear' | 'refused' => {
  if (packet.payloads?.some(({ type }) => type === NAT_D_OF_OLD_DRAFTS)) {
    assert.throws(
      () => readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length),
      (error) => error instanceof ProtocolError && error.notify === NotifyType.INVALID_PAYLOAD_TYPE,
    );
    return 'refused';
  }
  checkPayloads(header, bytes, packet);
  const { message, padding } = rewritten(header, bytes);
  assert.equal(toHex(padded(message, padding)), packet.udpPayload);
  return 'clear';
};

const checkKeyed = (header: Header, datagram: Uint8Array, packet: CapturedPacket, [key]: Capture['keys']): void => {
  const cipher = CIPHERS[key?.cipher ?? ''];
  assert.ok(key !== undefined && cipher !== undefined && packet.iv !== undefined);
  const secret = fromHex(key.encryptionKey);
  const iv = fromHex(packet.iv);
  const opening = createDecipheriv(cipher, secret, iv).setAutoPadding(false);
  const clear = fromHex(toHex(datagram));
  clear.set(Buffer.concat([opening.update(datagram.subarray(HEADER_SIZE)), opening.final()]), HEADER_SIZE);
  checkPayloads(header, clear, packet);
  const { message, padding } = rewritten(header, clear);
  assert.equal(toHex(padding), packet.padding);
  assert.equal(toHex(message.subarray(HEADER_SIZE)) + toHex(padding), packet.plaintext);
  const whole = padded(message, padding);
  const closing = createCipheriv(cipher, secret, iv).setAutoPadding(false);
  const body = Buffer.concat([closing.update(whole.subarray(HEADER_SIZE)), closing.final()]);
  assert.equal(toHex(withEncryptedBody(whole, body)), packet.udpPayload);
};

/** Checks one datagram as far as it can be opened, and says how far that was. */
const checkPacket = (packet: CapturedPacket, keys: Capture['keys']): 'clear' | 'refused' | 'keyed' | 'sealed' => {
  const datagram = fromHex(packet.udpPayload);
  const header = readHeader(datagram);
  checkHeader(header, packet);
  if (packet.plaintext !== undefined) {
    checkKeyed(header, datagram, packet, keys);
    return 'keyed';
  }
  if (header.flags & 1) return 'sealed';
  return checkClear(header, datagram, packet);
};

describe('foreign captures', () => {
  const folder = sharedPath('vectors', 'captures');

  it('are read as their decode says and written back byte for byte', (t) => {
    if (folder === undefined) return t.skip(ABSENT);
    const counts = { clear: 0, refused: 0, keyed: 0, sealed: 0 };
    for (const { name, keys, packets } of captures(folder)) {
      for (const packet of packets) {
        try {
          counts[checkPacket(packet, keys)] += 1;
        } catch (error) {
          t.diagnostic(`${name} frame ${packet.frame}`);
          throw error;
        }
      }
    }
    const { clear, refused, keyed, sealed } = counts;
    t.diagnostic(
      `${clear} in clear, ${keyed} decrypted and encrypted again, ${sealed} headers only, ${refused} refused`,
    );
    assert.ok(clear >= 16 && keyed >= 13 && sealed >= 14 && refused === 2);
  });

  it('of the isakmpd of 1999 are written back byte for byte', (t) => {
    if (folder === undefined) return t.skip(ABSENT);
    const capture: { readonly messages: readonly { readonly hex: string }[] } = JSON.parse(
      readFileSync(`${folder}/isakmpd-1999-main-mode.json`, 'utf8'),
    );
    const clear = capture.messages
      .map(({ hex }) => fromHex(hex))
      .filter((bytes) => (readHeader(bytes).flags & 1) === 0);
    for (const bytes of clear) assert.equal(toHex(rewritten(readHeader(bytes), bytes).message), toHex(bytes));
    assert.deepEqual([capture.messages.length, clear.length], [6, 4]);
  });
});

describe('messages recorded from the original isakmpd', () => {
  for (const side of ['left', 'right']) {
    it(`are written back byte for byte with their zero padding: ${side}`, (t) => {
      const path = sharedPath('vectors', 'isakmpd-output', 'pair', side, 'isakmpd.pcap');
      if (path === undefined) return t.skip(ABSENT);
      const datagrams = pcapDatagrams(path);
      for (const bytes of datagrams) {
        const { message, padding } = rewritten(readHeader(bytes), bytes);
        assert.match(toHex(padding), /^0{0,30}$/);
        assert.equal(toHex(padded(message, padding)), toHex(bytes));
      }
      t.diagnostic(`${datagrams.length} messages`);
      assert.ok(datagrams.length >= 9);
    });
  }
});
