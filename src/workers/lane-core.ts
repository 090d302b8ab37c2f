/** A lane without its thread: events in, effects out, time from outside. What it holds is in lane-context.ts. */

import { ExchangeType } from '../shared/constants/isakmp.ts';
import { NO_CREDENTIALS } from '../shared/credentials/credential-files.ts';
import { createCredentials } from '../shared/credentials/credentials.ts';
import { deletePayload } from '../shared/exchange/informational.ts';
import { LogClass } from '../shared/log/classes.ts';
import { failure } from '../shared/log/records.ts';
import { TokenBucket } from '../shared/log/token-bucket.ts';
import { whoWords } from '../shared/log/who.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { KeySlab } from '../shared/sa-table/key-slab.ts';
import type { SaTable } from '../shared/sa-table/sa-table.ts';
import type { LaneEffect, LaneEvent, LaneExchanges } from '../shared/threads/contract.ts';
import { TimerWheel } from '../shared/timer-wheel.ts';
import { Reassembly } from '../shared/wire/reassembly.ts';
import { switchCapture } from './capture.ts';
import { firedWords } from './debug-words.ts';
import { listExchanges } from './exchange-list.ts';
import { expireFragments } from './fragments.ts';
import { HalfOpenLimit } from './half-open-limit.ts';
import { cookiesOf, IsakmpSas } from './isakmp-sa.ts';
import type { LaneContext, LaneTimer } from './lane-context.ts';
import { fieldsOf, noSubject, say, trace, turnTo, withSubject } from './lane-log.ts';
import { sayDeleted, sendInformational } from './outgoing.ts';
import { startPhase1 } from './phase1.ts';
import { endExchange, giveUpPhase1 } from './phase1-outcome.ts';
import { kernelAnswered, startQuickMode } from './phase2.ts';
import { endQuickMode, giveUpPhase2 } from './phase2-outcome.ts';
import { probe, probeUnanswered } from './probes.ts';
import { receiveDatagram } from './reception.ts';
import { repeatMessage } from './retransmission.ts';
import { dropSa, endPhase2, failPhase1 } from './sa-life.ts';
import { SaStore } from './sa-store.ts';
import { takeOver } from './take-over.ts';

export interface LaneOptions {
  readonly lane: number;
  /** ms on the daemon's monotonic clock. */
  readonly now: () => number;
  /** ms since 1970. */
  readonly wallClock: () => number;
  readonly random: (size: number) => Uint8Array;
  /** Opened as writer lane + 1. */
  readonly table: SaTable;
  readonly slab: KeySlab;
  /** Debug level of each class. */
  readonly levels: Int32Array;
}

export class LaneCore {
  readonly #lane: LaneContext;

