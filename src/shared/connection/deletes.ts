/**
 * DELETE payloads for IPsec SAs. IKEv1 has no answer to them, so each goes out several times; and an ISAKMP SA is made for them where there is none
 * (decisions: phase 1 gone, children alive).
 */
import type { AgreedProtocol } from '../threads/contract.ts';
import type { Attempts } from './attempts.ts';
import type { Desk } from './desk.ts';
import type { Peers } from './peers.ts';
import { DeleteTask, type Party, type Urgency } from './records.ts';

export class Deletes {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #attempts: Attempts;
  /** Parties with SPIs that this event has brought up. */
  readonly #unsent = new Map<Party, Urgency>();
  readonly #repeating = new Set<DeleteTask>();
  /** Each is said once only, and no ISAKMP SA is made for it. */
  isHurried = false;
  /** Nothing is said at all. */
  isMuted = false;

  constructor(desk: Desk, peers: Peers, attempts: Attempts) {
    this.#desk = desk;
    this.#peers = peers;
    this.#attempts = attempts;
  }

  /** Tasks that will be sent again. */
  get running(): number {
    return this.#repeating.size;
  }

  /** Tells the peer that we no longer receive on these. All that one event deletes goes into as few messages as possible. */
  add(party: Party, protocols: readonly AgreedProtocol[], urgency: Urgency): void {
    for (const { protocolId, spiIn } of protocols) {
      const spis = party.unsentDeletes.get(protocolId);
      if (spis === undefined) party.unsentDeletes.set(protocolId, [spiIn]);
      else spis.push(spiIn);
    }
    const present = this.#unsent.get(party) ?? 'once';
    this.#unsent.set(party, URGENCIES.indexOf(urgency) < URGENCIES.indexOf(present) ? urgency : present);
  }

  /** Sends what was added. To be called at the end of every event. */
  run(): void {
    for (const [party, urgency] of this.#unsent) {
      for (const [protocolId, spis] of party.unsentDeletes) {
        for (let start = 0; start < spis.length; start += MOST_SPIS) {
          this.#send(new DeleteTask(party, protocolId, spis.slice(start, start + MOST_SPIS), urgency));
        }
      }
      party.unsentDeletes.clear();
      this.#peers.release(party);
    }
    this.#unsent.clear();
  }

  /** An ISAKMP SA is there for those who waited for one. What belongs to another identity has lost its addressee. */
  phase1Established(party: Party): void {
    const { waitingDeletes, parkedDeletes } = party.peer;
    const waiting = [...waitingDeletes, ...parkedDeletes];
    waitingDeletes.clear();
    parkedDeletes.clear();
    for (const task of waiting) {
      task.timer?.cancel();
      if (task.identity === party.identity) this.#send(task);
    }
  }

  /** Nothing is repeated any more, and nothing waits. */
  stop(): void {
    for (const task of this.#repeating) task.timer?.cancel();
    this.#repeating.clear();
    for (const { parkedDeletes } of this.#peers.all()) {
      for (const task of parkedDeletes) task.timer?.cancel();
      parkedDeletes.clear();
    }
  }

  #send(task: DeleteTask): void {
    this.#repeating.delete(task);
    if (this.isMuted) return;
    const isakmp = this.#peers.findParty(task.peer, task.identity)?.audible;
    if (isakmp === undefined) {
      this.#wait(task);
      return;
    }
    const { protocolId, spis } = task;
    const event = { kind: 'sendDelete', isakmp: isakmp.cookies, protocolId, spis } as const;
    this.#desk.emit({ kind: 'post', lane: isakmp.lane, event });
    task.sent++;
    const pause = PAUSES_MS[task.sent - 1];
    if (pause === undefined || this.isHurried || task.urgency === 'once') return;
    this.#repeating.add(task);
    task.timer = this.#desk.after(pause, 'delete_again', task.peer, () => this.#send(task));
  }

  /** There is no ISAKMP SA. What has been said before, or need not be said, is not worth a phase 1, but uses one that comes soon. */
  #wait(task: DeleteTask): void {
    if (this.isHurried || task.urgency === 'once') return;
    const peer = this.#peers.peer(task.peer);
    if (task.sent === 0 && task.urgency === 'must') {
      peer.waitingDeletes.add(task);
      this.#attempts.wantPhase1(peer);
      return;
    }
    peer.parkedDeletes.add(task);
    task.timer = this.#desk.after(PARKED_MS, 'delete_forget', task.peer, () => peer.parkedDeletes.delete(task));
  }
}

const URGENCIES: readonly Urgency[] = ['must', 'may', 'once'];
/** Between one sending and the next: at 0, 1, 3, 8 and 30 seconds. */
const PAUSES_MS = [1000, 2000, 5000, 22_000];
const PARKED_MS = 120_000;
/** SPIs in one message. */
const MOST_SPIS = 64;
