/** How meaning is read out of the configuration: every answer remembers the pieces it was made from. */
import type { AddressView, HostAnswer, InterfaceAddress } from './address-book.ts';
import { fold } from './case-fold.ts';
import {
  connectionsOfPiece,
  DEFAULT_ROUTE_PIECE,
  hostPiece,
  interfacePiece,
  listedPiece,
  pieceOf,
  SECRETS_PIECE,
} from './dependencies.ts';
import { generatedValue } from './generated.ts';
import { generatedSection } from './generated-names.ts';

/** A section as the configuration has it. */
export interface WrittenSection {
  /** As first written. */
  readonly name: string;
  /** By folded tag. */
  readonly values: ReadonlyMap<string, { readonly value: string }>;
}

/** Names in any spelling. */
export interface ConfigurationReader extends AddressView {
  /** A value, generated ones included. */
  get(section: string, tag: string): string | undefined;
  /** A value that somebody wrote. */
  written(section: string, tag: string): string | undefined;
  /** What was written of a section, by its folded name: for whoever reads many of its tags. Not to be kept across an edit. */
  sectionAt(key: string): WrittenSection | undefined;
  /** Whether a section was written or is generated. */
  exists(section: string): boolean;
  /** A section's name as it was first written; a section that nobody wrote keeps the name asked for. */
  nameOf(section: string): string;
  /** Names of the sections whose ISAKMP-peer is this one, oldest first. */
  connectionsOf(peer: string): readonly string[];
  /** Whether [Phase 2] lists a connection, active or passive. */
  isListed(connection: string): boolean;
  /** Sections with Authentication that are no peers: their names are identities. */
  secretSections(): readonly string[];
}

/** Reads from another reader and collects what an answer depends on. For one answer: it does not notice edits. */
export class RecordingReader implements ConfigurationReader {
  readonly #from: ConfigurationReader;
  readonly #pieces = new Set<string>();
  /** The section that was asked for last: its tags are read one after the other. */
  #section: AskedSection | undefined;
  /** A generated value may hang on others, which have to be recorded too. */
  readonly #read = (section: string, tag: string): string | undefined => this.get(section, tag);
  readonly #generatedSection = (): ReadonlyMap<string, string> | undefined => this.#generated();

  constructor(from: ConfigurationReader) {
    this.#from = from;
  }

  /** Everything asked for so far, whether it was there or not: names as in dependencies.ts. */
  get pieces(): ReadonlySet<string> {
    return this.#pieces;
  }

  /** An answer that was made before is used again: it hangs on these. */
  record(pieces: Iterable<string>): void {
    for (const piece of pieces) this.#pieces.add(piece);
  }

  get(section: string, tag: string): string | undefined {
    const written = this.written(section, tag);
    if (written !== undefined) return written;
    return generatedValue(this.#ask(section).key, fold(tag), this.#read, this.#generatedSection);
  }

  written(section: string, tag: string): string | undefined {
    const { key, written } = this.#ask(section);
    const tagKey = fold(tag);
    const piece = pieceOf(key, tagKey);
    if (piece === key) return written?.values.get(tagKey)?.value;
    this.#pieces.add(piece);
    return this.#from.written(key, tagKey);
  }

  sectionAt(key: string): WrittenSection | undefined {
    if (key !== GENERAL) this.#pieces.add(key);
    return this.#from.sectionAt(key);
  }

  exists(section: string): boolean {
    const { key } = this.#ask(section);
    this.#pieces.add(key);
    return this.#from.exists(key);
  }

  nameOf(section: string): string {
    const { key, written } = this.#ask(section);
    this.#pieces.add(key);
    return written?.name ?? section;
  }

  connectionsOf(peer: string): readonly string[] {
    this.#pieces.add(connectionsOfPiece(fold(peer)));
    return this.#from.connectionsOf(peer);
  }

  isListed(connection: string): boolean {
    this.#pieces.add(listedPiece(fold(connection)));
    return this.#from.isListed(connection);
  }

  secretSections(): readonly string[] {
    this.#pieces.add(SECRETS_PIECE);
    return this.#from.secretSections();
  }

  interfaceAddresses(name: string): readonly InterfaceAddress[] | undefined {
    this.#pieces.add(name === 'default' ? DEFAULT_ROUTE_PIECE : interfacePiece(name));
    return this.#from.interfaceAddresses(name);
  }

  hostAnswer(name: string): HostAnswer | undefined {
    this.#pieces.add(hostPiece(name));
    return this.#from.hostAnswer(name);
  }

  protocolNumber(name: string): number | undefined {
    return this.#from.protocolNumber(name);
  }

  serviceNumber(name: string): number | undefined {
    return this.#from.serviceNumber(name);
  }

  #ask(name: string): AskedSection {
    const last = this.#section;
    if (last !== undefined && last.name === name) return last;
    const key = fold(name);
    const asked: AskedSection = { name, key, written: this.sectionAt(key), generated: 'not asked for' };
    this.#section = asked;
    return asked;
  }

  /** Of the section that was asked for last. */
  #generated(): ReadonlyMap<string, string> | undefined {
    const section = this.#section;
    if (section === undefined) return undefined;
    if (section.generated === 'not asked for') section.generated = generatedSection(section.key);
    return section.generated;
  }
}

interface AskedSection {
  /** As asked for. */
  readonly name: string;
  readonly key: string;
  readonly written: WrittenSection | undefined;
  generated: ReadonlyMap<string, string> | undefined | 'not asked for';
}

const GENERAL = 'general';
