/** Builds the messages about SAs. Those that carry keys are to be zeroed once they are sent. */
import type { SaId } from '../../shared/connection/events.ts';
import type { Route } from '../../shared/flow.ts';
import type { SaLife } from '../backend.ts';
import { Draft } from './draft.ts';
import { Attribute, MessageFlag, MessageType, SaField, Size } from './layout.ts';
import {
  addressBytes,
  familyOf,
  ipProtocolOf,
  type Selectors,
  writeInterfaceId,
  writeMark,
  writeSelector,
} from './structs.ts';

/** One algorithm with its key, salt included. `icvBits` 0: none. */
export interface Keyed {
  readonly name: string;
  readonly key: Uint8Array;
  readonly icvBits: number;
}

/** What the kernel needs to know of an SA. */
export interface SaSpec {
  readonly id: SaId;
  readonly source: string;
  readonly reqid: number;
  /** Of the acquire that it answers, 0: none. */
  readonly sequence: number;
  /** Mode. */
  readonly mode: number;
  /** Bits of SaFlag. */
  readonly flags: number;
  /** Packets, up to 4096. */
  readonly replayWindow: number;
  readonly selectors: Selectors | undefined;
  readonly life: SaLife;
  /** Packets until a soft expire, 0: none. */
  readonly softPackets: number;
  readonly encryption: Keyed | undefined;
  readonly authentication: Keyed | undefined;
  readonly udp: { readonly source: number; readonly destination: number } | undefined;
  readonly route: Route;
}

/** Reserves an SPI from `least` to `most`; answered by NEWSA. */
export const allocateSpi = (
  { id, source, reqid, mode, route }: Pick<SaSpec, 'id' | 'source' | 'reqid' | 'mode' | 'route'>,
  least: number,
  most: number,
): Uint8Array => {
  const draft = new Draft(MessageType.ALLOCSPI, MessageFlag.REQUEST, Size.SPI_RANGE);
  writeNames(draft, { ...id, spi: 0 }, source);
  draft.u32(SaField.REQID, reqid);
  draft.u8(SaField.MODE, mode);
  draft.u32(Size.SA, least);
  draft.u32(Size.SA + 4, most);
  writeMark(draft, route);
  writeInterfaceId(draft, route.interfaceId);
  return draft.finish();
};

/** NEWSA, or UPDSA for an SA that is there or reserved. */
export const putSa = (type: typeof MessageType.NEWSA | typeof MessageType.UPDSA, spec: SaSpec): Uint8Array => {
  const draft = new Draft(type, ACKNOWLEDGED, Size.SA);
  const hasWideWindow = spec.replayWindow > LEGACY_WINDOW;
  if (spec.selectors !== undefined) writeSelector(draft, SaField.SELECTOR, spec.selectors);
  writeNames(draft, spec.id, spec.source);
  writeLife(draft, SaField.LIFETIME, spec.life, spec.softPackets);
  draft.u32(SaField.SEQUENCE, spec.sequence);
  draft.u32(SaField.REQID, spec.reqid);
  draft.u8(SaField.MODE, spec.mode);
  draft.u8(SaField.REPLAY_WINDOW, hasWideWindow ? 0 : spec.replayWindow);
  draft.u8(SaField.FLAGS, spec.flags);
  if (spec.encryption !== undefined) writeCipher(draft, spec.encryption);
  if (spec.authentication !== undefined) writeAuthentication(draft, spec.authentication);
  if (spec.udp !== undefined) writeEncapsulation(draft, spec.udp);
  writeMark(draft, spec.route);
  if (hasWideWindow) writeWideWindow(draft, spec.replayWindow);
  writeInterfaceId(draft, spec.route.interfaceId);
  return draft.finish();
};

/** `source` undefined: not known. Outbound SAs with a mark are found by it only. */
export const deleteSa = (id: SaId, source: string | undefined, route: Route): Uint8Array =>
  named(MessageType.DELSA, ACKNOWLEDGED, id, source, route);

/** Answered by NEWSA, with keys. */
export const getSa = (id: SaId, source: string | undefined, route: Route): Uint8Array =>
  named(MessageType.GETSA, MessageFlag.REQUEST, id, source, route);

