/** The name that a refusal tells the operator to add does accept the offer that was refused. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import {
  AuthenticationMethod,
  GroupDescription,
  HashAlgorithm,
  EncryptionAlgorithm as Phase1Cipher,
} from '../../../src/shared/constants/oakley.ts';
import { cipherSpec } from '../../../src/shared/crypto/cipher.ts';
import { groupSpec } from '../../../src/shared/crypto/dh.ts';
import { hashSize } from '../../../src/shared/crypto/prf.ts';
import { keymatSizes } from '../../../src/shared/exchange/keymat.ts';
import type { PeerPolicy, Phase1Transform, Phase2Transform } from '../../../src/shared/policy/peer-policy.ts';
import { choosePhase1, offerPhase1 } from '../../../src/shared/policy/phase1-proposal.ts';
import { choosePhase2, offerPhase2 } from '../../../src/shared/policy/phase2-proposal.ts';
import { nearest } from '../../../src/shared/policy/transform-attributes.ts';
import { aes128Sha256, espSuite, espTransform } from '../../helpers/lane-pair.ts';
import { EXAMPLE, resolved, storeOf } from '../config/store-of.ts';

const METHODS = new Set([AuthenticationMethod.PRE_SHARED]);
const STRICT = { legacyCrypto: false, inUdp: false };
const LENIENT = { legacyCrypto: true, inUdp: false };

/** The policy of the example's peer with this tag changed, weak algorithms allowed. */
const policyWith = (section: string, tag: string, value: string): PeerPolicy => {
  const store = storeOf(EXAMPLE);
  store.set('west', 'Legacy-crypto', 'yes', true);
  store.set(section, tag, value, true);
  return resolved(store, 'WEST').policy;
};

const bits = fc.constantFrom(128, 192, 256);
const range = (offered: number) => ({ offered, least: offered, most: offered });
const groups = Object.values(GroupDescription).filter((group) => groupSpec(group) !== undefined);

const phase1Offer: fc.Arbitrary<Phase1Transform> = fc
  .record({
    encryption: fc.constantFrom(Phase1Cipher.AES_CBC, Phase1Cipher['3DES_CBC']),
    bits,
    hash: fc.constantFrom(...Object.values(HashAlgorithm).filter((hash) => hashSize(hash) !== undefined)),
    group: fc.constantFrom(...groups),
  })
  .map((wish) => ({
    ...aes128Sha256(wish.group),
    encryption: wish.encryption,
    hash: wish.hash,
    keyLength: wish.encryption === Phase1Cipher.AES_CBC ? range(wish.bits) : undefined,
  }))
  .filter(({ encryption, keyLength }) => cipherSpec(encryption, keyLength?.offered) !== undefined);

it('of phase 1: whatever of our algorithms the peer offers', () => {
  let cured = 0;
  fc.assert(
    fc.property(phase1Offer, (wish) => {
      const offer = offerPhase1([wish]) ?? assert.fail();
      const refused = choosePhase1(
        offer,
        { transforms: [{ ...wish, name: 'other', hash: 0 }], legacyCrypto: false },
        METHODS,
      );
      const remedy = refused.kind === 'none' ? nearest(refused.comparisons)?.remedy : undefined;
      assert.ok(remedy !== undefined, 'no name for it');
      assert.equal(choosePhase1(offer, policyWith('main-mode', 'Transforms', remedy), METHODS).kind, 'chosen', remedy);
      cured++;
    }),
  );
  assert.ok(cured > 50);
});

const phase2Offer: fc.Arbitrary<Phase2Transform> = fc
  .record({
    transformId: fc.constantFrom(
      EspTransform.AES,
      EspTransform['3DES'],
      EspTransform.AES_CTR,
      EspTransform.AES_GCM_16,
      EspTransform.AES_GMAC,
      EspTransform.NULL,
    ),
    bits,
    authentication: fc.constantFrom(
      AuthenticationAlgorithm.HMAC_MD5,
      AuthenticationAlgorithm.HMAC_SHA,
      AuthenticationAlgorithm.HMAC_SHA2_256,
      AuthenticationAlgorithm.HMAC_SHA2_384,
      AuthenticationAlgorithm.HMAC_SHA2_512,
    ),
    encapsulation: fc.constantFrom(EncapsulationMode.TUNNEL, EncapsulationMode.TRANSPORT),
    group: fc.option(fc.constantFrom(...groups), { nil: undefined }),
  })
  .map(({ bits: wanted, ...wish }) => ({
    ...espTransform(wish),
    keyLength: SIZED.has(wish.transformId) ? range(wanted) : undefined,
    authentication: AEAD.has(wish.transformId) ? undefined : wish.authentication,
  }))
  .filter(({ transformId, keyLength, authentication }) => {
    return keymatSizes(ProtocolId.IPSEC_ESP, transformId, keyLength?.offered, authentication) !== undefined;
  });
const AEAD: ReadonlySet<number> = new Set([EspTransform.AES_GCM_16, EspTransform.AES_GMAC]);
const SIZED: ReadonlySet<number> = new Set([EspTransform.AES, EspTransform.AES_CTR, ...AEAD]);

it('of quick mode: whatever of our algorithms the peer offers', () => {
  let cured = 0;
  fc.assert(
    fc.property(phase2Offer, (wish) => {
      const offer = offerPhase2([espSuite(wish)], [[0x1234]]);
      const refused = choosePhase2(offer, [espSuite({ ...wish, authentication: 99 })], STRICT);
      const remedy = refused.kind === 'none' ? nearest(refused.comparisons)?.remedy : undefined;
      assert.ok(remedy !== undefined, 'no name for it');
      const [connection] = policyWith('quick-mode', 'Suites', remedy).connections;
      assert.equal(choosePhase2(offer, connection?.suites, LENIENT).kind, 'chosen', remedy);
      cured++;
    }),
  );
  assert.ok(cured > 50);
});
