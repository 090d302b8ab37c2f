/** The content of a file on its way into the store: sections as the store keeps them, and what differs from those that are there. */
import type { Steps } from '../steps.ts';
import type { StoredValue } from './list-value.ts';
import type { Entry, Problem } from './parse.ts';

/** A section by the spelling in which it came first, and its values by folded tag. */
export interface StoredSection {
  readonly name: string;
  readonly values: Map<string, StoredValue>;
}

/** By folded name. */
export type Sections = Map<string, StoredSection>;

/** Tags of one section that were added, changed or removed. All folded. */
export interface SectionChange {
  readonly section: string;
  readonly tags: { keys(): Iterable<string> };
}

export interface FileContent {
  readonly sections: Sections;
  /** Entries that do not count, because the tag was there already. */
  readonly ignored: readonly Entry[];
}

/** What is to be said about those. */
export const duplicatesIn = ({ ignored }: FileContent): readonly Problem[] =>
  ignored.map(({ section, tag, line }) => ({
    line,
    severity: 'warning',
    text: `[${section}]:${tag} is there already: its first value counts, this one is ignored`,
    original: duplicateTag(section, tag),
  }));

/** Takes time in proportion to the entries. */
export function* contentInSteps(entries: readonly Entry[]): Steps<FileContent> {
  const sections: Sections = new Map();
  const ignored: Entry[] = [];
  let [key, section]: [string, StoredSection | undefined] = ['', undefined];
  let count = 0;
  for (const entry of entries) {
    if (section === undefined || key !== entry.sectionKey) {
      key = entry.sectionKey;
      section = sectionIn(sections, key, entry.section);
    }
    const { values } = section;
    if (values.has(entry.tagKey)) ignored.push(entry);
    else values.set(entry.tagKey, entry);
    count++;
    if (count % ENTRIES_A_STEP === 0) yield;
  }
  return { sections, ignored };
}

/** The section of that key (`name` folded), made where there is none. */
export const sectionIn = (sections: Sections, key: string, name: string): StoredSection => {
  const present = sections.get(key);
  if (present !== undefined) return present;
  const made = { name, values: new Map<string, StoredValue>() };
  sections.set(key, made);
  return made;
};

/** What is new and different in `after`, then what it lacks. */
export function* changesInSteps(before: Sections, after: Sections): Steps<readonly SectionChange[]> {
  const changes: SectionChange[] = [];
  const note = (section: string, tags: SectionChange['tags'] & { readonly size: number }): void => {
    if (tags.size > 0) changes.push({ section, tags });
  };
  let count = 0;
  for (const [section, { values }] of after) {
    const old = before.get(section)?.values;
    note(section, old === undefined ? values : tagsThat(values, (tag, { value }) => old.get(tag)?.value !== value));
    count++;
    if (count % SECTIONS_A_STEP === 0) yield;
  }
  for (const [section, { values }] of before) {
    const now = after.get(section)?.values;
    note(section, now === undefined ? values : tagsThat(values, (tag) => !now.has(tag)));
    count++;
    if (count % SECTIONS_A_STEP === 0) yield;
  }
  return changes;
}

const tagsThat = (
  values: ReadonlyMap<string, StoredValue>,
  isMeant: (tag: string, value: StoredValue) => boolean,
): ReadonlySet<string> => {
  let found = NO_TAGS;
  for (const [tag, value] of values) {
    if (!isMeant(tag, value)) continue;
    if (found === NO_TAGS) found = new Set();
    found.add(tag);
  }
  return found;
};
const NO_TAGS = new Set<string>();

/** The original's line about a value that is not taken. */
export const duplicateTag = (section: string, tag: string) =>
  `conf_set_now: duplicate tag [${section}]:${tag}, ignoring...` as const;

const ENTRIES_A_STEP = 1000;
const SECTIONS_A_STEP = 500;
