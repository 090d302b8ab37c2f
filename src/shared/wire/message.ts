/**
 * A whole ISAKMP message: header, payload chain, padding, the place of the encrypted body; RFC 2408 §3.1-3.2. What the numbers
 * of a header mean (version, exchange type, flags) is judged by the exchange layer; the non-ESP marker stays outside.
 */
import { exchangeName, HeaderFlag, NotifyType, PayloadType, payloadName } from '../constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { type Cursor, cursor, Sink } from './cursor.ts';
import { located, type Payload } from './fields.ts';
import { closePayload, enterPayload, GENERIC_HEADER_SIZE, openPayload } from './generic-header.ts';
import { PAYLOADS, type PayloadKind, type PayloadValue } from './payloads.ts';

export const HEADER_SIZE = 28;
const MAX_MESSAGE = 0xffff;
const MAX_PAYLOADS = 64;
/** Some peers send zeros after the message; more than a cipher block of them is something else. */
const MAX_TRAILING = 16;
const FLAGS_AT = 19;
const LENGTH_AT = 24;

/** The ISAKMP header, RFC 2408 §3.1. Cookies are views of 8 bytes, `length` counts the header. */
export interface Header {
  readonly initiatorCookie: Uint8Array;
  readonly responderCookie: Uint8Array;
  readonly nextPayload: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly exchangeType: number;
  readonly flags: number;
  readonly messageId: number;
  readonly length: number;
}

/** The part of the header a sender decides; version 1.0, next payload and length follow. */
export type OutHeader = Pick<Header, 'initiatorCookie' | 'responderCookie' | 'exchangeType' | 'flags' | 'messageId'>;

