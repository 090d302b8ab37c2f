import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Extension } from '../../../src/kernel/pfkey/extension.ts';
import { buildMessage, type Message, parseMessage } from '../../../src/kernel/pfkey/message.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

interface Recorded {
  readonly name: string;
  readonly hex: string;
}

const referencePath = sharedPath('vectors', 'pfkey', 'reference-run.json');
const linuxPath = sharedPath('vectors', 'pfkey', 'linux-6.1.json');

const referenceRun = (path: string): readonly Recorded[] => JSON.parse(readFileSync(path, 'utf8'));

const linuxMessages = (path: string): readonly Recorded[] => {
  const { cases }: { cases: readonly { name: string; messages: readonly { hex: string }[] }[] } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  return cases.flatMap(({ name, messages }) => messages.map(({ hex }) => ({ name, hex })));
};

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('PF_KEY messages that a Linux kernel was sent and sent', () => {
  it('are read and written again byte by byte', { skip: !referencePath && 'no shared vectors' }, () => {
    const messages = referenceRun(referencePath ?? '');
    assert.equal(messages.length, 83);
    for (const { name, hex } of messages) assert.equal(hexOf(buildMessage(parseMessage(bytesOf(hex)))), hex, name);
  });

  it('of another run too', { skip: !linuxPath && 'no shared vectors' }, () => {
    const messages = linuxMessages(linuxPath ?? '');
    assert.equal(messages.length, 23);
    for (const { name, hex } of messages) assert.equal(hexOf(buildMessage(parseMessage(bytesOf(hex)))), hex, name);
  });

  it('have a value or a fault of the system, whatever byte is another', {
    skip: !referencePath && 'no shared vectors',
  }, () => {
    for (const { hex } of referenceRun(referencePath ?? '').filter(({ hex }) => hex.length < 1000)) {
      for (let at = 0; at < hex.length / 2; at++) {
        for (const byte of [0, 1, 0x7f, 0xff]) {
          const bytes = bytesOf(hex);
          bytes[at] = byte;
          parsedOrFault(bytes);
        }
      }
    }
  });
});

describe('PF_KEY messages', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(message, (value) => {
        assert.deepEqual(parseMessage(buildMessage(value)), value);
      }),
    );
  });

  it('that are none are a fault of the system and nothing else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parsedOrFault(bytes)));
    fc.assert(
      fc.property(fc.nat(20), fc.uint8Array({ minLength: 160, maxLength: 160 }), (words, garbage) => {
        const bytes = Uint8Array.of(...garbage.subarray(0, 16), ...garbage.subarray(0, words * 8)).subarray(
          0,
          16 + words * 8,
        );
        bytes.set([2, 10, 0, 0, bytes.length / 8, 0]);
        parsedOrFault(bytes);
      }),
    );
  });

  for (const [what, hex, fault] of [
    ['too short', '0202', 'PF_KEY: a message of 2 bytes'],
    ['of another version', '010a0000020000000000000000000000', 'PF_KEY: a message of version 1'],
    ['of another length than it says', '020a0000030000000000000000000000', 'PF_KEY: 16 bytes that say they are 24'],
    [
      'with an extension of no length',
      '020a000003000000000000000000000000000100aaaaaaaa',
      'PF_KEY: extension 1 of 0 bytes where 8 are left',
    ],
    [
      'with an extension that is longer than the message',
      '020a000003000000000000000000000002000100aaaaaaaa',
      'PF_KEY: extension 1 of 16 bytes where 8 are left',
    ],
    [
      'with an extension that is too short for its type',
      '020a000003000000000000000000000001000500aaaaaaaa',
      'PF_KEY: extension 5 of 8 bytes has no 2 at 8',
    ],
    [
      'with an extension twice',
      '020a0000040000000000000000000000010014000200000001001400020000000000',
      'PF_KEY: extension 20 twice in a message',
    ],
    [
      'with an address of another family',
      '020a0000050000000000000000000000030005000020000001000000000000000000000000000000',
      'PF_KEY: an address of family 1, not AF_INET or AF_INET6',
    ],
    [
      'with a request that is longer than its policy',
      '020a0000060000000000000000000000040012000200020000000000000000003000320002030000070000000000000000',
      'PF_KEY: a request of 48 bytes where the policy has 16 left',
    ],
  ] as const) {
    it(`${what} are refused`, () => {
      const bytes = bytesOf(hex.slice(0, hex.length - (hex.length % 16)));
      assert.throws(() => parseMessage(hex.length < 16 ? bytesOf(hex) : bytes), {
        name: 'SystemError',
        message: fault,
      });
    });
  }
});

const parsedOrFault = (bytes: Uint8Array): Message | undefined => {
  try {
    return parseMessage(bytes);
  } catch (fault) {
    assert.ok(fault instanceof Error && fault.name === 'SystemError', String(fault));
    return undefined;
  }
};

/** With the prototype that objects of ours have. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt(0n, 0xffffffffffffffffn);
const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
const socketAddress = record({ address: ip, port: u16 });

const oneExtension = (type: number): fc.Arbitrary<Extension> => {
  const lifetime = { allocations: u32, bytes: u64, addTime: u64, useTime: u64 };
  const address = { address: ip, port: u16, protocol: u8, prefixLength: u8 };
  const supported = fc.array(record({ id: u8, ivLength: u8, minBits: u16, maxBits: u16 }), { maxLength: 5 });
  const request = record({
    protocol: u16,
    mode: u8,
    level: u8,
    reqid: u32,
    tunnel: fc.option(record({ source: socketAddress, destination: socketAddress }), { nil: undefined }),
  });
  switch (type) {
    case 1:
      return record({ type: fc.constant(1), spi: u32, replay: u8, state: u8, auth: u8, encrypt: u8, flags: u32 });
    case 2:
      return record({ type: fc.constant(2), ...lifetime });
    case 3:
      return record({ type: fc.constant(3), ...lifetime });
    case 4:
      return record({ type: fc.constant(4), ...lifetime });
    case 5:
      return record({ type: fc.constant(5), ...address });
    case 6:
      return record({ type: fc.constant(6), ...address });
    case 8:
      return fc.uint8Array({ maxLength: 64 }).map((key) => ({ type: 8, bits: key.length * 8, key }));
    case 9:
      return fc.uint8Array({ maxLength: 64 }).map((key) => ({ type: 9, bits: key.length * 8, key }));
    case 14:
      return supported.map((algorithms) => ({ type: 14, algorithms }));
    case 16:
      return record({ type: fc.constant(16), min: u32, max: u32 });
    case 18:
      return record({
        action: u16,
        direction: u8,
        id: u32,
        priority: u32,
        requests: fc.array(request, { maxLength: 3 }),
      }).map((fields) => ({ type: 18, ...fields }));
    case 19:
      return record({ type: fc.constant(19), mode: u8, sequence: u32, reqid: u32 });
    case 20:
      return record({ type: fc.constant(20), encapsulation: u8 });
    case 21:
      return record({ type: fc.constant(21), port: u16 });
    default:
      return fc
        .nat(4)
        .chain((words) => fc.uint8Array({ minLength: 4 + words * 8, maxLength: 4 + words * 8 }))
        .map((body) => ({ type: 'other', number: type, body }));
  }
};

const message: fc.Arbitrary<Message> = record({
  type: u8,
  errno: u8,
  saType: u8,
  sequence: u32,
  pid: u32,
  reserved: u16,
  extensions: fc
    .uniqueArray(fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 9, 14, 16, 18, 19, 20, 21, 13, 26, 77), { maxLength: 12 })
    .chain((types) => fc.tuple(...types.map(oneExtension))),
});
