import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberByName } from '../../../src/shared/config/names.ts';
import type * as schema from '../../../src/shared/config/schema.ts';
import { CONNECTION, GENERAL, LIFETIME, PEER, PHASE_1_TRANSFORM } from '../../../src/shared/config/sections.ts';
import { GroupDescription } from '../../../src/shared/constants/oakley.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const CASES: readonly (readonly [string, schema.Tag<unknown>, string, unknown])[] = [
  ['seconds', GENERAL.checkInterval, '30', 30],
  ['seconds, the rest ignored', GENERAL.checkInterval, '30 # seconds', 30],
  ['no seconds', GENERAL.checkInterval, '0', undefined],
  ['no seconds', GENERAL.checkInterval, '-1', undefined],
  ['threat timer overflow', GENERAL.checkInterval, '2147484', undefined],
  ['number', GENERAL.retransmits, '0', 0],
  ['range', GENERAL.defaultPhase1Lifetime, '3600,60:86400', { offered: 3600, least: 60, most: 86400 }],
  ['range with blanks', GENERAL.defaultPhase1Lifetime, '3600 , 60 : 86400', { offered: 3600, least: 60, most: 86400 }],
  ['range of one', GENERAL.defaultPhase1Lifetime, '3600', { offered: 3600, least: 3600, most: 3600 }],
  ['no range', GENERAL.defaultPhase1Lifetime, '3600,60', undefined],
  ['no range', GENERAL.defaultPhase1Lifetime, '60:86400', undefined],
  ['no range', GENERAL.defaultPhase1Lifetime, '3600,86400:60', undefined],
  ['no range', GENERAL.defaultPhase1Lifetime, '0', undefined],
  ['no range', GENERAL.defaultPhase1Lifetime, '4294967296', undefined],
  ['threat KEY_LENGTH <= 0', PHASE_1_TRANSFORM.keyLength, '0', undefined],
  ['ANY', LIFETIME.duration, 'ANY', 'ANY'],
  ['only ANY in capitals', LIFETIME.duration, 'any', undefined],
  ['list', GENERAL.defaultPhase2Suites, ' a , b,,c ', ['a', 'b', 'c']],
  ['flag', GENERAL.logVerbose, '', true],
  ['yes', GENERAL.deleteSas, 'YES', true],
  ['no', GENERAL.deleteSas, 'nope', false],
  ['neither', GENERAL.deleteSas, '1', undefined],
  ['address', PEER.address, '2001:DB8:0::1', '2001:db8::1'],
  ['host', PEER.address, 'gw.example.net', 'gw.example.net'],
  ['no address', PEER.address, '10.0.0.256', undefined],
  ['no address', PEER.address, '2001:db8', undefined],
  ['addresses', GENERAL.listenOn, '10.0.0.1, ::1', ['10.0.0.1', '::1']],
  ['addresses and names', GENERAL.listenOn, '10.0.0.1, eth0,,default', ['10.0.0.1', 'eth0', 'default']],
  ['no addresses', GENERAL.listenOn, '10.0.0.300', undefined],
  ['addresses, a slip left out', GENERAL.listenOn, 'eth0, 2001:db8', ['eth0']],
  ['no addresses', GENERAL.listenOn, '', undefined],
  ['mark', CONNECTION.mark, '16', { mark: 16, markMask: 0xffff_ffff }],
  ['mark with mask', CONNECTION.mark, '0x80000000/0xC0000000', { mark: 0x8000_0000, markMask: 0xc000_0000 }],
  ['mark of no bits', CONNECTION.mark, '0/0xff', { mark: 0, markMask: 0xff }],
  ['no mark', CONNECTION.mark, '1/0', undefined],
  ['no mark', CONNECTION.mark, '3/1', undefined],
  ['no mark', CONNECTION.mark, '1/2/3', undefined],
  ['no mark', CONNECTION.mark, '0x100000000', undefined],
  ['no mark', CONNECTION.mark, '4294967296', undefined],
  ['no mark', CONNECTION.mark, '-1', undefined],
  ['no mark', CONNECTION.mark, '', undefined],
  ['interface', CONNECTION.interfaceId, '0xFFFFFFFF', 0xffff_ffff],
  ['no interface', CONNECTION.interfaceId, '0', undefined],
  ['no interface', CONNECTION.interfaceId, 'ipsec0', undefined],
  ['port', PEER.port, '501', 501],
  ['service', PEER.port, 'isakmp', 500],
  ['a service that the system may know', PEER.port, 'ike-alt', 'ike-alt'],
  ['no port', PEER.port, '65536', undefined],
  ['no port', PEER.port, '0x1f4', undefined],
  ['secret', PEER.authentication, 'mekmitasdigoat', bytes('mekmitasdigoat')],
  ['secret in UTF-8', PEER.authentication, 'schlüssel', bytes('schlüssel')],
  ['binary secret', PEER.authentication, '0x00fF10', Uint8Array.of(0, 255, 16)],
  ['no secret', PEER.authentication, '0x123', undefined],
  ['no secret', PEER.authentication, '0x', undefined],
  ['no secret', PEER.authentication, '0xzz', undefined],
  ['no secret', PEER.authentication, '', undefined],
  ['secret that was not UTF-8', PEER.authentication, 'a\ufffdb', undefined],
  ['word', PEER.unique, 'Never', 'never'],
  ['no word', PEER.unique, 'sometimes', undefined],
  ['name', PHASE_1_TRANSFORM.group, 'modp_2048', 14],
  ['ANY', PHASE_1_TRANSFORM.group, 'ANY', 'ANY'],
  ['no name', PHASE_1_TRANSFORM.group, 'MODP_1234', undefined],
  ['threat __proto__', PHASE_1_TRANSFORM.group, '__proto__', undefined],
  [
    'log levels',
    GENERAL.logLevel,
    'A=10, 6=50',
    [
      { logClass: 'all', level: 10 },
      { logClass: 6, level: 50 },
    ],
  ],
  ['no log class', GENERAL.logLevel, '11=5', undefined],
  ['no log level', GENERAL.logLevel, '1=100', undefined],
];
for (const [what, row, text, value] of CASES) {
  test(`${what}: ${row.name} "${text}" reads as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(row.parse(text), value);
  });
}

test('every constant name is found in upper and lower case', () => {
  const find = numberByName(GroupDescription);
  for (const [name, number] of Object.entries(GroupDescription)) {
    assert.equal(find(name), number);
    assert.equal(find(name.toLowerCase()), number);
  }
});

test('defaults are the values of their texts', () => {
  assert.deepEqual([GENERAL.checkInterval.fallback, GENERAL.retransmits.fallback, PEER.port.fallback], [60, 3, 500]);
});
