/** Socket addresses of Linux, sockaddr_in and sockaddr_in6, as bytes. */
import { endianness } from 'node:os';
import { InvariantError } from '../shared/errors.ts';
import { AddressFamily } from './linux-sockets.ts';

/** `address` has 4 or 16 bytes. `scope` is the index of the interface for link-local IPv6 addresses, else 0. */
export interface SocketAddress {
  readonly address: Uint8Array;
  readonly port: number;
  readonly scope: number;
}

/** 16 bytes for IPv4, 28 for IPv6. Throws InvariantError for an address of another length or a port that is none. */
export const packSocketAddress = ({ address, port, scope }: SocketAddress): Uint8Array => {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new InvariantError(`there is no port ${port}`);
  if (address.length !== 4 && address.length !== 16) {
    throw new InvariantError(`a socket address has 4 or 16 bytes of address, not ${address.length}`);
  }
  const isV4 = address.length === 4;
  const bytes = new Uint8Array(isV4 ? IN_BYTES : IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AddressFamily.INET : AddressFamily.INET6, IS_LITTLE_ENDIAN);
  view.setUint16(2, port);
  bytes.set(address, isV4 ? 4 : 8);
  if (!isV4) view.setUint32(24, scope, IS_LITTLE_ENDIAN);
  return bytes;
};

/** Undefined for bytes of another family, or too few of them. The address is a view of the bytes. */
export const unpackSocketAddress = (bytes: Uint8Array): SocketAddress | undefined => {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const family = view.getUint16(0, IS_LITTLE_ENDIAN);
  if (family === AddressFamily.INET && bytes.length >= 8) {
    return { address: bytes.subarray(4, 8), port: view.getUint16(2), scope: 0 };
  }
  if (family === AddressFamily.INET6 && bytes.length >= IN6_BYTES) {
    return { address: bytes.subarray(8, 24), port: view.getUint16(2), scope: view.getUint32(24, IS_LITTLE_ENDIAN) };
  }
  return undefined;
};

const IN_BYTES = 16;
const IN6_BYTES = 28;
const IS_LITTLE_ENDIAN = endianness() === 'LE';
