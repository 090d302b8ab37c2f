/** Values of PF_KEY extensions to bytes. A number that does not fit its field is our own fault. */
import { InvariantError } from '../../shared/errors.ts';
import { ExtensionType } from './constants.ts';
import {
  type Algorithm,
  type Extension,
  type IpsecRequest,
  type SocketAddress,
  sizeOfExtension,
  sizeOfRequest,
} from './extension.ts';
import { AF_INET, AF_INET6, HOST_LITTLE_ENDIAN } from './extension-reader.ts';

/** `bytes`: zeroes, as many as `sizeOfExtension` says. */
export const writeExtension = (extension: Extension, bytes: Uint8Array): void => {
  const out = new Writer(bytes);
  out.u16(0, sizeOfExtension(extension) / 8);
  out.u16(2, extension.type === 'other' ? extension.number : extension.type);
  writeFields(extension, out);
};

const writeFields = (extension: Extension, out: Writer): void => {
  switch (extension.type) {
    case ExtensionType.SA:
      out.network32(4, extension.spi);
      out.u8(8, extension.replay);
      out.u8(9, extension.state);
      out.u8(10, extension.auth);
      out.u8(11, extension.encrypt);
      out.u32(12, extension.flags);
      return;
    case ExtensionType.LIFETIME_CURRENT:
    case ExtensionType.LIFETIME_HARD:
    case ExtensionType.LIFETIME_SOFT:
      out.u32(4, extension.allocations);
      out.u64(8, extension.bytes);
      out.u64(16, extension.addTime);
      out.u64(24, extension.useTime);
      return;
    case ExtensionType.ADDRESS_SRC:
    case ExtensionType.ADDRESS_DST:
    case ExtensionType.ADDRESS_PROXY:
      out.u8(4, extension.protocol);
      out.u8(5, extension.prefixLength);
      writeSocketAddress(extension, out, 8);
      return;
    case ExtensionType.KEY_AUTH:
    case ExtensionType.KEY_ENCRYPT:
      out.u16(4, extension.bits);
      out.raw(8, extension.key);
      return;
    case ExtensionType.SUPPORTED_AUTH:
    case ExtensionType.SUPPORTED_ENCRYPT:
      writeAlgorithms(extension.algorithms, out);
      return;
    case ExtensionType.SPIRANGE:
      out.u32(4, extension.min);
      out.u32(8, extension.max);
      return;
    case ExtensionType.X_POLICY:
      out.u16(4, extension.action);
      out.u8(6, extension.direction);
      out.u32(8, extension.id);
      out.u32(12, extension.priority);
      writeRequests(extension.requests, out);
      return;
    case ExtensionType.X_SA2:
      out.u8(4, extension.mode);
      out.u32(8, extension.sequence);
      out.u32(12, extension.reqid);
      return;
    case ExtensionType.X_NAT_T_TYPE:
      out.u8(4, extension.encapsulation);
      return;
    case ExtensionType.X_NAT_T_SPORT:
    case ExtensionType.X_NAT_T_DPORT:
      out.network16(4, extension.port);
      return;
    case 'other':
      out.raw(4, extension.body);
      return;
  }
};

const writeAlgorithms = (algorithms: readonly Algorithm[], out: Writer): void => {
  for (const [i, { id, ivLength, minBits, maxBits }] of algorithms.entries()) {
    const at = 8 + 8 * i;
    out.u8(at, id);
    out.u8(at + 1, ivLength);
    out.u16(at + 2, minBits);
    out.u16(at + 4, maxBits);
  }
};

const writeRequests = (requests: readonly IpsecRequest[], out: Writer): void => {
  let at = 16;
  for (const request of requests) {
    const size = sizeOfRequest(request);
    // Unlike every other length in PF_KEY, this one counts bytes.
    out.u16(at, size);
    out.u16(at + 2, request.protocol);
    out.u8(at + 4, request.mode);
    out.u8(at + 5, request.level);
    out.u32(at + 8, request.reqid);
    if (request.tunnel !== undefined) {
      const end = writeSocketAddress(request.tunnel.source, out, at + 16);
      writeSocketAddress(request.tunnel.destination, out, end);
    }
    at += size;
  }
};

/** Answers where it ends. */
const writeSocketAddress = ({ address, port }: SocketAddress, out: Writer, at: number): number => {
  const isIpv4 = address.length === 4;
  out.u16(at, isIpv4 ? AF_INET : AF_INET6);
  out.network16(at + 2, port);
  out.raw(at + (isIpv4 ? 4 : 8), address);
  return at + (isIpv4 ? 16 : 28);
};

/** Writes at offsets. */
class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number, value: number): void {
    this.#view.setUint8(at, fitting(value, 0xff));
  }

  u16(at: number, value: number): void {
    this.#view.setUint16(at, fitting(value, 0xffff), HOST_LITTLE_ENDIAN);
  }

  u32(at: number, value: number): void {
    this.#view.setUint32(at, fitting(value, 0xffffffff), HOST_LITTLE_ENDIAN);
  }

  u64(at: number, value: bigint): void {
    if (value < 0n || value > 0xffffffffffffffffn) throw new InvariantError(`${value} does not fit 64 bits`);
    this.#view.setBigUint64(at, value, HOST_LITTLE_ENDIAN);
  }

  network16(at: number, value: number): void {
    this.#view.setUint16(at, fitting(value, 0xffff));
  }

  network32(at: number, value: number): void {
    this.#view.setUint32(at, fitting(value, 0xffffffff));
  }

  raw(at: number, value: Uint8Array): void {
    this.#bytes.set(value, at);
  }
}

const fitting = (value: number, max: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new InvariantError(`${value} does not fit a field of 0 to ${max}`);
  }
  return value;
};
