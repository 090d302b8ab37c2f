import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTag, isSecretTag } from '../../../src/shared/config/check.ts';
import { nearestName } from '../../../src/shared/config/nearest.ts';
import { parseConfiguration } from '../../../src/shared/config/parse.ts';
import { SECTION_KINDS } from '../../../src/shared/config/sections.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { checkEntries, EXAMPLE } from './store-of.ts';

const check = (text: string): readonly string[] =>
  checkEntries(parseConfiguration(text).entries).map(({ line, severity, text: said }) => `${line} ${severity} ${said}`);

test('a sound configuration has no problems', () => {
  assert.deepEqual(check(EXAMPLE), []);
});

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a misspelt tag is told with the nearest one',
    '[General]\nDefault-phase1-lifetime=3600\n',
    [
      '2 warning [General]:Default-phase1-lifetime is unknown and has no effect: did you mean Default-phase-1-lifetime?',
    ],
  ],
  [
    'a tag that is like no other is told as well',
    '[General]\nXyzzy=1\n',
    ['2 warning [General]:Xyzzy is unknown and has no effect: [General] has no such tag'],
  ],
  [
    'a tag of another kind of section is unknown in this one',
    '[p]\nPhase=1\nSuites=x\n',
    ['3 warning [p]:Suites is unknown and has no effect: a peer section has no such tag'],
  ],
  [
    'a tag of a section that cannot be told is compared with all tags',
    '[x]\nTransform=a\nName=b\n',
    ['2 warning [x]:Transform is unknown and has no effect: did you mean Transforms?'],
  ],
  [
    'what would mean something else without it is an error',
    '[c]\nPhase=2\nInterface=sec1\n',
    [
      '3 error [c]:Interface is not supported yet, the section is not used: route-based tunnels are not there, and without one this connection would take all traffic',
    ],
  ],
  [
    'mode config sections are known by their names',
    '[ufqdn/a@b]\nAddress=10.0.0.1\nNetmask=255.0.0.0\n',
    ['2 warning [ufqdn/a@b] has no effect yet: addresses are not handed out by mode config'],
  ],
  [
    'a value that cannot be is told with what would be right',
    '[General]\nExchange-max-time=soon\n',
    ['2 error [General]:Exchange-max-time cannot be "soon": it is a number of seconds from 1 to 2147483'],
  ],
  [
    'what follows a number is ignored, and that is told',
    '[General]\nExchange-max-time=120 seconds\n',
    ['2 warning [General]:Exchange-max-time "120 seconds": everything after the number is ignored'],
  ],
  [
    'an empty member of a list is ignored, and that is told',
    '[General]\nDefault-phase-2-suites=A,,B\n',
    ['2 warning [General]:Default-phase-2-suites has an empty member, which is ignored'],
  ],
  [
    'a member that is no address is told, the others count',
    '[General]\nListen-on=10.0.0.1, 10.0.0.300\n',
    [
      '2 error [General]:Listen-on has the member "10.0.0.300", which is ignored: it is a list of addresses, interfaces or hosts, or default for the interface of the default route',
    ],
  ],
  [
    'a secret is not repeated',
    '[p]\nPhase=1\nAuthentication=0x123\n',
    [
      '3 error [p]:Authentication cannot be this: it is a text in UTF-8 that is not empty, or 0x and an even number of hex digits',
    ],
  ],
  [
    'a tag of [Phase 1] is an address or Default',
    '[Phase 1]\n10.0.0.1=a\n2001:db8::1=b\nDefault=c\ngw.example.net=d\n',
    ['5 warning [Phase 1]:gw.example.net is unknown and has no effect: [Phase 1] has no such tag'],
  ],
];
for (const [name, text, problems] of CASES) {
  test(name, () => {
    assert.deepEqual(check(text), problems);
  });
}

test('kinds of sections are told by the tags that only they have', () => {
  const sections = [
    '[a]\nID-type=FQDN\n',
    '[a]\nLIFE_TYPE=SECONDS\n',
    '[a]\nPROTOCOL_ID=IPSEC_ESP\n',
    '[a]\nProtocols=b\n',
    '[a]\nSuites=b\n',
    '[a]\nTRANSFORM_ID=AES\n',
    '[a]\nHASH_ALGORITHM=SHA\n',
    '[a]\nEXCHANGE_TYPE=QUICK_MODE\n',
    '[a]\nEXCHANGE_TYPE=ID_PROT\n',
    '[a]\nISAKMP-peer=b\n',
    '[a]\nAuthentication=b\n',
  ];
  const titles = sections.map((section) => /: (an? .*) has no/.exec(check(`${section}Xyzzy=1\n`).join())?.[1]);
  assert.deepEqual(titles, [
    'an ID section',
    'a lifetime section',
    'a protocol section',
    'a suite section',
    'an IPsec configuration section',
    'an IPsec transform section',
    'an ISAKMP transform section',
    'an IPsec configuration section',
    'an ISAKMP configuration section',
    'a connection section',
    'a section named after an identity',
  ]);
});