/** A payload as read. `body` begins after the generic header; `start` and `end` bound the whole payload in the buffer. */
interface Decoded<K extends string, V> {
  readonly kind: K;
  readonly type: number;
  readonly value: V;
  readonly body: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A payload of types 128 to 255 that we know nothing about; exchanges skip it. */
interface PrivatePayload {
  readonly kind: 'private';
  readonly type: number;
  readonly body: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export type DecodedPayload = { [K in PayloadKind]: Decoded<K, PayloadValue<K>> }[PayloadKind] | PrivatePayload;

/** `K` as it is handed in: `draft` asks for the number of the NAT traversal drafts. */
type OutValue<K extends PayloadKind = PayloadKind> = {
  [P in K]: {
    readonly kind: P;
    readonly value: PayloadValue<P>;
    readonly draft?: P extends 'NAT_D' | 'NAT_OA' ? boolean | undefined : never;
  };
}[K];

/** A payload to be written; `raw` is for what has no table, and for tests that misbehave. */
export type OutPayload = OutValue | { readonly kind: 'raw'; readonly type: number; readonly body: Uint8Array };

/**
 * Reads the header and settles the length of the message; up to 16 zero bytes may follow it. Throws UNEQUAL_PAYLOAD_LENGTHS
 * for anything else.
 */
export const readHeader = (datagram: Uint8Array): Header => {
  if (datagram.length < HEADER_SIZE) throw unequal(`datagram of ${datagram.length} bytes`);
  const view = new DataView(datagram.buffer, datagram.byteOffset, HEADER_SIZE);
  const length = view.getUint32(LENGTH_AT);
  if (length < HEADER_SIZE || length > datagram.length || length > MAX_MESSAGE) {
    throw unequal(`length ${length} in a datagram of ${datagram.length} bytes`);
  }
  if (datagram.length - length > MAX_TRAILING) throw unequal(`${datagram.length - length} bytes after the message`);
  for (let at = length; at < datagram.length; at++) {
    if (datagram[at] !== 0) throw unequal('bytes other than zero after the message');
  }
  const version = view.getUint8(17);
  return {
    initiatorCookie: datagram.subarray(0, 8),
    responderCookie: datagram.subarray(8, 16),
    nextPayload: view.getUint8(16),
    majorVersion: version >> 4,
    minorVersion: version & 0x0f,
    exchangeType: view.getUint8(18),
    flags: view.getUint8(FLAGS_AT),
    messageId: view.getUint32(20),
    length,
  };
};

const unequal = (text: string): ProtocolError => new ProtocolError(NotifyType.UNEQUAL_PAYLOAD_LENGTHS, text);

/**
 * Reads the payload chain that begins at `start` with a payload of `firstType`; answers where it ends. What lies between that
 * and `end` is padding. All bytes handed out are views. Throws a ProtocolError that names the payload and field at fault.
 */
export const readPayloads = (
  bytes: Uint8Array,
  firstType: number,
  start: number,
  end: number,
): { readonly payloads: readonly DecodedPayload[]; readonly end: number } => {
  if (start > end || end > bytes.length)
    throw new InvariantError(`payloads from ${start} to ${end} of ${bytes.length}`);
  const c = cursor(bytes);
  c.offset = start;
  const payloads: DecodedPayload[] = [];
  for (let type = firstType; type !== PayloadType.NONE; ) {
    if (payloads.length === MAX_PAYLOADS) {
      throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `more than ${MAX_PAYLOADS} payloads`);
    }
    const read = READERS.get(type) ?? readerOfUnknown(type);
    c.end = end;
    try {
      const at = c.offset;
      const next = enterPayload(c);
      payloads.push(read(c, type, at));
      type = next;
    } catch (fault) {
      throw located(fault, payloadName(type));
    }
  }
  return { payloads, end: c.offset };
};

type Reader = (c: Cursor, type: number, start: number) => DecodedPayload;

/** Reads the body of a payload whose generic header has been read. */
const reader =
  <const K extends string, V>(kind: K, table: Payload<V>) =>
  (c: Cursor, type: number, start: number): Decoded<K, V> => {
    const body = c.bytes.subarray(c.offset, c.end);
    return { kind, type, value: table.read(c), body, start, end: c.end };
  };

const readPrivate: Reader = (c, type, start) => {
  const body = c.bytes.subarray(c.offset, c.end);
  c.offset = c.end;
  return { kind: 'private', type, body, start, end: c.end };
};

const FIRST_PRIVATE = 128;

const readerOfUnknown = (type: number): Reader => {
  if (type >= FIRST_PRIVATE) return readPrivate;
  // Payloads of IKEv2 (33 to 48) end here, as do P and T outside an SA.
  throw new ProtocolError(NotifyType.INVALID_PAYLOAD_TYPE, `payload type ${type}`);
};

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [PayloadType.SA, reader('SA', PAYLOADS.SA)],
  [PayloadType.KE, reader('KE', PAYLOADS.KE)],
  [PayloadType.ID, reader('ID', PAYLOADS.ID)],
  [PayloadType.CERT, reader('CERT', PAYLOADS.CERT)],
  [PayloadType.CERTREQ, reader('CERTREQ', PAYLOADS.CERTREQ)],
  [PayloadType.HASH, reader('HASH', PAYLOADS.HASH)],
  [PayloadType.SIG, reader('SIG', PAYLOADS.SIG)],
  [PayloadType.NONCE, reader('NONCE', PAYLOADS.NONCE)],
  [PayloadType.NOTIFY, reader('NOTIFY', PAYLOADS.NOTIFY)],
  [PayloadType.DELETE, reader('DELETE', PAYLOADS.DELETE)],
  [PayloadType.VID, reader('VID', PAYLOADS.VID)],
  [PayloadType.ATTRIBUTE, reader('ATTRIBUTE', PAYLOADS.ATTRIBUTE)],
  [PayloadType.NAT_D, reader('NAT_D', PAYLOADS.NAT_D)],
  [PayloadType.NAT_D_DRAFT, reader('NAT_D', PAYLOADS.NAT_D)],
  [PayloadType.NAT_OA, reader('NAT_OA', PAYLOADS.NAT_OA)],
  [PayloadType.NAT_OA_DRAFT, reader('NAT_OA', PAYLOADS.NAT_OA)],
  [PayloadType.FRAGMENT, reader('FRAGMENT', PAYLOADS.FRAGMENT)],
]);

const sink = new Sink();

