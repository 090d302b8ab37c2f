/** Connections of different peers that claim the same traffic: the kernel has one flow for it, so that one of them gets nothing. */
import { compareBytes } from '../address.ts';
import { extentOf } from '../policy/identity.ts';
import type { ConnectionPolicy, Identity, PeerPolicy } from '../policy/peer-policy.ts';
import { type Finding, placeOf, warningAt } from './finding.ts';

/** One warning for each connection at most. Nets are nested or apart, so one walk over them in order finds all; it takes n log n steps. */
export const checkOverlaps = (peers: readonly PeerPolicy[]): readonly Finding[] => {
  const claims = peers.flatMap((peer) =>
    peer.connections.flatMap((connection) => claimOf(peer.name, connection) ?? []),
  );
  claims.sort((a, b) => compareBytes(a.remote.first, b.remote.first) || compareBytes(b.remote.last, a.remote.last));
  const findings: Finding[] = [];
  const enclosing: Claim[] = [];
  for (const claim of claims) {
    while (enclosing.length > 0 && !includes(enclosing.at(-1)?.remote, claim.remote)) enclosing.pop();
    const other = enclosing.slice(-MOST_ENCLOSING).findLast((candidate) => isSameTraffic(candidate, claim));
    if (other !== undefined) findings.push(overlap(claim, other));
    enclosing.push(claim);
  }
  return findings;
};

interface Extent {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

interface Claim {
  readonly peer: string;
  readonly connection: string;
  readonly local: Extent;
  readonly remote: Extent;
  readonly localId: Identity;
  readonly remoteId: Identity;
}

const claimOf = (peer: string, { name, localId, remoteId }: ConnectionPolicy): Claim | undefined => {
  const [local, remote] = [localId, remoteId].map((identity) => identity && extentOf(identity));
  if (localId === undefined || remoteId === undefined || local === undefined || remote === undefined) return undefined;
  return { peer, connection: name, local, remote, localId, remoteId };
};

/** Of the same peer, resolve-connection.ts says what there is to say. */
const isSameTraffic = (a: Claim, b: Claim): boolean =>
  a.peer !== b.peer &&
  meet(a.localId.protocol, b.localId.protocol) &&
  meet(a.localId.port, b.localId.port) &&
  meet(a.remoteId.port, b.remoteId.port) &&
  (includes(a.local, b.local) || includes(b.local, a.local));

const meet = (a: number, b: number): boolean => a === b || a === 0 || b === 0;

const includes = (outer: Extent | undefined, inner: Extent): boolean =>
  outer !== undefined &&
  outer.first.length === inner.first.length &&
  compareBytes(outer.first, inner.first) <= 0 &&
  compareBytes(outer.last, inner.last) >= 0;

const overlap = (claim: Claim, other: Claim): Finding => {
  const isEqual = includes(claim.remote, other.remote) && includes(claim.local, other.local);
  const what = `[${other.connection}] of peer ${other.peer}`;
  const text =
    isEqual && includes(other.local, claim.local)
      ? `has the same selectors as ${what}: only one of them gets the traffic`
      : `overlaps with ${what}: the more specific one gets the traffic`;
  return warningAt(placeOf(claim.connection), text);
};

/** Hubs have thousands of connections below one default route. */
const MOST_ENCLOSING = 64;
