/**
 * IPsec in our own process: a thread of its own seals and opens ESP packets between a TUN device and the network. It keeps the SAs and their keys; main keeps what it takes to start
 * another thread when that one dies: the flows, and the names of the SAs that are lost then.
 */
import { networkInterfaces } from 'node:os';
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { InvariantError, SystemError } from '../../shared/errors.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import {
  type Encapsulation,
  type Flow,
  type KernelBackend,
  KernelError,
  type KernelUpcalls,
  type OwnState,
  type SaContext,
  type SaUsage,
} from '../backend.ts';
import { userlandCapabilities } from './capabilities.ts';
import type { EspCommand, EspStatistics } from './contract.ts';
import { EspWorker } from './esp-worker.ts';
import { Routes } from './routes.ts';
import type { RoutingPlan } from './routing.ts';
import { CounterSlots, createCounterMemory, SaCounters } from './sa-counters.ts';
import { IKE_STEERING } from './steering.ts';

export interface UserlandOptions extends RoutingPlan {
  /** Bytes: the largest packet that the host sends into the device. */
  readonly mtu: number;
  readonly upcalls: KernelUpcalls;
}

export class UserlandBackend implements KernelBackend {
  readonly name = 'userland';
  readonly capabilities = userlandCapabilities();
  readonly encapsulation: Encapsulation = {
    steering: IKE_STEERING,
    open: (local) => this.#openEncapsulation(local),
    close: (local) => this.#closeEncapsulation(local),
  };
  readonly #options: UserlandOptions;
  readonly #routes: Routes;
  readonly #counters = new SaCounters(createCounterMemory());
  readonly #slots = new CounterSlots(this.#counters.memory);
  readonly #sas = new Map<string, OwnSa>();
  readonly #flows = new Map<number, Flow>();
  readonly #encapsulations = new Map<string, Endpoint>();
  /** ms: deaths of threads that were not long ago. */
  #deaths: readonly number[] = [];
  #worker: Promise<EspWorker>;
  #isClosed = false;

  /** Opens device and sockets. Rejects with SystemError where the addon, the device or the right to it is missing. */
  static async open(options: UserlandOptions): Promise<UserlandBackend> {
    const backend = new UserlandBackend(options);
    await backend.#worker;
    return backend;
  }

  private constructor(options: UserlandOptions) {
    this.#options = options;
    this.#routes = new Routes(options, ownAddresses);
    this.#worker = this.#start();
  }

