import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatedSection } from '../../../src/shared/config/generated-names.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { storeOf } from './store-of.ts';

const GOT: readonly (readonly [string, string, string, string | undefined])[] = [
  ['E6', 'LIFE_MAIN_MODE', 'LIFE_DURATION', '3600,60:86400'],
  ['E7', '3DES-SHA-GRP2-RSA_SIG', 'GROUP_DESCRIPTION', 'MODP_1024'],
  ['E8', 'QM-ESP-AES-SHA2-256-PFS-GRP14-XF', 'GROUP_DESCRIPTION', 'MODP_2048'],
  ['E9', 'QM-ESP-AES-128-SHA-SUITE', 'Protocols', 'QM-ESP-AES-128-SHA'],
  ['lower case', 'qm-esp-aes-128-sha-suite', 'protocols', 'QM-ESP-AES-128-SHA'],
  ['defaults', 'LIFE_QUICK_MODE', 'LIFE_DURATION', '1200,60:86400'],
  ['defaults', 'LIFE_QUICK_MODE', 'LIFE_TYPE', 'SECONDS'],
  ['defaults', 'General', 'Exchange-max-time', '120'],
  ['defaults', 'X509-Certificates', 'CA-directory', '/etc/isakmpd/ca/'],
  ['defaults', 'Default-phase-1', 'Configuration', 'Default-phase-1-configuration'],
  ['defaults', 'Default-phase-1', 'ID', undefined],
  ['no group means 2', '3DES-SHA', 'GROUP_DESCRIPTION', 'MODP_1024'],
  ['no method means PRE_SHARED', '3DES-SHA', 'AUTHENTICATION_METHOD', 'PRE_SHARED'],
  ['fixed key length', 'AES-256-SHA2-256-GRP14-RSA_SIG', 'KEY_LENGTH', '256,256:256'],
  ['any AES', 'AES-SHA', 'KEY_LENGTH', '128,128:256'],
  ['Blowfish', 'BLF-MD5-GRP5-DSS', 'KEY_LENGTH', '128,96:192'],
  ['no key length', '3DES-SHA', 'KEY_LENGTH', undefined],
  ['hash', 'AES-SHA2-512', 'HASH_ALGORITHM', 'SHA2_512'],
  ['protocol', 'QM-ESP-AES-SHA', 'PROTOCOL_ID', 'IPSEC_ESP'],
  ['protocol', 'QM-AH-MD5', 'Transforms', 'QM-AH-MD5-XF'],
  ['AH', 'QM-AH-SHA2-256-XF', 'TRANSFORM_ID', 'SHA2_256'],
  ['AH', 'QM-AH-SHA2-256-XF', 'AUTHENTICATION_ALGORITHM', 'HMAC_SHA2_256'],
  ['transport', 'QM-ESP-TRP-AES-SHA-PFS-XF', 'ENCAPSULATION_MODE', 'TRANSPORT'],
  ['PFS without group means 2', 'QM-ESP-TRP-AES-SHA-PFS-XF', 'GROUP_DESCRIPTION', 'MODP_1024'],
  ['no PFS', 'QM-ESP-AES-SHA-XF', 'GROUP_DESCRIPTION', undefined],
  ['P24', 'QM-ESP-AESGCM-256-PFS-GRP14-XF', 'GROUP_DESCRIPTION', 'MODP_2048'],
  ['P24', 'QM-ESP-AESGMAC-128-PFS-XF', 'GROUP_DESCRIPTION', 'MODP_1024'],
  ['P24', 'QM-ESP-AES-PFS-GRP20-XF', 'GROUP_DESCRIPTION', 'ECP_384'],
  ['GCM has no hash', 'QM-ESP-AESGCM-256-XF', 'AUTHENTICATION_ALGORITHM', undefined],
  ['GCM', 'QM-ESP-AESGCM-256-XF', 'TRANSFORM_ID', 'AES_GCM_16'],
  ['CTR', 'QM-ESP-AESCTR-SHA-XF', 'KEY_LENGTH', undefined],
  ['sized CTR', 'QM-ESP-AESCTR-192-SHA-XF', 'KEY_LENGTH', '192,192:192'],
  ['NULL', 'QM-ESP-NULL-SHA2-384-XF', 'AUTHENTICATION_ALGORITHM', 'HMAC_SHA2_384'],
];
for (const [what, section, tag, value] of GOT) {
  test(`${what}: [${section}]:${tag} is ${value}`, () => {
    assert.equal(new ConfigurationStore().get(section, tag), value);
  });
}

