/** Interfaces of an imaginary host. */
import assert from 'node:assert/strict';
import { parseAddress } from '../../src/shared/address.ts';
import type { Interfaces } from '../../src/shared/config/address-book.ts';

/** Addresses by interface, each in a /24 or /64 unless `address/mask` says otherwise. */
export const interfaces = (
  addresses: Readonly<Record<string, readonly string[]>>,
  default4?: string,
  default6?: string,
): Interfaces => ({
  addresses: new Map(
    Object.entries(addresses).map(([name, texts]) => [
      name,
      texts.map((text) => {
        const [first = '', mask = first.includes(':') ? 'ffff:ffff:ffff:ffff::' : '255.255.255.0'] = text.split('/');
        const [address, netmask] = [parseAddress(first), parseAddress(mask)];
        return address === undefined || netmask === undefined ? assert.fail(text) : { address, netmask };
      }),
    ]),
  ),
  default4,
  default6,
});
