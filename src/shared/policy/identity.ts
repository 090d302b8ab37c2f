/** Identities (RFC 2407 §4.6.2) as text, and compared by what they mean. Text never carries a peer's control characters. */
import { addressFromBytes, compareBytes, firstOf, lastOf, parseAddress, prefixLength } from '../address.ts';
import { IdType } from '../constants/ipsec-doi.ts';
import { InvariantError } from '../errors.ts';
import { distinguishedParts, nameFromText, nameKey } from './distinguished-name.ts';
import type { Identity } from './peer-policy.ts';

/**
 * An identity as isakmpd prints it: `10.0.0.1`, `192.168.11.0/255.255.255.0`, `2001:db8::/ffff:ffff::`, `10.0.0.1-10.0.0.9`,
 * `user@host`, a domain name, `/C=SE/CN=gate` for a distinguished name. Key ids print as text where they are text, else as hex after
 * `0x`, and so does everything else. Protocol and port are left out, as isakmpd does. Bytes outside printable ASCII, and backslashes, become `\xNN`.
 */
export const identityText = ({ type, data }: Identity): string => {
  const shape = shapeOf(type, data);
  if (shape === undefined) return textWithoutShape(type, data);
  if (shape.kind === 'address') return addressFromBytes(data).text;
  const separator = shape.kind === 'subnet' ? '/' : '-';
  const [first, second] = halves(data);
  return `${addressFromBytes(first).text}${separator}${addressFromBytes(second).text}`;
};

const textWithoutShape = (type: number, data: Uint8Array): string => {
  if (isDomainName(type) || isTextualKeyId(type, data)) return nameText(data);
  return (type === IdType.DER_ASN1_DN && distinguishedText(data)) || hexText(data);
};

/** A slash inside a value that looks like the next part is printed as \x2f, so that no two names look the same. */
const distinguishedText = (data: Uint8Array): string | undefined =>
  distinguishedParts(data)
    ?.map((part) => `/${nameText(new TextEncoder().encode(part)).replace(NEXT_PART, '\\x2f')}`)
    .join('');
const NEXT_PART = /\/(?=[A-Za-z][A-Za-z0-9-]*=|\d+(?:\.\d+)+=)/g;

/** The identity that a text of isakmpd's means: an address, subnet or range, a distinguished name, `user@host`, or else a domain name. Protocol and port are 0. */
export const identityFromText = (text: string): Identity => {
  const address = parseAddress(text);
  if (address !== undefined) return identityOf(addressType(address.bytes, 'address'), address.bytes);
  for (const kind of ['subnet', 'range'] as const) {
    const [first, second, more] = text.split(kind === 'subnet' ? '/' : '-').map((part) => parseAddress(part)?.bytes);
    if (first === undefined || second === undefined || more !== undefined || first.length !== second.length) continue;
    return identityOf(addressType(first, kind), joined(first, second));
  }
  const name = text.startsWith('/') ? nameFromText(text) : undefined;
  if (name !== undefined) return identityOf(IdType.DER_ASN1_DN, name);
  return identityOf(text.includes('@') ? IdType.USER_FQDN : IdType.FQDN, new TextEncoder().encode(text));
};

/** The identity of an address; what isakmpd calls itself where nothing is configured. Throws InvariantError for what is no address. */
export const identityOfAddress = (text: string): Identity => {
  const address = parseAddress(text);
  if (address === undefined) throw new InvariantError(`"${text}" is no address`);
  return identityOf(addressType(address.bytes, 'address'), address.bytes);
};

/**
 * Whether two identities mean the same: an address equals its own subnet or range, a range equals its prefix, names are the same in
 * upper and lower case, distinguished names attribute by attribute. Protocol and port count. This is how selectors of quick mode are compared.
 */
export const sameIdentity = (a: Identity, b: Identity): boolean =>
  a.protocol === b.protocol && a.port === b.port && sameValue(a, b);

