/** The configuration as section/tag/value: what the file said, as edited since. Generated values shine through where nothing was written. */
import { addressText } from '../address.ts';
import type { ConfigPlace } from '../errors.ts';
import { atOnce, type Steps } from '../steps.ts';
import { AddressBook, type HostAnswer, type InterfaceAddress } from './address-book.ts';
import { fold } from './case-fold.ts';
import { pieceOf } from './dependencies.ts';
import {
  changesInSteps,
  contentInSteps,
  duplicatesIn,
  type FileContent,
  type SectionChange,
  type Sections,
  sectionIn,
} from './file-content.ts';
import { generatedValue, isGeneratedSection } from './generated.ts';
import { ListValue, splitList } from './list-value.ts';
import type { Entry, Problem } from './parse.ts';
import type { ConfigurationReader, WrittenSection } from './reader.ts';
import { type ConnectionList, StoreIndex } from './store-index.ts';

/** A tag as first written, and its value. */
export interface TagValue {
  readonly tag: string;
  readonly value: string;
}

/** Section and tag names are found in upper and lower case alike and keep the spelling in which they came first. */
export class ConfigurationStore implements ConfigurationReader {
  #sections: Sections = new Map();
  /** What names stand for; changes of it are told like edits. */
  readonly addressBook = new AddressBook((piece) => this.#tell(piece));
  readonly #listeners: ((piece: string) => void)[] = [];
  readonly #index: StoreIndex;
  #revision = 0;

  constructor() {
    this.#index = new StoreIndex(
      (section, tag) => this.#sections.get(section)?.values.get(tag)?.value,
      (piece) => this.#tell(piece),
    );
  }

  /** Counts the edits that changed something. */
  get revision(): number {
    return this.#revision;
  }

