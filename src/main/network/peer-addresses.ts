/** What has to be known before a peer can be called: its address, where that is a host's name, and ours on the way to it. */
import type { PeerPolicy } from '../../shared/policy/peer-policy.ts';
import type { Steps } from '../../shared/steps.ts';
import type { Path } from '../../shared/threads/contract.ts';
import type { DaemonConfiguration } from '../configuration.ts';
import { inSlices } from '../slices.ts';
import type { HostNames } from './host-names.ts';
import type { LocalAddresses } from './local-addresses.ts';

export interface PeerAddressesOptions {
  readonly configuration: Pick<DaemonConfiguration, 'peer' | 'hostOf' | 'listenHosts' | 'store'>;
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
    const hosts = await inSlices(this.#each(peers, (name) => configuration.hostOf(name)));
    await hostNames.learn([...configuration.listenHosts(), ...hosts]);
    await localAddresses.learn(await inSlices(this.#each(peers, (name) => configuration.peer(name))));
  }

  /** Undefined where the peer has no address, or not all is known yet: then it is for the next attempt. A host's name is looked up again meanwhile. */
  pathTo(policy: PeerPolicy): Path | undefined {
    const { configuration, localAddresses } = this.#options;
    if (configuration.hostOf(policy.name) !== undefined) void this.learn([policy.name]);
    return localAddresses.pathTo(policy);
  }

  /** Answers about those that are still there; a section that was removed meanwhile is no fault. */
  *#each<T>(peers: readonly string[], answerFor: (name: string) => T | undefined): Steps<readonly T[]> {
    const { store } = this.#options.configuration;
    const { revision } = store;
    const answers: T[] = [];
    for (const name of peers) {
      const isThere = store.revision === revision || store.exists(name);
      const answer = isThere ? answerFor(name) : undefined;
      if (answer !== undefined) answers.push(answer);
      yield;
    }
    return answers;
  }

  /** Addresses, routes or name servers may have changed. */
  forget(): void {
    this.#options.hostNames.forget();
    this.#options.localAddresses.forget();
  }
}
