/**
 * A peer that does exactly what a test says: it computes keys and hashes like an honest one, but sends whatever payloads, headers and
 * message ids it is told to, in any order.
 */
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription, HashAlgorithm } from '../../src/shared/constants/oakley.ts';
import { cipherSpec, encryptCbc } from '../../src/shared/crypto/cipher.ts';
import { groupSpec, publicValue, sharedSecret } from '../../src/shared/crypto/dh.ts';
import { prf } from '../../src/shared/crypto/prf.ts';
import type { IsakmpKeys, Protection } from '../../src/shared/exchange/effects.ts';
import { type Envelope, openMessage, sealAuthenticated, sealMessage } from '../../src/shared/exchange/envelope.ts';
import type { Inbound, MessageRule } from '../../src/shared/exchange/inbound.ts';
import {
  deriveSkeyids,
  expandEncryptionKey,
  hashI,
  hashR,
  phase1Iv,
  phase2Iv,
  skeyidPreShared,
} from '../../src/shared/exchange/keymat.ts';
import { identityOfAddress } from '../../src/shared/policy/identity.ts';
import type { Identity, Phase1Transform } from '../../src/shared/policy/peer-policy.ts';
import { offerPhase1 } from '../../src/shared/policy/phase1-proposal.ts';
import { spiBytes } from '../../src/shared/policy/spi.ts';
import type { KeyRecord } from '../../src/shared/sa-table/key-slab.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import {
  HEADER_SIZE,
  type OutPayload,
  readHeader,
  withEncryptedBody,
  writeBody,
} from '../../src/shared/wire/message.ts';
import { PAYLOADS, type PayloadKind } from '../../src/shared/wire/payloads.ts';
import { aes128Sha256, type LaneHost, seededRandom } from './lane-pair.ts';

const KINDS = Object.keys(PAYLOADS).filter((kind): kind is PayloadKind => kind in PAYLOADS);
const ANYTHING: MessageRule = { encryption: 'either', hashFirst: false, required: [], allowed: KINDS };

/** Reads a message whatever it holds; throws the fault of an unreadable one. */
export const readAnything = (bytes: Uint8Array, protection?: Protection): Inbound => {
  const opened = openMessage(protection, bytes, readHeader(bytes), ANYTHING);
  if (opened.kind === 'refused') throw opened.fault;
  return opened.message;
};

/** The one notify of a cleartext informational message, undefined for anything else. */
export const clearNotify = (bytes: Uint8Array | undefined): number | undefined => {
  if (bytes === undefined || readHeader(bytes).exchangeType !== ExchangeType.INFO) return undefined;
  if ((readHeader(bytes).flags & 1) !== 0) return undefined;
  return readAnything(bytes).notifies[0]?.value.notifyType;
};

interface ScriptOptions {
  readonly seed?: string;
  readonly preSharedKey?: string;
  readonly transforms?: readonly Phase1Transform[];
  readonly identity?: Identity;
  readonly group?: number;
}

/** What both sides of phase 1 know of each other's messages. */
interface Theirs {
  readonly publicValue: Uint8Array;
  readonly nonce: Uint8Array;
}

export class ScriptedPeer {
  readonly initiatorCookie: Uint8Array;
  responderCookie: Uint8Array = new Uint8Array(8);
  readonly sa: OutPayload;
  readonly ke: OutPayload;
  readonly nonce: OutPayload;
  readonly id: OutPayload;
  readonly #group: number;
  readonly #preSharedKey: Uint8Array;
  readonly #privateValue: Uint8Array;
  readonly #publicValue: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  #skeyid: Uint8Array = new Uint8Array(0);
  #theirs: Theirs = { publicValue: new Uint8Array(0), nonce: new Uint8Array(0) };
  #keys: IsakmpKeys | undefined;
  /** Phase 1 as it stands; its IV chain is that of all sealed messages so far. */
  #phase1: Envelope | undefined;