  /** `listener` hears of every piece of configuration (dependencies.ts) that changes, after it did. */
  subscribe(listener: (piece: string) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes a file's entries in place of everything written so far, FIFO edits included: a reload voids those (isakmpd(8)). Only what
   * differs counts as changed. The first of several values wins; the others are answered as problems.
   */
  load(entries: readonly Entry[]): readonly Problem[] {
    const content = atOnce(contentInSteps(entries));
    this.adopt(content, atOnce(this.changesTo(content)));
    return duplicatesIn(content);
  }

  /** What `adopt` would change. In steps: after an edit between two of them the answer is of no use. */
  changesTo({ sections }: FileContent): Steps<readonly SectionChange[]> {
    return changesInSteps(this.#sections, sections);
  }

  /** Takes the content of a file; `changes` is what `changesTo` has just answered. */
  adopt({ sections }: FileContent, changes: readonly SectionChange[]): void {
    this.#sections = sections;
    for (const { section, tags } of changes) this.#sectionChanged(section, tags.keys());
  }

  get(section: string, tag: string): string | undefined {
    return (
      this.written(section, tag) ??
      generatedValue(fold(section), fold(tag), (otherSection, otherTag) => this.get(otherSection, otherTag))
    );
  }

  written(section: string, tag: string): string | undefined {
    return this.#sections.get(fold(section))?.values.get(fold(tag))?.value;
  }

  /** Everything written, by folded names. */
  sectionsByKey(): Iterable<readonly [string, WrittenSection]> {
    return this.#sections;
  }

  sectionAt(key: string): WrittenSection | undefined {
    return this.#sections.get(key);
  }

  exists(section: string): boolean {
    const key = fold(section);
    return this.#sections.has(key) || isGeneratedSection(key);
  }

  nameOf(section: string): string {
    return this.#sections.get(fold(section))?.name ?? section;
  }

  /** `C set`: a tag that has a value, generated ones included, keeps it unless `force`. */
  set(section: string, tag: string, value: string, force: boolean): 'set' | 'duplicate' {
    const present = force ? undefined : this.get(section, tag);
    if (present !== undefined) return 'duplicate';
    this.#write(section, tag, value);
    return 'set';
  }

  /** `C add`: appends to a comma list what is not there yet, letter for letter; makes the list where there is none. */
  add(section: string, tag: string, members: string): void {
    const stored = this.#listOf(section, tag);
    if (stored === undefined) {
      const generated = this.get(section, tag);
      this.#write(section, tag, generated === undefined ? members : `${generated},${members}`);
      return;
    }
    for (const member of splitList(members)) {
      if (stored.add(member)) this.#memberChanged(fold(section), fold(tag), member, 1);
    }
  }

  /** `C rmv`: the list goes with its last member. Silent where there is no such member. */
  removeValue(section: string, tag: string, member: string): void {
    const stored = this.#listOf(section, tag);
    if (stored === undefined || !stored.remove(member)) return;
    if (stored.isEmpty) this.remove(section, tag);
    else this.#memberChanged(fold(section), fold(tag), member, -1);
  }

  /** `C rm`: what is generated remains. */
  remove(section: string, tag: string): void {
    const sectionKey = fold(section);
    const tagKey = fold(tag);
    const stored = this.#sections.get(sectionKey);
    if (stored === undefined || !stored.values.delete(tagKey)) return;
    if (stored.values.size === 0) this.#sections.delete(sectionKey);
    this.#changed(sectionKey, tagKey);
  }

  /** `C rms` */
  removeSection(section: string): void {
    const key = fold(section);
    const stored = this.#sections.get(key);
    if (stored === undefined) return;
    this.#sections.delete(key);
    this.#sectionChanged(key, stored.values.keys());
  }

  /** Where in the file a tag, or the section as a whole, was written; 0 where it was not, or was edited since. */
  lineOf({ section, tag }: ConfigPlace): number {
    const values = this.#sections.get(fold(section))?.values;
    if (values === undefined) return 0;
    if (tag !== undefined && values.has(fold(tag))) return values.get(fold(tag))?.line ?? 0;
    const [first] = values.values();
    return first?.line ?? 0;
  }

  /** Names of what was written, in that order. */
  sections(): readonly string[] {
    return Array.from(this.#sections.values(), ({ name }) => name);
  }

  tags(section: string): readonly TagValue[] {
    const values = this.#sections.get(fold(section))?.values.values() ?? [];
    return Array.from(values, ({ tag, value }) => ({ tag, value }));
  }

  /** The peer section for incoming phase 1 from an address: any textual form of it in [Phase 1], else the default one. */
  peerForAddress(address: string): string | undefined {
    const canonical = addressText(address);
    const tag = canonical === undefined ? undefined : this.#index.tagForAddress(canonical);
    const peer = this.get('Phase 1', tag ?? 'Default');
    return peer === undefined ? undefined : this.nameOf(peer);
  }

  connectionsOf(peer: string): readonly string[] {
    return Array.from(this.#index.connectionsOf(fold(peer)), (connection) => this.nameOf(connection));
  }

  isListed(connection: string): boolean {
    return this.#index.isListed(fold(connection));
  }

  /** [Phase 2]:Connections and :Passive-connections, each connection once, named as its section is. */
  connectionLists(): { readonly active: readonly string[]; readonly passive: readonly string[] } {
    const names = (list: ConnectionList): readonly string[] =>
      this.#index.listed(list).map((connection) => this.nameOf(connection));
    return { active: names('connections'), passive: names('passive-connections') };
  }

  secretSections(): readonly string[] {
    return Array.from(this.#index.secretSections, (section) => this.nameOf(section));
  }

  interfaceAddresses(name: string): readonly InterfaceAddress[] | undefined {
    return this.addressBook.interfaceAddresses(name);
  }

  hostAnswer(name: string): HostAnswer | undefined {
    return this.addressBook.hostAnswer(name);
  }

  protocolNumber(name: string): number | undefined {
    return this.addressBook.protocolNumber(name);
  }

  serviceNumber(name: string): number | undefined {
    return this.addressBook.serviceNumber(name);
  }

  /** A value that members are added to or taken from, as a list; undefined where nothing was written. */
  #listOf(section: string, tag: string): ListValue | undefined {
    const values = this.#sections.get(fold(section))?.values;
    const key = fold(tag);
    const stored = values?.get(key);
    if (values === undefined || stored === undefined) return undefined;
    if (stored instanceof ListValue) return stored;
    const list = new ListValue(stored);
    values.set(key, list);
    return list;
  }

  #write(section: string, tag: string, value: string): void {
    const [sectionKey, tagKey] = [fold(section), fold(tag)];
    const { values } = sectionIn(this.#sections, sectionKey, section);
    const before = values.get(tagKey);
    if (before?.value === value) return;
    values.set(tagKey, { tag: before?.tag ?? tag, value, line: 0 });
    this.#changed(sectionKey, tagKey);
  }

  /** These are of one piece, or of a few in [General]. */
  #sectionChanged(section: string, tags: Iterable<string>): void {
    let told = '';
    for (const tag of tags) {
      this.#revision++;
      this.#index.tagChanged(section, tag);
      const piece = pieceOf(section, tag);
      if (piece !== told) this.#tell(piece);
      told = piece;
    }
  }

  #changed(section: string, tag: string): void {
    this.#sectionChanged(section, [tag]);
  }

  #memberChanged(section: string, tag: string, member: string, change: 1 | -1): void {
    this.#revision++;
    this.#index.memberChanged(section, tag, member, change);
    this.#tell(pieceOf(section, tag));
  }

  #tell(piece: string): void {
    for (const listener of this.#listeners) listener(piece);
  }
}
