/** Reads what the kernel says of an SA, and makes of it the same SA at other addresses. */
import type { SaId } from '../../shared/connection/events.ts';
import type { Route } from '../../shared/flow.ts';
import type { SaUsage } from '../backend.ts';
import { Draft } from './draft.ts';
import { Attribute, Family, MessageFlag, MessageType, Mode, SaField, SELECTOR_FAMILY, Size } from './layout.ts';
import { type Attributes, Fields, readAttributes } from './reader.ts';
import { writeEncapsulation } from './sa-messages.ts';
import {
  addressBytes,
  protocolIdOf,
  readAddress,
  readRoute,
  readSelector,
  readUsage,
  type Selectors,
} from './structs.ts';

/** An SA as the kernel has it, without keys. SPI 0: it waits for its negotiation (an acquire). */
export interface SaState {
  readonly id: SaId;
  readonly source: string;
  readonly reqid: number;
  /** Of the acquire, for SPI 0. */
  readonly sequence: number;
  readonly selectors: Selectors | undefined;
  readonly usage: SaUsage;
  readonly route: Route;
}

/** xfrm_usersa_info with attributes behind `fixedSize` bytes. Undefined where it is too short, or the SA is neither ESP nor AH over IP. */
export const readSa = (payload: Fields, fixedSize: number = Size.SA): SaState | undefined => {
  if (payload.size < fixedSize) return undefined;
  const attributes = readAttributes(payload, fixedSize);
  const family = payload.u16(SaField.FAMILY);
  const destination = readAddress(payload, SaField.DESTINATION, family);
  const source = readAddress(payload, SaField.SOURCE, family);
  const protocolId = protocolIdOf(payload.u8(SaField.PROTOCOL));
  if (attributes === undefined || destination === undefined || source === undefined) return undefined;
  if (protocolId === undefined) return undefined;
  return {
    id: { protocolId, spi: payload.networkU32(SaField.SPI), destination },
    source,
    reqid: payload.u32(SaField.REQID),
    sequence: payload.u32(SaField.SEQUENCE),
    selectors: readSelector(payload, SaField.SELECTOR),
    usage: readUsage(payload, SaField.USAGE, attributes),
    route: readRoute(attributes),
  };
};

/** Where an SA goes to. `udp` undefined: not encapsulated. */
export interface Place {
  readonly source: string;
  readonly destination: string;
  readonly udp: { readonly source: number; readonly destination: number } | undefined;
}

/** A copy of all that makes an SA, keys included. */
export interface MovableSa {
  readonly name: Pick<SaState, 'source' | 'reqid' | 'route'>;
  readonly info: Fields;
  readonly attributes: Attributes;
  /** Zeroes the copy. */
  forget(): void;
}

/** Undefined where the answer makes no sense. */
export const copySa = (payload: Fields): MovableSa | undefined => {
  const sa = readSa(payload);
  if (sa === undefined) return undefined;
  const copy = new Fields(payload.bytes.slice());
  const attributes = readAttributes(copy, Size.SA);
  if (attributes === undefined) return undefined;
  return {
    name: { source: sa.source, reqid: sa.reqid, route: sa.route },
    info: copy.part(0, Size.SA),
    attributes,
    forget: () => void copy.bytes.fill(0),
  };
};

/**
 * The same SA elsewhere: keys, replay state, counters and age stay. UPDSA changes the ports of the SA that is there, NEWSA makes another one, whose
 * sequence numbers begin after those that the old one may send meanwhile. `keepSoft` false: its soft limits have passed.
 */
export const movedSa = (
  type: typeof MessageType.NEWSA | typeof MessageType.UPDSA,
  sa: MovableSa,
  place: Place,
  keepSoft: boolean,
): Uint8Array => {
  const draft = new Draft(type, MessageFlag.REQUEST | MessageFlag.ACK, Size.SA);
  draft.raw(0, sa.info.bytes);
  if (sa.info.u8(SaField.MODE) === Mode.TRANSPORT) moveSelector(draft, sa.info, place);
  draft.raw(SaField.DESTINATION, addressBytes(place.destination));
  draft.raw(SaField.SOURCE, addressBytes(place.source));
  draft.u32(SaField.SEQUENCE, 0);
  if (!keepSoft) {
    draft.u64(SaField.LIFETIME, UNLIMITED);
    draft.u64(SaField.LIFETIME + 16, UNLIMITED);
    draft.u64(SaField.LIFETIME + 32, 0n);
  }
  for (const attribute of CARRIED) carry(draft, attribute, sa.attributes.get(attribute));
  if (place.udp !== undefined) writeEncapsulation(draft, place.udp);
  if (type === MessageType.NEWSA) {
    draft.attribute(Attribute.LTIME_VAL, Size.USAGE);
    draft.raw(0, sa.info.bytes.subarray(SaField.USAGE, SaField.USAGE + Size.USAGE));
    carryReplay(draft, sa.attributes);
  } else carry(draft, Attribute.REPLAY_ESN_VAL, sa.attributes.get(Attribute.REPLAY_ESN_VAL));
  return draft.finish();
};

const carry = (draft: Draft, type: number, value: Fields | undefined): void => {
  if (value === undefined) return;
  draft.attribute(type, value.size);
  draft.raw(0, value.bytes);
};

const carryReplay = (draft: Draft, attributes: Attributes): void => {
  for (const [type, outboundAt] of REPLAY) {
    const value = attributes.get(type);
    if (value === undefined || value.size < outboundAt + 4) continue;
    carry(draft, type, value);
    draft.u32(outboundAt, Math.min(value.u32(outboundAt) + SEQUENCE_MARGIN, 0xffff_ffff));
  }
};

/** In transport mode the SA carries what goes between its own two addresses: the selector moves with them. */
const moveSelector = (draft: Draft, info: Fields, place: Place): void => {
  if (info.u16(SaField.FAMILY) !== info.u16(SaField.SELECTOR + SELECTOR_FAMILY)) return;
  const size = info.u16(SaField.FAMILY) === Family.IPV4 ? 4 : 16;
  const moves = [
    { selectorAt: SaField.SELECTOR, addressAt: SaField.DESTINATION, address: place.destination },
    { selectorAt: SaField.SELECTOR + 16, addressAt: SaField.SOURCE, address: place.source },
  ];
  for (const { selectorAt, addressAt, address } of moves) {
    const isOwn = info.bytes
      .subarray(selectorAt, selectorAt + size)
      .every((byte, i) => byte === info.u8(addressAt + i));
    if (isOwn) draft.raw(selectorAt, addressBytes(address));
  }
};

/** What the kernel tells and takes back as it is. */
const CARRIED: readonly number[] = [
  Attribute.ALG_AEAD,
  Attribute.ALG_CRYPT,
  Attribute.ALG_AUTH_TRUNC,
  Attribute.MARK,
  Attribute.IF_ID,
];

/** Replay state, and where in it the last sequence number sent stands: xfrm_replay_state_esn, xfrm_replay_state. */
const REPLAY: readonly (readonly [number, number])[] = [
  [Attribute.REPLAY_ESN_VAL, 4],
  [Attribute.REPLAY_VAL, 0],
];

/** Packets that may leave between our question and the end of the old SA. A receiver takes a step forward for loss. */
const SEQUENCE_MARGIN = 0x1_0000;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;
