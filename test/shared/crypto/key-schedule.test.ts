/** A whole negotiation of the original isakmpd, recomputed to the byte from its debug log. Its private values are not in the log, so g^xy is taken as given. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { AuthenticationAlgorithm, EspTransform, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { EncryptionAlgorithm, HashAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { cipherSpec, decryptCbc, encryptCbc } from '../../../src/shared/crypto/cipher.ts';
import { prf } from '../../../src/shared/crypto/prf.ts';
import {
  deriveSkeyids,
  expandEncryptionKey,
  hashI,
  hashR,
  keymat,
  keymatSizes,
  phase1Iv,
  phase2Iv,
  skeyidPreShared,
} from '../../../src/shared/exchange/keymat.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { readKeyScheduleLog } from './key-schedule-log.ts';
import { toHex } from './vector-file.ts';

const HASH = HashAlgorithm.SHA2_256;
const AES_128 = cipherSpec(EncryptionAlgorithm.AES_CBC, 128);
assert.ok(AES_128);
const BLOCK = AES_128.blockSize;

/** What the log says: `at(label, n)` is the nth block of that label, from 0. */
interface Log {
  readonly at: (label: string, index?: number) => Uint8Array;
  readonly preSharedKey: Uint8Array;
}

const openLog = (t: TestContext): Log | undefined => {
  const folder = sharedPath('vectors', 'isakmpd-output', 'key-schedule');
  if (folder === undefined) {
    t.skip('shared/vectors is absent');
    return undefined;
  }
  const blocks = readKeyScheduleLog(readFileSync(`${folder}/initiator.log`, 'utf8'));
  const secret = /^Authentication=\s*(\S+)/m.exec(readFileSync(`${folder}/initiator.conf`, 'utf8'));
  return {
    at: (label, index = 0) => {
      const found = blocks.filter((block) => block.label === label)[index];
      assert.ok(found, `${label} ${index} in the log`);
      return found.bytes;
    },
    preSharedKey: new Uint8Array(Buffer.from(secret?.[1] ?? '')),
  };
};

/** Everything of phase 1 that later steps need, computed by us. */
const phase1 = ({ at, preSharedKey }: Log) => {
  const message5 = at('message_send', 2);
  const initiatorCookie = message5.slice(0, 8);
  const responderCookie = message5.slice(8, 16);
  const [gxi, gxr] = [at('ipsec_g_x: g^xi'), at('ipsec_g_x: g^xr')];
  const gxy = at('ike_phase_1_post_exchange_KE_NONCE: g^xy');
  const skeyid = skeyidPreShared(HASH, preSharedKey, at('exchange_nonce: NONCE_i'), at('exchange_nonce: NONCE_r'));
  const skeyids = deriveSkeyids(HASH, skeyid, gxy, initiatorCookie, responderCookie);
  return {
    initiatorCookie,
    responderCookie,
    gxi,
    gxr,
    skeyid,
    ...skeyids,
    key: expandEncryptionKey(HASH, skeyids.skeyidE, 16),
  };
};

const equal = (actual: Uint8Array, expected: Uint8Array): void => assert.equal(toHex(actual), toHex(expected));
const lastBlock = (bytes: Uint8Array): Uint8Array => bytes.slice(-BLOCK);
/** The body of the payload at `offset`: its length field less the generic header of four bytes. */
const payloadBody = (bytes: Uint8Array, offset: number): Uint8Array =>
  bytes.slice(offset + 4, offset + new DataView(bytes.buffer, bytes.byteOffset).getUint16(offset + 2));
/** The payloads of a decrypted message that follow its HASH, without the padding. */
const afterHash = (plain: Uint8Array): Uint8Array => {
  const view = new DataView(plain.buffer, plain.byteOffset);
  const start = view.getUint16(2);
  let next = plain[0] ?? 0;
  let end = start;
  while (next !== 0) {
    next = plain[end] ?? 0;
    end += view.getUint16(end + 2);
  }
  return plain.slice(start, end);
};

test('isakmpd’s log: SKEYID, SKEYID_d, SKEYID_a, SKEYID_e and the cipher key', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { skeyid, skeyidD, skeyidA, skeyidE, key } = phase1(log);
  const origin = 'ike_phase_1_post_exchange_KE_NONCE';
  equal(skeyid, log.at(`${origin}: SKEYID`));
  equal(skeyidD, log.at(`${origin}: SKEYID_d`));
  equal(skeyidA, log.at(`${origin}: SKEYID_a`));
  equal(skeyidE, log.at(`${origin}: SKEYID_e`));
  equal(key, log.at('crypto_init: key'));
});

test('isakmpd’s log: HASH_I and HASH_R', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { initiatorCookie, responderCookie, gxi, gxr, skeyid } = phase1(log);
  const saBody = payloadBody(log.at('message_send', 0), 28);
  const idI = payloadBody(log.at('crypto_encrypt: before encryption'), 0);
  const idR = payloadBody(log.at('crypto_decrypt: after decryption'), 0);
  equal(
    hashI(HASH, skeyid, gxi, gxr, initiatorCookie, responderCookie, saBody, idI),
    log.at('pre_shared_encode_hash: HASH_I'),
  );
  const computed = hashR(HASH, skeyid, gxi, gxr, initiatorCookie, responderCookie, saBody, idR);
  equal(computed, log.at('pre_shared_decode_hash: HASH_R'));
  equal(computed, log.at('ike_phase_1_recv_AUTH: computed HASH_R'));
});

