import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsLegacyProvider, resolvePeer } from '../../../src/shared/config/resolve-peer.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../../src/shared/constants/isakmp.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
  LifeType,
} from '../../../src/shared/constants/oakley.ts';
import { ConfigError } from '../../../src/shared/errors.ts';
import { identityText } from '../../../src/shared/policy/identity.ts';
import { EXAMPLE, refusal, resolved, storeOf, west } from './store-of.ts';

test('a peer section becomes a policy', () => {
  const { connections, transforms, ...policy } = resolved(storeOf(EXAMPLE), 'WEST').policy;
  assert.deepEqual(policy, {
    name: 'west',
    address: '10.1.0.1',
    localAddress: '10.1.0.2',
    port: 500,
    exchangeType: ExchangeType.ID_PROT,
    configuration: 'main-mode',
    preSharedKey: new TextEncoder().encode('secret of both sites'),
    localId: undefined,
    remoteId: undefined,
    checkSuites: true,
    legacyCrypto: false,
    unique: 'replace',
    deleteChildren: false,
    sha2Truncation96: false,
    fragmentation: true,
    forceEncapsulation: false,
  });
  assert.deepEqual(transforms, [
    {
      name: 'AES-256-SHA2-256-GRP14',
      encryption: EncryptionAlgorithm.AES_CBC,
      keyLength: { offered: 256, least: 256, most: 256 },
      hash: HashAlgorithm.SHA2_256,
      authentication: AuthenticationMethod.PRE_SHARED,
      group: GroupDescription.MODP_2048,
      lifetimes: [{ type: LifeType.SECONDS, duration: { offered: 3600, least: 60, most: 86400 } }],
    },
  ]);
  assert.deepEqual(
    connections.map(({ name }) => name),
    ['east-west'],
  );
});

test('a policy is plain data', () => {
  const { policy } = resolved(storeOf(EXAMPLE), 'west');
  assert.deepEqual(structuredClone(policy), policy);
});

test('every other tag of a peer is read', () => {
  const { policy } = resolved(
    west(
      ['west', 'Port', '501'],
      ['west', 'Transport', 'UDP'],
      ['west', 'Flags', 'Delete-Children,force-encap'],
      ['west', 'Check-suites', 'no'],
      ['west', 'Legacy-crypto', 'yes'],
      ['west', 'Unique', 'keep'],
      ['west', 'ID', 'me'],
      ['west', 'Remote-ID', 'you'],
      ['me', 'ID-type', 'user_fqdn'],
      ['me', 'Name', 'me@example.net'],
      ['you', 'ID-type', 'KEY_ID'],
      ['you', 'Name', 'branch 7'],
    ),
    'west',
  );
  const { localId, remoteId } = policy;
  assert.deepEqual([policy.port, policy.unique, policy.checkSuites], [501, 'keep', false]);
  assert.ok(policy.deleteChildren && policy.forceEncapsulation && policy.legacyCrypto);
  assert.deepEqual([localId?.type, localId && identityText(localId)], [IdType.USER_FQDN, 'me@example.net']);
  assert.deepEqual([remoteId?.type, remoteId && identityText(remoteId)], [IdType.KEY_ID, 'branch 7']);
});

test('without ID our identity is [General]:Default-phase-1-ID', () => {
  const store = west(
    ['General', 'Default-phase-1-ID', 'me'],
    ['me', 'ID-type', 'FQDN'],
    ['me', 'Name', 'gw.example.net'],
  );
  const { localId } = resolved(store, 'west').policy;
  assert.equal(localId && identityText(localId), 'gw.example.net');
});

test('without Address a peer is responder only', () => {
  const store = west();
  store.remove('west', 'Address');
  assert.equal(resolved(store, 'west').policy.address, undefined);
});

test('without Configuration modern transforms are used, without a word about those for signatures', () => {
  const store = west();
  store.remove('west', 'Configuration');
  const { policy, warnings } = resolved(store, 'west');
  assert.deepEqual(
    policy.transforms.map(({ name }) => name),
    ['AES-256-SHA2-256-GRP14', 'AES-128-SHA2-256-GRP14', 'AES-256-SHA2-256-GRP19'],
  );
  assert.deepEqual(warnings, []);
});

