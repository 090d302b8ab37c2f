import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/shared/address.ts';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import {
  extentOf,
  identityFromText,
  identityOfAddress,
  identitySecret,
  identityText,
  sameIdentity,
} from '../../../src/shared/policy/identity.ts';
import type { Identity } from '../../../src/shared/policy/peer-policy.ts';

const hex = (type: number, digits: string, protocol = 0, port = 0): Identity => ({
  type,
  protocol,
  port,
  data: Uint8Array.from(Buffer.from(digits, 'hex')),
});
const named = (type: number, name: string): Identity => hex(type, Buffer.from(name, 'latin1').toString('hex'));

const TEXTS: readonly (readonly [string, Identity])[] = [
  ['10.0.0.1', hex(IdType.IPV4_ADDR, '0a000001')],
  ['192.168.11.0/255.255.255.0', hex(IdType.IPV4_ADDR_SUBNET, 'c0a80b00ffffff00')],
  ['10.0.0.1-10.0.0.9', hex(IdType.IPV4_RANGE, '0a0000010a000009')],
  ['2001:db8::1', hex(IdType.IPV6_ADDR, '20010db8000000000000000000000001')],
  ['2001:db8::/ffff:ffff::', hex(IdType.IPV6_ADDR_SUBNET, `20010db8${'0'.repeat(24)}ffffffff${'0'.repeat(24)}`)],
  ['::1-::ff', hex(IdType.IPV6_RANGE, `${'0'.repeat(31)}1${'0'.repeat(30)}ff`)],
  ['::/::', hex(IdType.IPV6_ADDR_SUBNET, '0'.repeat(64))],
  ['gw.example.net', named(IdType.FQDN, 'gw.example.net')],
  ['user@example.net', named(IdType.USER_FQDN, 'user@example.net')],
  ['/C=CH', hex(IdType.DER_ASN1_DN, '300d310b3009060355040613024348')],
];

for (const [text, identity] of TEXTS) {
  test(`an identity prints as ${text} and reads back`, () => {
    assert.equal(identityText(identity), text);
    assert.deepEqual(identityFromText(text), identity);
  });
}

const ONE_WAY: readonly (readonly [string, string, Identity])[] = [
  ['a key id of text', 'our branch', named(IdType.KEY_ID, 'our branch')],
  ['a key id of other bytes', '0x00ff41', hex(IdType.KEY_ID, '00ff41')],
  ['a distinguished name without parts', '0x3000', hex(IdType.DER_ASN1_DN, '3000')],
  ['an address of the wrong size', '0x0a0000', hex(IdType.IPV4_ADDR, '0a0000')],
  ['a subnet of the wrong size', '0x0a000000', hex(IdType.IPV4_ADDR_SUBNET, '0a000000')],
  ['an unknown type', '0x01', hex(77, '01')],
  ['nothing', '', hex(IdType.FQDN, '')],
];
for (const [what, text, identity] of ONE_WAY) {
  test(`${what} prints as "${text}"`, () => {
    assert.equal(identityText(identity), text);
  });
}

test('log injection: newline, escape, backslash and bidirectional marks of a peer are escaped', () => {
  assert.equal(identityText(named(IdType.FQDN, 'a\n\x1b[2J\\b\x00')), 'a\\x0a\\x1b[2J\\x5cb\\x00');
  assert.equal(identityText(hex(IdType.USER_FQDN, Buffer.from('\u202e@x').toString('hex'))), '\\xe2\\x80\\xae@x');
});

test('any bytes as any identity print as printable ASCII, and different names print differently', () => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      (type, data, other) => {
        const text = identityText({ type, protocol: 0, port: 0, data });
        assert.match(text, /^[ -~]*$/);
        if (type === IdType.FQDN && Buffer.compare(data, other) !== 0) {
          assert.notEqual(identityText({ type, protocol: 0, port: 0, data: other }), text);
        }
      },
    ),
  );
});

