/** The configuration of a bench of the connection core. */
import type { ConfigurationView } from '../../src/shared/connection/configuration-view.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';

export interface ViewOptions {
  /** Connection names by peer section. */
  readonly peers?: Readonly<Record<string, readonly string[]>>;
  readonly active?: readonly string[];
  readonly policies?: Readonly<Record<string, Partial<PeerPolicy>>>;
  readonly checkIntervalSeconds?: number;
}

/** A configuration that the test may change; tell the core `reconfigured` afterwards where it matters. */
export class BenchView implements ConfigurationView {
  peers: Readonly<Record<string, readonly string[]>>;
  policies: Readonly<Record<string, Partial<PeerPolicy>>>;
  active: readonly string[];
  checkIntervalSeconds: number;
  readonly keepaliveSeconds = 20;
  deadPeerSeconds = 0;
  isAcquireOnly = false;
  blocksOnExit = false;
  #indexed: BenchIndex | undefined;

  constructor({ peers, policies, active, checkIntervalSeconds }: ViewOptions) {
    this.peers = peers ?? { 'peer-a': ['net-a'] };
    this.policies = policies ?? {};
    this.active = active ?? [];
    this.checkIntervalSeconds = checkIntervalSeconds ?? 60;
  }

  connection(name: string) {
    return this.#index().connections.get(name.toLowerCase());
  }

  peer(name: string): PeerPolicy | undefined {
    const found = this.#index().peers.get(name.toLowerCase());
    return found === undefined ? undefined : { ...found, ...this.policies[found.name] };
  }

  #index(): BenchIndex {
    if (this.#indexed?.of !== this.peers) {
      const connections = new Map<string, { readonly name: string; readonly peer: string }>();
      const peers = new Map<string, PeerPolicy>();
      for (const [index, [peer, names]] of Object.entries(this.peers).entries()) {
        peers.set(peer.toLowerCase(), benchPolicy(peer, addressOf(index)));
        for (const name of names) connections.set(name.toLowerCase(), { name, peer });
      }
      this.#indexed = { of: this.peers, connections, peers };
    }
    return this.#indexed;
  }
}

interface BenchIndex {
  readonly of: BenchView['peers'];
  readonly connections: ReadonlyMap<string, { readonly name: string; readonly peer: string }>;
  readonly peers: ReadonlyMap<string, PeerPolicy>;
}

const addressOf = (index: number): string => `10.0.${(index + 1) >> 8}.${(index + 1) & 255}`;

const benchPolicy = (name: string, address: string): PeerPolicy => ({
  name,
  address,
  localAddress: '192.0.2.1',
  port: 500,
  exchangeType: ExchangeType.ID_PROT,
  configuration: 'Default-phase-1-configuration',
  transforms: [],
  preSharedKey: undefined,
  localId: undefined,
  remoteId: undefined,
  checkSuites: true,
  legacyCrypto: false,
  unique: 'replace',
  deleteChildren: false,
  forceEncapsulation: false,
  sha2Truncation96: false,
  fragmentation: true,
  connections: [],
});
