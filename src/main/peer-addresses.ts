/** What has to be known before a peer can be called: its address, where that is a host's name, and ours on the way to it. */
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { Path } from '../shared/threads/contract.ts';
import type { DaemonConfiguration } from './configuration.ts';
import type { HostNames } from './host-names.ts';
import type { LocalAddresses } from './local-addresses.ts';

export interface PeerAddressesOptions {
  readonly configuration: Pick<DaemonConfiguration, 'peer' | 'hostsOf'>;
  readonly hostNames: Pick<HostNames, 'learn' | 'forget'>;
  readonly localAddresses: Pick<LocalAddresses, 'learn' | 'forget' | 'pathTo'>;
}

export class PeerAddresses {
  readonly #options: PeerAddressesOptions;

  constructor(options: PeerAddressesOptions) {
    this.#options = options;
  }

  /** Resolves when everything is known about these peer sections that can be, or will not be soon. Never rejects. */
  async learn(peers: readonly string[]): Promise<void> {
    const { configuration, hostNames, localAddresses } = this.#options;
    await hostNames.learn(configuration.hostsOf(peers));
    await localAddresses.learn(peers.flatMap((name) => configuration.peer(name) ?? []));
  }

  /** Undefined where the peer has no address, or not all is known yet: then it is for the next attempt. A host's name is looked up again meanwhile. */
  pathTo(policy: PeerPolicy): Path | undefined {
    const { configuration, localAddresses } = this.#options;
    if (configuration.hostsOf([policy.name]).length > 0) void this.learn([policy.name]);
    return localAddresses.pathTo(policy);
  }

  /** Addresses, routes or name servers may have changed. */
  forget(): void {
    this.#options.hostNames.forget();
    this.#options.localAddresses.forget();
  }
}
