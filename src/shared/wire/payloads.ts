/**
 * One table per payload: RFC 2408 §3.4-3.16, RFC 2407 §4.6, RFC 3947 §3.2 and §5.2, draft-ietf-ipsec-isakmp-mode-cfg, Cisco's
 * IKE fragments. Sizes, counts, orders and number ranges are settled here; what a value means to us is not.
 */
import { IdType, ProtocolId, SITUATION_IDENTITY_ONLY } from '../constants/ipsec-doi.ts';
import { Doi, NotifyType, PayloadType } from '../constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { cursor, Sink, take, takeBytes } from './cursor.ts';
import {
  bytesOf,
  chainOf,
  type Field,
  numberIn,
  oneOf,
  payload,
  reserved,
  rest,
  restBetween,
  restSizedBy,
  type SizesBy,
  sizeOf,
  u8,
  u16,
  u32,
  type ValueOf,
} from './fields.ts';

// Caps on what one message may hold: far above what peers send, and low enough that no message costs more than its bytes do.
const MAX_PROPOSALS = 32;
const MAX_TRANSFORMS = 255;
const MAX_ATTRIBUTES = 64;

/** A data attribute, RFC 2408 §3.3. A number is a basic attribute (AF bit set, two bytes), bytes a variable one; unknown types are kept. */
export interface Attribute {
  readonly type: number;
  readonly value: number | Uint8Array;
}

/** The value of an attribute that is a number: basic, or variable of one to six bytes. Undefined for any other length. */
export const attributeNumber = ({ value }: Attribute): number | undefined => {
  if (typeof value === 'number') return value;
  if (value.length === 0 || value.length > 6) return undefined;
  let number = 0;
  for (const byte of value) number = number * 256 + byte;
  return number;
};

/** A life duration, RFC 2407 §4.5: basic where it fits two bytes, else a variable attribute of four. */
export const durationAttribute = (type: number, value: number): Attribute => {
  if (value <= 0xffff) return { type, value };
  if (!Number.isInteger(value) || value > 0xffffffff)
    throw new InvariantError(`duration ${value} does not fit 4 bytes`);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return { type, value: bytes };
};

const AF_BASIC = 0x8000;

/** Data attributes up to the end of the payload. */
const attributes: Field<readonly Attribute[]> = {
  shape: { kind: 'attributes', max: MAX_ATTRIBUTES },
  read: (c) => {
    const list: Attribute[] = [];
    while (c.offset < c.end) {
      if (list.length === MAX_ATTRIBUTES) {
        throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `more than ${MAX_ATTRIBUTES}`);
      }
      const start = take(c, 4);
      const type = c.view.getUint16(start);
      const word = c.view.getUint16(start + 2);
      if (type >= AF_BASIC) list.push({ type: type - AF_BASIC, value: word });
      else list.push({ type, value: takeBytes(c, word) });
    }
    return list;
  },
  write: (s, list) => {
    for (const { type, value } of list) {
      if (type >= AF_BASIC) throw new InvariantError(`attribute type ${type}`);
      if (typeof value === 'number') {
        s.u16(type + AF_BASIC);
        s.u16(value);
      } else {
        s.u16(type);
        s.u16(value.length);
        s.raw(value);
      }
    }
  },
};

/** Transform payload, RFC 2408 §3.6. */
const transform = payload('T', 'RFC 2408 §3.6', {
  transformNumber: u8,
  transformId: u8,
  reserved2: reserved(2),
  attributes,
});
export type Transform = ValueOf<typeof transform>;

const protocolId = oneOf(u8, Object.values(ProtocolId), NotifyType.INVALID_PROTOCOL_ID);