test('a tag set through the FIFO is checked by itself', () => {
  const store = new ConfigurationStore();
  store.set('General', 'Policy', '/x', true);
  store.set('General', 'Check-interval', '30', true);
  assert.equal(checkTag(store, 'General', 'policy')?.severity, 'warning');
  assert.equal(checkTag(store, 'General', 'Check-interval'), undefined);
  assert.equal(checkTag(store, 'General', 'not set'), undefined);
});

test('threat __proto__: such a tag is unknown, not inherited', () => {
  assert.match(check('[General]\n__proto__=1\n').join(), /__proto__ is unknown/);
});

test('only secrets are masked in reports', () => {
  assert.deepEqual(['authentication', 'Authentication', 'Address', '__proto__'].map(isSecretTag), [
    true,
    true,
    false,
    false,
  ]);
});

test('the nearest name is one of few edits, none where nothing is near', () => {
  const known = ['Check-interval', 'Check-suites', 'Netmask'];
  assert.equal(nearestName('chek-intervall', known), 'Check-interval');
  assert.equal(nearestName('Mask', known), undefined);
  assert.equal(nearestName('x'.repeat(100_000), known), undefined);
});

test('every row has a documentation sentence and says what it wants', () => {
  for (const { title, tags } of Object.values(SECTION_KINDS)) {
    for (const { name, doc, wants } of tags) {
      assert.match(doc, /^[^ ].*\.$/, `${title} ${name}`);
      assert.notEqual(wants, '');
    }
  }
});

test('every tag of isakmpd.conf(5) has a row', () => {
  const names = (tags: readonly { readonly name: string }[]) => tags.map(({ name }) => name);
  const expected: readonly (readonly [keyof typeof SECTION_KINDS, string])[] = [
    [
      'general',
      'Acquire-Only Check-interval Default-phase-1-ID Default-phase-1-lifetime Default-phase-2-lifetime Default-phase-2-suites Delete-SAs DPD-check-interval Exchange-max-time Listen-on Loglevel Logverbose NAT-T-Keepalive Policy-file Pubkey-directory Renegotiate-on-HUP Retransmits Shared-SADB Use-Keynote',
    ],
    ['phase2', 'Connections Passive-connections'],
    ['keynote', 'Credential-directory'],
    ['x509', 'Accept-self-signed CA-directory Cert-directory CRL-directory Private-key Private-key-directory'],
    [
      'peer',
      'Phase Address Local-address Port Transport Configuration Authentication ID Remote-ID Flags Refcount Credentials Credential_Type PKAuthentication',
    ],
    ['identity', 'ID-type Address Network Netmask Name Protocol Port'],
    ['isakmpConfiguration', 'DOI EXCHANGE_TYPE Transforms'],
    [
      'phase1Transform',
      'ENCRYPTION_ALGORITHM HASH_ALGORITHM AUTHENTICATION_METHOD GROUP_DESCRIPTION GROUP_TYPE KEY_LENGTH Life PRF FIELD_SIZE GROUP_ORDER',
    ],
    ['lifetime', 'LIFE_TYPE LIFE_DURATION'],
    [
      'connection',
      'Phase ISAKMP-peer Configuration Local-ID Remote-ID NAT-ID Flags PF-Tag Interface Acquire-ID Refcount',
    ],
    ['ipsecConfiguration', 'DOI EXCHANGE_TYPE Suites'],
    ['suite', 'Protocols'],
    ['protocol', 'PROTOCOL_ID Transforms ReplayWindow'],
    [
      'phase2Transform',
      'TRANSFORM_ID ENCAPSULATION_MODE AUTHENTICATION_ALGORITHM GROUP_DESCRIPTION KEY_LENGTH KEY_ROUNDS ECN_TUNNEL COMPRESS_DICTIONARY_SIZE COMPRESS_PRIVATE_ALGORITHM Life',
    ],
    ['modeConfig', 'Mode Attributes Address Netmask Nameserver WINS-server DHCP-server Lifetime Network Prefix'],
    ['initiatorId', 'Authentication'],
  ];
  for (const [kind, tags] of expected) {
    const missing = tags.split(' ').filter((tag) => !names(SECTION_KINDS[kind].tags).includes(tag));
    assert.deepEqual(missing, [], kind);
  }
});
