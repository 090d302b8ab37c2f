/** What the SA table says about one SA: the columns, the plain record that code works with, and the way between the two. No keys: those are in key-slab.ts. */
import { InvariantError } from '../errors.ts';
import { layout, type PrivateRecord } from './layout.ts';

/** The bits of the `Flags` line of the FIFO command `S`, as isakmpd numbers them. */
export const SaFlag = {
  READY: 0x001,
  STAYALIVE: 0x002,
  ONDEMAND: 0x004,
  REPLACED: 0x008,
  FADING: 0x010,
  ACTIVE_ONLY: 0x020,
  IKECFG: 0x040,
  DPD: 0x080,
  NAT_T_ENABLE: 0x100,
  NAT_T_KEEPALIVE: 0x200,
} as const;

/** Our part in the exchange that made the SA. */
export const SaRole = { INITIATOR: 1, RESPONDER: 2 } as const;

/** One protocol of a phase 2 SA. SPIs and key lengths are 0 where there is none; the numbers are those of the IPsec DOI. */
export interface SaProtocol {
  readonly protocolId: number;
  readonly transformId: number;
  readonly authentication: number;
  /** Bits, 0 for ciphers with one length. */
  readonly keyLength: number;
  readonly encapsulation: number;
  /** SPIs in host order: `spiOut` was chosen by the peer, `spiIn` by us. */
  readonly spiOut: number;
  readonly spiIn: number;
  readonly encryptionKeyBytes: number;
  readonly authenticationKeyBytes: number;
}

/** One SA. What a phase does not have is 0, '' or empty. Strings keep their first 1024 bytes of UTF-8. */
export interface SaRow {
  readonly phase: 1 | 2;
  /** The owner's own numbering; the table only carries it. */
  readonly state: number;
  readonly flags: number;
  readonly role: 1 | 2;
  readonly exchangeType: number;
  /** 8 bytes each; all zero while unknown. */
  readonly initiatorCookie: Uint8Array;
  readonly responderCookie: Uint8Array;
  readonly messageId: number;
  /** 0: no transport, and then both addresses are empty. */
  readonly family: 0 | 4 | 6;
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** The interface of link-local addresses, else ''. */
  readonly zone: string;
  readonly name: string;
  readonly peerName: string;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  readonly localSelector: string;
  readonly remoteSelector: string;
  /** Milliseconds on the daemon's monotonic clock; 0: no such timer. */
  readonly establishedAt: number;
  readonly softAt: number;
  readonly hardAt: number;
  /** What was negotiated; 0: nothing. */
  readonly lifeSeconds: number;
  readonly lifeKilobytes: number;
  /** Phase 1, numbers of RFC 2409 appendix A; `keyLength` in bits. `group` is also phase 2's PFS group. */
  readonly encryption: number;
  readonly keyLength: number;
  readonly hash: number;
  readonly group: number;
  readonly authenticationMethod: number;
  /** Phase 2: one or two. */
  readonly protocols: readonly SaProtocol[];
  /** Phase 1: where the owning lane's key slab holds the keys; -1: nowhere. */
  readonly slabSlot: number;
}

/** The columns that hold references into the writer's string area, by the row's own names. */
export const STRING_COLUMNS = [
  'zone',
  'name',
  'peerName',
  'localIdentity',
  'remoteIdentity',
  'localSelector',
  'remoteSelector',
] as const;

const PROTOCOL = layout({
  spiOut: 'u32',
  spiIn: 'u32',
  authentication: 'u16',
  keyLength: 'u16',
  encapsulation: 'u16',
  encryptionKeyBytes: 'u16',
  authenticationKeyBytes: 'u16',
  protocolId: 'u8',
  transformId: 'u8',
});

