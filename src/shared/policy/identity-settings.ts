/** An identity as the tags of an ID section of isakmpd.conf(5). */
import { IdType } from '../constants/ipsec-doi.ts';
import { bounded } from '../log/bounded.ts';
import { identityText } from './identity.ts';
import type { Identity } from './peer-policy.ts';

/** `ID-type=IPV4_ADDR_SUBNET, Network=10.1.0.0, Netmask=255.255.0.0`: what a section has to say to mean this identity. */
export const identitySettings = (identity: Identity): string => {
  const { type, protocol, port } = identity;
  const text = bounded(identityText(identity));
  const [network, netmask] = text.split('/');
  const value = SUBNETS.has(type) ? `Network=${network}, Netmask=${netmask}` : `${TAGS.get(type) ?? 'Name'}=${text}`;
  const traffic = protocol === 0 ? '' : `, Protocol=${protocol}${port === 0 ? '' : `, Port=${port}`}`;
  return `ID-type=${NAMES.get(type) ?? type}, ${value}${traffic}`;
};

/** A selector in words, protocol and port included. */
export const selectorWords = (identity: Identity | undefined): string => {
  if (identity === undefined) return 'any';
  const { protocol, port } = identity;
  const text = bounded(identityText(identity));
  if (protocol === 0 && port === 0) return text;
  return `${text} protocol ${protocol}${port === 0 ? '' : ` port ${port}`}`;
};

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(IdType).map(([name, type]) => [type, name]));
const SUBNETS: ReadonlySet<number> = new Set([IdType.IPV4_ADDR_SUBNET, IdType.IPV6_ADDR_SUBNET]);
const TAGS: ReadonlyMap<number, string> = new Map([
  [IdType.IPV4_ADDR, 'Address'],
  [IdType.IPV6_ADDR, 'Address'],
]);
