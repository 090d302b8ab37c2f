/** Policies that a predecessor has left: when those that the configuration wants are all there, the rest may go. */
import type { ConfiguredFlows } from './configured-flows.ts';
import type { Desk } from './desk.ts';
import type { Flows } from './flows.ts';

export class Leftovers {
  readonly #desk: Desk;
  readonly #parts: Parts;
  /** Connections whose policies are waited for; undefined: nothing is to be removed. */
  #awaited: readonly string[] | undefined;

  constructor(desk: Desk, parts: Parts) {
    this.#desk = desk;
    this.#parts = parts;
  }

  /** These are all connections that the configuration lists, and the kernel was told of each that can be used. */
  configured(connections: readonly string[]): void {
    this.#awaited = connections;
    this.check();
  }

  /** A connection that cannot be used or reached may want what is left, and the kernel may not have taken all that is wanted: then nothing goes yet. */
  check(): void {
    const { flows, configuredFlows } = this.#parts;
    if (this.#awaited === undefined || this.#desk.view.blocksOnExit) return;
    this.#awaited = this.#awaited.filter((name) => !configuredFlows.isDone(name));
    if (this.#awaited.length > 0 || flows.hasRefusals) return;
    this.#awaited = undefined;
    this.#desk.emit({ kind: 'removeLeftovers' });
  }
}

interface Parts {
  readonly flows: Flows;
  readonly configuredFlows: ConfiguredFlows;
}
