/** Look-ups that follow the configuration edit by edit: peers by address, connections by peer, what [Phase 2] lists, secrets by identity. */
import { addressText } from '../address.ts';
import { fold } from './case-fold.ts';
import { connectionsOfPiece, listedPiece, SECRETS_PIECE } from './dependencies.ts';
import { generatedValue } from './generated.ts';
import { splitList } from './list-value.ts';

export type ConnectionList = 'connections' | 'passive-connections';

/** Names in and out are folded. `read` sees what was written, not what is generated. */
export class StoreIndex {
  readonly #read: (section: string, tag: string) => string | undefined;
  readonly #changed: (piece: string) => void;
  readonly #tagsOfAddress = new Map<string, Set<string>>();
  readonly #peerOf = new Map<string, string>();
  readonly #connectionsOf = new Map<string, Set<string>>();
  readonly #listed: Readonly<Record<ConnectionList, Map<string, Listed>>> = {
    connections: new Map(),
    'passive-connections': new Map(),
  };
  readonly #secretSections = new Set<string>();

  constructor(read: (section: string, tag: string) => string | undefined, changed: (piece: string) => void) {
    this.#read = read;
    this.#changed = changed;
  }

  /** A tag was set, replaced or removed. */
  tagChanged(section: string, tag: string): void {
    if (section === 'phase 1') this.#indexAddress(tag);
    if (section === 'phase 2' && isConnectionList(tag)) this.#indexList(tag);
    if (tag === 'isakmp-peer') this.#indexConnection(section);
    if (tag === 'authentication' || tag === 'phase') this.#indexSecret(section);
  }

  /** One member of a list was added or removed: spares looking at all the others. */
  memberChanged(section: string, tag: string, member: string, change: 1 | -1): void {
    if (section === 'phase 2' && isConnectionList(tag)) this.#count(tag, member, change);
    else this.tagChanged(section, tag);
  }

  /** The tag of [Phase 1] for an address in canonical text. */
  tagForAddress(address: string): string | undefined {
    const [tag] = this.#tagsOfAddress.get(address) ?? [];
    return tag;
  }

  /** Sections whose ISAKMP-peer is this one, oldest first. */
  connectionsOf(peer: string): Iterable<string> {
    return this.#connectionsOf.get(peer) ?? [];
  }

  isListed(connection: string): boolean {
    return this.#listed.connections.has(connection) || this.#listed['passive-connections'].has(connection);
  }

  /** Members of a list as spelled there, in the order in which they came, each once. */
  listed(list: ConnectionList): readonly string[] {
    return Array.from(this.#listed[list].values(), ({ name }) => name);
  }

  /** Sections with Authentication that are no peers: their names are identities. */
  get secretSections(): ReadonlySet<string> {
    return this.#secretSections;
  }

  #indexAddress(tag: string): void {
    const address = addressText(tag);
    if (address === undefined) return;
    const tags = this.#tagsOfAddress.get(address) ?? new Set();
    if (this.#read('phase 1', tag) === undefined) tags.delete(tag);
    else tags.add(tag);
    if (tags.size === 0) this.#tagsOfAddress.delete(address);
    else this.#tagsOfAddress.set(address, tags);
  }

  #indexConnection(section: string): void {
    const before = this.#peerOf.get(section);
    const value = this.#read(section, 'isakmp-peer');
    const now = value === undefined ? undefined : fold(value);
    if (before === now) return;
    if (before !== undefined) this.#unlink(section, before);
    if (now !== undefined) this.#link(section, now);
  }

  #unlink(section: string, peer: string): void {
    const connections = this.#connectionsOf.get(peer);
    connections?.delete(section);
    if (connections?.size === 0) this.#connectionsOf.delete(peer);
    this.#peerOf.delete(section);
    this.#changed(connectionsOfPiece(peer));
  }

  #link(section: string, peer: string): void {
    const connections = this.#connectionsOf.get(peer) ?? new Set();
    this.#connectionsOf.set(peer, connections.add(section));
    this.#peerOf.set(section, peer);
    this.#changed(connectionsOfPiece(peer));
  }

  #indexList(list: ConnectionList): void {
    const counts = this.#listed[list];
    const before = new Set(counts.keys());
    counts.clear();
    for (const name of new Set(splitList(this.#read('phase 2', list) ?? ''))) {
      const key = fold(name);
      counts.set(key, { name: counts.get(key)?.name ?? name, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    for (const key of counts.keys()) if (!before.delete(key)) this.#changed(listedPiece(key));
    for (const key of before) this.#changed(listedPiece(key));
  }

  #count(list: ConnectionList, name: string, change: 1 | -1): void {
    const counts = this.#listed[list];
    const key = fold(name);
    const before = counts.get(key);
    const count = (before?.count ?? 0) + change;
    if (count > 0) counts.set(key, { name: before?.name ?? name, count });
    else counts.delete(key);
    if (before === undefined || count <= 0) this.#changed(listedPiece(key));
  }

  #indexSecret(section: string): void {
    const phase = this.#read(section, 'phase') ?? generatedValue(section, 'phase', () => undefined);
    const isSecret = phase === undefined && this.#read(section, 'authentication') !== undefined;
    const wasSecret = this.#secretSections.has(section);
    if (isSecret) this.#secretSections.add(section);
    else this.#secretSections.delete(section);
    if (isSecret || wasSecret) this.#changed(SECRETS_PIECE);
  }
}

const isConnectionList = (tag: string): tag is ConnectionList => tag === 'connections' || tag === 'passive-connections';

/** `count`: in how many spellings a list has it, since `a,A` is one connection. */
interface Listed {
  readonly name: string;
  readonly count: number;
}
