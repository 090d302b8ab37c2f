/** Bytes of PF_KEY extensions to values. Whoever has a PF_KEY socket can make the kernel send us odd ones: every length is checked before a read. */
import { endianness } from 'node:os';
import { SystemError } from '../../shared/errors.ts';
import { ExtensionType } from './constants.ts';
import {
  type Address,
  type Algorithm,
  type Extension,
  type IpsecRequest,
  type Key,
  type Lifetime,
  type Policy,
  roundUp,
  type SocketAddress,
} from './extension.ts';

/** PF_KEY integers are in host order, but SPIs, ports and addresses are in network order. */
export const HOST_LITTLE_ENDIAN = endianness() === 'LE';

/** `bytes`: a whole extension with its header of 4 bytes. Throws SystemError where it is too short for its type. Keys and unknown bodies are views of `bytes`. */
export const readExtension = (type: number, bytes: Uint8Array): Extension => {
  const body = new Fields(bytes, `extension ${type}`);
  switch (type) {
    case ExtensionType.SA:
      return {
        type,
        spi: body.network32(4),
        replay: body.u8(8),
        state: body.u8(9),
        auth: body.u8(10),
        encrypt: body.u8(11),
        flags: body.u32(12),
      };
    case ExtensionType.LIFETIME_CURRENT:
    case ExtensionType.LIFETIME_HARD:
    case ExtensionType.LIFETIME_SOFT:
      return lifetime(type, body);
    case ExtensionType.ADDRESS_SRC:
    case ExtensionType.ADDRESS_DST:
    case ExtensionType.ADDRESS_PROXY:
      return address(type, body);
    case ExtensionType.KEY_AUTH:
    case ExtensionType.KEY_ENCRYPT:
      return key(type, body);
    case ExtensionType.SUPPORTED_AUTH:
    case ExtensionType.SUPPORTED_ENCRYPT:
      return { type, algorithms: algorithms(body) };
    case ExtensionType.SPIRANGE:
      return { type, min: body.u32(4), max: body.u32(8) };
    case ExtensionType.X_POLICY:
      return policy(type, body);
    case ExtensionType.X_SA2:
      return { type, mode: body.u8(4), sequence: body.u32(8), reqid: body.u32(12) };
    case ExtensionType.X_NAT_T_TYPE:
      return { type, encapsulation: body.u8(4) };
    case ExtensionType.X_NAT_T_SPORT:
    case ExtensionType.X_NAT_T_DPORT:
      return { type, port: body.network16(4) };
    default:
      return { type: 'other', number: type, body: body.bytes(4, body.size - 4) };
  }
};

const lifetime = <T extends number>(type: T, body: Fields): Lifetime<T> => ({
  type,
  allocations: body.u32(4),
  bytes: body.u64(8),
  addTime: body.u64(16),
  useTime: body.u64(24),
});

const address = <T extends number>(type: T, body: Fields): Address<T> => {
  const [protocol, prefixLength] = [body.u8(4), body.u8(5)];
  return { type, protocol, prefixLength, ...socketAddress(body, 8).value };
};

const key = <T extends number>(type: T, body: Fields): Key<T> => {
  const bits = body.u16(4);
  return { type, bits, key: body.bytes(8, (bits + 7) >> 3) };
};

const algorithms = (body: Fields): readonly Algorithm[] => {
  const list: Algorithm[] = [];
  for (let at = 8; at < body.size; at += 8) {
    list.push({ id: body.u8(at), ivLength: body.u8(at + 1), minBits: body.u16(at + 2), maxBits: body.u16(at + 4) });
  }
  return list;
};

const policy = (type: typeof ExtensionType.X_POLICY, body: Fields): Policy => {
  const requests: IpsecRequest[] = [];
  for (let at = 16; at < body.size; ) {
    // Unlike every other length in PF_KEY, this one counts bytes.
    const length = body.u16(at);
    if (length < 16 || length > body.size - at) {
      throw new SystemError(`PF_KEY: a request of ${length} bytes where the policy has ${body.size - at} left`);
    }
    requests.push(request(new Fields(body.bytes(at, length), 'ipsecrequest')));
    at += roundUp(length);
  }
  return {
    type,
    action: body.u16(4),
    direction: body.u8(6),
    id: body.u32(8),
    priority: body.u32(12),
    requests,
  };
};

const request = (body: Fields): IpsecRequest => {
  const fields = { protocol: body.u16(2), mode: body.u8(4), level: body.u8(5), reqid: body.u32(8) };
  if (body.size === 16) return { ...fields, tunnel: undefined };
  const source = socketAddress(body, 16);
  const destination = socketAddress(body, 16 + source.size);
  return { ...fields, tunnel: { source: source.value, destination: destination.value } };
};

/** Linux: a family of 16 bits, then what Linux's sockaddr_in or sockaddr_in6 has. */
const socketAddress = (body: Fields, at: number): { readonly value: SocketAddress; readonly size: number } => {
  const family = body.u16(at);
  const port = body.network16(at + 2);
  if (family === AF_INET) return { value: { address: body.bytes(at + 4, 4).slice(), port }, size: body.has(at, 16) };
  if (family === AF_INET6) return { value: { address: body.bytes(at + 8, 16).slice(), port }, size: body.has(at, 28) };
  throw new SystemError(`PF_KEY: an address of family ${family}, not AF_INET or AF_INET6`);
};

export const AF_INET = 2;
export const AF_INET6 = 10;

/** Reads at offsets, never past the end. */
class Fields {
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  constructor(bytes: Uint8Array, what: string) {
    this.size = bytes.length;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  u8(at: number): number {
    this.has(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.has(at, 2);
    return this.#view.getUint16(at, HOST_LITTLE_ENDIAN);
  }

  u32(at: number): number {
    this.has(at, 4);
    return this.#view.getUint32(at, HOST_LITTLE_ENDIAN);
  }

  u64(at: number): bigint {
    this.has(at, 8);
    return this.#view.getBigUint64(at, HOST_LITTLE_ENDIAN);
  }

  network16(at: number): number {
    this.has(at, 2);
    return this.#view.getUint16(at);
  }

  network32(at: number): number {
    this.has(at, 4);
    return this.#view.getUint32(at);
  }

  bytes(at: number, size: number): Uint8Array {
    this.has(at, size);
    return this.#bytes.subarray(at, at + size);
  }

  /** The size again; throws SystemError where fewer bytes are left. */
  has(at: number, size: number): number {
    if (size > this.size - at) {
      throw new SystemError(`PF_KEY: ${this.#what} of ${this.size} bytes has no ${size} at ${at}`);
    }
    return size;
  }
}