const sameValue = (a: Identity, b: Identity): boolean => {
  const extent = extentOf(a);
  const other = extentOf(b);
  if (extent !== undefined && other !== undefined)
    return compareBytes(extent.first, other.first) === 0 && compareBytes(extent.last, other.last) === 0;
  if (a.type !== b.type) return false;
  if (a.type === IdType.DER_ASN1_DN)
    return (nameKey(a.data) ?? hexText(a.data)) === (nameKey(b.data) ?? hexText(b.data));
  return isDomainName(a.type) ? identityKey(a) === identityKey(b) : compareBytes(a.data, b.data) === 0;
};

/** The key of an identity in GeneralPolicy.identitySecrets: its text in lower case, since section names are the same in both. */
export const identityKey = (identity: Identity): string => identityText(identity).toLowerCase();

/** The pre-shared key of an identity, `[foo@bar]:Authentication`. */
export const identitySecret = (secrets: ReadonlyMap<string, Uint8Array>, identity: Identity): Uint8Array | undefined =>
  secrets.get(identityKey(identity));

/** The lowest and the highest address of those between which all are meant. */
export interface Extent {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** The addresses an identity stands for; undefined for names and for masks that are none. */
export const extentOf = ({ type, data }: Identity): Extent | undefined => {
  const shape = shapeOf(type, data);
  if (shape === undefined) return undefined;
  if (shape.kind === 'address') return { first: data, last: data };
  const [first, second] = halves(data);
  if (shape.kind === 'range') return compareBytes(first, second) <= 0 ? { first, last: second } : undefined;
  return prefixLength(second) === undefined
    ? undefined
    : { first: firstOf(first, second), last: lastOf(first, second) };
};

const identityOf = (type: number, data: Uint8Array): Identity => ({ type, protocol: 0, port: 0, data });

interface Shape {
  readonly kind: 'address' | 'subnet' | 'range';
  readonly size: 4 | 16;
}

const SHAPES: ReadonlyMap<number, Shape> = new Map([
  [IdType.IPV4_ADDR, { kind: 'address', size: 4 }],
  [IdType.IPV4_ADDR_SUBNET, { kind: 'subnet', size: 4 }],
  [IdType.IPV4_RANGE, { kind: 'range', size: 4 }],
  [IdType.IPV6_ADDR, { kind: 'address', size: 16 }],
  [IdType.IPV6_ADDR_SUBNET, { kind: 'subnet', size: 16 }],
  [IdType.IPV6_RANGE, { kind: 'range', size: 16 }],
]);

/** How the data of an address type is laid out; undefined for names and for data of the wrong size. */
const shapeOf = (type: number, data: Uint8Array): Shape | undefined => {
  const shape = SHAPES.get(type);
  return shape !== undefined && data.length === shape.size * (shape.kind === 'address' ? 1 : 2) ? shape : undefined;
};

const addressType = (bytes: Uint8Array, kind: Shape['kind']): number => {
  for (const [type, shape] of SHAPES) if (shape.kind === kind && shape.size === bytes.length) return type;
  throw new InvariantError(`an address of ${bytes.length} bytes`);
};

const halves = (data: Uint8Array): readonly [Uint8Array, Uint8Array] => [
  data.subarray(0, data.length / 2),
  data.subarray(data.length / 2),
];

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const data = new Uint8Array(first.length + second.length);
  data.set(first);
  data.set(second, first.length);
  return data;
};

const isDomainName = (type: number): boolean => type === IdType.FQDN || type === IdType.USER_FQDN;

/** A key id is any bytes at all (RFC 2407 §4.6.2.12): it prints as text only if all of it is text. */
const isTextualKeyId = (type: number, data: Uint8Array): boolean => type === IdType.KEY_ID && data.every(isPrintable);

const nameText = (data: Uint8Array): string => {
  let text = '';
  for (const byte of data) {
    text += isPrintable(byte) && byte !== BACKSLASH ? String.fromCharCode(byte) : `\\x${hexByte(byte)}`;
  }
  return text;
};

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');
const BACKSLASH = 0x5c;

const hexText = (data: Uint8Array): string => `0x${Array.from(data, hexByte).join('')}`;
