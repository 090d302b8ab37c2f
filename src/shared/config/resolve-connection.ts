/** Connection sections: selectors and suites of one quick mode. */
import { compareBytes } from '../address.ts';
import { Doi, ExchangeType } from '../constants/isakmp.ts';
import type { ConfigPlace } from '../errors.ts';
import { NO_ROUTE, type Route } from '../flow.ts';
import { extentOf, identityText } from '../policy/identity.ts';
import type { ConnectionPolicy, Identity } from '../policy/peer-policy.ts';
import { type Finding, faultAt, placeOf, placeText, warningAt } from './finding.ts';
import { defaultSuites } from './generated.ts';
import { splitList } from './list-value.ts';
import { readFlags, readTag, refusedValue, refuseNotYet, requireTag } from './read-tag.ts';
import type { Resolution } from './resolution.ts';
import { resolveSelector } from './resolve-identity.ts';
import { resolveSuites } from './resolve-suites.ts';
import { CONNECTION_FLAGS } from './section-flags.ts';
import { CONNECTION, IPSEC_CONFIGURATION } from './sections.ts';

/** Throws a ConfigError where the connection cannot be negotiated as it is written. */
export const resolveConnection = (resolution: Resolution, section: string): ConnectionPolicy => {
  const { reader, findings } = resolution;
  if (requireTag(reader, section, CONNECTION.phase) !== 2) {
    throw refusedValue(reader, section, CONNECTION.phase, 'a connection section has Phase=2');
  }
  refuseNotYet(reader, section, CONNECTION);
  const flags = readFlags(reader, section, CONNECTION.flags, CONNECTION_FLAGS, findings);
  return {
    name: reader.nameOf(section),
    ...selectorsOf(resolution, section),
    onDemand: flags.has('__ondemand'),
    activeOnly: flags.has('active-only'),
    route: routeOf(resolution, section),
    ...suitesOf(resolution, section),
  };
};

const routeOf = ({ reader }: Resolution, section: string): Route => ({
  ...(readTag(reader, section, CONNECTION.mark) ?? { mark: NO_ROUTE.mark, markMask: NO_ROUTE.markMask }),
  interfaceId: readTag(reader, section, CONNECTION.interfaceId) ?? NO_ROUTE.interfaceId,
});

const suitesOf = (resolution: Resolution, section: string): Pick<ConnectionPolicy, 'suites' | 'suitesTag'> => {
  const { reader } = resolution;
  const configuration = readTag(reader, section, CONNECTION.configuration);
  if (configuration === undefined) {
    const names = splitList(defaultSuites((otherSection, tag) => reader.get(otherSection, tag)));
    return suitesIn(resolution, placeOf('General', 'Default-phase-2-suites'), names);
  }
  if (readTag(reader, configuration, IPSEC_CONFIGURATION.doi) !== Doi.IPSEC) {
    throw refusedValue(reader, configuration, IPSEC_CONFIGURATION.doi, 'only IPSEC is supported');
  }
  if (readTag(reader, configuration, IPSEC_CONFIGURATION.exchangeType) !== ExchangeType.QUICK_MODE) {
    throw refusedValue(reader, configuration, IPSEC_CONFIGURATION.exchangeType, 'a connection needs QUICK_MODE');
  }
  const names = requireTag(reader, configuration, IPSEC_CONFIGURATION.suites);
  return suitesIn(resolution, placeOf(reader.nameOf(configuration), 'Suites'), names);
};

const suitesIn = (resolution: Resolution, where: ConfigPlace, names: readonly string[]) => ({
  suites: resolveSuites(resolution, where, names),
  suitesTag: placeText(where),
});

type SelectorPolicy = Pick<ConnectionPolicy, 'localId' | 'remoteId' | 'natId'>;

const selectorsOf = ({ reader, findings }: Resolution, section: string): SelectorPolicy => {
  const [localId, remoteId, natId] = [CONNECTION.localId, CONNECTION.remoteId, CONNECTION.natId].map((row) => {
    const name = readTag(reader, section, row);
    return name === undefined ? undefined : resolveSelector(reader, name, findings);
  });
  if (localId === undefined && (remoteId ?? natId) !== undefined) {
    throw faultAt(placeOf(section, 'Local-ID'), 'is missing: Remote-ID and NAT-ID mean nothing without it');
  }
  const families = new Set([localId, remoteId, natId].flatMap((id) => (id === undefined ? [] : [familyOf(id)])));
  if (families.size > 1) {
    throw faultAt(placeOf(section), 'mixes IPv4 and IPv6: Local-ID, Remote-ID and NAT-ID have to be of one kind');
  }
  return { localId, remoteId, natId };
};

const familyOf = (identity: Identity): number => extentOf(identity)?.first.length ?? 0;

/** Warns of connections that hide others of the same peer: the first one with equal selectors is always the one that is found. */
export const warnOfEqualSelectors = (connections: readonly ConnectionPolicy[], findings: Finding[]): void => {
  if (connections.length < 2) return;
  const seen = new Map<string, string>();
  for (const { name, localId, remoteId, natId, activeOnly } of connections) {
    if (activeOnly || localId === undefined) continue;
    const key = [natId ?? localId, remoteId].map((id) => (id === undefined ? 'any' : meaningOf(id))).join(' ');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, name);
    else
      findings.push(warningAt(placeOf(name), `has the same selectors as [${first}], which is the one the peer gets`));
  }
};

const meaningOf = (identity: Identity): string => {
  const extent = extentOf(identity);
  const addresses =
    extent === undefined ? identityText(identity) : `${extent.first.join('.')}-${extent.last.join('.')}`;
  return `${addresses}/${identity.protocol}/${identity.port}`;
};

/** Sorts the most specific selectors first: remote and local prefix, then protocol and port set before any. Equal ones stay in order. */
export const bySpecificity = (connections: readonly ConnectionPolicy[]): readonly ConnectionPolicy[] => {
  if (connections.length < 2) return connections;
  return connections
    .map((connection) => ({ connection, rank: rankOf(connection) }))
    .sort((a, b) => compareBytes(b.rank, a.rank))
    .map(({ connection }) => connection);
};

/** Larger is more specific. Without IDs the two ISAKMP addresses are meant; without Remote-ID alone, any remote. */
const rankOf = ({ localId, remoteId, natId }: ConnectionPolicy): Uint8Array => {
  if (localId === undefined) return Uint8Array.of(MOST, MOST, MOST, MOST, MOST, MOST);
  const [local, remote] = [natId ?? localId, remoteId].map(ranksOfIdentity);
  return Uint8Array.from([remote, local].flatMap((ranks) => ranks ?? [0, 0, 0]));
};
const MOST = 255;

const ranksOfIdentity = (identity: Identity | undefined): readonly number[] =>
  identity === undefined
    ? [0, 0, 0]
    : [1 + fixedBits(identity), identity.protocol === 0 ? 0 : 1, identity.port === 0 ? 0 : 1];

/** Leading bits that all addresses of a selector have in common. */
const fixedBits = (identity: Identity): number => {
  const { first, last } = extentOf(identity) ?? { first: new Uint8Array(), last: new Uint8Array() };
  const at = first.findIndex((byte, i) => byte !== last[i]);
  return at < 0 ? first.length * 8 : at * 8 + Math.clz32((first[at] ?? 0) ^ (last[at] ?? 0)) - 24;
};
