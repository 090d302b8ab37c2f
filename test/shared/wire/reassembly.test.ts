/** Messages in IKE fragments: cut, put together in any order, and what is not put together (threats: fragmentation). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ExchangeType, NotifyType, PayloadType } from '../../../src/shared/constants/isakmp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import { type Fragment, fragmentsOf, readFragment } from '../../../src/shared/wire/fragments.ts';
import { readHeader, writeMessage } from '../../../src/shared/wire/message.ts';
import {
  LARGEST_MESSAGE,
  MOST_FRAGMENTS,
  MOST_OF_ALL,
  MOST_OF_ONE_ADDRESS,
  REASSEMBLY_TIME,
  Reassembly,
} from '../../../src/shared/wire/reassembly.ts';
import { fromHex, toHex } from '../../helpers/wire-bytes.ts';

const header = {
  initiatorCookie: fromHex('0011223344556677'),
  responderCookie: fromHex('8899aabbccddeeff'),
  exchangeType: ExchangeType.QUICK_MODE,
  flags: 1,
  messageId: 0x01020304,
};

/** A message of so many bytes. */
const messageOf = (size: number, fill = 7): Uint8Array =>
  writeMessage(header, [{ kind: 'VID', value: { vendorId: new Uint8Array(size - 32).map((_, i) => i * fill) } }]);

const read = (datagram: Uint8Array): Fragment => readFragment(datagram, readHeader(datagram));
const cut = (message: Uint8Array, largest = 228): readonly Fragment[] =>
  fragmentsOf(message, largest, ExchangeType.ID_PROT).map(read);

const part = (number: number, isLast: boolean, size = 10, id = 1): Fragment => ({
  id,
  number,
  isLast,
  data: new Uint8Array(size).fill(number),
});

describe('fragments of a message', () => {
  it('have the layout that [MS-IKEE] 2.2.3.1 gives: id, number, flags, data, and the whole message with its header in them', () => {
    const message = messageOf(80);
    const [first, second, ...more] = fragmentsOf(message, 36 + 40, ExchangeType.ID_PROT).map(toHex);
    assert.deepEqual(more, []);
    const cookies = '00112233445566778899aabbccddeeff';
    const id = first?.slice(64, 68) ?? '';
    const text = toHex(message);
    assert.equal(first, `${cookies}84100200000000000000004c00000030${id}0100${text.slice(0, 80)}`);
    assert.equal(second, `${cookies}84100200000000000000004c00000030${id}0201${text.slice(80)}`);
    assert.notEqual(id, '0000');
  });

  it('are the same when the message is sent again, and have another id for another message', () => {
    assert.deepEqual(cut(messageOf(900)), cut(messageOf(900)));
    assert.notEqual(cut(messageOf(900))[0]?.id, cut(messageOf(900, 3))[0]?.id);
  });

  it('are none where the message fits, or would need more than can be numbered', () => {
    const fits = messageOf(228);
    assert.deepEqual(fragmentsOf(fits, 228, ExchangeType.ID_PROT), [fits]);
    const tooLong = messageOf(65_000);
    assert.deepEqual(fragmentsOf(tooLong, 228, ExchangeType.ID_PROT), [tooLong]);
  });

  it('come together in any order, with duplicates, mixed with those of another message', () => {
    const size = fc.integer({ min: 229, max: 4_000 });
    const run = fc.property(
      size,
      size,
      fc.integer({ min: 100, max: 1_400 }),
      fc.infiniteStream(fc.nat()),
      (a, b, largest, order) => {
        const messages = [messageOf(a, 3), messageOf(b, 5)];
        const pieces = messages.flatMap((message) =>
          message.length > largest ? [...cut(message, largest), ...cut(message, largest)] : [],
        );
        const shuffled = pieces.map((piece) => ({ piece, at: order.next().value })).sort((x, y) => x.at - y.at);
        const reassembly = new Reassembly<object>();
        const owner = {};
        const whole: Uint8Array[] = [];
        for (const { piece } of shuffled) {
          const outcome = reassembly.add(owner, '192.0.2.1', piece, 0);
          assert.notEqual(outcome.kind, 'refused');
          if (outcome.kind === 'whole') whole.push(outcome.message);
        }
        for (const message of messages.filter(({ length }) => length > largest)) {
          assert.ok(whole.some((one) => Buffer.compare(one, message) === 0));
        }
        for (const one of whole) assert.ok(messages.some((message) => Buffer.compare(one, message) === 0));
      },
    );
    // Two messages may have one id by chance: one pair in 65536.
    fc.assert(run, { numRuns: 200, seed: 5 });
  });

  it('of any other bytes are read or refused with a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (body) => {
        const datagram = writeMessage({ ...header, flags: 0 }, [{ kind: 'raw', type: PayloadType.FRAGMENT, body }]);
        try {
          const { number, data } = read(datagram);
          assert.ok(number > 0 && data.length === body.length - 4);
        } catch (fault) {
          assert.ok(fault instanceof ProtocolError);
        }
      }),
    );
  });
});