const REFUSED: readonly (readonly [string, RegExp | string, ...(readonly [string, string, string])[]])[] = [
  ['a phase that is not 1', '[west]:Phase cannot be "2": a peer section has Phase=1', ['west', 'Phase', '2']],
  [
    'an Address that nobody can have',
    '[west]:Address cannot be "gw example": it is an address in figures, or the name of a host or interface',
    ['west', 'Address', 'gw example'],
  ],
  ['two families', /Local-address cannot be "10.1.0.2": Address and Local-address/, ['west', 'Address', '2001:db8::1']],
  ['another transport', '[west]:Transport cannot be "tcp": it is udp', ['west', 'Transport', 'tcp']],
  ['port 0', /Port cannot be "0"/, ['west', 'Port', '0']],
  [
    'mode config',
    '[west]:Flags ikecfg is not supported yet: addresses are not handed out by mode config',
    ['west', 'Flags', 'ikecfg'],
  ],
  ['credentials of the kernel', /^\[west\]:Credentials is not supported yet/, ['west', 'Credentials', 'x']],
  [
    'a missing configuration',
    '[nowhere]:EXCHANGE_TYPE is missing: there is no such section',
    ['west', 'Configuration', 'nowhere'],
  ],
  ['another DOI', '[main-mode]:DOI cannot be "ISAKMP": only IPSEC is supported', ['main-mode', 'DOI', 'ISAKMP']],
  [
    'an exchange that is no phase 1',
    '[main-mode]:EXCHANGE_TYPE cannot be "BASE": phase 1 is ID_PROT or AGGRESSIVE',
    ['main-mode', 'EXCHANGE_TYPE', 'BASE'],
  ],
  ['no transforms', '[main-mode]:Transforms is an empty list', ['main-mode', 'Transforms', ',']],
  [
    'a transform that does not exist',
    '[main-mode]:Transforms lists nothing that can be used: [3DES-SHA-RSA]:ENCRYPTION_ALGORITHM is missing: there is no such section',
    ['main-mode', 'Transforms', '3DES-SHA-RSA'],
  ],
  ['DSS', /"DSS": it is broken or obsolete and is never used/, ['main-mode', 'Transforms', 'AES-SHA-DSS']],
  ['RSA encryption', /"RSA_ENC": it is broken/, ['AES-256-SHA2-256-GRP14', 'AUTHENTICATION_METHOD', 'RSA_ENC']],
  ['EC2N groups', /"EC2N_155": it is broken/, ['AES-256-SHA2-256-GRP14', 'GROUP_DESCRIPTION', 'EC2N_155']],
  ['IDEA', /"IDEA_CBC": it is broken/, ['AES-256-SHA2-256-GRP14', 'ENCRYPTION_ALGORITHM', 'IDEA_CBC']],
  ['TIGER', /"TIGER": it is broken/, ['AES-256-SHA2-256-GRP14', 'HASH_ALGORITHM', 'TIGER']],
  [
    'group 1',
    /"MODP_768": it is too weak, only \[west\]:Legacy-crypto=yes allows it/,
    ['main-mode', 'Transforms', 'AES-SHA-GRP1'],
  ],
  ['single DES', /"DES_CBC": it is too weak, only/, ['AES-256-SHA2-256-GRP14', 'ENCRYPTION_ALGORITHM', 'DES_CBC']],
  [
    'an odd key length',
    /KEY_LENGTH cannot be "100": its cipher takes no key of 100 bits/,
    ['AES-256-SHA2-256-GRP14', 'KEY_LENGTH', '100'],
  ],
  ['a PRF', /\[AES-256-SHA2-256-GRP14\]:PRF is not supported yet/, ['AES-256-SHA2-256-GRP14', 'PRF', 'x']],
  ['a group of its own', /GROUP_TYPE is not supported yet/, ['AES-256-SHA2-256-GRP14', 'GROUP_TYPE', 'MODP']],
  [
    'a lifetime that does not exist',
    /\[nolife\]:LIFE_TYPE is missing: there is no such section/,
    ['AES-256-SHA2-256-GRP14', 'Life', 'nolife'],
  ],
  [
    'an alternative name of a certificate',
    /ID-type cannot be "DER_ASN1_GN": alternative names/,
    ['west', 'ID', 'dn'],
    ['dn', 'ID-type', 'DER_ASN1_GN'],
  ],
  [
    'a distinguished name of an unknown attribute',
    /\[dn\]:Name cannot be "\/XY=a": a distinguished name is written as \/C=SE\/O=Company\/CN=gate or CN=gate,O=Company,C=SE$/,
    ['west', 'ID', 'dn'],
    ['dn', 'ID-type', 'DER_ASN1_DN'],
    ['dn', 'Name', '/XY=a'],
  ],
  [
    'a key id of half a byte',
    /\[k\]:Name cannot be "0xabc": after 0x, an even number of hex digits is needed/,
    ['west', 'ID', 'k'],
    ['k', 'ID-type', 'KEY_ID'],
    ['k', 'Name', '0xabc'],
  ],
  ['a range', /"IPV4_RANGE": a range cannot be configured/, ['west', 'ID', 'r'], ['r', 'ID-type', 'IPV4_RANGE']],
  [
    'an ID of another family',
    /\[i\]:Address cannot be "::1": its ID-type asks for an IPv4 address/,
    ['west', 'ID', 'i'],
    ['i', 'ID-type', 'IPV4_ADDR'],
    ['i', 'Address', '::1'],
  ],
  [
    'an ID without value',
    '[i]:Name is missing: it is a text that is not empty',
    ['west', 'ID', 'i'],
    ['i', 'ID-type', 'FQDN'],
  ],
];
for (const [what, expected, ...edits] of REFUSED) {
  test(`refused: ${what}`, () => {
    const text = refusal(west(...edits), 'west');
    if (typeof expected === 'string') assert.equal(text, expected);
    else assert.match(text, expected);
  });
}

