/** Which of our addresses a peer is talked to from. The kernel is asked ahead of time, because the supervisor needs the answer at once. */
import type { PeerPolicy } from '../../shared/policy/peer-policy.ts';
import type { Path } from '../../shared/threads/contract.ts';

export interface LocalAddressesOptions {
  readonly port: number;
  /** Our address for a peer, as the kernel routes; undefined: there is none. */
  readonly localAddressFor: (remote: string) => Promise<string | undefined>;
}

export class LocalAddresses {
  readonly #options: LocalAddressesOptions;
  readonly #known = new Map<string, string>();
  readonly #asked = new Map<string, Promise<void>>();

  constructor(options: LocalAddressesOptions) {
    this.#options = options;
  }

  /** Asks for those peers that name no local address themselves; a few at a time, since each question takes a socket. */
  async learn(peers: readonly PeerPolicy[]): Promise<void> {
    const unknown = new Set<string>();
    for (const { address, localAddress } of peers) {
      if (address !== undefined && localAddress === undefined && !this.#known.has(address)) unknown.add(address);
    }
    const questions = unknown.values();
    const askOn = async (): Promise<void> => {
      for (const address of questions) await this.#ask(address);
    };
    await Promise.all(Array.from({ length: Math.min(unknown.size, AT_A_TIME) }, askOn));
  }

  /** Addresses or routes may have changed: the kernel is asked again. */
  forget(): void {
    this.#known.clear();
  }

  /** Undefined where the peer has no address, or the kernel's answer is not there yet: then it is there for the next attempt. */
  pathTo({ address, localAddress, port }: PeerPolicy): Path | undefined {
    if (address === undefined) return undefined;
    const local = localAddress ?? this.#known.get(address);
    if (local === undefined) {
      void this.#ask(address);
      return undefined;
    }
    const remote = { address, port };
    return { local: { address: local, port: this.#options.port }, remote, encapsulated: false };
  }

  /** One question at a time for an address; an answer counts until addresses change. Never rejects. */
  #ask(address: string): Promise<void> {
    const running = this.#asked.get(address);
    if (running !== undefined) return running;
    const question = this.#options
      .localAddressFor(address)
      .then((local) => {
        if (local !== undefined) this.#known.set(address, local);
      })
      .finally(() => this.#asked.delete(address));
    this.#asked.set(address, question);
    return question;
  }
}

const AT_A_TIME = 64;
