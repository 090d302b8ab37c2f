/** Who a peer is by its KeyNote credentials, before it has asked for anything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../../src/shared/constants/isakmp.ts';
import { nameFromText } from '../../../src/shared/policy/distinguished-name.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Identity } from '../../../src/shared/policy/peer-policy.ts';
import type { PeerAction } from '../../../src/shared/policy-check/action.ts';
import { attributesInPhase1 } from '../../../src/shared/policy-check/action-attributes.ts';
import { createPolicyCheck, type Permission } from '../../../src/shared/policy-check/policy-check.ts';
import { rsaKey } from '../../helpers/credential-keys.ts';
import { principal } from '../../helpers/keynote-credentials.ts';
import { PATH } from '../../helpers/lane-pair.ts';

const distinguished: Identity = {
  ...identityFromText('x'),
  type: IdType.DER_ASN1_DN,
  data: nameFromText('/C=SE/CN=gate') ?? assert.fail(),
};
const keyId: Identity = { ...identityFromText('x'), type: IdType.KEY_ID, data: Buffer.from('group') };

const actionOf = (remoteId: Identity): PeerAction => ({
  exchangeType: ExchangeType.ID_PROT,
  group: 14,
  remoteId,
  path: PATH,
  at: Date.UTC(2026, 10, 26),
});

const identified = (remoteId: Identity, conditions: string): Permission => {
  const policy = `Authorizer: "POLICY"\nLicensees: "${principal(rsaKey('peer'))}"\nConditions: ${conditions};\n`;
  const key = new Uint8Array(rsaKey('peer').publicKey.export({ type: 'spki', format: 'der' }));
  const authenticated = { kind: 'publicKey', key, chain: [], rawKeyOf: undefined, keynote: [] } as const;
  return createPolicyCheck(policy).identification(authenticated, actionOf(remoteId));
};

describe('a peer is identified', () => {
  for (const [text, conditions] of [
    ['gate.example', 'remote_id == "gate.example"'],
    ['gate.example', 'remote_id ~= "[.]example$" && esp_present == "yes" && remote_filter != ""'],
    ['joe@example.org', 'remote_id == "joe@example.org"'],
    ['10.0.0.1', 'remote_id == "010.000.000.001"'],
    ['10.0.0.1', 'remote_id_addr_lower == "010.000.000.001" && !(ah_present == "yes")'],
    ['2001:db8::1', 'remote_id == "2001:0db8:0000:0000:0000:0000:0000:0001"'],
    [distinguished, 'remote_id == "/C=SE/CN=gate"'],
    [keyId, 'remote_id == "group" && remote_id_type == "Key ID"'],
    ['gate.example', 'initiator == "no" && pfs == "yes" -> { remote_id == "gate.example"; }'],
  ] as const) {
    it(`by ${conditions}`, () => {
      assert.equal(identified(typeof text === 'string' ? identityFromText(text) : text, conditions).isPermitted, true);
    });
  }

  for (const conditions of [
    'true',
    'remote_id != ""',
    'remote_id_type == "FQDN"',
    'remote_id ~= "."',
    'remote_filter == "x"',
  ]) {
    it(`threat wrong identity: not by ${conditions}, which any other fulfils as well`, () => {
      const { isPermitted, decision } = identified(identityFromText('gate.example'), conditions);
      assert.deepEqual([isPermitted, /do not say whose it is/.test(decision)], [false, true]);
    });
  }

  it('not as nobody', () => {
    const { isPermitted } = identified(identityFromText('nobody.invalid'), 'remote_id == "nobody.invalid"');
    assert.equal(isPermitted, false);
  });

  it('not where what is known already is refused', () => {
    const { isPermitted, decision } = identified(
      identityFromText('gate.example'),
      'remote_id == "gate.example" && phase1_group_desc == "19" && esp_present == "yes"',
    );
    assert.equal(isPermitted, false);
    assert.match(decision, /fails at phase1_group_desc == "19", phase1_group_desc is "14"/);
  });
});

for (const name of ['esp_enc_alg', 'ah_present', 'remote_filter', 'local_filter_port', 'initiator', 'pfs']) {
  it(`${name} is not known in phase 1`, () => {
    assert.equal(attributesInPhase1(actionOf(keyId))(name), undefined);
  });
}

for (const [name, value] of [
  ['app_domain', 'IPsec policy'],
  ['doi', 'ipsec'],
  ['phase_1', 'main'],
  ['remote_id', 'group'],
  ['remote_id_port', ''],
  ['remote_negotiation_address', '010.000.000.002'],
  ['GMTTimeOfDay', '20261126000000'],
  ['comp_present', 'no'],
  ['comp_alg', ''],
  ['espresso', ''],
  ['whatever', ''],
] as const) {
  it(`${name} is "${value}" in phase 1 already`, () => {
    assert.equal(attributesInPhase1(actionOf(keyId))(name), value);
  });
}
