/** The flows of the ESP thread, with what waits for an SA: at most one packet of each, and the acquire that was said about it. */
import { FlowTable, type TableFlow } from '../../shared/esp/flow-table.ts';
import { compileSelector } from '../../shared/esp/selector.ts';
import type { Flow } from '../backend.ts';
import { KernelError } from '../backend.ts';
import { priorityOf } from '../priority.ts';

export interface FlowEntry extends TableFlow {
  readonly flow: Flow;
  waiting: Waiting | undefined;
}

interface Waiting {
  readonly sequence: number;
  /** ms: then it is given up, and the next packet asks anew. */
  readonly until: number;
  /** A copy. */
  readonly packet: Uint8Array;
}

export class FlowEntries {
  readonly table = new FlowTable<FlowEntry>();
  readonly #byId = new Map<number, FlowEntry>();
  readonly #byReqid = new Map<number, Set<FlowEntry>>();

  get size(): number {
    return this.#byId.size;
  }

  /** Adds the flow or replaces the one with its id; what waited for that one goes on waiting. Throws KernelError 'exists' for selectors that another flow has. */
  put(flow: Flow): FlowEntry {
    const old = this.#byId.get(flow.id);
    const entry: FlowEntry = {
      flow,
      local: compileSelector(flow.local),
      remote: compileSelector(flow.remote),
      priority: priorityOf(flow.local, flow.remote),
      waiting: old?.waiting,
    };
    const twin = this.table.same(entry);
    if (twin !== undefined && twin !== old) {
      throw new KernelError('exists', `flow ${twin.flow.id} has the selectors of flow ${flow.id}`);
    }
    if (old !== undefined) this.#drop(old);
    this.table.add(entry);
    this.#byId.set(flow.id, entry);
    const others = this.#byReqid.get(flow.reqid);
    if (others === undefined) this.#byReqid.set(flow.reqid, new Set([entry]));
    else others.add(entry);
    return entry;
  }

  /** Throws KernelError 'missing'. */
  delete(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new KernelError('missing', `there is no flow ${id}`);
    this.#drop(entry);
  }

  /** Those whose packets use SAs of this reqid. */
  withReqid(reqid: number): Iterable<FlowEntry> {
    return this.#byReqid.get(reqid) ?? [];
  }

  #drop(entry: FlowEntry): void {
    const { id, reqid } = entry.flow;
    this.table.remove(entry);
    this.#byId.delete(id);
    const others = this.#byReqid.get(reqid);
    others?.delete(entry);
    if (others?.size === 0) this.#byReqid.delete(reqid);
  }
}
