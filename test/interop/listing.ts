/** What each daemon says it has, read from its own listing: the kernel's tables say nothing here. */

/** A pair of ESP SPIs (8 hex digits), seen from the daemon that lists it. */
export interface SpiPair {
  readonly inbound: string;
  readonly outbound: string;
}

interface Phase1 {
  /** Both cookies, 32 hex digits, or what else tells this phase 1 from another where the daemon does not list them. */
  readonly id: string;
}

export interface Listing {
  readonly phase1: readonly Phase1[];
  readonly pairs: readonly SpiPair[];
}

/** One block of isakmpd's `S` result. */
export interface IsakmpdSa {
  readonly name: string;
  readonly isInitiator: boolean;
  readonly flags: number;
  readonly cookies: string | undefined;
  readonly pair: SpiPair | undefined;
  readonly encryption: { readonly name: string; readonly keyBytes: number } | undefined;
  readonly authentication: { readonly name: string; readonly keyBytes: number } | undefined;
}

/** isakmpd's result file after `S`: blocks that end with an empty line. */
export const parseIsakmpdResult = (text: string): readonly IsakmpdSa[] =>
  text
    .split('\n\n')
    .filter((block) => block.includes('SA name:'))
    .map(parseBlock);

/** Those SAs that are ready, as a listing. */
export const readyListing = (sas: readonly IsakmpdSa[]): Listing => {
  const ready = sas.filter((sa) => (sa.flags & READY) !== 0);
  return {
    phase1: ready.flatMap((sa) => (sa.cookies === undefined ? [] : [{ id: sa.cookies }])),
    pairs: ready.flatMap((sa) => (sa.pair === undefined ? [] : [sa.pair])),
  };
};

/** `swanctl --list-sas --raw`: one event per ISAKMP SA, flat enough for patterns. */
export const parseSwanctl = (text: string): Listing => {
  const events = text.split('\n').filter((line) => line.startsWith('list-sa event'));
  return {
    phase1: events
      .filter((event) => event.includes(' state=ESTABLISHED '))
      .map((event) => ({
        id: first(event, /initiator-spi=([0-9a-f]{16})/) + first(event, /responder-spi=([0-9a-f]{16})/),
      })),
    pairs: events.flatMap((event) =>
      [...event.matchAll(/ state=(INSTALLED|REKEYED) [^}]*?spi-in=([0-9a-f]{8}) spi-out=([0-9a-f]{8})/g)].map(
        ([, , inbound = '', outbound = '']) => ({ inbound, outbound }),
      ),
    ),
  };
};

/** `whack --showstates`: one line per state and one more with the SPIs of an IPsec SA, outbound first (`esp.` with IPv4, `esp:` with IPv6). It shows no cookies. */
export const parseWhack = (text: string): Listing => ({
  phase1: [...text.matchAll(/#(\d+): .*STATE_(?:MAIN|AGGR)_\S+ \(IKE SA established\)/g)].map(([, id = '']) => ({
    id,
  })),
  pairs: [...text.matchAll(/ esp[.:]([0-9a-f]+)@\S+ esp[.:]([0-9a-f]+)@/g)].map(([, outbound = '', inbound = '']) => ({
    inbound: inbound.padStart(8, '0'),
    outbound: outbound.padStart(8, '0'),
  })),
});

/** The pairs that both sides have: what one receives on, the other sends to. */
export const commonPairs = (ours: Listing, theirs: Listing): readonly SpiPair[] =>
  ours.pairs.filter((pair) => theirs.pairs.some((other) => isMirror(pair, other)));

const isMirror = (one: SpiPair, other: SpiPair): boolean =>
  one.inbound === other.outbound && one.outbound === other.inbound;

/** Have both sides exactly the same pairs? */
export const areEqual = (ours: Listing, theirs: Listing): boolean =>
  ours.pairs.length === theirs.pairs.length && commonPairs(ours, theirs).length === ours.pairs.length;

export const show = (listing: Listing): string => {
  const pairs = listing.pairs.map((pair) => `in ${pair.inbound} out ${pair.outbound}`);
  return `phase 1: ${listing.phase1.map((sa) => sa.id).join(', ') || 'none'}; ESP: ${pairs.join(', ') || 'none'}`;
};

const parseBlock = (block: string): IsakmpdSa => {
  const outbound = first(block, /^SPI 0: ([0-9a-f]{8})/m);
  const inbound = first(block, /^SPI 1: ([0-9a-f]{8})/m);
  const cookies = /^icookie ([0-9a-f]{16}) rcookie ([0-9a-f]{16})/m.exec(block);
  return {
    name: first(block, /^SA name: (.*) \(Phase /m),
    isInitiator: block.includes('(Phase 1/Initiator)'),
    flags: Number.parseInt(first(block, /^Flags 0x([0-9a-f]{8})/m) || '0', 16),
    cookies: cookies === null ? undefined : `${cookies[1]}${cookies[2]}`,
    pair: inbound === '' || outbound === '' ? undefined : { inbound, outbound },
    encryption: algorithm(block, 'Encryption'),
    authentication: algorithm(block, 'Authentication'),
  };
};

const algorithm = (block: string, kind: string) => {
  const name = first(block, new RegExp(`^${kind} algorithm: (.+)$`, 'm'));
  return name === ''
    ? undefined
    : { name, keyBytes: Number(first(block, new RegExp(`^${kind} key length: (\\d+)$`, 'm'))) };
};

const first = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';

/** Flag bit of isakmpd: the negotiation is complete. */
const READY = 0x1;
