import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeType } from '../../../src/shared/constants/isakmp.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Identity } from '../../../src/shared/policy/peer-policy.ts';
import type { QuickModeAction } from '../../../src/shared/policy-check/action.ts';
import { attributesOf } from '../../../src/shared/policy-check/action-attributes.ts';
import { pathTo, quickModeAction } from '../../helpers/quick-mode-action.ts';

const subnet: Identity = { ...identityFromText('10.1.0.0/255.255.0.0'), protocol: 6, port: 22 };

const ESP = {
  ...{ protocolId: 3, transformId: 12, authentication: 5, encapsulation: 3, keyLength: 256 },
  ...{ replayWindow: 32, peerSpi: 0x1000 },
};
const AH = { ...ESP, protocolId: 2, transformId: 6, authentication: 6, encapsulation: 1, keyLength: undefined };

const ACTION = quickModeAction({
  path: pathTo('2001:db8::1'),
  selectors: { local: identityFromText('10.2.0.1'), remote: subnet },
  choice: {
    protocols: [ESP],
    group: 19,
    lifetimes: { seconds: 3600, kilobytes: 0, shortened: false },
  },
  at: Date.UTC(2026, 10, 26, 1, 2, 3),
});

const AGGRESSIVE = { ...ACTION, isInitiator: true, exchangeType: ExchangeType.AGGRESSIVE };
const withAh = { ...ACTION, choice: { ...ACTION.choice, protocols: [AH], group: undefined } };
const named = (remoteId: Identity): QuickModeAction => ({ ...ACTION, remoteId });
const keyId = (data: readonly number[]): Identity => ({ type: 11, protocol: 0, port: 0, data: Uint8Array.from(data) });

for (const [action, name, value] of [
  [ACTION, 'app_domain', 'IPsec policy'],
  [ACTION, 'doi', 'ipsec'],
  [ACTION, 'initiator', 'no'],
  [AGGRESSIVE, 'initiator', 'yes'],
  [ACTION, 'phase_1', 'main'],
  [AGGRESSIVE, 'phase_1', 'aggressive'],
  [ACTION, 'phase1_group_desc', '14'],
  [ACTION, 'pfs', 'yes'],
  [withAh, 'pfs', 'no'],
  [ACTION, 'esp_present', 'yes'],
  [ACTION, 'ah_present', 'no'],
  [ACTION, 'comp_present', 'no'],
  [ACTION, 'esp_enc_alg', 'aes'],
  [ACTION, 'esp_auth_alg', 'hmac-sha2-256'],
  [ACTION, 'esp_key_length', '256'],
  [ACTION, 'esp_life_seconds', '3600'],
  [ACTION, 'esp_life_kbytes', ''],
  [ACTION, 'esp_group_desc', '19'],
  [ACTION, 'esp_encapsulation', 'udp-encap-tunnel'],
  [ACTION, 'esp_ecn', 'no'],
  [ACTION, 'ah_auth_alg', ''],
  [withAh, 'ah_present', 'yes'],
  [withAh, 'ah_hash_alg', 'sha2-384'],
  [withAh, 'ah_auth_alg', 'hmac-sha2-384'],
  [withAh, 'ah_encapsulation', 'tunnel'],
  [withAh, 'ah_key_length', ''],
  [withAh, 'esp_enc_alg', ''],
  [withAh, 'ah_enc_alg', ''],
  [ACTION, 'comp_alg', ''],
  [ACTION, 'remote_filter_type', 'IPv4 subnet'],
  [ACTION, 'remote_filter', '010.001.000.000-010.001.255.255'],
  [ACTION, 'remote_filter_addr_lower', '010.001.000.000'],
  [ACTION, 'remote_filter_addr_upper', '010.001.255.255'],
  [ACTION, 'remote_filter_proto', 'tcp'],
  [ACTION, 'remote_filter_port', '22'],
  [ACTION, 'local_filter_type', 'IPv4 address'],
  [ACTION, 'local_filter', '010.002.000.001'],
  [ACTION, 'local_filter_addr_upper', '010.002.000.001'],
  [ACTION, 'local_filter_proto', ''],
  [ACTION, 'local_filter_port', ''],
  [ACTION, 'remote_id_type', 'FQDN'],
  [ACTION, 'remote_id', 'gate.example'],
  [ACTION, 'remote_id_addr_upper', ''],
  [named(identityFromText('user@example')), 'remote_id_type', 'User FQDN'],
  [named(identityFromText('/C=SE/O=Org/CN=gate')), 'remote_id_type', 'ASN1 DN'],
  [named(identityFromText('/C=SE/O=Org/CN=gate')), 'remote_id', '/C=SE/O=Org/CN=gate'],
  [named(keyId([0x6b, 0x65, 0x79])), 'remote_id', 'key'],
  // P34: the original repeats a byte.
  [named(keyId([0x6b, 0x00, 0xff])), 'remote_id', '6b00ff'],
  [ACTION, 'remote_ike_address', '2001:0db8:0000:0000:0000:0000:0000:0001'],
  [ACTION, 'remote_negotiation_address', '2001:0db8:0000:0000:0000:0000:0000:0001'],
  [ACTION, 'local_ike_address', '192.000.002.001'],
  [ACTION, 'local_negotiation_address', '192.000.002.001'],
  [ACTION, 'GMTTimeOfDay', '20261126010203'],
  [ACTION, 'no_such_attribute', ''],
  [ACTION, 'esp_nonsense', ''],
  [ACTION, 'remote_filter_nonsense', ''],
  [ACTION, 'constructor', ''],
] as const) {
  test(`${name} is "${value}"`, () => assert.equal(attributesOf(action)(name), value));
}

test('LocalTimeOfDay has 14 digits', () => assert.match(attributesOf(ACTION)('LocalTimeOfDay'), /^\d{14}$/));
