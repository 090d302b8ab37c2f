/** This host's interfaces, their addresses and the default routes, as they are now. */
import { closeSync, openSync, readSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../../shared/address.ts';
import type { InterfaceAddress, Interfaces } from '../../shared/config/address-book.ts';
import { defaultInterface4, defaultInterface6 } from '../../shared/default-route.ts';
import { codeOf } from '../privileged/system-fault.ts';

/** Interfaces that are up. A system without /proc has no default route. */
export const readInterfaces = (): Interfaces => ({
  addresses: new Map(
    Object.entries(networkInterfaces()).map(([name, entries = []]) => [
      name,
      entries.flatMap(({ family, address, netmask, ...more }) => {
        const scope = family === 'IPv6' && 'scopeid' in more ? more.scopeid : 0;
        return addressOf(scope === 0 ? address : `${address}%${name}`, netmask);
      }),
    ]),
  ),
  default4: defaultInterface4(textOf('/proc/net/route')),
  default6: defaultInterface6(textOf('/proc/net/ipv6_route')),
});

const addressOf = (text: string, mask: string): readonly InterfaceAddress[] => {
  const [address, netmask] = [parseAddress(text), parseAddress(mask)];
  return address === undefined || netmask === undefined ? [] : [{ address, netmask }];
};

/** The beginning of a file: a router with all routes of the Internet is not read to the end every two seconds. */
const textOf = (path: string): string => {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(MOST);
      let length = 0;
      // The kernel hands out a page at a time.
      for (;;) {
        const more = readSync(file, bytes, length, MOST - length, null);
        length += more;
        if (more === 0 || length === MOST) return bytes.toString('latin1', 0, length);
      }
    } finally {
      closeSync(file);
    }
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
    return '';
  }
};

/** Bytes. */
const MOST = 65_536;
