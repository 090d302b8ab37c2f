/** Addresses as operators, sockets and payloads write them. */
import assert from 'node:assert/strict';
import { isIP, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressFromBytes,
  compareBytes,
  firstOf,
  lastOf,
  maskFromPrefix,
  parseAddress,
  prefixLength,
} from '../../src/shared/address.ts';
import { InvariantError } from '../../src/shared/errors.ts';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

/** Input, family, canonical text, bytes. */
const ADDRESSES = [
  ['10.0.0.1', 4, '10.0.0.1', '0a000001'],
  ['255.255.255.255', 4, '255.255.255.255', 'ffffffff'],
  ['0.0.0.0', 4, '0.0.0.0', '00000000'],
  ['::', 6, '::', '00000000000000000000000000000000'],
  ['2001:DB8:0:0:1:0:0:1', 6, '2001:db8::1:0:0:1', '20010db8000000000001000000000001'],
  ['2001:db8:0:1:1:1:1:1', 6, '2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
  ['::1.2.3.4', 6, '::102:304', '00000000000000000000000001020304'],
  ['64:ff9b::192.0.2.33', 6, '64:ff9b::c000:221', '0064ff9b0000000000000000c0000221'],
  ['::ffff:10.0.0.1', 4, '10.0.0.1', '0a000001'],
  ['::FFFF:a00:1', 4, '10.0.0.1', '0a000001'],
  ['fe80::1%eth0', 6, 'fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['fe80::1%eth0.100', 6, 'fe80::1%eth0.100', 'fe800000000000000000000000000001'],
  ['fe80::1%3', 6, 'fe80::1%3', 'fe800000000000000000000000000001'],
] as const;

for (const [text, family, canonical, bytes] of ADDRESSES) {
  test(`${text} is read as ${canonical}`, () => {
    const address = parseAddress(text);
    assert.deepEqual([address?.family, address?.text, hex(address?.bytes)], [family, canonical, bytes]);
  });
}

const REFUSED = [
  ...[
    '',
    'peer',
    '10.1',
    '10',
    '0x0a000001',
    '010.0.0.1',
    '10.0.0.01',
    '10.0.0.256',
    '10.0.0.1.',
    ' 10.0.0.1',
    '10.0.0.1/24',
  ],
  ...[
    '10.0.0.1%eth0',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::ffff:010.1.1.1',
    '::ffff:0x1.2.3.4',
  ],
  ...[
    '::1%',
    'fe80::1%eth0%eth1',
    'fe80::1%a/b',
    'fe80::1%0123456789abcdef',
    '[::1]',
    '::ffff:10.0.0.1%eth0',
    '1:'.repeat(5000),
  ],
];

for (const text of REFUSED) {
  test(`${JSON.stringify(text.slice(0, 30))} is no address`, () => {
    assert.equal(parseAddress(text), undefined);
  });
}

test('every address of bytes is read back from its text', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
      const address = addressFromBytes(bytes);
      assert.deepEqual(parseAddress(address.text), address);
      assert.equal(isIP(address.text), address.family);
    }),
  );
});

test('IPv6 text is canonical as RFC 5952 says, compared with URL hosts', () => {
  // A URL keeps an IPv4-mapped address as IPv6.
  const unmapped = ipv6.filter((bytes) => addressFromBytes(bytes).family === 6);
  fc.assert(
    fc.property(unmapped, (bytes) => {
      const groups = hex(bytes).match(/..../g)?.join(':') ?? '';
      assert.equal(`[${addressFromBytes(bytes).text}]`, new URL(`http://[${groups}]`).hostname);
    }),
  );
});

test('any text of address characters is accepted exactly where the operating system accepts it', () => {
  const characters = fc.constantFrom(...'0123afF:::..1%'.split(''));
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 24 }), (text) => {
      const isMappedWithZone = text.includes('%') && parseAddress(text.replace(/%.*/, ''))?.family === 4;
      assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0 && !isMappedWithZone, text);
    }),
    { numRuns: 2000 },
  );
});

test('the bytes of an address are a copy, without the zone', () => {
  const bytes = fromHex('fe800000000000000000000000000001');
  const address = addressFromBytes(bytes, 'eth0');
  bytes.fill(0xff);
  assert.deepEqual([address.text, hex(address.bytes)], ['fe80::1%eth0', 'fe800000000000000000000000000001']);
  assert.ok(isIPv6(address.text));
});

test('bytes of no address length are refused', () => {
  for (const length of [0, 3, 5, 8, 15, 17])
    assert.throws(() => addressFromBytes(new Uint8Array(length)), InvariantError);
});

test('every prefix length of both families comes back from its mask', () => {
  for (let length = 0; length <= 32; length++) assert.equal(prefixLength(maskFromPrefix(4, length)), length);
  for (let length = 0; length <= 128; length++) assert.equal(prefixLength(maskFromPrefix(6, length)), length);
});

test('masks are those one expects', () => {
  assert.deepEqual(
    [0, 1, 8, 20, 32].map((length) => addressFromBytes(maskFromPrefix(4, length)).text),
    [...['0.0.0.0', '128.0.0.0', '255.0.0.0', '255.255.240.0', '255.255.255.255']],
  );
  assert.equal(hex(maskFromPrefix(6, 66)), 'ffffffffffffffffc000000000000000');
});

test('a mask with a hole has no prefix length', () => {
  for (const mask of ['ff00ff00', '00000001', 'fffffeff', 'fd000000', '7fffffff']) {
    assert.equal(prefixLength(fromHex(mask)), undefined, mask);
  }
});

test('a prefix length that the family does not have is refused', () => {
  for (const length of [-1, 33, 1.5, Number.NaN]) assert.throws(() => maskFromPrefix(4, length), InvariantError);
  assert.throws(() => maskFromPrefix(6, 129), InvariantError);
});

test('a subnet reaches from its first to its last address', () => {
  const mask = maskFromPrefix(4, 20);
  assert.equal(addressFromBytes(firstOf(fromHex('c0a81234'), mask)).text, '192.168.16.0');
  assert.equal(addressFromBytes(lastOf(fromHex('c0a81234'), mask)).text, '192.168.31.255');
  fc.assert(
    fc.property(ipv6, fc.integer({ min: 0, max: 128 }), (address, length) => {
      const wide = maskFromPrefix(6, length);
      assert.ok(compareBytes(firstOf(address, wide), address) <= 0);
      assert.ok(compareBytes(address, lastOf(address, wide)) <= 0);
      assert.deepEqual(firstOf(lastOf(address, wide), wide), firstOf(address, wide));
    }),
  );
});

test('a mask of the other family is refused', () => {
  assert.throws(() => firstOf(new Uint8Array(4), maskFromPrefix(6, 64)), InvariantError);
  assert.throws(() => lastOf(new Uint8Array(16), maskFromPrefix(4, 24)), InvariantError);
});

test('bytes compare as numbers, IPv4 before IPv6', () => {
  fc.assert(
    fc.property(ipv4, ipv4, (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
    }),
  );
  assert.ok(compareBytes(fromHex('ffffffff'), new Uint8Array(16)) < 0);
});