describe('a fragment is refused', () => {
  const refused: readonly (readonly [string, string, NotifyType])[] = [
    ['CVE-2016-1287: with a length below that of its own header', '0000000700010101', NotifyType.PAYLOAD_MALFORMED],
    ['CVE-2016-1287: with a length below that of any header', '0000000100010101', NotifyType.UNEQUAL_PAYLOAD_LENGTHS],
    ['CVE-2009-1574: without data', '0000000800010101', NotifyType.PAYLOAD_MALFORMED],
    ['with number 0', '0000000900010001ff', NotifyType.PAYLOAD_MALFORMED],
    ['that says more than there is', '0000000a00010101ff', NotifyType.UNEQUAL_PAYLOAD_LENGTHS],
    ['with bytes after it', '0000000900010101ffff', NotifyType.PAYLOAD_MALFORMED],
    ['with another payload after it', '0d00000900010101ff00000004', NotifyType.PAYLOAD_MALFORMED],
  ];
  for (const [name, body, notify] of refused) {
    it(name, () => {
      const bytes = fromHex(
        `00112233445566778899aabbccddeeff8410020000000000000000${(28 + body.length / 2).toString(16)}${body}`,
      );
      assert.throws(
        () => read(bytes),
        (fault) => fault instanceof ProtocolError && fault.notify === notify,
      );
    });
  }
});

describe('reassembly', () => {
  const owner = {};
  const add = (reassembly: Reassembly<object>, fragment: Fragment, now = 0) =>
    reassembly.add(owner, '192.0.2.1', fragment, now).kind;

  it('gives up a message that contradicts itself: a fragment after the last, a second last, a last before others', () => {
    for (const [first, second] of [
      [part(2, true), part(3, false)],
      [part(2, true), part(3, true)],
      [part(3, true), part(2, true)],
      [part(3, false), part(2, true)],
    ] as const) {
      const reassembly = new Reassembly<object>();
      assert.equal(add(reassembly, first), 'incomplete');
      assert.equal(add(reassembly, second), 'refused');
      assert.equal(reassembly.size, 0);
    }
  });

  it('begins the next message where a peer has one id for all of them and a remainder of the last one is there', () => {
    const reassembly = new Reassembly<object>();
    add(reassembly, part(1, false));
    const next = { ...part(1, false), data: new Uint8Array(10).fill(99) };
    assert.equal(add(reassembly, next), 'incomplete');
    const outcome = reassembly.add(owner, '192.0.2.1', part(2, true), 0);
    assert.deepEqual(outcome, { kind: 'whole', message: Uint8Array.from([...next.data, ...part(2, true).data]) });
  });

  it('CVE-2009-1574: bounds the fragments and the bytes of a message, and what is refused leaves nothing', () => {
    const many = new Reassembly<object>();
    for (let number = 1; number <= MOST_FRAGMENTS; number++) assert.equal(add(many, part(number, false)), 'incomplete');
    assert.equal(add(many, part(MOST_FRAGMENTS + 1, true)), 'refused');
    const large = new Reassembly<object>();
    assert.equal(add(large, part(1, false, LARGEST_MESSAGE)), 'incomplete');
    assert.equal(add(large, part(1, false, LARGEST_MESSAGE)), 'incomplete', 'the same again counts once');
    assert.equal(add(large, part(2, true, 1)), 'refused');
    assert.deepEqual([many.size, large.size], [0, 0]);
  });

  it('bounds the messages of one SA: the oldest goes', () => {
    const reassembly = new Reassembly<object>();
    for (let id = 1; id <= 100; id++) add(reassembly, part(1, false, 10, id));
    assert.equal(reassembly.size, 2);
    assert.equal(add(reassembly, part(2, true, 10, 100)), 'whole');
    assert.equal(add(reassembly, part(2, true, 10, 1)), 'incomplete');
  });

  it('bounds what one address may keep, over however many SAs, and leaves the others alone', () => {
    const reassembly = new Reassembly<object>();
    add(reassembly, part(1, false));
    const others = Array.from({ length: 1_000 }, () => ({}));
    for (const one of others) reassembly.add(one, '198.51.100.1', part(1, false, 1_000), 0);
    assert.equal(reassembly.size, 1 + Math.floor(MOST_OF_ONE_ADDRESS / (1_000 + 256)));
    assert.equal(add(reassembly, part(2, true)), 'whole');
    assert.equal(reassembly.add(others.at(-1) ?? assert.fail(), '198.51.100.1', part(2, true), 0).kind, 'whole');
  });

  it('bounds what all may keep: the oldest go, never the one that grows', () => {
    const reassembly = new Reassembly<object>();
    add(reassembly, part(1, false));
    for (let i = 0; i < 1_000; i++) reassembly.add({}, `2001:db8::${i.toString(16)}`, part(1, false, 10_000), 0);
    assert.equal(reassembly.size, Math.floor(MOST_OF_ALL / 10_256));
    assert.equal(add(reassembly, part(2, true)), 'incomplete', 'its first fragment had to go');
  });

  it('forgets what waits for too long, and what its owner leaves', () => {
    const reassembly = new Reassembly<object>();
    add(reassembly, part(1, false, 10, 1), 0);
    add(reassembly, part(1, false, 10, 2), 5_000);
    assert.equal(reassembly.expire(owner, REASSEMBLY_TIME - 1), REASSEMBLY_TIME);
    assert.equal(reassembly.expire(owner, REASSEMBLY_TIME), 5_000 + REASSEMBLY_TIME);
    assert.equal(reassembly.size, 1);
    assert.equal(reassembly.expire(owner, 5_000 + REASSEMBLY_TIME), undefined);
    add(reassembly, part(1, false));
    reassembly.forget(owner);
    assert.equal(reassembly.size, 0);
  });

  it('CVE-2016-10396: a fragment costs the same whatever is there already', () => {
    const accesses = (fragments: number): number => {
      let count = 0;
      const counted = (number: number): Fragment => {
        const { id, isLast, data } = part(number, false);
        return {
          id,
          number,
          isLast,
          get data() {
            count++;
            return data;
          },
        };
      };
      const reassembly = new Reassembly<object>();
      for (let number = fragments; number > 0; number--) add(reassembly, counted(number));
      return count;
    };
    assert.equal(accesses(60), 60 * accesses(1));
  });
});
