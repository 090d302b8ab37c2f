/** What the resolvers of one peer share: where they read, what they found odd, and how one bad member of a list is left out. */
import { ConfigError, type ConfigPlace } from '../errors.ts';
import { type Finding, faultAt, placeText } from './finding.ts';
import type { ConfigurationReader } from './reader.ts';

export interface Resolution {
  readonly reader: ConfigurationReader;
  /** Name of the peer section. */
  readonly peer: string;
  /** `Legacy-crypto=yes` */
  readonly legacyCrypto: boolean;
  /** Filled while resolving. */
  readonly findings: Finding[];
}

/**
 * What the names resolve to. One that cannot be used is left out with a warning; where none remains, a ConfigError says why each of
 * them cannot be used. `where` is the tag that lists them.
 */
export const usable = <T>(
  where: ConfigPlace,
  names: readonly string[],
  findings: Finding[],
  resolve: (name: string) => T,
): readonly T[] => {
  const resolved: T[] = [];
  const refusals: ConfigError[] = [];
  for (const name of names) {
    const result = refusedOr(() => resolve(name));
    if (result instanceof ConfigError) refusals.push(result);
    else resolved.push(result);
  }
  if (names.length === 0) throw faultAt(where, 'is an empty list');
  if (resolved.length === 0) {
    const reasons = refusals.map(({ message }) => message);
    throw faultAt(where, `lists nothing that can be used: ${reasons.join('; ')}`);
  }
  for (const { message, place } of refusals) {
    findings.push({ severity: 'warning', text: `${message}; left out of ${placeText(where)}`, place: place ?? where });
  }
  return resolved;
};

/** The answer, or the ConfigError that was thrown instead. */
export const refusedOr = <T>(resolve: () => T): T | ConfigError => {
  try {
    return resolve();
  } catch (fault) {
    if (fault instanceof ConfigError) return fault;
    throw fault;
  }
};
