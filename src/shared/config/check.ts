/** What is odd about written configuration, tag by tag: unknown and misspelt tags, values that cannot be, what is not there yet. */
import { addressText } from '../address.ts';
import type { Steps } from '../steps.ts';
import { fold } from './case-fold.ts';
import type { FileContent } from './file-content.ts';
import { nearestName } from './nearest.ts';
import type { Entry, Problem } from './parse.ts';
import { wrongValue } from './read-tag.ts';
import type { Tag } from './schema.ts';
import { SECTION_KINDS, type SectionKind } from './sections.ts';
import type { ConfigurationStore } from './store.ts';

/** Everything worth telling about the content of a file, section by section. None of it keeps the file from loading. Takes time in proportion to the values. */
export function* checkInSteps({ sections, ignored }: FileContent): Steps<readonly Problem[]> {
  const problems: Problem[] = [];
  let count = 0;
  for (const [key, { name, values }] of sections) {
    const kind = kindOf(key, (tag) => values.get(tag)?.value);
    for (const [tagKey, { tag, value, line }] of values) {
      const problem = problemOf(kind, { section: name, tag, tagKey, value });
      if (problem !== undefined) problems.push({ line, ...problem });
      count++;
      if (count % VALUES_A_STEP === 0) yield;
      // Of such a section there is one thing to say.
      if (kind?.notYet !== undefined) break;
    }
  }
  return [...problems, ...ignored.flatMap((entry) => problemOfIgnored(sections, entry))];
}

/** Whoever corrects the file should hear of these as well. */
const problemOfIgnored = (sections: FileContent['sections'], entry: Entry): readonly Problem[] => {
  const values = sections.get(entry.sectionKey)?.values;
  const kind = kindOf(entry.sectionKey, (tag) => values?.get(tag)?.value);
  const problem = kind?.notYet === undefined ? problemOf(kind, entry) : undefined;
  return problem === undefined ? [] : [{ line: entry.line, ...problem }];
};

/** The same for one tag that was just set through the FIFO. */
export const checkTag = (
  store: ConfigurationStore,
  section: string,
  tag: string,
): Omit<Problem, 'line'> | undefined => {
  const value = store.written(section, tag);
  const kind = kindOf(fold(section), (other) => store.written(section, other));
  return value === undefined ? undefined : problemOf(kind, { section, tag, tagKey: fold(tag), value });
};

/** Whether a report has to mask the value of a tag. */
export const isSecretTag = (tag: string): boolean => SECRET_TAGS.has(fold(tag));

const problemOf = (
  kind: SectionKind | undefined,
  { section, tag, tagKey, value }: Pick<Entry, 'section' | 'tag' | 'tagKey' | 'value'>,
): Omit<Problem, 'line'> | undefined => {
  if (kind?.notYet !== undefined) return warning(`[${section}] has no effect yet: ${kind.notYet}`);
  if (kind === SECTION_KINDS.phase1 && addressText(tag) !== undefined) return undefined;
  const row = ROWS.get(kind)?.get(tagKey);
  if (row === undefined)
    return warning(`[${section}]:${tag} is unknown and has no effect${suggestion(kind, kind?.tags ?? ALL_TAGS, tag)}`);
  if (row.notYet !== undefined) {
    return {
      severity: 'error',
      text: `[${section}]:${tag} is not supported yet, the section is not used: ${row.notYet}`,
    };
  }
  if (kind === undefined) return undefined;
  if (row.parse(value) === undefined) {
    return { severity: 'error', text: wrongValue(section, row, value, `it is ${row.wants}`).message };
  }
  if (HAS_LEADING_NUMBER.has(row.kind) && !/^\d+$/.test(value)) {
    return warning(`[${section}]:${tag} "${value}": everything after the number is ignored`);
  }
  return row.kind.startsWith('list') && value.includes(',') ? memberProblem(section, row, value) : undefined;
};

