/** Endpoints, whose addresses are text, as the socket addresses of Linux, and back. */
import { addressFromBytes, type Endpoint, parseAddress } from '../../shared/address.ts';
import { SystemError } from '../../shared/errors.ts';
import { nativeAddon } from '../native/native.ts';
import { packSocketAddress, unpackSocketAddress } from '../sockaddr.ts';

/** Throws SystemError for what is no numeric address or no port, and EADDRNOTAVAIL where there is no interface of that zone. */
export const toSocketAddress = ({ address, port }: Endpoint): Uint8Array => {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new SystemError(`EINVAL: ${address} is no IP address`, 'EINVAL');
  if (!Number.isInteger(port) || port < 0 || port > 0xffff)
    throw new SystemError(`EINVAL: there is no port ${port}`, 'EINVAL');
  const zone = address.split('%')[1];
  return packSocketAddress({ address: parsed.bytes, port, scope: zone === undefined ? 0 : scopeOf(zone) });
};

/** Undefined for a socket address of another family. The zone of a link-local address is the interface's name, if it has one yet. */
export const toEndpoint = (bytes: Uint8Array): Endpoint | undefined => {
  const found = unpackSocketAddress(bytes);
  if (found === undefined) return undefined;
  const { address, port, scope } = found;
  const zone = scope === 0 ? '' : (nativeAddon().interfaceName(scope) ?? String(scope));
  return { address: addressFromBytes(address, zone).text, port };
};

const scopeOf = (zone: string): number => {
  const index = nativeAddon().interfaceIndex(zone) || Number(/^\d{1,9}$/.exec(zone)?.[0] ?? 0);
  if (index === 0) throw new SystemError(`EADDRNOTAVAIL: there is no interface ${zone}`, 'EADDRNOTAVAIL');
  return index;
};
