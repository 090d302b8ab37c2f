import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolvePhase1Identity } from '../../src/shared/config/resolve-identity.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import type { Identity } from '../../src/shared/policy/peer-policy.ts';
import { fqdn, generalPolicy, LanePair, peerPolicy } from '../helpers/lane-pair.ts';
import { storeOf } from '../shared/config/store-of.ts';

/** An ID section, what its identity prints as, and one that is another. */
const IDENTITIES: readonly (readonly [string, string, string, Identity])[] = [
  ['IPV4_ADDR', 'Address=192.0.2.7', '192.0.2.7', identityFromText('192.0.2.8')],
  ['IPV6_ADDR', 'Address=2001:db8::7', '2001:db8::7', identityFromText('2001:db8::8')],
  [
    'IPV4_ADDR_SUBNET',
    'Network=192.0.2.0\nNetmask=255.255.255.0',
    '192.0.2.0/255.255.255.0',
    identityFromText('192.0.2.0'),
  ],
  [
    'IPV6_ADDR_SUBNET',
    'Network=2001:db8::\nNetmask=ffff:ffff::',
    '2001:db8::/ffff:ffff::',
    identityFromText('2001:db8::'),
  ],
  ['FQDN', 'Name=Gate.example.net', 'Gate.example.net', fqdn('gate.example.com')],
  ['USER_FQDN', 'Name=user@example.net', 'user@example.net', identityFromText('user@example.com')],
  ['KEY_ID', 'Name=branch office 7', 'branch office 7', fqdn('branch office 7')],
  ['KEY_ID', 'Name=0x00ff17', '0x00ff17', fqdn('0x00ff17')],
  [
    'DER_ASN1_DN',
    'Name=/C=SE/O=Company/CN=gate',
    '/C=SE/O=Company/CN=gate',
    identityFromText('/C=SE/O=Company/CN=gates'),
  ],
  [
    'DER_ASN1_DN',
    'Name=CN=gate, O=Company, C=SE',
    '/C=SE/O=Company/CN=gate',
    identityFromText('/CN=gate/O=Company/C=SE'),
  ],
];

const identityOf = (type: string, tags: string): Identity =>
  resolvePhase1Identity(storeOf(`[id]\nID-type=${type}\n${tags}\n`), 'id', []);

/** The left side says `own`, the right side insists on `expected`. */
const meet = (exchangeType: number, own: Identity, expected: Identity): LanePair => {
  const gate = fqdn('right.example');
  const pair = new LanePair(
    peerPolicy({ exchangeType, localId: own, remoteId: gate }),
    peerPolicy({ exchangeType, address: '10.0.0.1', localId: gate, remoteId: expected }),
  );
  pair.start();
  return pair;
};

for (const [mode, exchangeType] of [
  ['main mode', ExchangeType.ID_PROT],
  ['aggressive mode', ExchangeType.AGGRESSIVE],
] as const) {
  describe(`identities in ${mode}`, () => {
    for (const [type, tags, text, other] of IDENTITIES) {
      const written = tags.replace('\n', ', ');
      it(`${type} with ${written} is known to the peer as ${text}`, () => {
        const own = identityOf(type, tags);
        const { left, right } = meet(exchangeType, own, own);
        assert.equal(right.all('phase1Established')[0]?.remoteIdentity, text);
        assert.equal(left.all('phase1Established')[0]?.remoteIdentity, 'right.example');
        assert.ok(
          left.log.some((line) => line.includes(`initiator id ${text}, responder id right.example`)),
          left.log.join('\n'),
        );
      });
      it(`CVE-2015-4171: ${type} with ${written} is no other identity`, () => {
        const { right } = meet(exchangeType, identityOf(type, tags), other);
        assert.equal(right.all('phase1Established').length, 0);
      });
    }
    it('a range of addresses is its prefix', () => {
      const { right } = meet(
        exchangeType,
        identityFromText('192.0.2.0-192.0.2.255'),
        identityFromText('192.0.2.0/255.255.255.0'),
      );
      assert.equal(right.all('phase1Established')[0]?.remoteIdentity, '192.0.2.0-192.0.2.255');
    });
    it('names are the same in upper and lower case', () => {
      const { right } = meet(exchangeType, fqdn('Gate.Example'), fqdn('gate.example'));
      assert.equal(right.all('phase1Established').length, 1);
    });
  });
}

it('a secret in the section named after a distinguished name is found in aggressive mode', () => {
  const policy = peerPolicy({
    exchangeType: ExchangeType.AGGRESSIVE,
    preSharedKey: undefined,
    localId: identityOf('DER_ASN1_DN', 'Name=/C=SE/CN=Road Warrior'),
  });
  const pair = new LanePair(policy, { ...policy, address: '10.0.0.1' });
  const identitySecrets = new Map([['/c=se/cn=road warrior', new TextEncoder().encode('by name')]]);
  for (const host of pair.hosts) {
    host.tell({
      kind: 'general',
      policy: generalPolicy({ identitySecrets }),
    });
  }
  pair.start();
  assert.equal(pair.right.all('phase1Established').length, 1);
});
