import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LAST_ERROR_NOTIFY, NotifyType, notifyName } from '../../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../../src/shared/constants/oakley.ts';
import { phase1Meaning, quickModeMeaning } from '../../../src/shared/exchange/notify-meanings.ts';
import { aes128Sha256, connectionPolicy, fqdn, peerPolicy } from '../../helpers/lane-pair.ts';

const ERRORS = Object.values(NotifyType).filter((type) => type <= LAST_ERROR_NOTIFY);
const meaning = (notify: number, changes: Parameters<typeof peerPolicy>[0] = {}): string =>
  phase1Meaning(notify, peerPolicy(changes), '10.0.0.1');

describe('what a peer’s answer to our phase 1 usually means', () => {
  it('is said of every error, and of those that RFC 2408 does not know', () => {
    for (const type of [...ERRORS, 31, LAST_ERROR_NOTIFY]) assert.ok(meaning(type).length > 10, notifyName(type));
  });

  it('NO_PROPOSAL_CHOSEN: what we offer, a few of many', () => {
    const transforms = Array.from({ length: 9 }, () => aes128Sha256());
    assert.match(
      meaning(NotifyType.NO_PROPOSAL_CHOSEN, { transforms }),
      /^we offer (AES_CBC-128\/SHA2_256\/PRE_SHARED\/ECP_256,? ){3}and 6 more; compare \[Default-phase-1-configuration\]:Transforms/,
    );
  });

  it('INVALID_ID_INFORMATION: who we say we are', () => {
    assert.match(meaning(NotifyType.INVALID_ID_INFORMATION), /another ID than our 10\.0\.0\.1; compare \[peer\]:ID/);
    const localId = fqdn('east.example.com');
    assert.match(meaning(NotifyType.INVALID_ID_INFORMATION, { localId }), /another ID than our east\.example\.com;/);
  });

  it('what garbage after decryption is called: another secret', () => {
    for (const type of [
      NotifyType.PAYLOAD_MALFORMED,
      NotifyType.AUTHENTICATION_FAILED,
      NotifyType.INVALID_HASH_INFORMATION,
    ]) {
      assert.match(meaning(type), /probably a wrong pre-shared key; compare \[peer\]:Authentication/);
    }
  });

  it('versions, exchange types, cookies and certificates', () => {
    assert.match(meaning(NotifyType.INVALID_MAJOR_VERSION), /does not take IKEv1/);
    assert.match(meaning(NotifyType.INVALID_EXCHANGE_TYPE), /does not take ID_PROT; change \[.*\]:EXCHANGE_TYPE/);
    assert.match(meaning(NotifyType.INVALID_COOKIE), /does not know this negotiation/);
    assert.match(
      meaning(NotifyType.INVALID_CERTIFICATE),
      /it wants certificates; .* or name a transform with RSA_SIG in \[/,
    );
  });
});

describe('what a peer’s answer to our quick mode usually means', () => {
  it('is said of every error', () => {
    for (const type of ERRORS) assert.ok(quickModeMeaning(type, connectionPolicy()).length > 10, notifyName(type));
  });

  it('INVALID_ID_INFORMATION: between which ends', () => {
    const type = NotifyType.INVALID_ID_INFORMATION;
    assert.match(
      quickModeMeaning(type, connectionPolicy()),
      /no connection between our 10\.1\.1\.0\/255\.255\.255\.0 and its 10\.1\.2\.0\/255\.255\.255\.0;/,
    );
    const bare = connectionPolicy({ localId: undefined, remoteId: undefined });
    assert.match(quickModeMeaning(type, bare), /no connection between the two addresses;/);
  });
});

it('of a peer that we sign for are about keys and certificates, not about a secret', () => {
  const transforms = [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }];
  for (const notify of [
    NotifyType.AUTHENTICATION_FAILED,
    NotifyType.INVALID_SIGNATURE,
    NotifyType.INVALID_KEY_INFORMATION,
    NotifyType.INVALID_CERTIFICATE,
  ]) {
    const words = meaning(notify, { transforms });
    assert.match(words, /cannot verify our signature, or does not trust our certificate/);
    assert.doesNotMatch(words, /pre-shared/);
  }
});