/** One copy of a row. `generation` is odd while the slot holds an SA; it comes first, so that a scan finds it in word 0. */
export const SA_ROW = layout({
  generation: 'u32',
  flags: 'u32',
  messageId: 'u32',
  slabSlot: 'i32',
  initiatorCookie: 'b8',
  responderCookie: 'b8',
  localAddress: 'b16',
  remoteAddress: 'b16',
  protocol0: 'b24',
  protocol1: 'b24',
  establishedAt: 'f64',
  softAt: 'f64',
  hardAt: 'f64',
  lifeSeconds: 'f64',
  lifeKilobytes: 'f64',
  zone: 'u32',
  name: 'u32',
  peerName: 'u32',
  localIdentity: 'u32',
  remoteIdentity: 'u32',
  localSelector: 'u32',
  remoteSelector: 'u32',
  localPort: 'u16',
  remotePort: 'u16',
  encryption: 'u16',
  keyLength: 'u16',
  hash: 'u16',
  group: 'u16',
  authenticationMethod: 'u16',
  phase: 'u8',
  state: 'u8',
  role: 'u8',
  family: 'u8',
  exchangeType: 'u8',
  protocolCount: 'u8',
});

const { at } = SA_ROW;
const PROTOCOLS_AT = [at.protocol0, at.protocol1] as const;

/** The word of a record that holds the generation, in the machine's byte order so that it can be read without a DataView. */
export const GENERATION_WORD = at.generation / 4;

export const generationOf = (record: PrivateRecord): number => (record.words[GENERATION_WORD] ?? 0) >>> 0;

/** Encodes a row but for its strings. Throws InvariantError for sizes that no SA has. */
export const writeRow = (record: PrivateRecord, generation: number, row: SaRow): void => {
  const { view, bytes, words } = record;
  bytes.fill(0);
  words[GENERATION_WORD] = generation;
  view.setUint32(at.flags, row.flags);
  view.setUint32(at.messageId, row.messageId);
  view.setInt32(at.slabSlot, row.slabSlot);
  bytes.set(sized(row.initiatorCookie, 8), at.initiatorCookie);
  bytes.set(sized(row.responderCookie, 8), at.responderCookie);
  bytes.set(sized(row.localAddress, addressBytes(row.family)), at.localAddress);
  bytes.set(sized(row.remoteAddress, addressBytes(row.family)), at.remoteAddress);
  writeProtocols(view, row.protocols);
  view.setFloat64(at.establishedAt, row.establishedAt);
  view.setFloat64(at.softAt, row.softAt);
  view.setFloat64(at.hardAt, row.hardAt);
  view.setFloat64(at.lifeSeconds, row.lifeSeconds);
  view.setFloat64(at.lifeKilobytes, row.lifeKilobytes);
  view.setUint16(at.localPort, row.localPort);
  view.setUint16(at.remotePort, row.remotePort);
  view.setUint16(at.encryption, row.encryption);
  view.setUint16(at.keyLength, row.keyLength);
  view.setUint16(at.hash, row.hash);
  view.setUint16(at.group, row.group);
  view.setUint16(at.authenticationMethod, row.authenticationMethod);
  view.setUint8(at.phase, row.phase);
  view.setUint8(at.state, row.state);
  view.setUint8(at.role, row.role);
  view.setUint8(at.family, row.family);
  view.setUint8(at.exchangeType, row.exchangeType);
};

/** Decodes a row; `textOf` resolves its string references. The arrays in it are copies. */
export const readRow = (record: PrivateRecord, textOf: (reference: number) => string): SaRow => {
  const { view, bytes } = record;
  const family = familyOf(view.getUint8(at.family));
  return {
    phase: view.getUint8(at.phase) === 1 ? 1 : 2,
    state: view.getUint8(at.state),
    flags: view.getUint32(at.flags),
    role: view.getUint8(at.role) === SaRole.INITIATOR ? SaRole.INITIATOR : SaRole.RESPONDER,
    exchangeType: view.getUint8(at.exchangeType),
    initiatorCookie: bytes.slice(at.initiatorCookie, at.initiatorCookie + 8),
    responderCookie: bytes.slice(at.responderCookie, at.responderCookie + 8),
    messageId: view.getUint32(at.messageId),
    family,
    localAddress: bytes.slice(at.localAddress, at.localAddress + addressBytes(family)),
    remoteAddress: bytes.slice(at.remoteAddress, at.remoteAddress + addressBytes(family)),
    localPort: view.getUint16(at.localPort),
    remotePort: view.getUint16(at.remotePort),
    zone: textOf(view.getUint32(at.zone)),
    name: textOf(view.getUint32(at.name)),
    peerName: textOf(view.getUint32(at.peerName)),
    localIdentity: textOf(view.getUint32(at.localIdentity)),
    remoteIdentity: textOf(view.getUint32(at.remoteIdentity)),
    localSelector: textOf(view.getUint32(at.localSelector)),
    remoteSelector: textOf(view.getUint32(at.remoteSelector)),
    establishedAt: view.getFloat64(at.establishedAt),
    softAt: view.getFloat64(at.softAt),
    hardAt: view.getFloat64(at.hardAt),
    lifeSeconds: view.getFloat64(at.lifeSeconds),
    lifeKilobytes: view.getFloat64(at.lifeKilobytes),
    encryption: view.getUint16(at.encryption),
    keyLength: view.getUint16(at.keyLength),
    hash: view.getUint16(at.hash),
    group: view.getUint16(at.group),
    authenticationMethod: view.getUint16(at.authenticationMethod),
    protocols: PROTOCOLS_AT.slice(0, view.getUint8(at.protocolCount)).map((base) => readProtocol(view, base)),
    slabSlot: view.getInt32(at.slabSlot),
  };
};