const same: readonly (readonly [Identity, Identity])[] = [
  [hex(IdType.IPV4_ADDR, '0a000001'), hex(IdType.IPV4_ADDR_SUBNET, '0a000001ffffffff')],
  [hex(IdType.IPV4_RANGE, '0a0000000a0000ff'), hex(IdType.IPV4_ADDR_SUBNET, '0a000000ffffff00')],
  [hex(IdType.IPV4_ADDR_SUBNET, '0a000007ffffff00'), hex(IdType.IPV4_ADDR_SUBNET, '0a000000ffffff00')],
  [hex(IdType.IPV4_RANGE, '0a0000010a000001'), hex(IdType.IPV4_ADDR, '0a000001')],
  [hex(IdType.IPV6_ADDR, '1'.repeat(32)), hex(IdType.IPV6_ADDR_SUBNET, '1'.repeat(32) + 'f'.repeat(32))],
  [named(IdType.FQDN, 'GW.example.NET'), named(IdType.FQDN, 'gw.example.net')],
  [named(IdType.KEY_ID, 'a'), named(IdType.KEY_ID, 'a')],
];
for (const [a, b] of same) {
  test(`${identityText(a)} means the same as ${identityText(b)}`, () => {
    assert.ok(sameIdentity(a, b));
    assert.ok(sameIdentity(b, a));
  });
}

const different: readonly (readonly [string, Identity, Identity])[] = [
  ['another protocol', hex(IdType.IPV4_ADDR, '0a000001', 6), hex(IdType.IPV4_ADDR, '0a000001', 17)],
  ['another port', hex(IdType.IPV4_ADDR, '0a000001', 6, 22), hex(IdType.IPV4_ADDR, '0a000001', 6, 23)],
  ['any port and one port', hex(IdType.IPV4_ADDR, '0a000001', 6), hex(IdType.IPV4_ADDR, '0a000001', 6, 23)],
  ['a subnet and part of it', hex(IdType.IPV4_ADDR_SUBNET, '0a000000ffffff00'), hex(IdType.IPV4_ADDR, '0a000001')],
  ['IPv4 any and IPv6 any', hex(IdType.IPV4_ADDR_SUBNET, '0'.repeat(16)), hex(IdType.IPV6_ADDR_SUBNET, '0'.repeat(64))],
  ['a name and a key id', named(IdType.FQDN, 'a'), named(IdType.KEY_ID, 'a')],
  ['key ids in upper and lower case', named(IdType.KEY_ID, 'a'), named(IdType.KEY_ID, 'A')],
  ['a name and its beginning', named(IdType.FQDN, 'gw.example'), named(IdType.FQDN, 'gw.example.net')],
  [
    'a range and the same backwards',
    hex(IdType.IPV4_RANGE, '0a0000010a000009'),
    hex(IdType.IPV4_RANGE, '0a0000090a000001'),
  ],
  [
    'masks with holes',
    hex(IdType.IPV4_ADDR_SUBNET, '0a000000ff00ff00'),
    hex(IdType.IPV4_ADDR_SUBNET, '0a010000ff00ff00'),
  ],
];
for (const [what, a, b] of different) {
  test(`wrong-identity acceptance: ${what} are not the same`, () => {
    assert.ok(!sameIdentity(a, b));
    assert.ok(!sameIdentity(b, a));
  });
}

test('a mask with holes is equal to itself only', () => {
  const identity = hex(IdType.IPV4_ADDR_SUBNET, '0a000000ff00ff00');
  assert.ok(sameIdentity(identity, identity));
  assert.equal(extentOf(identity), undefined);
});

test('an address is the identity of its kind', () => {
  assert.deepEqual(identityOfAddress('10.0.0.1'), hex(IdType.IPV4_ADDR, '0a000001'));
  assert.deepEqual(identityOfAddress('2001:DB8:0::1').data, parseAddress('2001:db8::1')?.bytes);
  assert.throws(() => identityOfAddress('gw.example.net'), InvariantError);
});

test('a secret is found by identity in upper and lower case', () => {
  const secrets = new Map([['user@example.net', Uint8Array.of(1)]]);
  assert.deepEqual(identitySecret(secrets, named(IdType.USER_FQDN, 'User@Example.NET')), Uint8Array.of(1));
  assert.equal(identitySecret(secrets, named(IdType.USER_FQDN, 'nobody@example.net')), undefined);
});