const memberProblem = (section: string, row: Tag<unknown>, value: string): Omit<Problem, 'line'> | undefined => {
  const members = value.split(',').map((member) => member.trim());
  if (members.includes('')) return warning(`[${section}]:${row.name} has an empty member, which is ignored`);
  const wrong =
    row.kind === 'list of addresses' ? members.find((member) => row.parse(member) === undefined) : undefined;
  if (wrong === undefined) return undefined;
  const text = `[${section}]:${row.name} has the member "${wrong}", which is ignored: it is ${row.wants}`;
  return { severity: 'error', text };
};

const warning = (text: string): Omit<Problem, 'line'> => ({ severity: 'warning', text });

const suggestion = (kind: SectionKind | undefined, rows: readonly Tag<unknown>[], tag: string): string => {
  const nearest = nearestName(
    tag,
    rows.map((row) => row.name),
  );
  if (nearest !== undefined) return `: did you mean ${nearest}?`;
  return kind === undefined ? '' : `: ${kind.title} has no such tag`;
};

/** What kind of section this is: told by name, and where names are free, by the tags that only one kind has. Names folded. */
export const kindOf = (section: string, lookUp: (tag: string) => string | undefined): SectionKind | undefined => {
  const named = NAMED.get(section);
  if (named !== undefined) return named;
  if (/^(?:ipv4|ipv6|fqdn|ufqdn|asn1_dn)\//.test(section)) return SECTION_KINDS.modeConfig;
  const phase = lookUp('phase');
  if (phase !== undefined) return phase.startsWith('2') ? SECTION_KINDS.connection : SECTION_KINDS.peer;
  for (const [tag, kind] of TELLING_TAGS) if (lookUp(tag) !== undefined) return kind;
  const exchangeType = lookUp('exchange_type');
  if (exchangeType === undefined) return undefined;
  return fold(exchangeType) === 'quick_mode' ? SECTION_KINDS.ipsecConfiguration : SECTION_KINDS.isakmpConfiguration;
};

const NAMED: ReadonlyMap<string, SectionKind> = new Map<string, SectionKind>([
  ['general', SECTION_KINDS.general],
  ['phase 1', SECTION_KINDS.phase1],
  ['phase 2', SECTION_KINDS.phase2],
  ['keynote', SECTION_KINDS.keynote],
  ['x509-certificates', SECTION_KINDS.x509],
  ['default-phase-1', SECTION_KINDS.peer],
]);

const TELLING_TAGS: readonly (readonly [string, SectionKind])[] = [
  ['isakmp-peer', SECTION_KINDS.connection],
  ['id-type', SECTION_KINDS.identity],
  ['life_type', SECTION_KINDS.lifetime],
  ['life_duration', SECTION_KINDS.lifetime],
  ['protocol_id', SECTION_KINDS.protocol],
  ['protocols', SECTION_KINDS.suite],
  ['suites', SECTION_KINDS.ipsecConfiguration],
  ['transform_id', SECTION_KINDS.phase2Transform],
  ['encapsulation_mode', SECTION_KINDS.phase2Transform],
  ['authentication_algorithm', SECTION_KINDS.phase2Transform],
  ['encryption_algorithm', SECTION_KINDS.phase1Transform],
  ['hash_algorithm', SECTION_KINDS.phase1Transform],
  ['authentication_method', SECTION_KINDS.phase1Transform],
  ['authentication', SECTION_KINDS.initiatorId],
];

const ALL_TAGS: readonly Tag<unknown>[] = Object.values(SECTION_KINDS).flatMap((kind: SectionKind) => kind.tags);
/** Rows by folded name for each kind of section; undefined: of any kind, where the first one of a name counts. */
const ROWS: ReadonlyMap<SectionKind | undefined, ReadonlyMap<string, Tag<unknown>>> = new Map([
  [undefined, new Map(ALL_TAGS.toReversed().map((row) => [row.key, row]))],
  ...Object.values(SECTION_KINDS).map(
    (kind: SectionKind) => [kind, new Map(kind.tags.map((row) => [row.key, row]))] as const,
  ),
]);
const SECRET_TAGS = new Set(ALL_TAGS.filter((row) => row.kind === 'secret').map((row) => row.key));
const HAS_LEADING_NUMBER: ReadonlySet<string> = new Set(['number', 'seconds']);

const VALUES_A_STEP = 500;
