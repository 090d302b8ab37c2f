/** The form of every exchange: a plain-data state, the rule of its next message, a step. And its use behind one face. */

import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { Effects, Env, ExchangeEvent } from './effects.ts';
import type { Inbound, MessageRule } from './inbound.ts';
import { keysOf } from './ipsec-keys.ts';

export interface Machine<S extends { readonly tag: string }> {
  /** What the next message must look like; undefined: none is expected. */
  readonly rule: (state: S) => MessageRule | undefined;
  /** Throws a ProtocolError to refuse the event: then nothing of it has happened. */
  readonly step: (state: S, event: ExchangeEvent<Inbound>, env: Env, out: Effects) => S;
  /** Key buffers held by the state, zeroed when it is left. */
  readonly secrets: (state: S) => readonly Uint8Array[];
  /** Phase 1: what has been agreed on, as soon as it has. */
  readonly choice?: (state: S) => Phase1Choice | undefined;
}

/** An exchange of any kind at work. */
export interface Exchange {
  readonly tag: string;
  rule(): MessageRule | undefined;
  /** What phase 1 has agreed on while it runs; undefined before, afterwards and in phase 2. */
  choice(): Phase1Choice | undefined;
  /** Appends to `out` what it wants done. Throws what the step threw: the state is then what it was, and of `out` only log records count. */
  deliver(event: ExchangeEvent<Inbound>, env: Env, out: Effects): void;
  /** Zeroes what secrets are left; the exchange is over. */
  drop(): void;
  /** The state as plain data, for tests. */
  snapshot(): unknown;
}

/** Starts `machine` in `initial`; secrets that a step leaves behind are handed to `forget`, which zeroes them. */
export const exchangeOf = <S extends { readonly tag: string }>(
  machine: Machine<S>,
  initial: S,
  forget: (key: Uint8Array) => void,
): Exchange => new Running(machine, initial, forget);

/** A class because there are thousands half-open: closures for every method would take more memory than the state. */
class Running<S extends { readonly tag: string }> implements Exchange {
  readonly #machine: Machine<S>;
  readonly #forget: (key: Uint8Array) => void;
  #state: S;

  constructor(machine: Machine<S>, initial: S, forget: (key: Uint8Array) => void) {
    this.#machine = machine;
    this.#state = initial;
    this.#forget = forget;
  }

  get tag(): string {
    return this.#state.tag;
  }

  rule(): MessageRule | undefined {
    return this.#machine.rule(this.#state);
  }

  choice(): Phase1Choice | undefined {
    return this.#machine.choice?.(this.#state);
  }

  deliver(event: ExchangeEvent<Inbound>, env: Env, out: Effects): void {
    const { step, secrets } = this.#machine;
    const left = this.#state;
    const next = step(left, event, env, out);
    const kept = new Set([...secrets(next), ...handedOn(out)]);
    for (const key of secrets(left)) if (!kept.has(key)) this.#forget(key);
    this.#state = next;
  }

  drop(): void {
    for (const key of this.#machine.secrets(this.#state)) this.#forget(key);
  }

  snapshot(): unknown {
    return this.#state;
  }
}

/** Keys that go on living outside the exchange. */
const handedOn = (effects: Effects): readonly Uint8Array[] =>
  effects.flatMap((effect) => {
    if (effect.kind === 'install') return keysOf(effect.sas);
    if (effect.kind !== 'phase1Established') return [];
    const { skeyidD, skeyidA, encryptionKey } = effect.result.keys;
    return [skeyidD, skeyidA, encryptionKey];
  });
