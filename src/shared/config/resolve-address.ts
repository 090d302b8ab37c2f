/** Tags that hold an address: in figures, or as the name of an interface or, for a peer, of a host. What a name stands for may change at any time. */
import { addressFromBytes, firstOf, type IpAddress, parseAddress } from '../address.ts';
import type { InterfaceAddress } from './address-book.ts';
import { type Finding, faultAt, placeOf, warningAt } from './finding.ts';
import { readTag, refusedValue, requireTag } from './read-tag.ts';
import type { ConfigurationReader } from './reader.ts';
import type { Tag } from './schema.ts';

type AddressTag = Tag<string | undefined>;
/** Which of an interface's values is meant. */
type Part = 'address' | 'network' | 'netmask';

/** The address of a tag that has to be there. Throws a ConfigError where it is of the other family, or its name stands for none now. */
export const requireAddress = (
  reader: ConfigurationReader,
  section: string,
  row: AddressTag,
  family: 4 | 6,
  part: Part = 'address',
): IpAddress => {
  const text = requireTag(reader, section, row);
  const address = parseAddress(text) ?? ofInterface(reader, section, row, text, family, part);
  if (address?.family === family) return address;
  if (address === undefined) throw noInterface(reader, section, row);
  throw refusedValue(reader, section, row, `its ID-type asks for an IPv${family} address`);
};

/** Local-address: of the family of the peer's address, where that is known. */
export const readLocalAddress = (
  reader: ConfigurationReader,
  section: string,
  row: AddressTag,
  family: 4 | 6 | undefined,
): string | undefined => {
  const text = readTag(reader, section, row);
  if (text === undefined) return undefined;
  const address = parseAddress(text) ?? ofInterface(reader, section, row, text, family, 'address');
  if (address === undefined) throw noInterface(reader, section, row);
  return address.text;
};

/** A peer's address; undefined where there is none, and while its host is not resolved: a host that cannot be is a finding. `family`: of our end, if known. */
export const readPeerAddress = (
  reader: ConfigurationReader,
  section: string,
  row: AddressTag,
  family: 4 | 6 | undefined,
  findings: Finding[],
): string | undefined => {
  const text = readTag(reader, section, row);
  if (text === undefined) return undefined;
  const address = parseAddress(text) ?? ofInterface(reader, section, row, text, family, 'address');
  if (address !== undefined) return address.text;
  const answer = reader.hostAnswer(text);
  if (answer?.kind === 'addresses') {
    return answer.addresses.find((one) => parseAddress(one)?.family === family) ?? answer.addresses[0];
  }
  if (answer !== undefined) {
    const reason = `names the host ${text}, which has no address: ${answer.reason}; it is looked up again at the next attempt`;
    findings.push(warningAt(placeOf(section, row.name), reason));
  }
  return undefined;
};

/** Undefined where there is no such interface. */
const ofInterface = (
  reader: ConfigurationReader,
  section: string,
  row: AddressTag,
  name: string,
  family: 4 | 6 | undefined,
  part: Part,
): IpAddress | undefined => {
  const addresses = reader.interfaceAddresses(name);
  if (addresses === undefined) return undefined;
  const chosen = preferred(addresses.filter(({ address }) => family === undefined || address.family === family));
  if (chosen !== undefined) return partOf(chosen, part);
  const what = name === 'default' ? 'the interface of the default route' : `the interface ${name}`;
  throw faultAt(placeOf(section, row.name), `means ${what}, which has no ${familyText(family)} now`);
};

/** IPv4 before IPv6, and what others can reach before link-local addresses. */
const preferred = (addresses: readonly InterfaceAddress[]): InterfaceAddress | undefined =>
  addresses.find(({ address }) => address.family === 4) ??
  addresses.find(({ address }) => !isLinkLocal(address)) ??
  addresses[0];

const partOf = ({ address, netmask }: InterfaceAddress, part: Part): IpAddress => {
  if (part === 'netmask') return netmask;
  return part === 'address' ? address : addressFromBytes(firstOf(address.bytes, netmask.bytes));
};

/** fe80::/10, RFC 4291 section 2.5.6. */
const isLinkLocal = ({ family, bytes }: IpAddress): boolean =>
  family === 6 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;

const familyText = (family: 4 | 6 | undefined): string => (family === undefined ? 'address' : `IPv${family} address`);

const noInterface = (reader: ConfigurationReader, section: string, row: AddressTag) =>
  refusedValue(reader, section, row, 'it is no address, and there is no such interface');
