/** ID sections: our and the peer's identity in phase 1, selectors in phase 2. */
import { prefixLength } from '../address.ts';
import { bytesOrHex } from '../byte-text.ts';
import { IdType } from '../constants/ipsec-doi.ts';
import { nameFromText } from '../policy/distinguished-name.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { type Finding, placeOf, warningAt } from './finding.ts';
import { readPort, readProtocol, readTag, refusedValue, requireTag } from './read-tag.ts';
import type { ConfigurationReader } from './reader.ts';
import { requireAddress } from './resolve-address.ts';
import { IDENTITY } from './sections.ts';

/** An identity of phase 1. It has no protocol and port (RFC 2407 §4.6.2). */
export const resolvePhase1Identity = (reader: ConfigurationReader, section: string, findings: Finding[]): Identity => {
  const identity = { protocol: 0, port: 0, ...identityOf(reader, section, PHASE_1_TYPES) };
  if (identity.type === IdType.DER_ASN1_DN && FORWARD_NAME.test(readTag(reader, section, IDENTITY.name) ?? '')) {
    const remedy = 'RFC 4514 begins with the last part of a name; write /C=SE/CN=gate for the order of the certificate';
    findings.push(warningAt(placeOf(section, IDENTITY.name.name), `begins with the country: ${remedy}`));
  }
  for (const { name } of [IDENTITY.protocol, IDENTITY.port]) {
    if (reader.get(section, name) !== undefined) {
      findings.push(warningAt(placeOf(section, name), 'has no effect on an identity of phase 1: leave it out'));
    }
  }
  return identity;
};

/** Other daemons write names with commas in the order of the certificate. */
const FORWARD_NAME = /^(?:C|countryName) *=[^,]*,/i;

/** A selector of phase 2: addresses with protocol and port. */
export const resolveSelector = (reader: ConfigurationReader, section: string, findings: Finding[]): Identity => {
  const identity = identityOf(reader, section, PHASE_2_TYPES);
  const protocol = readProtocol(reader, section, IDENTITY.protocol);
  const port = readPort(reader, section, IDENTITY.port);
  if (port !== 0 && protocol === 0) {
    findings.push(
      warningAt(placeOf(section, 'Port'), 'has no effect without Protocol: add Protocol=tcp, udp or another one'),
    );
    return { ...identity, protocol: 0, port: 0 };
  }
  return { ...identity, protocol, port };
};

const PHASE_2_TYPES: readonly number[] = [
  IdType.IPV4_ADDR,
  IdType.IPV6_ADDR,
  IdType.IPV4_ADDR_SUBNET,
  IdType.IPV6_ADDR_SUBNET,
];
const PHASE_1_TYPES: readonly number[] = [
  ...PHASE_2_TYPES,
  IdType.FQDN,
  IdType.USER_FQDN,
  IdType.KEY_ID,
  IdType.DER_ASN1_DN,
];

const identityOf = (
  reader: ConfigurationReader,
  section: string,
  types: readonly number[],
): Pick<Identity, 'type' | 'data'> => {
  const type = requireTag(reader, section, IDENTITY.type);
  if (!types.includes(type)) throw refusedValue(reader, section, IDENTITY.type, whyNot(type));
  switch (type) {
    case IdType.IPV4_ADDR:
    case IdType.IPV6_ADDR:
      return { type, data: requireAddress(reader, section, IDENTITY.address, type === IdType.IPV4_ADDR ? 4 : 6).bytes };
    case IdType.IPV4_ADDR_SUBNET:
    case IdType.IPV6_ADDR_SUBNET:
      return { type, data: subnetBytes(reader, section, type === IdType.IPV4_ADDR_SUBNET ? 4 : 6) };
    case IdType.DER_ASN1_DN:
      return { type, data: distinguishedName(reader, section) };
    case IdType.KEY_ID:
      return { type, data: keyId(reader, section) };
    default:
      return { type, data: new TextEncoder().encode(requireTag(reader, section, IDENTITY.name)) };
  }
};

const whyNot = (type: number): string => {
  if (type === IdType.DER_ASN1_GN)
    return 'alternative names of certificates are not supported, write their value as FQDN, USER_FQDN or address';
  if (type === IdType.IPV4_RANGE || type === IdType.IPV6_RANGE) {
    return 'a range cannot be configured, write IPV4_ADDR_SUBNET or IPV6_ADDR_SUBNET';
  }
  return 'a connection is selected by IPV4_ADDR, IPV6_ADDR, IPV4_ADDR_SUBNET or IPV6_ADDR_SUBNET';
};

/** Host bits of a network stay: isakmpd at the other end compares the bytes as its configuration has them. */
const subnetBytes = (reader: ConfigurationReader, section: string, family: 4 | 6): Uint8Array => {
  const network = requireAddress(reader, section, IDENTITY.network, family, 'network').bytes;
  const mask = requireAddress(reader, section, IDENTITY.netmask, family, 'netmask').bytes;
  if (prefixLength(mask) === undefined) {
    throw refusedValue(reader, section, IDENTITY.netmask, 'its ones have to come before its zeros');
  }
  const data = new Uint8Array(network.length + mask.length);
  data.set(network);
  data.set(mask, network.length);
  return data;
};

const distinguishedName = (reader: ConfigurationReader, section: string): Uint8Array => {
  const data = nameFromText(requireTag(reader, section, IDENTITY.name));
  if (data !== undefined) return data;
  const reason = 'a distinguished name is written as /C=SE/O=Company/CN=gate or CN=gate,O=Company,C=SE';
  throw refusedValue(reader, section, IDENTITY.name, reason);
};

/** RFC 2407 section 4.6.2.12: any bytes at all, so they may have to be written in hexadecimal. */
const keyId = (reader: ConfigurationReader, section: string): Uint8Array => {
  const data = bytesOrHex(requireTag(reader, section, IDENTITY.name));
  if (data !== undefined) return data;
  throw refusedValue(reader, section, IDENTITY.name, 'after 0x, an even number of hex digits is needed');
};