/** The string references of an encoded row, in the order of STRING_COLUMNS. */
export const referencesOf = (record: PrivateRecord): readonly number[] =>
  STRING_COLUMNS.map((column) => record.view.getUint32(at[column]));

export const writeReferences = (record: PrivateRecord, references: readonly number[]): void => {
  for (const [i, column] of STRING_COLUMNS.entries()) record.view.setUint32(at[column], references[i] ?? 0);
};

const writeProtocols = (view: DataView, protocols: readonly SaProtocol[]): void => {
  if (protocols.length > PROTOCOLS_AT.length) throw new InvariantError(`an SA of ${protocols.length} protocols`);
  view.setUint8(at.protocolCount, protocols.length);
  for (const [i, base] of PROTOCOLS_AT.entries()) {
    const protocol = protocols[i];
    if (protocol === undefined) return;
    view.setUint32(base + PROTOCOL.at.spiOut, protocol.spiOut);
    view.setUint32(base + PROTOCOL.at.spiIn, protocol.spiIn);
    view.setUint16(base + PROTOCOL.at.authentication, protocol.authentication);
    view.setUint16(base + PROTOCOL.at.keyLength, protocol.keyLength);
    view.setUint16(base + PROTOCOL.at.encapsulation, protocol.encapsulation);
    view.setUint16(base + PROTOCOL.at.encryptionKeyBytes, protocol.encryptionKeyBytes);
    view.setUint16(base + PROTOCOL.at.authenticationKeyBytes, protocol.authenticationKeyBytes);
    view.setUint8(base + PROTOCOL.at.protocolId, protocol.protocolId);
    view.setUint8(base + PROTOCOL.at.transformId, protocol.transformId);
  }
};

const readProtocol = (view: DataView, base: number): SaProtocol => ({
  protocolId: view.getUint8(base + PROTOCOL.at.protocolId),
  transformId: view.getUint8(base + PROTOCOL.at.transformId),
  authentication: view.getUint16(base + PROTOCOL.at.authentication),
  keyLength: view.getUint16(base + PROTOCOL.at.keyLength),
  encapsulation: view.getUint16(base + PROTOCOL.at.encapsulation),
  spiOut: view.getUint32(base + PROTOCOL.at.spiOut),
  spiIn: view.getUint32(base + PROTOCOL.at.spiIn),
  encryptionKeyBytes: view.getUint16(base + PROTOCOL.at.encryptionKeyBytes),
  authenticationKeyBytes: view.getUint16(base + PROTOCOL.at.authenticationKeyBytes),
});

const sized = (bytes: Uint8Array, size: number): Uint8Array => {
  if (bytes.length !== size) throw new InvariantError(`${bytes.length} bytes where an SA has ${size}`);
  return bytes;
};

const addressBytes = (family: 0 | 4 | 6): number => ADDRESS_BYTES[family];

const familyOf = (stored: number): 0 | 4 | 6 => (stored === 4 || stored === 6 ? stored : 0);

const ADDRESS_BYTES = { 0: 0, 4: 4, 6: 16 } as const;
