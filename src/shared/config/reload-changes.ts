/** What a configuration that was read anew changes, in the operator's terms. */
import { isDeepStrictEqual } from 'node:util';
import type { PeerPolicy } from '../policy/peer-policy.ts';
import type { Steps } from '../steps.ts';
import { fold } from './case-fold.ts';

/** What was configured at one time. */
export interface ConfigurationSnapshot {
  /** Connection sections that [Phase 2] lists. */
  readonly connections: readonly string[];
  /** Peer sections that those, or [Phase 1], name. */
  readonly peers: readonly string[];
  /** Undefined where a peer section cannot be used. */
  readonly policy: (peer: string) => PeerPolicy | undefined;
  /** As GeneralPolicy.identitySecrets. */
  readonly identitySecrets: ReadonlyMap<string, Uint8Array>;
}

export interface ChangedPeer {
  readonly name: string;
  /** Tags, or groups of them, in the words of isakmpd.conf(5); never values. */
  readonly what: readonly string[];
  /** It authenticates differently, or is somewhere else: a phase 1 of before is no proof of anything now. */
  readonly isRenewed: boolean;
}

export interface ReloadChanges {
  readonly newPeers: readonly string[];
  readonly gonePeers: readonly string[];
  readonly changedPeers: readonly ChangedPeer[];
  /** Identities, as identityKey has them, whose secret is another one now, or there is one no longer, or at last. */
  readonly changedSecrets: readonly string[];
  readonly newConnections: readonly string[];
  readonly goneConnections: readonly string[];
}

/** Compares; a policy that is the same object is not looked into, so ten thousand unchanged peers cost next to nothing. */
export function* reloadChangesInSteps(
  before: ConfigurationSnapshot,
  after: ConfigurationSnapshot,
): Steps<ReloadChanges> {
  const [oldPeers, newPeers] = [before.peers, after.peers].map(keysOf);
  yield;
  const [oldConnections, newConnections] = [before.connections, after.connections].map(keysOf);
  yield;
  const changedPeers: ChangedPeer[] = [];
  for (const name of after.peers.filter(isIn(oldPeers))) {
    const change = changeOf(name, before.policy(name), after.policy(name));
    if (change !== undefined) changedPeers.push(change);
    yield;
  }
  return {
    newPeers: after.peers.filter(isNotIn(oldPeers)),
    gonePeers: before.peers.filter(isNotIn(newPeers)),
    changedPeers,
    changedSecrets: changedKeys(before.identitySecrets, after.identitySecrets),
    newConnections: after.connections.filter(isNotIn(oldConnections)),
    goneConnections: before.connections.filter(isNotIn(newConnections)),
  };
}

const changedKeys = (
  before: ReadonlyMap<string, Uint8Array>,
  after: ReadonlyMap<string, Uint8Array>,
): readonly string[] => {
  if (before === after) return [];
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => !isDeepStrictEqual(before.get(key), after.get(key)));
};

const changeOf = (
  name: string,
  before: PeerPolicy | undefined,
  after: PeerPolicy | undefined,
): ChangedPeer | undefined => {
  if (before === after) return undefined;
  if (before === undefined || after === undefined) {
    return { name, what: [after === undefined ? 'cannot be used any more' : 'can be used now'], isRenewed: false };
  }
  const changed = ASPECTS.filter(({ of }) => !isDeepStrictEqual(of(before), of(after)));
  if (changed.length === 0) return undefined;
  return { name, what: changed.map(({ tags }) => tags), isRenewed: changed.some(({ isRenewed }) => isRenewed) };
};

/** Who the peer is and where decides whether what was agreed with it still holds; how to negotiate is for the next time. */
const ASPECTS: readonly { readonly tags: string; readonly isRenewed: boolean; of(policy: PeerPolicy): unknown }[] = [
  { tags: 'Authentication', isRenewed: true, of: ({ preSharedKey }) => preSharedKey },
  { tags: 'ID', isRenewed: true, of: ({ localId }) => localId },
  { tags: 'Remote-ID', isRenewed: true, of: ({ remoteId }) => remoteId },
  { tags: 'Address', isRenewed: true, of: ({ address, port }) => [address, port] },
  { tags: 'Local-address', isRenewed: true, of: ({ localAddress }) => localAddress },
  { tags: 'Configuration', isRenewed: false, of: ({ exchangeType, transforms }) => [exchangeType, transforms] },
  { tags: 'connections', isRenewed: false, of: ({ connections }) => connections },
  {
    tags: 'other settings',
    isRenewed: false,
    of: ({ checkSuites, legacyCrypto, unique, deleteChildren }) => [checkSuites, legacyCrypto, unique, deleteChildren],
  },
];

type Keys = ReadonlySet<string> | undefined;

const keysOf = (names: readonly string[]): Keys => new Set(names.map(fold));
const isIn =
  (known: Keys): ((name: string) => boolean) =>
  (name) =>
    known?.has(fold(name)) === true;
const isNotIn =
  (known: Keys): ((name: string) => boolean) =>
  (name) =>
    known?.has(fold(name)) !== true;