test('a peer that nobody wrote is refused as such', () => {
  assert.throws(
    () => resolvePeer(new ConfigurationStore(), 'nobody'),
    new ConfigError('[nobody]:Phase is missing: there is no such section', { section: 'nobody', tag: 'Phase' }),
  );
});

test('the generated peer for unknown addresses has no secret, so it proves itself by signatures', () => {
  const { policy } = resolved(new ConfigurationStore(), 'Default-phase-1');
  assert.ok(policy.transforms.every(({ authentication }) => authentication === AuthenticationMethod.RSA_SIG));
});

test('a written secret makes the generated peer usable', () => {
  const { policy } = resolved(storeOf('[Default-phase-1]\nAuthentication=x\n'), 'Default-phase-1');
  assert.equal(policy.transforms.length, 3);
});

test('a bad secret is refused without repeating it', () => {
  assert.doesNotMatch(refusal(west(['west', 'Authentication', '0x123']), 'west'), /123/);
});

test('without Authentication main mode is refused, and aggressive mode unless secrets by identity exist', () => {
  const store = west();
  store.remove('west', 'Authentication');
  store.set('foo@bar', 'Authentication', 'x', true);
  assert.match(refusal(store, 'west'), /Authentication is missing: it is the pre-shared key$/);
  store.set('main-mode', 'EXCHANGE_TYPE', 'AGGRESSIVE', true);
  assert.equal(resolved(store, 'west').policy.preSharedKey, undefined);
  store.removeSection('foo@bar');
  assert.match(refusal(store, 'west'), /nor is there a section named after an identity/);
});

test('CVE-2002-1623: aggressive mode with a pre-shared key is warned of', () => {
  const { policy, warnings } = resolved(west(['main-mode', 'EXCHANGE_TYPE', 'AGGRESSIVE']), 'west');
  assert.equal(policy.exchangeType, ExchangeType.AGGRESSIVE);
  assert.match(warnings.join(), /^\[west\] uses aggressive mode/);
});

test('transforms that cannot be used are left out with a warning while others remain', () => {
  const store = west(['main-mode', 'Transforms', 'AES-SHA2-256-GRP14-DSS,AES-256-SHA2-256-GRP14,AES-SHA2-256-GRP1']);
  const { policy, warnings } = resolved(store, 'west');
  assert.deepEqual(
    policy.transforms.map(({ name }) => name),
    ['AES-256-SHA2-256-GRP14'],
  );
  assert.match(warnings[0] ?? '', /DSS.*left out of \[main-mode\]:Transforms$/);
  assert.match(warnings[1] ?? '', /MODP_768.*left out of \[main-mode\]:Transforms$/);
  assert.equal(warnings.length, 2);
});

test('Logjam CVE-2015-4000 and weak ciphers: one warning names peer and algorithms', () => {
  const { warnings } = resolved(
    west(['main-mode', 'Transforms', '3DES-MD5,AES-SHA-GRP5'], ['quick-mode', 'Suites', 'QM-ESP-NULL-SHA-SUITE']),
    'west',
  );
  assert.deepEqual(warnings, [
    '[west] allows weak algorithms: 3DES_CBC, MD5, MODP_1024, SHA, MODP_1536, NULL, HMAC_SHA; take AES, SHA2_256 and MODP_2048 or better as soon as the peer can',
  ]);
});

