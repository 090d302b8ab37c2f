/** Sections that others name: those that are missing, with what was probably meant, and those that nobody names. */
import { parseAddress } from '../address.ts';
import { fold } from './case-fold.ts';
import { kindOf } from './check.ts';
import { type Finding, placeOf, warningAt } from './finding.ts';
import { isGeneratedSection } from './generated.ts';
import { generatedNames } from './generated-names.ts';
import { splitList } from './list-value.ts';
import { nearestName } from './nearest.ts';
import type { Entry } from './parse.ts';
import { SECTION_KINDS, type SectionKind } from './sections.ts';
import type { ConfigurationStore } from './store.ts';

export interface ReferenceCheck {
  readonly findings: readonly Finding[];
  /** The missing sections, folded. */
  readonly missing: ReadonlySet<string>;
}

export const checkReferences = (entries: readonly Entry[], store: ConfigurationStore): ReferenceCheck => {
  const findings: Finding[] = [];
  const missing = new Set<string>();
  const named = new Set<string>();
  for (const { section, tag, name } of references(entries, store)) {
    named.add(fold(name));
    if (store.exists(name)) continue;
    const hint = missing.size < MOST_HINTS ? hintFor(name, tag, store) : '';
    missing.add(fold(name));
    const text = `[${section}]:${tag} names "${name}", but there is no such section${hint}`;
    findings.push({ severity: 'error', text, place: placeOf(section, tag) });
  }
  return { findings: [...findings, ...strayConnections(store), ...unnamed(store, named)], missing };
};

interface Reference {
  readonly section: string;
  readonly tag: string;
  readonly name: string;
}

/** What the tags of the file that are read as names of sections name. */
const references = function* (entries: readonly Entry[], store: ConfigurationStore): Generator<Reference> {
  const kinds = new Map<string, SectionKind | undefined>();
  for (const { section, tag, value } of entries) {
    if (store.written(section, tag) !== value) continue;
    if (!kinds.has(section)) kinds.set(section, kindOfSection(store, section));
    for (const name of namesIn(kinds.get(section), tag, value)) yield { section, tag, name };
  }
};

const namesIn = (kind: SectionKind | undefined, tag: string, value: string): readonly string[] => {
  if (kind === SECTION_KINDS.phase1 && parseAddress(tag) !== undefined) return [value];
  const row = kind?.tags.find(({ name }) => fold(name) === fold(tag));
  if (row?.kind === 'section') return [value];
  return row?.kind === 'list of sections' ? splitList(value).filter((name) => name !== 'ANY') : [];
};

const kindOfSection = (store: ConfigurationStore, section: string): SectionKind | undefined =>
  kindOf(fold(section), (tag) => store.written(section, tag));

const hintFor = (name: string, tag: string, store: ConfigurationStore): string => {
  const generated = GENERATED_FOR.get(fold(tag));
  const nearest = nearestName(name, [
    ...store.sections(),
    ...(generated === undefined ? [] : generatedNames(generated)),
  ]);
  return nearest === undefined ? ', write one' : `: did you mean ${nearest}?`;
};

/** Tags whose sections may exist by their names alone, and the phase. */
const GENERATED_FOR: ReadonlyMap<string, 1 | 2> = new Map([
  ['transforms', 1],
  ['suites', 2],
  ['default-phase-2-suites', 2],
]);

const strayConnections = (store: ConfigurationStore): readonly Finding[] => {
  const connections = store.sections().filter((name) => store.get(name, 'Phase')?.startsWith('2') === true);
  return connections.flatMap((name) => {
    if (store.isListed(name)) return [];
    const reason = 'is listed in neither [Phase 2]:Connections nor :Passive-connections: only the command c starts it';
    return [warningAt(placeOf(name), reason)];
  });
};

const unnamed = (store: ConfigurationStore, named: ReadonlySet<string>): readonly Finding[] => {
  const secrets = new Set(store.secretSections().map(fold));
  return store.sections().flatMap((name) => {
    const key = fold(name);
    const kind = kindOfSection(store, name);
    if (named.has(key) || secrets.has(key) || isGeneratedSection(key) || isRoot(kind)) return [];
    return [warningAt(placeOf(name), `is named by no other section: ${remedyFor(kind)}`)];
  });
};

const isRoot = (kind: SectionKind | undefined): boolean => ROOTS.some((root) => root === kind);

/** What is used without being named, and connections, which have a line of their own. */
const ROOTS: readonly SectionKind[] = [
  SECTION_KINDS.general,
  SECTION_KINDS.phase1,
  SECTION_KINDS.phase2,
  SECTION_KINDS.keynote,
  SECTION_KINDS.x509,
  SECTION_KINDS.modeConfig,
  SECTION_KINDS.connection,
];

const remedyFor = (kind: SectionKind | undefined): string =>
  kind === SECTION_KINDS.peer
    ? 'it is used when a connection has it as ISAKMP-peer, or [Phase 1] gives it to an address'
    : 'it has no effect';

/** Looking for the nearest of some thousand names takes a while. */
const MOST_HINTS = 50;
