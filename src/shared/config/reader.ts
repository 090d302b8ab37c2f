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

/** Names in any spelling. */
export interface ConfigurationReader extends AddressView {
  /** A value, generated ones included. */
  get(section: string, tag: string): string | undefined;
  /** A value that somebody wrote. */
  written(section: string, tag: string): string | undefined;
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

/** Reads from another reader and collects what an answer depends on. */
export class RecordingReader implements ConfigurationReader {
  readonly #from: ConfigurationReader;
  readonly #pieces = new Set<string>();
  readonly #generated = new Map<string, ReadonlyMap<string, string> | undefined>();

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
    // A generated value may hang on others, which have to be recorded too.
    const read = (otherSection: string, otherTag: string): string | undefined => this.get(otherSection, otherTag);
    return generatedValue(fold(section), fold(tag), read, (name) => this.#generatedSection(name));
  }

  written(section: string, tag: string): string | undefined {
    this.#pieces.add(pieceOf(fold(section), fold(tag)));
    return this.#from.written(section, tag);
  }

  exists(section: string): boolean {
    this.#pieces.add(fold(section));
    return this.#from.exists(section);
  }

  nameOf(section: string): string {
    this.#pieces.add(fold(section));
    return this.#from.nameOf(section);
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

  /** All tags of a section are read one after the other: its name is taken apart once. */
  #generatedSection(name: string): ReadonlyMap<string, string> | undefined {
    if (!this.#generated.has(name)) this.#generated.set(name, generatedSection(name));
    return this.#generated.get(name);
  }
}
