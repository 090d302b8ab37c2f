/** How a daemon is told to end: the first time in order, the second time at once. */

export class Ending {
  /** Resolves when the daemon is to end. */
  readonly asked: Promise<void>;
  /** Resolves when whoever asked does not want to wait. */
  readonly hurried: Promise<void>;
  readonly #resolve: readonly (() => void)[];
  #times = 0;

  constructor() {
    const resolvers: (() => void)[] = [];
    this.asked = new Promise((resolve) => resolvers.push(resolve));
    this.hurried = new Promise((resolve) => resolvers.push(resolve));
    this.#resolve = resolvers;
  }

  get isAsked(): boolean {
    return this.#times > 0;
  }

  ask(): void {
    this.#resolve[this.#times]?.();
    this.#times++;
  }
}
