/** What runs on the lanes: our requests until they are answered, and the quick modes that peers have begun. */
import type { Peers } from './peers.ts';
import { type Connection, type LaneRequest, PhaseOneRequest } from './records.ts';

export class Requests {
  readonly #peers: Peers;
  readonly #byNumber = new Map<number, LaneRequest>();
  readonly #foreign = new Map<string, Foreign>();
  #phase1 = 0;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  get size(): number {
    return this.#byNumber.size + this.#foreign.size;
  }

  /** Phase 1 attempts of ours that run. */
  get phase1(): number {
    return this.#phase1;
  }

  all(): readonly LaneRequest[] {
    return [...this.#byNumber.values()];
  }

  add(request: LaneRequest): void {
    this.#byNumber.set(request.number, request);
    if (request instanceof PhaseOneRequest) this.#countPhase1(request, 1);
  }

  /** The request that a lane has answered; undefined for 0, where the peer began. */
  take(number: number): LaneRequest | undefined {
    const request = this.#byNumber.get(number);
    this.#byNumber.delete(number);
    if (request instanceof PhaseOneRequest) this.#countPhase1(request, -1);
    return request;
  }

  foreignStarted(lane: number, exchange: number, connection: Connection): void {
    const key = exchangeKey(lane, exchange);
    this.#foreign.set(key, { lane, connection });
    connection.foreign.add(key);
  }

  /** False where it was none of the peer's. */
  foreignEnded(lane: number, exchange: number): boolean {
    const key = exchangeKey(lane, exchange);
    this.#foreign.get(key)?.connection.foreign.delete(key);
    return this.#foreign.delete(key);
  }

  /** Forgets all that ran on a lane; answers what was still wanted, and whose connections the peers' quick modes were. */
  takeLane(lane: number): { readonly requests: readonly LaneRequest[]; readonly connections: readonly Connection[] } {
    const requests = this.all().filter((request) => request.lane === lane);
    for (const { number } of requests) this.take(number);
    const connections: Connection[] = [];
    for (const [key, foreign] of this.#foreign) {
      if (foreign.lane !== lane) continue;
      this.#foreign.delete(key);
      foreign.connection.foreign.delete(key);
      connections.push(foreign.connection);
    }
    return { requests: requests.filter(({ isCancelled }) => !isCancelled), connections };
  }

  #countPhase1({ lane }: PhaseOneRequest, change: 1 | -1): void {
    this.#phase1 += change;
    this.#peers.addLoad(lane, change);
  }
}

interface Foreign {
  readonly lane: number;
  readonly connection: Connection;
}

/** A lane numbers its exchanges itself. */
export const exchangeKey = (lane: number, exchange: number): string => `${lane}/${exchange}`;