test('Legacy-crypto=yes lets single DES and group 1 through, with the warning', () => {
  const { policy, warnings } = resolved(
    west(
      ['west', 'Legacy-crypto', 'yes'],
      ['main-mode', 'Transforms', 'weakest'],
      ['weakest', 'ENCRYPTION_ALGORITHM', 'DES_CBC'],
      ['weakest', 'HASH_ALGORITHM', 'MD5'],
      ['weakest', 'AUTHENTICATION_METHOD', 'PRE_SHARED'],
      ['weakest', 'GROUP_DESCRIPTION', 'MODP_768'],
    ),
    'west',
  );
  assert.equal(policy.transforms[0]?.group, GroupDescription.MODP_768);
  assert.deepEqual(policy.transforms[0]?.lifetimes, []);
  assert.match(warnings.join(), /DES_CBC, MD5, MODP_768/);
});

test('Legacy-crypto=yes does not bring back what is never used', () => {
  const store = west(['west', 'Legacy-crypto', 'yes'], ['AES-256-SHA2-256-GRP14', 'GROUP_DESCRIPTION', 'EC2N_185']);
  assert.match(refusal(store, 'west'), /EC2N_185/);
});

test('Blowfish and CAST need the legacy provider of OpenSSL, nothing else does', () => {
  const needs = (transforms: string): boolean =>
    needsLegacyProvider(resolved(west(['main-mode', 'Transforms', transforms]), 'west').policy);
  assert.deepEqual(['AES-SHA', '3DES-SHA', 'AES-SHA,BLF-SHA', 'CAST-SHA'].map(needs), [false, false, true, true]);
});

test('ANY is a wildcard', () => {
  const { policy } = resolved(
    west(
      ['main-mode', 'Transforms', 'any'],
      ['any', 'ENCRYPTION_ALGORITHM', 'ANY'],
      ['any', 'HASH_ALGORITHM', 'ANY'],
      ['any', 'AUTHENTICATION_METHOD', 'ANY'],
      ['any', 'GROUP_DESCRIPTION', 'ANY'],
      ['any', 'Life', 'ANY'],
    ),
    'west',
  );
  assert.deepEqual(policy.transforms, [
    {
      name: 'any',
      encryption: 'ANY',
      keyLength: undefined,
      hash: 'ANY',
      authentication: 'ANY',
      group: 'ANY',
      lifetimes: [],
    },
  ]);
});

test('seconds and kilobytes together, and a duration of ANY', () => {
  const { policy } = resolved(
    west(
      ['AES-256-SHA2-256-GRP14', 'Life', 'time,volume'],
      ['time', 'LIFE_TYPE', 'SECONDS'],
      ['time', 'LIFE_DURATION', 'ANY'],
      ['volume', 'LIFE_TYPE', 'KILOBYTES'],
      ['volume', 'LIFE_DURATION', '1000,768:1536'],
    ),
    'west',
  );
  assert.deepEqual(policy.transforms[0]?.lifetimes, [
    { type: LifeType.SECONDS, duration: 'ANY' },
    { type: LifeType.KILOBYTES, duration: { offered: 1000, least: 768, most: 1536 } },
  ]);
});

test('a key length for a cipher that has one only is dropped with a warning', () => {
  const { policy, warnings } = resolved(
    west(['main-mode', 'Transforms', '3DES-SHA'], ['3DES-SHA', 'KEY_LENGTH', '192']),
    'west',
  );
  assert.equal(policy.transforms[0]?.keyLength, undefined);
  assert.match(warnings[0] ?? '', /KEY_LENGTH has no effect/);
});

test('an unknown flag is warned of', () => {
  const { warnings } = resolved(west(['west', 'Flags', 'fast']), 'west');
  assert.deepEqual(warnings, [
    '[west]:Flags knows no "fast", which has no effect: it is delete-children or force-encap or no-fragmentation or sha2-96',
  ]);
});

test('Check-suites=no is warned of', () => {
  assert.match(
    resolved(west(['west', 'Check-suites', 'no']), 'west').warnings.join(),
    /Check-suites is no: the peer may choose/,
  );
});

test('protocol and port of a phase 1 identity have no effect, and that is told', () => {
  const { policy, warnings } = resolved(
    west(['west', 'ID', 'i'], ['i', 'ID-type', 'FQDN'], ['i', 'Name', 'a'], ['i', 'Port', '500']),
    'west',
  );
  assert.equal(policy.localId?.port, 0);
  assert.match(warnings.join(), /^\[i\]:Port has no effect/);
});
