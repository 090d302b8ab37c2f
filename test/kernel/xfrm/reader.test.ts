import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Draft } from '../../../src/kernel/xfrm/draft.ts';
import { Attribute, MessageFlag, MessageType, Size } from '../../../src/kernel/xfrm/layout.ts';
import { readPolicy } from '../../../src/kernel/xfrm/policy-messages.ts';
import { Fields, readAttributes, readDatagram, readVerdict } from '../../../src/kernel/xfrm/reader.ts';
import { copySa, readSa } from '../../../src/kernel/xfrm/sa-state.ts';
import { readAcquire, readExpire, readMapping } from '../../../src/kernel/xfrm/upcall-messages.ts';
import { answerTo, broadcasts, NEEDS_VECTORS } from '../../helpers/xfrm-vectors.ts';

const READERS = [readSa, readPolicy, readAcquire, readExpire, readMapping];

/** A message of one attribute, without sequence number. */
const message = (type: number, flags: number, body: Uint8Array): Uint8Array => {
  const draft = new Draft(type, flags, body.length);
  draft.raw(0, body);
  return draft.finish().slice();
};

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const everythingOf = (bytes: Uint8Array): void => {
  for (const found of readDatagram(bytes).messages) {
    readVerdict(found);
    for (const read of READERS) read(found.payload);
    copySa(found.payload)?.forget();
  }
};

describe('The reader of netlink datagrams', () => {
  it('finds several messages in one, padded to four bytes', () => {
    const first = message(MessageType.NEWSA, MessageFlag.MULTI, Uint8Array.of(1));
    const second = message(MessageType.DONE, MessageFlag.MULTI, new Uint8Array(4));
    const { messages, isWhole } = readDatagram(joined(first, new Uint8Array(3), second));
    assert.deepEqual([messages.map(({ type }) => type), isWhole], [[MessageType.NEWSA, MessageType.DONE], true]);
    assert.deepEqual([...(messages[0]?.payload.bytes ?? [])], [1]);
  });

  it('says so where the last message is cut, or has a length that cannot be', () => {
    const whole = message(MessageType.NEWSA, 0, new Uint8Array(20));
    const cut = joined(whole, whole.subarray(0, 30));
    assert.deepEqual([readDatagram(cut).messages.length, readDatagram(cut).isWhole], [1, false]);
    const short = whole.slice();
    short[0] = 15;
    assert.deepEqual(readDatagram(short), { messages: [], isWhole: false });
    assert.equal(readDatagram(whole.subarray(0, 7)).isWhole, false);
  });

  it('refuses attributes that reach beyond their message', () => {
    const attribute = (length: number): Fields => new Fields(Uint8Array.of(length, 0, 5, 0, 9, 9));
    assert.deepEqual([...(readAttributes(attribute(6), 0)?.get(5)?.bytes ?? [])], [9, 9]);
    assert.equal(readAttributes(attribute(7), 0), undefined);
    assert.equal(readAttributes(attribute(3), 0), undefined);
  });

  it('reads the text of an error, whether or not the refused message is repeated', () => {
    const text = joined(Uint8Array.of(13, 0, 1, 0), Buffer.from('no\u0001 type\0'), new Uint8Array(3));
    const refused = message(MessageType.NEWSA, 0, new Uint8Array(8));
    const code = Uint8Array.of(0xa3, 0xff, 0xff, 0xff);
    const verdict = (flags: number, repeated: Uint8Array) => {
      const [found] = readDatagram(message(MessageType.ERROR, flags, joined(code, repeated, text))).messages;
      return found === undefined ? undefined : readVerdict(found);
    };
    const capped = MessageFlag.ACK_TLVS | MessageFlag.CAPPED;
    assert.deepEqual(verdict(capped, refused.subarray(0, Size.HEADER)), { errno: 93, text: 'no type' });
    assert.deepEqual(verdict(MessageFlag.ACK_TLVS, refused), { errno: 93, text: 'no type' });
    assert.deepEqual(verdict(0, refused), { errno: 93, text: '' });
  });

  it('makes something or nothing of any bytes, and never throws', () => {
    const type = fc.constantFrom(...Object.values(MessageType));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), everythingOf));
    fc.assert(
      fc.property(type, fc.nat(0xffff), fc.uint8Array({ maxLength: 600 }), (number, flags, body) =>
        everythingOf(message(number, flags, body)),
      ),
    );
  });

  it('makes something or nothing of every changed or cut message of a real kernel', NEEDS_VECTORS, () => {
    const real = [
      answerTo('state get'),
      answerTo('state allocspi'),
      ...[MessageType.ACQUIRE, MessageType.EXPIRE, MessageType.MAPPING, MessageType.NEWPOLICY].flatMap(broadcasts),
    ];
    assert.ok(real.length >= 7);
    for (const bytes of real) {
      for (let at = 0; at < bytes.length; at++) {
        everythingOf(bytes.slice(0, at));
        for (const value of [0, 0xff, (bytes[at] ?? 0) ^ 1]) {
          const changed = bytes.slice();
          changed[at] = value;
          everythingOf(changed);
        }
      }
    }
  });

  it('reads back the attributes that were written', () => {
    const attributes = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0x3fff }), fc.uint8Array({ maxLength: 40 })), {
      selector: ([type]) => type,
      maxLength: 20,
    });
    fc.assert(
      fc.property(attributes, (wanted) => {
        const draft = new Draft(MessageType.NEWSA, 0, Size.SA);
        for (const [type, value] of wanted) {
          draft.attribute(type, value.length);
          draft.raw(0, value);
        }
        const [found] = readDatagram(draft.finish()).messages;
        const read = found === undefined ? undefined : readAttributes(found.payload, Size.SA);
        assert.deepEqual(
          [...(read ?? [])].map(([type, { bytes }]) => [type, [...bytes]]),
          wanted.map(([type, value]) => [type, [...value]]),
        );
      }),
    );
  });

  it('takes usage from where newer kernels tell the last use', () => {
    const draft = new Draft(MessageType.NEWSA, 0, Size.SA);
    draft.u16(212, 2);
    draft.u8(76, 50);
    draft.u64(184, 5n);
    draft.attribute(Attribute.LASTUSED, 8);
    draft.u64(0, 77n);
    const [found] = readDatagram(draft.finish()).messages;
    assert.equal(found === undefined ? undefined : readSa(found.payload)?.usage.usedAt, 77);
  });
});