  constructor({ now, wallClock, random, table, slab, levels }: LaneOptions) {
    this.#lane = {
      now,
      wallClock,
      // randomBytes answers Buffers, whose slice() does not copy.
      random: (size) => new Uint8Array(random(size)),
      wheel: new TimerWheel(now()),
      sas: new IsakmpSas(),
      phase2: new Map(),
      store: new SaStore(table, slab),
      peers: new Map<string, PeerPolicy>(),
      halfOpenLimit: new HalfOpenLimit(),
      reassembly: new Reassembly(),
      strangers: new TokenBucket({ burst: 50, perSecond: 10 }),
      // A Diffie-Hellman each, a few milliseconds: half of a lane's time at most.
      aggressiveOffers: new TokenBucket({ burst: 200, perSecond: 100 }),
      general: {
        retransmits: 3,
        exchangeMaxTimeSeconds: 120,
        fragmentSize: 1280,
        connectionlessSuites: [],
        identitySecrets: new Map(),
        encapsulationPort: undefined,
      },
      credentials: createCredentials(NO_CREDENTIALS),
      isCapturing: false,
      capturesKeys: false,
      silentUntil: 0,
      diffieHellman: 0,
      lastExchange: 0,
      levels,
      subject: noSubject(),
      effects: [],
    };
  }

  /** Diffie-Hellman operations so far. */
  get diffieHellman(): number {
    return this.#lane.diffieHellman;
  }

  get counts(): { readonly isakmpSas: number; readonly halfOpen: number; readonly phase2Exchanges: number } {
    const { sas, phase2 } = this.#lane;
    return { isakmpSas: sas.established, halfOpen: sas.halfOpen, phase2Exchanges: phase2.size };
  }

  /** Whatever is held: SAs by every name, exchanges, timers. 0 when nothing is left. */
  get remains(): number {
    const { sas, phase2, halfOpenLimit, reassembly, wheel } = this.#lane;
    return sas.entries + phase2.size + halfOpenLimit.size + reassembly.size + wheel.size;
  }

  exchanges(): LaneExchanges {
    return listExchanges(this.#lane);
  }

  nextDeadline(): number | undefined {
    return this.#lane.wheel.nextDeadline();
  }

  /** Fires what is due. */
  advance(): void {
    for (const timer of this.#lane.wheel.advance(this.#lane.now())) this.#guarded('timer', () => this.#fire(timer));
  }

  takeEffects(): readonly LaneEffect[] {
    const { effects } = this.#lane;
    this.#lane.effects = [];
    return effects;
  }

  /** Whether an event may cost a Diffie-Hellman for somebody who is not authenticated yet. */
  weigh(event: LaneEvent): 'fast' | 'slow' {
    if (event.kind === 'startPhase1') return 'slow';
    if (event.kind !== 'datagram') return 'fast';
    const type = event.bytes[EXCHANGE_TYPE_AT];
    return type === ExchangeType.ID_PROT || type === ExchangeType.AGGRESSIVE ? 'slow' : 'fast';
  }

  /** Never throws: a fault of ours costs the event that met it, not the lane (threats: poison packet). */
  handle(event: LaneEvent): void {
    this.#guarded(event.kind, () => this.#handle(event));
  }

  #guarded(what: string, work: () => void): void {
    try {
      withSubject(this.#lane, work);
    } catch (fault) {
      // Whoever can cause a fault can cause many.
      if (!this.#lane.strangers.take(this.#lane.now())) return;
      const text = fault instanceof Error ? `${fault.name}: ${fault.message}` : 'something that is no Error';
      this.#lane.effects.push({ kind: 'log', record: failure('fault', `fault while handling ${what}: ${text}`) });
    }
  }

  #handle(event: LaneEvent): void {
    const lane = this.#lane;
    switch (event.kind) {
      case 'datagram':
        receiveDatagram(lane, event);
        return;
      case 'general':
        lane.general = event.policy;
        return;
      case 'credentials':
        lane.credentials = createCredentials(event.files, lane.credentials.policy);
        return;
      case 'peer':
        lane.peers.set(event.policy.name, event.policy);
        return;
      case 'peerGone':
        lane.peers.delete(event.name);
        return;
      case 'startPhase1':
        startPhase1(lane, event);
        return;
      case 'startQuickMode':
        startQuickMode(lane, event);
        return;
      case 'installed':
        kernelAnswered(lane, event.exchange, { kind: 'installed' });
        return;
      case 'refused':
      case 'denied':
        kernelAnswered(lane, event.exchange, { kind: event.kind, reason: event.reason });
        return;
      case 'sendDelete': {
        const sa = lane.sas.find(event.isakmp);
        if (sa !== undefined) sendInformational(lane, sa, [deletePayload(event.protocolId, event.spis)]);
        return;
      }
      case 'deleteIsakmp':
        this.#deleteIsakmp(event.isakmp, event.notify);
        return;
      case 'replaced': {
        const sa = lane.sas.find(event.isakmp);
        if (sa !== undefined) lane.store.setReplaced(sa, event.isReplaced);
        return;
      }
      case 'probe': {
        const sa = lane.sas.find(event.isakmp);
        if (sa !== undefined) probe(lane, sa, event.quietSince);
        return;
      }
      case 'cancel':
        this.#cancel(event.request);
        return;
      case 'capture':
        switchCapture(lane, event);
        return;
      case 'takeOver':
        takeOver(lane, event.silentUntil);
        return;
    }
  }

  #deleteIsakmp(isakmp: string, notify: boolean): void {
    const sa = this.#lane.sas.find(isakmp);
    if (sa === undefined) return;
    if (sa.established === undefined) {
      failPhase1(this.#lane, sa, { cause: 'cancelled', reason: 'deleted by the operator' });
      return;
    }
    if (notify) sayDeleted(this.#lane, sa);
    dropSa(this.#lane, sa, 'deletedByUs');
  }

  #cancel(request: number): void {
    const cancelled = { cause: 'cancelled', reason: 'cancelled' } as const;
    const half = this.#lane.sas.findRequest(request);
    if (half !== undefined) failPhase1(this.#lane, half, cancelled);
    for (const { sa, phase2 } of this.#lane.phase2.values()) {
      if (phase2.request !== request || phase2.isSettled) continue;
      endPhase2(this.#lane, sa, phase2, cancelled);
      return;
    }
  }

  #fire({ name, sa, phase2 }: LaneTimer): void {
    const lane = this.#lane;
    const { timers } = phase2 ?? sa;
    // Its owner has ended by another timer of the same moment.
    if (timers[name] === 0) return;
    timers[name] = 0;
    turnTo(lane, sa, phase2);
    trace(lane, LogClass.TIMER, 10, firedWords, name, sa, phase2);
    switch (name) {
      case 'repeat': {
        const conversation = phase2 === undefined ? sa.conversation : phase2.conversation;
        if (conversation === undefined || repeatMessage(lane, sa, phase2, conversation)) return;
        if (phase2 === undefined) giveUpPhase1(lane, sa);
        else giveUpPhase2(lane, sa, phase2);
        return;
      }
      case 'exchangeEnd':
        if (phase2 === undefined) endExchange(lane, sa);
        else endQuickMode(lane, sa, phase2);
        return;
      case 'soft':
        lane.store.softExpired(sa);
        lane.effects.push({ kind: 'phase1Expiring', isakmp: cookiesOf(sa) });
        return;
      case 'probe':
        probeUnanswered(lane, sa);
        return;
      case 'fragments':
        expireFragments(lane, sa);
        return;
      case 'hard':
        say(lane, sa, 'phase1-expired', `ISAKMP SA of ${whoWords(fieldsOf(sa))} has expired`);
        sayDeleted(lane, sa);
        dropSa(lane, sa, 'expired');
        return;
    }
  }
}

/** Where the exchange type stands in the header, RFC 2408 §3.1. */
const EXCHANGE_TYPE_AT = 18;
