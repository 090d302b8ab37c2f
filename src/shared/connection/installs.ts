/** Larval pairs: what a quick mode asks to be put into the kernel, until it is complete or has failed. */
import { ProtocolId } from '../constants/ipsec-doi.ts';
import type { IpsecSa } from '../threads/contract.ts';
import type { Binding } from './binding.ts';
import type { Deletes } from './deletes.ts';
import type { Desk } from './desk.ts';
import type { SaEffect, SaId } from './events.ts';
import type { PairStore } from './pair-store.ts';
import type { Pair } from './records.ts';

export class Installs {
  readonly #desk: Desk;
  readonly #store: PairStore;
  readonly #deletes: Deletes;
  readonly #binding: Binding;
  /** Nothing new is installed. */
  isClosed = false;

  constructor(desk: Desk, store: PairStore, deletes: Deletes, binding: Binding) {
    this.#desk = desk;
    this.#store = store;
    this.#deletes = deletes;
    this.#binding = binding;
  }

  /** The first part of a pair, or its second: a responder asks for the outbound SAs when message 3 has come. */
  install(lane: number, effect: Extract<SaEffect, { readonly kind: 'install' }>): void {
    const { exchange, agreement, sas } = effect;
    const known = this.#store.larvalOf(lane, exchange);
    const refusal = this.#refusal(known, sas);
    const denial = known === undefined ? this.#binding.denial(agreement) : undefined;
    const mayBe = refusal === undefined && denial === undefined;
    const pair = mayBe ? (known ?? this.#store.create(lane, exchange, agreement)) : undefined;
    if (pair === undefined) {
      for (const { encryptionKey, authenticationKey } of sas) {
        encryptionKey.fill(0);
        authenticationKey.fill(0);
      }
      const event =
        denial === undefined
          ? ({
              kind: 'refused',
              exchange,
              reason: refusal ?? 'the kernel has no number left for another pair',
            } as const)
          : ({ kind: 'denied', exchange, reason: denial } as const);
      this.#desk.emit({ kind: 'post', lane, event });
      return;
    }
    this.#desk.emit({
      kind: 'add',
      pair: pair.id,
      sas: innerFirst(sas),
      agreement,
      reqid: pair.reqid,
      acquire: pair.connection.demand?.sequence,
    });
  }

  added(id: number, sas: readonly SaId[]): void {
    const pair = this.#store.get(id);
    if (pair === undefined) {
      // Its quick mode has failed meanwhile.
      this.#desk.emit({ kind: 'remove', sas });
      return;
    }
    this.#store.setInstalled(pair, [...pair.installed, ...sas]);
    this.#desk.emit({ kind: 'post', lane: pair.lane, event: { kind: 'installed', exchange: pair.exchange } });
  }

  /** Nothing of the pair stays; the exchange may ask again with other SPIs. */
  refused(id: number, reason: string): void {
    const pair = this.#store.get(id);
    if (pair === undefined) return;
    this.#abandon(pair);
    this.#desk.emit({ kind: 'post', lane: pair.lane, event: { kind: 'refused', exchange: pair.exchange, reason } });
  }

  /** The quick mode has failed. */
  failed(lane: number, exchange: number): void {
    const pair = this.#store.larvalOf(lane, exchange);
    if (pair !== undefined) this.#abandon(pair);
  }

  laneLost(lane: number): void {
    for (const pair of this.#store.larvals()) if (pair.lane === lane) this.#abandon(pair);
  }

  /** Removes a larval pair without a word. */
  drop(pair: Pair): void {
    this.#store.remove(pair);
    if (pair.installed.length > 0) this.#desk.emit({ kind: 'remove', sas: pair.installed });
  }

  /** The peer may have completed the quick mode on its side and send into a void: it hears that nobody listens. */
  #abandon(pair: Pair): void {
    const isKnownToPeer = pair.installed.length > 0 && !pair.isDeletedByPeer;
    this.drop(pair);
    if (isKnownToPeer) this.#deletes.add(pair.party, pair.agreement.protocols, 'may');
  }

  #refusal(known: Pair | undefined, sas: readonly IpsecSa[]): string | undefined {
    if (this.isClosed) return 'shutting down';
    const isTaken = sas.some(({ direction, protocolId, spi }) => {
      const receiver = direction === 'in' ? this.#store.receiver(protocolId, spi) : undefined;
      return receiver !== undefined && receiver !== known;
    });
    return isTaken ? 'exists' : undefined;
  }
}

/** Kernels take the SAs of a bundle in the order in which they are applied (RFC 2401 §4.3): AH goes over ESP. */
const innerFirst = (sas: readonly IpsecSa[]): readonly IpsecSa[] =>
  [...sas].sort((a, b) => Number(a.protocolId === ProtocolId.IPSEC_AH) - Number(b.protocolId === ProtocolId.IPSEC_AH));