/** Proposal payload, RFC 2408 §3.5. */
const proposal = payload('P', 'RFC 2408 §3.5', {
  proposalNumber: u8,
  protocolId,
  spiSize: sizeOf('spi'),
  transformCount: sizeOf('transforms', NotifyType.BAD_PROPOSAL_SYNTAX),
  spi: bytesOf('spiSize'),
  transforms: chainOf(PayloadType.T, transform, { max: MAX_TRANSFORMS, number: 'transformNumber', step: 1 }),
});
export type Proposal = ValueOf<typeof proposal>;

/** Security Association payload, RFC 2408 §3.4 with the situation of RFC 2407 §4.2. Equal proposal numbers belong together. */
const securityAssociation = payload('SA', 'RFC 2408 §3.4', {
  doi: oneOf(u32, [Doi.IPSEC], NotifyType.DOI_NOT_SUPPORTED),
  situation: oneOf(u32, [SITUATION_IDENTITY_ONLY], NotifyType.SITUATION_NOT_SUPPORTED),
  proposals: chainOf(PayloadType.P, proposal, { max: MAX_PROPOSALS, number: 'proposalNumber', step: 0 }),
});
export type SecurityAssociation = ValueOf<typeof securityAssociation>;

const keyExchange = payload('KE', 'RFC 2408 §3.7', { keyExchangeData: rest });

/** Sizes of the identification data that is addresses, RFC 2407 §4.6.2.1: address, address and mask, first and last address. */
const ID_SIZES: SizesBy = {
  [IdType.IPV4_ADDR]: [4],
  [IdType.IPV4_ADDR_SUBNET]: [8],
  [IdType.IPV4_RANGE]: [8],
  [IdType.IPV6_ADDR]: [16],
  [IdType.IPV6_ADDR_SUBNET]: [32],
  [IdType.IPV6_RANGE]: [32],
};

const identification = payload('ID', 'RFC 2407 §4.6.2', {
  idType: oneOf(u8, Object.values(IdType), NotifyType.INVALID_ID_INFORMATION),
  protocolId: u8,
  port: u16,
  identificationData: restSizedBy('idType', ID_SIZES, NotifyType.INVALID_ID_INFORMATION),
});

/** RFC 2408 §3.9 lists 0 to 10; isakmpd took up to 13. */
const CERTIFICATE_ENCODINGS = Array.from({ length: 14 }, (_, encoding) => encoding);

const certificate = payload('CERT', 'RFC 2408 §3.9', {
  encoding: oneOf(u8, CERTIFICATE_ENCODINGS, NotifyType.INVALID_CERT_ENCODING),
  certificateData: rest,
});

/** Any type is read: a request for what we do not have is no reason to refuse the message. */
const certificateRequest = payload('CERTREQ', 'RFC 2408 §3.10', { certificateType: u8, authority: rest });

const hash = payload('HASH', 'RFC 2408 §3.11', { hashData: rest });
const signature = payload('SIG', 'RFC 2408 §3.12', { signatureData: rest });

/** RFC 2409 §5 bounds the nonce. */
const nonce = payload('NONCE', 'RFC 2408 §3.13', { nonceData: restBetween(8, 256) });

/** Notification payload. DOI, protocol and type are the peer's to choose: most of them we only log. */
const notification = payload('NOTIFY', 'RFC 2408 §3.14', {
  doi: u32,
  protocolId: u8,
  spiSize: sizeOf('spi'),
  notifyType: u16,
  spi: bytesOf('spiSize'),
  notificationData: rest,
});

/** SPI sizes: both cookies for ISAKMP, RFC 2408 §3.15; a CPI of two bytes may stand in four, RFC 2407 §4.4.5. The first one is ours. */
const SPI_SIZES: SizesBy = {
  [ProtocolId.ISAKMP]: [16],
  [ProtocolId.IPSEC_AH]: [4],
  [ProtocolId.IPSEC_ESP]: [4],
  [ProtocolId.IPCOMP]: [2, 4],
};

