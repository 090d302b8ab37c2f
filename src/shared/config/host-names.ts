/** Which names in a configuration are those of hosts, to be looked up by name servers. */
import { parseAddress } from '../address.ts';
import type { AddressBook } from './address-book.ts';
import { PEER } from './sections.ts';

/** Of values of a peer's Address and members of Listen-on those that are neither in figures nor interfaces of this host. */
export const hostsAmong = (
  values: readonly (string | undefined)[],
  book: Pick<AddressBook, 'interfaceAddresses'>,
): readonly string[] =>
  values.flatMap((value) => {
    const host = value === undefined ? undefined : PEER.address.parse(value);
    if (host === undefined || parseAddress(host) !== undefined) return [];
    return book.interfaceAddresses(host) === undefined ? [host] : [];
  });
