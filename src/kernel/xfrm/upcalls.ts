/** What the kernel says unasked, in the daemon's words: of ours only, and each thing once. */
import type { ReqidRange } from '../../shared/flow.ts';
import type { KernelUpcalls } from '../backend.ts';
import { isWithin } from '../own-reqids.ts';
import type { XfrmFlows } from './flows.ts';
import { MessageType } from './layout.ts';
import type { Message } from './reader.ts';
import type { SaState } from './sa-state.ts';
import type { XfrmSas } from './sas.ts';
import { readAcquire, readExpire, readMapping, withoutIcmp } from './upcall-messages.ts';

export class Upcalls {
  readonly #to: KernelUpcalls;
  readonly #range: ReqidRange;
  readonly #sas: XfrmSas;
  readonly #flows: XfrmFlows;
  /** Sequence numbers of the latest acquires, the oldest first. */
  readonly #acquired = new Set<number>();

  constructor(to: KernelUpcalls, range: ReqidRange, sas: XfrmSas, flows: XfrmFlows) {
    this.#to = to;
    this.#range = range;
    this.#sas = sas;
    this.#flows = flows;
  }

  take({ type, payload }: Message): void {
    if (type === MessageType.ACQUIRE) this.#acquire(payload);
    else if (type === MessageType.EXPIRE) this.#expire(payload);
    else this.#mapping(payload);
  }

  /** An SA that an acquire waits for, found when messages had been lost: was that acquire one of them? */
  waiting({ sequence, reqid, source, id, selectors }: SaState): void {
    const flow = this.#flows.flowByReqid(reqid);
    if (flow === undefined || sequence === 0 || this.#acquired.has(sequence)) return;
    this.#noteAcquire(sequence);
    const packet = selectors === undefined ? undefined : withoutIcmp(selectors);
    const policy = { source: flow.local, destination: flow.remote };
    this.#to.acquire({ sequence, flow: flow.id, reqid, source, destination: id.destination, policy, packet });
  }

  #acquire(payload: Message['payload']): void {
    const message = readAcquire(payload);
    if (message === undefined) return;
    const { sequence, reqid, policy, source, destination, packet } = message;
    const flow = policy !== undefined && isWithin(this.#range, reqid) ? this.#flows.flowOf(policy) : undefined;
    this.#noteAcquire(sequence);
    this.#to.acquire({ sequence, flow, reqid, source, destination, policy: policy?.selectors, packet });
  }

  #noteAcquire(sequence: number): void {
    this.#acquired.add(sequence);
    if (this.#acquired.size <= REMEMBERED) return;
    const [oldest] = this.#acquired;
    if (oldest !== undefined) this.#acquired.delete(oldest);
  }

  #expire(payload: Message['payload']): void {
    const message = readExpire(payload);
    if (message === undefined || !isWithin(this.#range, message.sa.reqid)) return;
    const record = this.#sas.find(message.sa.id);
    if (record === undefined) return;
    const { isHard } = message;
    if (isHard) this.#sas.forget(record.id);
    else record.isSoft = true;
    this.#to.expire({ id: record.id, isHard, usage: message.sa.usage });
  }

  /** The kernel says it with every packet. */
  #mapping(payload: Message['payload']): void {
    const message = readMapping(payload);
    const record = message === undefined ? undefined : this.#sas.find(message.id);
    if (message === undefined || record === undefined) return;
    const { address, port } = message.source;
    const place = `${address} ${port}`;
    if (record.reportedAt === place) return;
    record.reportedAt = place;
    this.#to.mapping({ id: record.id, source: { address, port } });
  }
}

const REMEMBERED = 4096;