/** One-byte SPI size, two-byte count, and exactly that many SPIs of that size. */
const spiList: Field<readonly Uint8Array[]> = {
  shape: { kind: 'sizedList', sibling: 'protocolId', sizes: SPI_SIZES },
  read: (c, soFar) => {
    const start = take(c, 3);
    const size = c.view.getUint8(start);
    const count = c.view.getUint16(start + 1);
    if (!spiSizes(numberIn(soFar, 'protocolId')).includes(size)) {
      throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `SPI size ${size}`);
    }
    if (count * size !== c.end - c.offset) {
      throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `says ${count} of ${size} bytes, has ${c.end - c.offset}`);
    }
    const spis: Uint8Array[] = [];
    while (c.offset < c.end) spis.push(takeBytes(c, size));
    return spis;
  },
  write: (s, spis, all) => {
    const sizes = spiSizes(numberIn(all, 'protocolId'));
    const size = spis[0]?.length ?? sizes[0] ?? 0;
    if (!sizes.includes(size)) throw new InvariantError(`SPI of ${size} bytes in a DELETE`);
    s.u8(size);
    s.u16(spis.length);
    for (const spi of spis) {
      if (spi.length !== size) throw new InvariantError('SPIs of several sizes in a DELETE');
      s.raw(spi);
    }
  },
};

const spiSizes = (protocol: number): readonly number[] => SPI_SIZES[protocol] ?? [];

const deletion = payload('DELETE', 'RFC 2408 §3.15', { doi: u32, protocolId, spis: spiList });

const vendorId = payload('VID', 'RFC 2408 §3.16', { vendorId: rest });

/** Mode config: type is request, reply, set or acknowledge. XAUTH rides on it. */
const configuration = payload('ATTRIBUTE', 'draft-ietf-ipsec-isakmp-mode-cfg-04 §3.2', {
  type: u8,
  reserved1: reserved(1),
  identifier: u16,
  attributes,
});

const natDetection = payload('NAT_D', 'RFC 3947 §3.2', { hash: rest });

const NAT_OA_SIZES: SizesBy = { [IdType.IPV4_ADDR]: [4], [IdType.IPV6_ADDR]: [16] };

const natOriginalAddress = payload('NAT_OA', 'RFC 3947 §5.2', {
  idType: oneOf(u8, [IdType.IPV4_ADDR, IdType.IPV6_ADDR], NotifyType.INVALID_ID_INFORMATION),
  reserved3: reserved(3),
  address: restSizedBy('idType', NAT_OA_SIZES, NotifyType.INVALID_ID_INFORMATION),
});

/** Cisco's fragment of a whole message; flag 1 marks the last one. */
const fragment = payload('FRAGMENT', 'Cisco IKE fragmentation', {
  fragmentId: u16,
  fragmentNumber: u8,
  flags: u8,
  data: rest,
});

/** Every payload that may stand at the top level of a message, by the name PayloadType has for it. */
export const PAYLOADS = {
  SA: securityAssociation,
  KE: keyExchange,
  ID: identification,
  CERT: certificate,
  CERTREQ: certificateRequest,
  HASH: hash,
  SIG: signature,
  NONCE: nonce,
  NOTIFY: notification,
  DELETE: deletion,
  VID: vendorId,
  ATTRIBUTE: configuration,
  NAT_D: natDetection,
  NAT_OA: natOriginalAddress,
  FRAGMENT: fragment,
} as const;

export type PayloadKind = keyof typeof PAYLOADS;
/** What a payload of kind K carries: `PayloadValue<'ID'>`. */
export type PayloadValue<K extends PayloadKind> = ValueOf<(typeof PAYLOADS)[K]>;

/** An attribute list outside a transform: the data of RESPONDER-LIFETIME, RFC 2407 §4.6.3.1. Throws PAYLOAD_MALFORMED. */
export const readAttributeList = (bytes: Uint8Array): readonly Attribute[] => attributes.read(cursor(bytes), {}, {});

export const writeAttributeList = (list: readonly Attribute[]): Uint8Array => {
  const sink = new Sink();
  attributes.write(sink, list, {});
  return sink.finish();
};
