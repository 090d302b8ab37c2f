/** How isakmpd.policy(5) writes addresses, names and times, so that comparing them as text compares what they mean. */
import { IdType } from '../constants/ipsec-doi.ts';
import { extentOf, identityText } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';

/** One of the attributes of an identity; `detail` is what its name has after the identity's: '', type, addr_upper, addr_lower, proto, port. */
export const identityAttribute = (identity: Identity, detail: string): string => {
  switch (detail) {
    case '':
      return valueText(identity);
    case 'type':
      return IDENTITY_TYPES.get(identity.type) ?? '';
    case 'addr_lower':
      return boundText(identity, 'first');
    case 'addr_upper':
      return boundText(identity, 'last');
    case 'proto':
      return identity.protocol === 0 ? '' : (PROTOCOLS.get(identity.protocol) ?? String(identity.protocol));
    case 'port':
      return identity.port === 0 ? '' : String(identity.port);
    default:
      return '';
  }
};

/** An address; `lower-upper` of a subnet or range; a name as it is; a distinguished name on one line; a key id as text if it is text, else in hex. */
const valueText = (identity: Identity): string => {
  const extent = extentOf(identity);
  if (extent !== undefined) {
    const [lower, upper] = [sortableAddress(extent.first), sortableAddress(extent.last)];
    return isAddress(identity) ? lower : `${lower}-${upper}`;
  }
  if (identity.type !== IdType.KEY_ID) return identityText(identity);
  const text = Buffer.from(identity.data).toString('latin1');
  return PRINTABLE.test(text) ? text : Buffer.from(identity.data).toString('hex');
};

const isAddress = ({ type }: Identity): boolean => type === IdType.IPV4_ADDR || type === IdType.IPV6_ADDR;

const boundText = (identity: Identity, end: 'first' | 'last'): string => {
  const extent = extentOf(identity);
  return extent === undefined ? '' : sortableAddress(extent[end]);
};

/** `010.000.000.001`, or eight groups of four hex digits. */
const sortableAddress = (bytes: Uint8Array): string =>
  bytes.length === 4
    ? Array.from(bytes, (byte) => String(byte).padStart(3, '0')).join('.')
    : (Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '');

const FORM = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
} as const;
/** Swedish dates are ISO 8601's. */
const GMT = new Intl.DateTimeFormat('sv-SE', { ...FORM, timeZone: 'UTC' });
const LOCAL = new Intl.DateTimeFormat('sv-SE', FORM);

/** `YYYYMMDDHHMMSS` of ms since 1970. */
export const gmtTime = (at: number): string => GMT.format(at).replace(/\D/g, '');

/** The same by this host's time zone. */
export const localTime = (at: number): string => LOCAL.format(at).replace(/\D/g, '');

/** By IdType. */
export const IDENTITY_TYPES: ReadonlyMap<number, string> = new Map([
  [IdType.IPV4_ADDR, 'IPv4 address'],
  [IdType.IPV4_RANGE, 'IPv4 range'],
  [IdType.IPV4_ADDR_SUBNET, 'IPv4 subnet'],
  [IdType.IPV6_ADDR, 'IPv6 address'],
  [IdType.IPV6_RANGE, 'IPv6 range'],
  [IdType.IPV6_ADDR_SUBNET, 'IPv6 subnet'],
  [IdType.FQDN, 'FQDN'],
  [IdType.USER_FQDN, 'User FQDN'],
  [IdType.DER_ASN1_DN, 'ASN1 DN'],
  [IdType.DER_ASN1_GN, 'ASN1 GN'],
  [IdType.KEY_ID, 'Key ID'],
]);

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [97, 'etherip'],
]);

const PRINTABLE = /^[ -~]+$/;
