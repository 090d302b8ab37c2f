/** Policies of which several flows may want the same: each is made for the first one, and removed after the last one. */

export interface CommonPolicyCalls<P> {
  keyOf(policy: P): string;
  /** Resolves with whether it is ours now: where somebody else has a policy for the same, that one stays. */
  add(policy: P): Promise<boolean>;
  remove(policy: P): Promise<void>;
}

type State = 'absent' | 'ours' | 'foreign';

interface Entry<P> {
  readonly policy: P;
  /** Ids of flows. */
  readonly users: Set<number>;
  /** After the last call about it, which rejects where it failed. */
  state: Promise<State>;
}

export class CommonPolicies<P> {
  readonly #calls: CommonPolicyCalls<P>;
  readonly #entries = new Map<string, Entry<P>>();

  constructor(calls: CommonPolicyCalls<P>) {
    this.#calls = calls;
  }

  /** Those that are wanted are made again where they are missing. */
  async restore(isThere: (policy: P) => boolean): Promise<void> {
    const missing = Array.from(this.#entries.values()).filter(({ policy }) => !isThere(policy));
    await allOf(
      missing.map((entry) => {
        entry.state = Promise.resolve('absent');
        return this.#adjust(entry).then(() => {});
      }),
    );
  }

  /** The flow wants these and no others. Rejects with KernelError where one could not be made or removed; the next call tries again. */
  async want(flow: number, policies: readonly P[]): Promise<void> {
    const wanted = new Set(policies.map((policy) => this.#calls.keyOf(policy)));
    const surplus = [...this.#entries].filter(([key, { users }]) => users.has(flow) && !wanted.has(key));
    await allOf(policies.map((policy) => this.#use(flow, policy)));
    await allOf(surplus.map(([key, entry]) => this.#leave(flow, key, entry)));
  }

  /** Whether a flow wants this one. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** They are gone, or somebody else's business. */
  forget(): void {
    this.#entries.clear();
  }

  async #use(flow: number, policy: P): Promise<void> {
    const key = this.#calls.keyOf(policy);
    const entry = this.#entries.get(key) ?? { policy, users: new Set(), state: Promise.resolve<State>('absent') };
    this.#entries.set(key, entry);
    entry.users.add(flow);
    try {
      await this.#adjust(entry);
    } catch (fault) {
      entry.users.delete(flow);
      throw fault;
    } finally {
      this.#forgetUnused(key, entry);
    }
  }

  async #leave(flow: number, key: string, entry: Entry<P>): Promise<void> {
    entry.users.delete(flow);
    try {
      await this.#adjust(entry);
    } finally {
      this.#forgetUnused(key, entry);
    }
  }

  /** One call after the other; each looks at what is wanted by then. */
  #adjust(entry: Entry<P>): Promise<State> {
    entry.state = entry.state.then(
      (state) => this.#adjusted(entry, state),
      () => this.#adjusted(entry, 'absent'),
    );
    return entry.state;
  }

  async #adjusted({ policy, users }: Entry<P>, state: State): Promise<State> {
    if (users.size === 0) {
      if (state === 'ours') await this.#calls.remove(policy);
      return 'absent';
    }
    if (state !== 'absent') return state;
    return (await this.#calls.add(policy)) ? 'ours' : 'foreign';
  }

  #forgetUnused(key: string, entry: Entry<P>): void {
    if (entry.users.size === 0 && this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}

/** Waits for all of them, and rejects as the first one that does. */
const allOf = async (works: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
};
