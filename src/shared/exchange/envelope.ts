/** Messages of one exchange as bytes and back: header, HASH payload, encryption and the chain of its IVs. RFC 2409 §5 and appendix B. */
import { HeaderFlag, NotifyType } from '../constants/isakmp.ts';
import { decryptCbc, encryptCbc } from '../crypto/cipher.ts';
import { hashSize, prf } from '../crypto/prf.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import {
  HEADER_SIZE,
  type Header,
  type OutPayload,
  padToBlock,
  readPayloads,
  withEncryptedBody,
  writeMessage,
} from '../wire/message.ts';
import type { Protection } from './effects.ts';
import { checkRule, type Inbound, inbound, type MessageRule } from './inbound.ts';

/** What every message of one exchange has in common on the wire. */
export interface Envelope {
  readonly initiatorCookie: Uint8Array;
  /** Zeros until an initiator has learnt it. */
  responderCookie: Uint8Array;
  readonly exchangeType: number;
  readonly messageId: number;
  /** What HASH(1) and HASH(2) are made with; undefined in phase 1. */
  readonly authentication: { readonly hash: number; readonly skeyidA: Uint8Array } | undefined;
  /** Its IV moves on with every message. */
  protection: Protection | undefined;
}

/**
 * How far a refused message came: it was not encrypted though it had to be, could not be read, had other payloads than its turn asks
 * for, or its step said no.
 */
export type Stage = 'flags' | 'syntax' | 'payloads' | 'step';

export type Opened =
  | {
      readonly kind: 'opened';
      readonly message: Inbound;
      /** With the IV that comes next; undefined for a message in the clear. */
      readonly protection: Protection | undefined;
    }
  | Unreadable;

/** A message that never reached a step. `garbled`: it came out of decryption as nonsense, as with peers that have another secret. */
export interface Unreadable {
  readonly kind: 'refused';
  readonly stage: Exclude<Stage, 'step'>;
  readonly fault: ProtocolError;
  readonly garbled: boolean;
}

/**
 * Decrypts if need be, parses, and checks the rule. The IV moves on only when the message has been accepted: a forged message
 * must not disturb the chain.
 */
export const openMessage = (
  protection: Protection | undefined,
  datagram: Uint8Array,
  header: Header,
  rule: MessageRule,
): Opened => {
  const isEncrypted = (header.flags & HeaderFlag.ENCRYPTION) !== 0;
  const refused = (stage: Unreadable['stage'], fault: unknown): Unreadable => {
    if (!(fault instanceof ProtocolError)) throw fault;
    return { kind: 'refused', stage, fault, garbled: isEncrypted };
  };
  if (!isEncrypted && rule.encryption === 'always') {
    return refused('flags', new ProtocolError(NotifyType.INVALID_FLAGS, 'a message in the clear'));
  }
  let stage: Unreadable['stage'] = 'syntax';
  try {
    const key = isEncrypted ? protection : undefined;
    const message = parse(header, key === undefined ? datagram : decrypted(key, datagram, header));
    stage = 'payloads';
    checkRule(message, rule);
    return { kind: 'opened', message, protection: key && movedOn(key, datagram, header) };
  } catch (fault) {
    return refused(stage, fault);
  }
};

const decrypted = ({ cipher, key, iv }: Protection, datagram: Uint8Array, header: Header): Uint8Array => {
  const plain = decryptCbc(cipher, key, iv, datagram.subarray(HEADER_SIZE, header.length));
  const bytes = new Uint8Array(header.length);
  bytes.set(datagram.subarray(0, HEADER_SIZE), 0);
  bytes.set(plain, HEADER_SIZE);
  return bytes;
};

const movedOn = ({ cipher, key }: Protection, datagram: Uint8Array, { length }: Header): Protection => ({
  cipher,
  key,
  iv: datagram.slice(length - cipher.blockSize, length),
});

const parse = (header: Header, bytes: Uint8Array): Inbound => {
  const { payloads, end } = readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length);
  return inbound(header, bytes, payloads, end);
};

/** A message on its way out: as it is sent, and as it was before encryption. */
export interface Sealed {
  readonly bytes: Uint8Array;
  readonly clear: Uint8Array;
}

/** The next message of the exchange, encrypted if the exchange is. */
export const sealMessage = (envelope: Envelope, payloads: readonly OutPayload[]): Sealed =>
  seal(envelope, writeMessage(headerOf(envelope), payloads));

/** The same with a HASH in front, which covers the message id, `extra`, and everything that follows it (RFC 2409 §5.5). */
export const sealAuthenticated = (
  envelope: Envelope,
  extra: readonly Uint8Array[],
  payloads: readonly OutPayload[],
): Sealed => {
  const { authentication, messageId } = envelope;
  const size = authentication && hashSize(authentication.hash);
  if (authentication === undefined || size === undefined) throw new InvariantError('HASH without SKEYID_a');
  const bytes = writeMessage(headerOf(envelope), [
    { kind: 'HASH', value: { hashData: new Uint8Array(size) } },
    ...payloads,
  ]);
  const at = HEADER_SIZE + GENERIC_HEADER_SIZE;
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, messageId);
  bytes.set(prf(authentication.hash, authentication.skeyidA, id, ...extra, bytes.subarray(at + size)), at);
  return seal(envelope, bytes);
};

const headerOf = ({ initiatorCookie, responderCookie, exchangeType, messageId }: Envelope) => ({
  initiatorCookie,
  responderCookie,
  exchangeType,
  flags: 0,
  messageId,
});

/** Encrypts if the exchange is protected, and moves its IV on: the next message chains to this one's last block. */
const seal = (envelope: Envelope, clear: Uint8Array): Sealed => {
  const { protection } = envelope;
  if (protection === undefined) return { bytes: clear, clear };
  const { cipher, key, iv } = protection;
  const padded = padToBlock(clear, cipher.blockSize);
  const encrypted = encryptCbc(cipher, key, iv, padded.subarray(HEADER_SIZE));
  envelope.protection = { cipher, key, iv: encrypted.slice(encrypted.length - cipher.blockSize) };
  return { bytes: withEncryptedBody(padded, encrypted), clear };
};

const GENERIC_HEADER_SIZE = 4;
