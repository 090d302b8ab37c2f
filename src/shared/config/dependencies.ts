/** Names for the pieces of configuration that an answer may depend on: what a reader records and what an edit reports. */

/** The piece that a tag belongs to: its section, but for [General] the single tag, because every peer reads some of those. Arguments folded. */
export const pieceOf = (section: string, tag: string): string =>
  section === 'general' ? `${section}${SEPARATOR}${tag}` : section;

/** Which connections a peer has (folded section name). */
export const connectionsOfPiece = (peer: string): string => `${SEPARATOR}connections of ${peer}`;

/** Whether a connection (folded section name) is listed in [Phase 2]. */
export const listedPiece = (connection: string): string => `${SEPARATOR}listed ${connection}`;

/** The secrets in sections that are named after an identity. */
export const SECRETS_PIECE = '\nsecrets';

/** The addresses of an interface. */
export const interfacePiece = (name: string): string => `\ninterface ${name}`;

/** Which interfaces carry the default routes. */
export const DEFAULT_ROUTE_PIECE = '\ndefault route';

/** The addresses of a host. */
export const hostPiece = (name: string): string => `\nhost ${name}`;

/** No name can contain it: files and FIFO alike are read line by line. */
const SEPARATOR = '\n';