  async addSa(sa: IpsecSa, context: SaContext): Promise<void> {
    const id = { protocolId: sa.protocolId, spi: sa.spi, destination: sa.destination };
    const name = nameOf(id);
    if (this.#sas.has(name)) throw new KernelError('exists', `there is an SA with SPI ${sa.spi} to ${sa.destination}`);
    const own: OwnSa = { id, source: sa.source, reqid: context.reqid, slot: this.#takeSlot() };
    this.#sas.set(name, own);
    const [encryptionKey, authenticationKey] = [copied(sa.encryptionKey), copied(sa.authenticationKey)];
    try {
      const copy = { ...sa, encryptionKey, authenticationKey };
      const keys = [encryptionKey.buffer, authenticationKey.buffer];
      await this.#call({ kind: 'addSa', sa: copy, context, slot: own.slot }, keys);
    } catch (fault) {
      this.#forget(own);
      throw fault;
    } finally {
      // Nothing is left of them where they were handed over.
      for (const key of [encryptionKey, authenticationKey]) if (key.length > 0) key.fill(0);
    }
  }

  async moveSa(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId> {
    const own = this.#own(id);
    const moved = { ...id, destination: destination.address };
    await this.#call({ kind: 'moveSa', id, source, destination });
    this.#sas.delete(nameOf(id));
    this.#sas.set(nameOf(moved), { ...own, id: moved, source: source.address });
    return moved;
  }

  async deleteSa(id: SaId): Promise<void> {
    this.#own(id);
    await this.#call({ kind: 'deleteSa', id });
    // Its time may have been over meanwhile: then it was forgotten already.
    const own = this.#sas.get(nameOf(id));
    if (own !== undefined) this.#forget(own);
  }

  async querySa(id: SaId): Promise<SaUsage> {
    return this.#counters.usage(this.#own(id).slot);
  }

  /** The thread knows the flow before the first packet is routed to it. */
  async putFlow(flow: Flow): Promise<void> {
    checkFlow(flow);
    await this.#call({ kind: 'putFlow', flow });
    this.#flows.set(flow.id, flow);
    await asKernelError(this.#routes.put(flow));
  }

  async deleteFlow(id: number): Promise<void> {
    if (!this.#flows.has(id)) throw new KernelError('missing', `there is no flow ${id}`);
    this.#flows.delete(id);
    await asKernelError(this.#routes.delete(id));
    await this.#call({ kind: 'deleteFlow', id });
  }

  /** How many routing rules a predecessor left: nothing passes by them before a flow takes them over. Rejects with SystemError. */
  leftRules(): Promise<number> {
    return this.#routes.leftRules();
  }

  /** Those of this process: a predecessor leaves rules and routes at most, which `removeLeftovers` and `purgeOwn` remove. */
  async listOwn(): Promise<OwnState> {
    if (this.#isClosed) throw new KernelError('failed', 'userland IPsec is closed: it has no SAs and flows');
    const sas = [...this.#sas.values()].map(({ id, source, reqid }) => ({ id, source, reqid }));
    const policies = [...this.#flows.values()].map(({ local, remote, reqid, route }) => ({
      local,
      remote,
      reqid,
      route,
    }));
    return { sas, policies };
  }

  async purgeOwn(): Promise<void> {
    for (const { id } of [...this.#sas.values()]) {
      // Its time may be over just now.
      await this.deleteSa(id).catch(unlessMissing);
    }
    for (const id of [...this.#flows.keys()]) {
      this.#flows.delete(id);
      await this.#call({ kind: 'deleteFlow', id });
    }
    await asKernelError(this.#routes.purge());
  }

  removeLeftovers(): Promise<number> {
    return asKernelError(this.#routes.removeLeftovers());
  }

  async #openEncapsulation(local: Endpoint): Promise<void> {
    await this.#call({ kind: 'openEncapsulation', local });
    this.#encapsulations.set(`${local.address} ${local.port}`, local);
  }

  async #closeEncapsulation(local: Endpoint): Promise<void> {
    this.#encapsulations.delete(`${local.address} ${local.port}`);
    await this.#call({ kind: 'closeEncapsulation', local });
  }

  /** Rejects with KernelError. */
  async statistics(): Promise<EspStatistics> {
    const answer = await this.#call({ kind: 'statistics' });
    if (answer === undefined || !('drops' in answer)) throw new InvariantError('the ESP thread has no statistics');
    return answer;
  }

  /** SAs end with the thread; of the flows the blackholes stay. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = await this.#worker.catch(() => undefined);
    await worker?.stop();
  }

  async #call(command: EspCommand, transfer: readonly ArrayBuffer[] = []): ReturnType<EspWorker['call']> {
    const worker = await asKernelError(this.#worker);
    return worker.call(command, transfer);
  }

  async #start(): Promise<EspWorker> {
    const { interfaceName, mtu, mark, upcalls } = this.#options;
    const worker = await EspWorker.start(
      { interfaceName, mtu, mark, counters: this.#counters.memory },
      {
        acquire: (acquire) => upcalls.acquire(acquire),
        mapping: (mapping) => upcalls.mapping(mapping),
        expire: (expire) => {
          const own = this.#sas.get(nameOf(expire.id));
          if (expire.isHard && own !== undefined) this.#forget(own);
          upcalls.expire(expire);
        },
        died: (why) => this.#died(why),
      },
    );
    for (const local of this.#encapsulations.values()) await worker.call({ kind: 'openEncapsulation', local });
    for (const flow of this.#flows.values()) await worker.call({ kind: 'putFlow', flow });
    await this.#routes.deviceIsUp(mtu);
    return worker;
  }

  /** Keys and sequence numbers went with the thread: nobody may ever seal with them again, so the SAs are lost. */
  #died(why: SystemError): void {
    if (this.#isClosed) return;
    const gone = [...this.#sas.values()];
    for (const own of gone) this.#forget(own);
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < DEATHS_MS), now];
    this.#worker = this.#deaths.length > MOST_DEATHS ? Promise.reject(why) : this.#start();
    this.#worker.catch((fault) => this.#options.upcalls.failed(fault instanceof SystemError ? fault : why));
    this.#options.upcalls.lost(gone.map(({ id }) => id));
  }

  #own(id: SaId): OwnSa {
    const own = this.#sas.get(nameOf(id));
    if (own === undefined) throw new KernelError('missing', `there is no SA with SPI ${id.spi} to ${id.destination}`);
    return own;
  }

  #forget(own: OwnSa): void {
    if (this.#sas.delete(nameOf(own.id))) this.#slots.giveBack(own.slot);
  }

  #takeSlot(): number {
    try {
      return this.#slots.take();
    } catch (fault) {
      throw kernelError(fault);
    }
  }
}

interface OwnSa {
  readonly id: SaId;
  readonly source: string;
  readonly reqid: number;
  /** Of its counters. */
  readonly slot: number;
}

const checkFlow = (flow: Flow): void => {
  const [protocol, ...more] = flow.protocols;
  if (flow.encapsulation !== 'tunnel' || protocol !== ProtocolId.IPSEC_ESP || more.length > 0) {
    throw new KernelError('unsupported', 'userland IPsec has ESP in tunnel mode only');
  }
};

const unlessMissing = (fault: unknown): void => {
  if (!(fault instanceof KernelError) || fault.reason !== 'missing') throw fault;
};

const asKernelError = async <T>(promise: Promise<T>): Promise<T> => {
  try {
    return await promise;
  } catch (fault) {
    throw kernelError(fault);
  }
};

const kernelError = (fault: unknown): unknown =>
  fault instanceof SystemError && !(fault instanceof KernelError) ? new KernelError('failed', fault.message) : fault;

const nameOf = ({ spi, destination }: SaId): string => `${spi} ${destination}`;

/** In a buffer of its own, which can be handed over. */
const copied = (key: Uint8Array): Uint8Array<ArrayBuffer> => {
  const copy = new Uint8Array(key.length);
  copy.set(key);
  return copy;
};

const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

/** So many threads may die within a minute; then the fault is not one that another thread cures. */
const MOST_DEATHS = 3;
const DEATHS_MS = 60_000;
