/**
 * What the configuration as a whole names of algorithms, found without resolving a peer: it is wanted before the daemon can serve. Sections that
 * nobody uses count as well.
 */
import { cipherSpec } from '../crypto/cipher.ts';
import { fold } from './case-fold.ts';
import { defaultSuites } from './generated.ts';
import { generatedAlgorithms } from './generated-names.ts';
import { splitList } from './list-value.ts';
import type { WrittenSection } from './reader.ts';
import { PHASE_1_TRANSFORM, PHASE_2_TRANSFORM } from './sections.ts';
import type { ConfigurationStore } from './store.ts';

export interface NamedAlgorithms {
  /** Diffie-Hellman groups of both phases. */
  readonly groups: readonly number[];
  /** A cipher of phase 1 that OpenSSL has under --openssl-legacy-provider only. */
  readonly hasLegacyCipher: boolean;
}

/** Takes a look or two at each section. */
export const namedAlgorithms = (store: ConfigurationStore): NamedAlgorithms => {
  const named: Named = { groups: new Set(), ciphers: new Set(), lists: new Set() };
  for (const [key, section] of store.sectionsByKey()) noteSection(named, store, key, section);
  for (const list of named.lists) {
    for (const name of splitList(list)) {
      const { group, cipher } = generatedAlgorithms(fold(name)) ?? {};
      if (group !== undefined) named.groups.add(group);
      if (cipher !== undefined) named.ciphers.add(cipher);
    }
  }
  return { groups: [...named.groups].flatMap(groupNumber), hasLegacyCipher: [...named.ciphers].some(isLegacy) };
};

/** Values as written. */
interface Named {
  readonly groups: Set<string>;
  readonly ciphers: Set<string>;
  /** Lists whose members may be generated names. */
  readonly lists: Set<string>;
}

const noteSection = (named: Named, store: ConfigurationStore, key: string, { values }: WrittenSection): void => {
  const written = (tag: string): string | undefined => values.get(tag)?.value;
  const [group, cipher] = [written(PHASE_1_TRANSFORM.group.key), written(PHASE_1_TRANSFORM.encryption.key)];
  if (group !== undefined) named.groups.add(group);
  if (cipher !== undefined) named.ciphers.add(cipher);
  for (const tag of LISTS) {
    const list = written(tag);
    if (list !== undefined) named.lists.add(list);
  }
  if (written('configuration') !== undefined) return;
  const read = (section: string, tag: string): string | undefined => store.get(section, tag);
  if (written('isakmp-peer') !== undefined) named.lists.add(defaultSuites(read));
  else if (written('phase') !== undefined || key === 'default-phase-1') {
    named.lists.add(read('Default-phase-1-configuration', 'Transforms') ?? '');
  }
};

const LISTS = ['transforms', 'suites', 'protocols', 'default-phase-2-suites'] as const;

const groupNumber = (name: string): readonly number[] => {
  const group = PHASE_1_TRANSFORM.group.parse(name) ?? PHASE_2_TRANSFORM.group.parse(name);
  return typeof group === 'number' ? [group] : [];
};

const isLegacy = (name: string): boolean => {
  const cipher = PHASE_1_TRANSFORM.encryption.parse(name);
  return typeof cipher === 'number' && cipherSpec(cipher, undefined)?.legacyProvider === true;
};