/** The plaintext message, without padding. */
export const writeMessage = (header: OutHeader, payloads: readonly OutPayload[]): Uint8Array => {
  if (header.initiatorCookie.length !== 8 || header.responderCookie.length !== 8) {
    throw new InvariantError('a cookie has 8 bytes');
  }
  sink.restart();
  sink.raw(header.initiatorCookie);
  sink.raw(header.responderCookie);
  sink.u8(typeOf(payloads[0]));
  sink.u8(0x10);
  sink.u8(header.exchangeType);
  sink.u8(header.flags);
  sink.u32(header.messageId);
  sink.u32(0);
  for (let i = 0; i < payloads.length; i++) {
    const payload = payloads[i];
    if (payload === undefined) continue;
    const start = openPayload(sink, typeOf(payloads[i + 1]));
    writeValue(sink, payload);
    closePayload(sink, start);
  }
  sink.patchU16(LENGTH_AT + 2, sink.length);
  return sink.finish();
};

/** The body of one payload without its generic header: SAi_b and IDii_b of RFC 2409 §5. */
export const writeBody = (payload: OutPayload): Uint8Array => {
  sink.restart();
  writeValue(sink, payload);
  if (sink.length + GENERIC_HEADER_SIZE > MAX_MESSAGE)
    throw new InvariantError(`${payload.kind} of ${sink.length} bytes`);
  return sink.finish();
};

const typeOf = (payload: OutPayload | undefined): number => {
  if (payload === undefined) return PayloadType.NONE;
  if (payload.kind === 'raw') return payload.type;
  if (payload.draft !== true) return PayloadType[payload.kind];
  return payload.kind === 'NAT_D' ? PayloadType.NAT_D_DRAFT : PayloadType.NAT_OA_DRAFT;
};

/** The tables by kind, typed so that kind and value of one payload are seen to belong together. */
const WRITERS: { readonly [K in PayloadKind]: Payload<PayloadValue<K>> } = PAYLOADS;

const writeValue = (s: Sink, payload: OutPayload): void => {
  if (payload.kind === 'raw') s.raw(payload.body);
  else writeKind(s, payload);
};

const writeKind = <K extends PayloadKind>(s: Sink, payload: OutValue<K>): void =>
  WRITERS[payload.kind].write(s, payload.value);

/** The message with zeros after its payloads, so that the body is whole cipher blocks; the header's length counts them. */
export const padToBlock = (message: Uint8Array, blockSize: number): Uint8Array => {
  const over = (message.length - HEADER_SIZE) % blockSize;
  if (over === 0) return message;
  const padded = new Uint8Array(message.length + blockSize - over);
  if (padded.length > MAX_MESSAGE) throw new InvariantError(`message of ${padded.length} bytes`);
  padded.set(message);
  new DataView(padded.buffer).setUint32(LENGTH_AT, padded.length);
  return padded;
};

/** The padded message with its body replaced by the encrypted one, of equal length, and the encryption flag set. */
export const withEncryptedBody = (message: Uint8Array, encrypted: Uint8Array): Uint8Array => {
  if (encrypted.length !== message.length - HEADER_SIZE)
    throw new InvariantError('encryption changed the length of a body');
  const out = new Uint8Array(message.length);
  out.set(message.subarray(0, HEADER_SIZE));
  out.set(encrypted, HEADER_SIZE);
  out[FLAGS_AT] = (message[FLAGS_AT] ?? 0) | HeaderFlag.ENCRYPTION;
  return out;
};

/** One line for the log: `ID_PROT 0123456789abcdef:0000000000000000 msgid 00000000 SA VID VID`. Names and numbers only, none of the peer's text. */
export const describeMessage = (header: Header, payloads: readonly DecodedPayload[]): string => {
  const names = payloads.map((payload) => ` ${payloadName(payload.type)}`).join('');
  const messageId = header.messageId.toString(16).padStart(8, '0');
  const cookies = `${hex(header.initiatorCookie)}:${hex(header.responderCookie)}`;
  return `${exchangeName(header.exchangeType)} ${cookies} msgid ${messageId}${names}`;
};

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