/** Answered by a NEWSA, with keys, for each SA of everybody. */
export const dumpSas = (): Uint8Array =>
  new Draft(MessageType.GETSA, MessageFlag.REQUEST | MessageFlag.DUMP, Size.SA).finish();

const named = (type: number, flags: number, id: SaId, source: string | undefined, route: Route): Uint8Array => {
  const draft = new Draft(type, flags, Size.SA_ID);
  draft.raw(0, addressBytes(id.destination));
  draft.networkU32(16, id.spi);
  draft.u16(20, familyOf(id.destination));
  draft.u8(22, ipProtocolOf(id.protocolId));
  if (source !== undefined) {
    draft.attribute(Attribute.SRCADDR, Size.ADDRESS);
    draft.raw(0, addressBytes(source));
  }
  writeMark(draft, route);
  return draft.finish();
};

const writeNames = (draft: Draft, id: SaId, source: string): void => {
  draft.raw(SaField.DESTINATION, addressBytes(id.destination));
  draft.networkU32(SaField.SPI, id.spi);
  draft.u8(SaField.PROTOCOL, ipProtocolOf(id.protocolId));
  draft.raw(SaField.SOURCE, addressBytes(source));
  draft.u16(SaField.FAMILY, familyOf(id.destination));
};

/** xfrm_lifetime_cfg; seconds count from when the SA was made. */
export const writeLife = (draft: Draft, at: number, life: SaLife, softPackets = 0): void => {
  draft.u64(at, limit(life.softBytes));
  draft.u64(at + 8, limit(life.hardBytes));
  draft.u64(at + 16, limit(softPackets));
  draft.u64(at + 24, UNLIMITED);
  draft.u64(at + 32, BigInt(life.softSeconds));
  draft.u64(at + 40, BigInt(life.hardSeconds));
};

export const NO_LIMITS: SaLife = { softSeconds: 0, hardSeconds: 0, softBytes: 0, hardBytes: 0 };

const limit = (count: number): bigint => (count === 0 ? UNLIMITED : BigInt(count));

/** xfrm_algo, or xfrm_algo_aead for a cipher that authenticates. */
const writeCipher = (draft: Draft, { name, key, icvBits }: Keyed): void => {
  const start = Size.ALGORITHM_NAME + (icvBits > 0 ? 8 : 4);
  draft.attribute(icvBits > 0 ? Attribute.ALG_AEAD : Attribute.ALG_CRYPT, start + key.length);
  draft.raw(0, ASCII.encode(name));
  draft.u32(Size.ALGORITHM_NAME, key.length * 8);
  if (icvBits > 0) draft.u32(Size.ALGORITHM_NAME + 4, icvBits);
  draft.raw(start, key);
};

/** xfrm_algo_auth. */
const writeAuthentication = (draft: Draft, { name, key, icvBits }: Keyed): void => {
  draft.attribute(Attribute.ALG_AUTH_TRUNC, Size.ALGORITHM_NAME + 8 + key.length);
  draft.raw(0, ASCII.encode(name));
  draft.u32(Size.ALGORITHM_NAME, key.length * 8);
  draft.u32(Size.ALGORITHM_NAME + 4, icvBits);
  draft.raw(Size.ALGORITHM_NAME + 8, key);
};

/** xfrm_encap_tmpl. */
export const writeEncapsulation = (
  draft: Draft,
  { source, destination }: { readonly source: number; readonly destination: number },
): void => {
  draft.attribute(Attribute.ENCAP, Size.ENCAPSULATION);
  draft.u16(0, UDP_ENCAP_ESPINUDP);
  draft.networkU16(2, source);
  draft.networkU16(4, destination);
};

/** xfrm_replay_state_esn without extended sequence numbers: the fixed structure has room for 32 packets only. */
const writeWideWindow = (draft: Draft, packets: number): void => {
  const words = Math.ceil(packets / 32);
  draft.attribute(Attribute.REPLAY_ESN_VAL, 24 + words * 4);
  draft.u32(0, words);
  draft.u32(20, packets);
};

const ACKNOWLEDGED = MessageFlag.REQUEST | MessageFlag.ACK;
/** RFC 3948: non-ESP marker of four zero bytes. */
export const UDP_ENCAP_ESPINUDP = 2;
const LEGACY_WINDOW = 32;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const ASCII = new TextEncoder();