  constructor({ seed = 'script', preSharedKey = 'mekmitasdigoat', ...options }: ScriptOptions = {}) {
    const { transforms = [aes128Sha256()], identity = identityOfAddress('10.0.0.1') } = options;
    this.#group = options.group ?? GroupDescription.ECP_256;
    this.random = seededRandom(seed);
    this.initiatorCookie = this.random(8);
    this.#preSharedKey = new TextEncoder().encode(preSharedKey);
    this.#privateValue = this.random(groupSpec(this.#group)?.privateSize ?? 0);
    this.#publicValue = publicValue(this.#group, this.#privateValue);
    this.#nonce = this.random(24);
    const value = offerPhase1(transforms);
    if (value === undefined) throw new RangeError('nothing to offer');
    this.sa = { kind: 'SA', value };
    this.ke = { kind: 'KE', value: { keyExchangeData: this.#publicValue } };
    this.nonce = { kind: 'NONCE', value: { nonceData: this.#nonce } };
    const { type, protocol, port, data } = identity;
    this.id = { kind: 'ID', value: { idType: type, protocolId: protocol, port, identificationData: data } };
  }

  get keys(): IsakmpKeys {
    if (this.#keys === undefined) throw new RangeError('no keys yet');
    return this.#keys;
  }

  /** A message in the clear, of phase 1 unless told otherwise. */
  clear(payloads: readonly OutPayload[], changes: Partial<Envelope> = {}): Uint8Array {
    return sealMessage({ ...this.#envelope(ExchangeType.ID_PROT, 0), ...changes }, payloads).bytes;
  }

  /** The next encrypted message of phase 1. */
  sealed(payloads: readonly OutPayload[]): Uint8Array {
    if (this.#phase1 === undefined) throw new RangeError('no keys yet');
    return sealMessage(this.#phase1, payloads).bytes;
  }

  /** An encrypted message of phase 1 that comes out of decryption as `plain`. */
  sealedBytes(nextPayload: number, plain: Uint8Array): Uint8Array {
    const { protection } = this.#phase1 ?? {};
    if (protection === undefined) throw new RangeError('no keys yet');
    const message = this.clear([{ kind: 'raw', type: nextPayload, body: plain.subarray(4) }]);
    message.set(plain, HEADER_SIZE);
    return withEncryptedBody(message, encryptCbc(protection.cipher, protection.key, protection.iv, plain));
  }

  /** Message 1 of main mode. */
  message1(): Uint8Array {
    return this.clear([this.sa]);
  }

  /** Message 3 of main mode; takes message 2. */
  message3(message2: Uint8Array | undefined): Uint8Array {
    if (message2 === undefined) throw new RangeError('no message 2');
    this.responderCookie = readHeader(message2).responderCookie.slice();
    return this.clear([this.ke, this.nonce]);
  }

  /** Message 5 of main mode; takes message 4. `extra` goes after the hash. */
  message5(message4: Uint8Array | undefined, extra: readonly OutPayload[] = []): Uint8Array {
    this.learnKeys(message4);
    return this.sealed([this.id, this.hashPayload('initiator'), ...extra]);
  }

  /** Takes the last message of phase 1: from here on there are phase 2 exchanges. */
  finish(message6: Uint8Array | undefined): void {
    if (message6 === undefined || this.#phase1 === undefined) throw new RangeError('no message 6');
    this.#advance(this.#phase1, message6);
  }

  /** Main mode with `host` as the responder, from start to end. */
  mainMode(host: LaneHost, from = '10.0.0.1'): this {
    const [message2] = host.hear(this.message1(), from);
    const [message4] = host.hear(this.message3(message2), from);
    const [message6] = host.hear(this.message5(message4), from);
    this.finish(message6);
    return this;
  }

  /** Computes the keys from a message with the other side's KE and NONCE. */
  learnKeys(message: Uint8Array | undefined, exchangeType: number = ExchangeType.ID_PROT): void {
    if (message === undefined) throw new RangeError('no KE');
    const { header, ke, nonce } = readAnything(message);
    this.responderCookie = header.responderCookie.slice();
    const theirs = {
      publicValue: ke?.value.keyExchangeData.slice() ?? new Uint8Array(0),
      nonce: nonce?.value.nonceData.slice() ?? new Uint8Array(0),
    };
    this.#theirs = theirs;
    const cipher = cipherSpec(7, 128);
    if (cipher === undefined) throw new RangeError('no AES');
    const gxy = sharedSecret(this.#group, this.#privateValue, theirs.publicValue);
    this.#skeyid = skeyidPreShared(HashAlgorithm.SHA2_256, this.#preSharedKey, this.#nonce, theirs.nonce);
    const keys = deriveSkeyids(HashAlgorithm.SHA2_256, this.#skeyid, gxy, this.initiatorCookie, this.responderCookie);
    const key = expandEncryptionKey(HashAlgorithm.SHA2_256, keys.skeyidE, cipher.keySize);
    this.#keys = {
      hash: HashAlgorithm.SHA2_256,
      cipher,
      skeyidD: keys.skeyidD,
      skeyidA: keys.skeyidA,
      encryptionKey: key,
    };
    const iv = phase1Iv(HashAlgorithm.SHA2_256, this.#publicValue, theirs.publicValue, cipher.blockSize);
    this.#phase1 = { ...this.#envelope(exchangeType, 0), protection: { cipher, key, iv } };
  }

  hashPayload(side: 'initiator' | 'responder', id: OutPayload = this.id): OutPayload {
    const compute = side === 'initiator' ? hashI : hashR;
    const hashData = compute(
      HashAlgorithm.SHA2_256,
      this.#skeyid,
      this.#publicValue,
      this.#theirs.publicValue,
      this.initiatorCookie,
      this.responderCookie,
      writeBody(this.sa),
      writeBody(id),
    );
    return { kind: 'HASH', value: { hashData } };
  }

  /** A new exchange under the established SA. */
  exchange(exchangeType: number = ExchangeType.INFO, messageId = 0): ScriptedExchange {
    const iv = this.#phase1?.protection?.iv;
    if (iv === undefined) throw new RangeError('no keys yet');
    const id = messageId === 0 ? new DataView(this.random(4).buffer).getUint32(0) : messageId;
    return new ScriptedExchange(this.keys, iv, { ...this.#envelope(exchangeType, id) });
  }

  #envelope(exchangeType: number, messageId: number): Envelope {
    const { initiatorCookie, responderCookie } = this;
    return {
      initiatorCookie,
      responderCookie,
      exchangeType,
      messageId,
      authentication: undefined,
      protection: undefined,
    };
  }

  #advance(envelope: Envelope, bytes: Uint8Array): void {
    if (envelope.protection === undefined) return;
    envelope.protection = { ...envelope.protection, iv: bytes.slice(-envelope.protection.cipher.blockSize) };
  }
}

/** One exchange of phase 2, with its own IV chain. */
export class ScriptedExchange {
  readonly messageId: number;
  readonly #keys: IsakmpKeys;
  readonly #envelope: Envelope;

  constructor(keys: IsakmpKeys, lastIv: Uint8Array, envelope: Envelope) {
    this.messageId = envelope.messageId;
    this.#keys = keys;
    const { hash, cipher, skeyidA, encryptionKey: key } = keys;
    const iv = phase2Iv(hash, lastIv, envelope.messageId, cipher.blockSize);
    this.#envelope = { ...envelope, authentication: { hash, skeyidA }, protection: { cipher, key, iv } };
  }

  /** With HASH(1), or HASH(2) where `extra` is the initiator's nonce. */
  authentic(payloads: readonly OutPayload[], ...extra: readonly Uint8Array[]): Uint8Array {
    return sealAuthenticated(this.#envelope, extra, payloads).bytes;
  }

  /** With HASH(3). */
  proof(ni: Uint8Array, nr: Uint8Array): Uint8Array {
    const { hash, skeyidA } = this.#keys;
    const hashData = prf(hash, skeyidA, Uint8Array.of(0), spiBytes(this.messageId), ni, nr);
    return this.sealed([{ kind: 'HASH', value: { hashData } }]);
  }

  /** Encrypted, and nothing more. */
  sealed(payloads: readonly OutPayload[]): Uint8Array {
    return sealMessage(this.#envelope, payloads).bytes;
  }

  /** The next message of the other side. */
  read(bytes: Uint8Array | undefined): Inbound {
    if (bytes === undefined) throw new RangeError('no answer');
    const { protection } = this.#envelope;
    const message = readAnything(bytes, protection);
    if (protection !== undefined) {
      this.#envelope.protection = { ...protection, iv: bytes.slice(-protection.cipher.blockSize) };
    }
    return message;
  }
}

/** The exchange that an established SA of `host` would be in with its peer: keys read from the lane's slab. */
export const exchangeUnder = (
  host: LaneHost,
  isakmp: string,
  exchangeType: number = ExchangeType.INFO,
  messageId = 0x1234_5678,
): ScriptedExchange => {
  const slab = new KeySlab(host.slabBuffer);
  const record = Array.from(slab.liveSlots(), (slot) => slab.read(slot)).find(
    (one): one is KeyRecord => one !== undefined && cookiesInRow(host, one) === isakmp,
  );
  const cipher = record && cipherSpec(record.cipher, record.keyLength === 0 ? undefined : record.keyLength);
  if (record === undefined || cipher === undefined) throw new RangeError(`no keys for ${isakmp}`);
  const { hash, skeyidD, skeyidA, encryptionKey, lastIv } = record;
  return new ScriptedExchange({ hash, cipher, skeyidD, skeyidA, encryptionKey }, lastIv, {
    initiatorCookie: fromHexDigits(isakmp.slice(0, 16)),
    responderCookie: fromHexDigits(isakmp.slice(16)),
    exchangeType,
    messageId,
    authentication: undefined,
    protection: undefined,
  });
};

const cookiesInRow = (host: LaneHost, { owner }: KeyRecord): string => {
  const row = host.table.read(owner);
  return row === undefined
    ? ''
    : Buffer.from(row.initiatorCookie).toString('hex') + Buffer.from(row.responderCookie).toString('hex');
};

const fromHexDigits = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, 'hex'));

/** DELETE of IPsec SPIs, as their receiver says it. */
export const deleteOf = (...spis: readonly number[]): OutPayload => ({
  kind: 'DELETE',
  value: { doi: 1, protocolId: ProtocolId.IPSEC_ESP, spis: spis.map(spiBytes) },
});

/** An INFO under the cookies of a message of phase 1 that says it is encrypted, and cannot be decrypted. */
export const unreadableInfo = (phase1Message: Uint8Array): Uint8Array => {
  const { initiatorCookie, responderCookie } = readHeader(phase1Message);
  const noise = new ScriptedPeer().clear([{ kind: 'raw', type: 8, body: new Uint8Array(44).fill(3) }], {
    initiatorCookie,
    responderCookie,
    exchangeType: ExchangeType.INFO,
    messageId: 77,
  });
  noise[19] = 1;
  return noise;
};

/** A notify of the IPsec DOI; about the ISAKMP SA unless told otherwise. */
export const notifyOf = (
  notifyType: number,
  about: { readonly protocolId?: number; readonly spi?: Uint8Array; readonly data?: Uint8Array } = {},
): OutPayload => ({
  kind: 'NOTIFY',
  value: {
    doi: 1,
    protocolId: about.protocolId ?? ProtocolId.ISAKMP,
    notifyType,
    spi: about.spi ?? new Uint8Array(0),
    notificationData: about.data ?? new Uint8Array(0),
  },
});
