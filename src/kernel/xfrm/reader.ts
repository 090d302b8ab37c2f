/** Takes datagrams of a netlink socket apart: messages, attributes, errors. Nothing is read before it is known to be there. */
import { ATTRIBUTE_HEADER, aligned, HOST_IS_LITTLE } from './draft.ts';
import { MessageFlag, MessageType, Size } from './layout.ts';

/** A part of a message. Readers ask `size` before they read. */
export class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.bytes.length;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, HOST_IS_LITTLE);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, HOST_IS_LITTLE);
  }

  i32(at: number): number {
    return this.#view.getInt32(at, HOST_IS_LITTLE);
  }

  /** Counters beyond 2^53 lose their last bits. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, HOST_IS_LITTLE));
  }

  networkU16(at: number): number {
    return this.#view.getUint16(at);
  }

  networkU32(at: number): number {
    return this.#view.getUint32(at);
  }

  part(at: number, size: number): Fields {
    return new Fields(this.bytes.subarray(at, at + size));
  }
}

/** A view into the datagram. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly portId: number;
  readonly payload: Fields;
}

/** `isWhole` false: the datagram was cut, or is none of netlink; the messages before that are good. */
export interface Datagram {
  readonly messages: readonly Message[];
  readonly isWhole: boolean;
}

export const readDatagram = (bytes: Uint8Array): Datagram => {
  const all = new Fields(bytes);
  const messages: Message[] = [];
  let at = 0;
  while (all.size - at >= Size.HEADER) {
    const length = all.u32(at);
    if (length < Size.HEADER || length > all.size - at) return { messages, isWhole: false };
    messages.push({
      type: all.u16(at + 4),
      flags: all.u16(at + 6),
      sequence: all.u32(at + 8),
      portId: all.u32(at + 12),
      payload: all.part(at + Size.HEADER, length - Size.HEADER),
    });
    // The last message's padding may be missing.
    at = Math.min(aligned(length) + at, all.size);
  }
  return { messages, isWhole: at === all.size };
};

export type Attributes = ReadonlyMap<number, Fields>;

/** The attributes behind a fixed structure of `from` bytes, the last of each type; undefined where one of them is cut. */
export const readAttributes = (payload: Fields, from: number): Attributes | undefined => {
  const attributes = new Map<number, Fields>();
  let at = aligned(from);
  while (payload.size - at >= ATTRIBUTE_HEADER) {
    const length = payload.u16(at);
    if (length < ATTRIBUTE_HEADER || length > payload.size - at) return undefined;
    attributes.set(payload.u16(at + 2) & TYPE_MASK, payload.part(at + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER));
    at += aligned(length);
  }
  return at >= payload.size ? attributes : undefined;
};

/** What NLMSG_ERROR says: errno as a positive number, 0 for an acknowledgement; `text` is the extended acknowledgement's, '' where there is none. */
export interface Verdict {
  readonly errno: number;
  readonly text: string;
}

/** Undefined where the message is too short. NLMSG_DONE says it the same way, without repeating what it answers. */
export const readVerdict = ({ type, flags, payload }: Message): Verdict | undefined => {
  if (type === MessageType.DONE) return { errno: payload.size < 4 ? 0 : 0 - payload.i32(0), text: '' };
  if (payload.size < 4 + Size.HEADER) return undefined;
  const errno = 0 - payload.i32(0);
  if ((flags & MessageFlag.ACK_TLVS) === 0) return { errno, text: '' };
  const repeated = (flags & MessageFlag.CAPPED) === 0 ? payload.u32(4) : Size.HEADER;
  const text = readAttributes(payload, 4 + repeated)?.get(ERROR_TEXT);
  return { errno, text: text === undefined ? '' : printable(text.bytes) };
};

/** NUL-terminated; the kernel's texts are ASCII. */
const printable = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return [...bytes.subarray(0, end < 0 ? bytes.length : end)]
    .filter((byte) => byte >= 0x20 && byte < 0x7f)
    .map((byte) => String.fromCharCode(byte))
    .join('');
};

/** NLMSGERR_ATTR_MSG. */
const ERROR_TEXT = 1;
/** The two upper bits of a type are flags. */
const TYPE_MASK = 0x3fff;