const NONE = [
  'DES-SHA',
  'AES-SHA-GRP3',
  'AES-SHA-GRP22',
  'AES-100-SHA',
  'AES-SHA-RSA',
  'AES-SHA-RSA_SIG-GRP2',
  'AES-RIPEMD',
  'AES',
  'QM-ESP-SUITE',
  'QM-ESP-SHA-SUITE',
  'QM-AH-SUITE',
  'QM-AH-AES-SHA-SUITE',
  'QM-ESP-AES-SHA-GRP14-SUITE',
  'QM-ESP-AES-SHA-PFS-GRP3-SUITE',
  'QM-ESP-AESGCM-256-SHA-SUITE',
  'QM-ESP-AESGCM-SUITE',
  'QM-ESP-AES-SHA-TRP-SUITE',
  'XQM-ESP-AES-SHA-SUITE',
];
for (const name of NONE) {
  test(`${name} is no generated section`, () => {
    assert.ok(!new ConfigurationStore().exists(name));
  });
}

test('all 1890 main mode names resolve', () => {
  const groups = ['', ...[1, 2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 25, 26, 27, 28, 29, 30].map((n) => `-grp${n}`)];
  let count = 0;
  for (const encryption of ['blf', '3des', 'cast', 'aes', 'aes-128', 'aes-192', 'aes-256'])
    for (const hash of ['md5', 'sha', 'sha2-256', 'sha2-384', 'sha2-512'])
      for (const group of groups)
        for (const method of ['', '-dss', '-rsa_sig'])
          if (generatedSection(`${encryption}-${hash}${group}${method}`) !== undefined) count++;
  assert.equal(count, 1890);
});

test('a written tag of a generated section wins, the others remain', () => {
  const store = storeOf('[AES-SHA]\nGROUP_DESCRIPTION=MODP_2048\n');
  assert.equal(store.get('AES-SHA', 'GROUP_DESCRIPTION'), 'MODP_2048');
  assert.equal(store.get('AES-SHA', 'HASH_ALGORITHM'), 'SHA');
});

test('lifetimes and identity follow [General]', () => {
  const store = storeOf(
    '[General]\nDefault-phase-1-lifetime=7200\nDefault-phase-2-lifetime=60\nDefault-phase-1-ID=me\n',
  );
  assert.equal(store.get('LIFE_MAIN_MODE', 'LIFE_DURATION'), '7200');
  assert.equal(store.get('LIFE_QUICK_MODE', 'LIFE_DURATION'), '60');
  assert.equal(store.get('Default-phase-1', 'ID'), 'me');
});

test('default transforms are modern, Legacy-defaults brings the original ones back', () => {
  const transforms = (store: ConfigurationStore) => store.get('Default-phase-1-configuration', 'Transforms');
  assert.equal(
    transforms(new ConfigurationStore()),
    [
      'AES-256-SHA2-256-GRP14,AES-128-SHA2-256-GRP14,AES-256-SHA2-256-GRP19',
      'AES-256-SHA2-256-GRP14-RSA_SIG,AES-128-SHA2-256-GRP14-RSA_SIG,AES-256-SHA2-256-GRP19-RSA_SIG',
    ].join(','),
  );
  assert.equal(transforms(storeOf('[General]\nLegacy-defaults=yes\n')), '3DES-SHA-RSA_SIG');
});

test('generated sections are not listed among those written', () => {
  assert.deepEqual(new ConfigurationStore().sections(), []);
});
