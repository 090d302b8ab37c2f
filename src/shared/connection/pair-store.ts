/** All SA pairs, larval and established, by every key they are looked up by. SPIs that we receive on are unique in it. */
import type { Agreement, Cookies } from '../threads/contract.ts';
import type { Binding } from './binding.ts';
import type { Connections } from './connections.ts';
import type { Desk } from './desk.ts';
import type { SaId } from './events.ts';
import type { Peers } from './peers.ts';
import { Pair, spiKey } from './records.ts';
import type { Reqids } from './reqids.ts';
import { exchangeKey } from './requests.ts';

export class PairStore {
  readonly #desk: Desk;
  readonly #peers: Peers;
  readonly #connections: Connections;
  readonly #reqids: Reqids;
  readonly #binding: Binding;
  readonly #byId = new Map<number, Pair>();
  readonly #larval = new Map<string, Pair>();
  readonly #bySpiIn = new Map<number, Pair>();
  readonly #installed = new Map<string, Pair>();
  readonly #byIsakmp = new Map<Cookies, Set<Pair>>();

  constructor(desk: Desk, peers: Peers, connections: Connections, reqids: Reqids, binding: Binding) {
    this.#desk = desk;
    this.#peers = peers;
    this.#connections = connections;
    this.#reqids = reqids;
    this.#binding = binding;
  }

  get established(): number {
    return this.#byId.size - this.#larval.size;
  }

  get larval(): number {
    return this.#larval.size;
  }

  /** Undefined once it is gone. */
  get(id: number): Pair | undefined {
    return this.#byId.get(id);
  }

  larvalOf(lane: number, exchange: number): Pair | undefined {
    return this.#larval.get(exchangeKey(lane, exchange));
  }

  all(): Iterable<Pair> {
    return this.#byId.values();
  }

  larvals(): Iterable<Pair> {
    return this.#larval.values();
  }

  /** Whoever receives on this SPI. */
  receiver(protocolId: number, spi: number): Pair | undefined {
    return this.#bySpiIn.get(spiKey(protocolId, spi));
  }

  /** Whose SA this is; undefined: nobody's, or not yet in the kernel. */
  owner(id: SaId): Pair | undefined {
    return this.#installed.get(saKey(id));
  }

  /** What the kernel has of a pair is this. */
  setInstalled(pair: Pair, sas: readonly SaId[]): void {
    for (const id of pair.installed) this.#installed.delete(saKey(id));
    pair.installed = sas;
    for (const id of sas) this.#installed.set(saKey(id), pair);
  }

  /** The pairs that quick modes under this ISAKMP SA have made. */
  children(isakmp: Cookies): readonly Pair[] {
    return [...(this.#byIsakmp.get(isakmp) ?? [])];
  }

  /** Undefined where all reqids are taken. */
  create(lane: number, exchange: number, agreement: Agreement): Pair | undefined {
    const connection = this.#connections.connection(agreement.connection);
    const foreignReqid = connection.foreignReqid ?? (this.#desk.view.isAcquireOnly ? ANY_POLICY : undefined);
    const reqid = foreignReqid ?? this.#reqids.take();
    if (reqid === undefined) return undefined;
    const party = this.#peers.party(agreement.peer, agreement.remoteIdentity);
    const proof = this.#peers.isakmp(agreement.isakmp)?.proof;
    const id = this.#desk.nextNumber();
    const ownsReqid = foreignReqid === undefined;
    const pair = new Pair({ id, lane, exchange, agreement, party, connection, reqid, ownsReqid, proof });
    this.#byId.set(pair.id, pair);
    this.#larval.set(exchangeKey(lane, exchange), pair);
    for (const { protocolId, spiIn, spiOut } of agreement.protocols) {
      this.#bySpiIn.set(spiKey(protocolId, spiIn), pair);
      party.bySpiOut.set(spiKey(protocolId, spiOut), pair);
    }
    const siblings = this.#byIsakmp.get(agreement.isakmp) ?? new Set();
    this.#byIsakmp.set(agreement.isakmp, siblings.add(pair));
    connection.larval.add(pair);
    this.#peers.addPair(pair);
    this.#binding.took(pair);
    return pair;
  }

  /** Its quick mode is over. */
  settle(pair: Pair): void {
    const key = exchangeKey(pair.lane, pair.exchange);
    // A lane that was started again numbers its exchanges from the beginning.
    if (this.#larval.get(key) === pair) this.#larval.delete(key);
    pair.connection.larval.delete(pair);
  }

  remove(pair: Pair): void {
    if (!this.#byId.delete(pair.id)) return;
    this.settle(pair);
    if (pair.ownsReqid) this.#reqids.release(pair.reqid);
    for (const id of pair.installed) this.#installed.delete(saKey(id));
    const { party, agreement } = pair;
    for (const { protocolId, spiIn, spiOut } of agreement.protocols) {
      this.#bySpiIn.delete(spiKey(protocolId, spiIn));
      const key = spiKey(protocolId, spiOut);
      // A peer that uses an SPI twice gets its latest.
      if (party.bySpiOut.get(key) === pair) party.bySpiOut.delete(key);
    }
    const siblings = this.#byIsakmp.get(agreement.isakmp);
    siblings?.delete(pair);
    if (siblings?.size === 0) this.#byIsakmp.delete(agreement.isakmp);
    pair.state = 'gone';
    this.#binding.gave(pair);
    this.#peers.removePair(pair);
  }
}

const saKey = ({ protocolId, spi, destination }: SaId): string => `${protocolId}/${spi}/${destination}`;

/** What policies have that were made without a reqid. */
const ANY_POLICY = 0;
