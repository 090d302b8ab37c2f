/** [General]:Listen-on, from names to addresses. */
import { parseAddress } from '../address.ts';
import type { AddressBook } from './address-book.ts';
import { readTag } from './read-tag.ts';
import type { ConfigurationReader } from './reader.ts';
import { GENERAL } from './sections.ts';

export interface ListenAddresses {
  /** Canonical, each once; not necessarily this host's. */
  readonly addresses: readonly string[];
  /** Names that stand for no address now. */
  readonly unknown: readonly string[];
}

/** Throws a ConfigError where Listen-on is there and not one of its members can be: listening everywhere instead is not what was asked for. */
export const requireListenOn = (reader: ConfigurationReader): void => {
  readTag(reader, 'General', GENERAL.listenOn);
};

/** What to listen on now: `listenOn` as in DaemonSettings. An interface stands for all its addresses, and goes before a host of that name. */
export const listenAddresses = (listenOn: readonly string[] | undefined, book: AddressBook): ListenAddresses => {
  if (listenOn === undefined) return { addresses: [...new Set(book.allAddresses())], unknown: [] };
  const addresses = new Set<string>();
  const unknown: string[] = [];
  for (const member of listenOn) {
    const found = addressesOf(member, book);
    for (const address of found) addresses.add(address);
    if (found.length === 0) unknown.push(member);
  }
  return { addresses: [...addresses], unknown };
};

const addressesOf = (member: string, book: AddressBook): readonly string[] => {
  if (parseAddress(member) !== undefined) return [member];
  const ofInterface = book.interfaceAddresses(member);
  if (ofInterface !== undefined) return ofInterface.map(({ address }) => address.text);
  const answer = book.hostAnswer(member);
  return answer?.kind === 'addresses' ? answer.addresses : [];
};