test('isakmpd’s log: the phase 1 IV, and each IV after it is the last block of the message before', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { gxi, gxr, key } = phase1(log);
  const iv = phase1Iv(HASH, gxi, gxr, BLOCK);
  equal(iv, log.at('crypto_init_iv: initialized IV'));
  const message5 = encryptCbc(AES_128, key, iv, log.at('crypto_encrypt: before encryption'));
  equal(message5, log.at('crypto_encrypt: after encryption'));
  equal(lastBlock(message5), log.at('crypto_update_iv: updated IV', 0));
  const message6 = log.at('crypto_decrypt: before decryption');
  equal(decryptCbc(AES_128, key, lastBlock(message5), message6), log.at('crypto_decrypt: after decryption'));
  equal(lastBlock(message6), log.at('crypto_update_iv: updated IV', 1));
});

test('isakmpd’s log: the phase 2 IVs of the quick mode and of two informational exchanges', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const final = lastBlock(log.at('crypto_decrypt: before decryption'));
  for (const index of [0, 1, 2]) {
    equal(final, log.at('ipsec_get_keystate: final phase 1 IV', index));
    const id = log.at('ipsec_get_keystate: message ID', index);
    const messageId = new DataView(id.buffer, id.byteOffset).getUint32(0);
    equal(phase2Iv(HASH, final, messageId, BLOCK), log.at('ipsec_get_keystate: phase 2 IV', index));
  }
});

test('isakmpd’s log: HASH(1), HASH(2) and HASH(3) of the quick mode (RFC 2409 §5.5)', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { skeyidA } = phase1(log);
  const id = log.at('ipsec_get_keystate: message ID');
  const [ni, nr] = [log.at('exchange_nonce: NONCE_i', 1), log.at('exchange_nonce: NONCE_r', 1)];
  const first = afterHash(log.at('crypto_encrypt: before encryption', 1));
  const second = afterHash(log.at('crypto_decrypt: after decryption', 1));
  equal(prf(HASH, skeyidA, id, first), log.at('ipsec_fill_in_hash: HASH(1)'));
  equal(second, log.at('initiator_recv_HASH_SA_NONCE: payloads after HASH(2)'));
  equal(prf(HASH, skeyidA, id, ni, second), log.at('initiator_recv_HASH_SA_NONCE: computed HASH(2)'));
  equal(prf(HASH, skeyidA, Uint8Array.of(0), id, ni, nr), log.at('initiator_send_HASH: HASH(3)'));
});

test('isakmpd’s log: HASH(1) of both DELETEs (RFC 2409 §5.7)', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { skeyidA } = phase1(log);
  for (const index of [1, 2]) {
    const payloads = afterHash(log.at('crypto_encrypt: before encryption', index + 2));
    const id = log.at('ipsec_get_keystate: message ID', index);
    equal(prf(HASH, skeyidA, id, payloads), log.at('ipsec_fill_in_hash: HASH(1)', index));
  }
});

test('isakmpd’s log: the three quick mode messages encrypt and decrypt along their own IV chain', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { key } = phase1(log);
  const first = encryptCbc(
    AES_128,
    key,
    log.at('ipsec_get_keystate: phase 2 IV'),
    log.at('crypto_encrypt: before encryption', 1),
  );
  equal(first, log.at('crypto_encrypt: after encryption', 1));
  const second = log.at('crypto_decrypt: before decryption', 1);
  equal(decryptCbc(AES_128, key, lastBlock(first), second), log.at('crypto_decrypt: after decryption', 1));
  const third = encryptCbc(AES_128, key, lastBlock(second), log.at('crypto_encrypt: before encryption', 2));
  equal(third, log.at('crypto_encrypt: after encryption', 2));
});

test('isakmpd’s log: KEYMAT of both directions, with PFS (RFC 2409 §5.5)', (t) => {
  const log = openLog(t);
  if (log === undefined) return;
  const { skeyidD } = phase1(log);
  const { HMAC_SHA2_256 } = AuthenticationAlgorithm;
  const sizes = keymatSizes(ProtocolId.IPSEC_ESP, EspTransform.AES, 128, HMAC_SHA2_256);
  assert.ok(sizes);
  const size = sizes.encryption + sizes.authentication;
  const [ni, nr] = [log.at('exchange_nonce: NONCE_i', 1), log.at('exchange_nonce: NONCE_r', 1)];
  const gxy = log.at('gen_g_xy: g^xy');
  // The SPI is printed once for each of the two blocks of KEYMAT.
  for (const direction of [0, 1]) {
    const spi = log.at('post_quick_mode: SPI', 2 * direction);
    const expected = log.at('post_quick_mode: KEYMAT', direction);
    equal(keymat(HASH, skeyidD, gxy, ProtocolId.IPSEC_ESP, spi, ni, nr, size), expected);
  }
});
