/** A kernel that keeps SAs and flows in memory, on a virtual clock. */
import {
  type Capabilities,
  type Flow,
  type KernelBackend,
  KernelError,
  type OwnState,
  type SaContext,
  type SaUsage,
} from '../../src/kernel/backend.ts';
import { createNoneBackend } from '../../src/kernel/none/none-backend.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import type { Schedule } from './network.ts';
import type { Prng } from './prng.ts';

export interface KernelWorld {
  readonly schedule: Schedule;
  readonly prng: Prng;
  /** How slow and how fallible kernels are. */
  readonly kernel: { readonly delay: number; readonly refusals: number };
}

interface MemorySa {
  readonly direction: IpsecSa['direction'];
  readonly source: string;
  readonly id: SaId;
  readonly reqid: number;
}

/** Keeps SAs by direction-blind id, and flows; complains about wrong use, and takes its time. */
export class MemoryKernel implements KernelBackend {
  readonly name = 'none';
  readonly capabilities: Capabilities = createNoneBackend().capabilities;
  readonly sas = new Map<string, MemorySa>();
  readonly flows = new Map<number, Flow>();
  readonly #world: KernelWorld;
  #answers = 0;

  constructor(world: KernelWorld) {
    this.#world = world;
  }

  addSa(sa: IpsecSa, { reqid }: SaContext): Promise<void> {
    return this.#later(() => {
      if (this.sas.has(keyOf(sa))) throw new KernelError('exists', 'that SPI is taken');
      if (this.#world.prng.chance(this.#world.kernel.refusals)) throw new KernelError('failed', 'out of memory');
      const { direction, source, protocolId, spi, destination } = sa;
      this.sas.set(keyOf(sa), { direction, source, reqid, id: { protocolId, spi, destination } });
    });
  }

  deleteSa(id: SaId): Promise<void> {
    return this.#later(() => {
      if (!this.sas.delete(keyOf(id))) throw new KernelError('failed', 'deleted twice');
    });
  }

  moveSa(): Promise<SaId> {
    return Promise.reject(new KernelError('unsupported', 'nobody moves here'));
  }

  querySa(): Promise<SaUsage> {
    return Promise.resolve({ bytes: 0, packets: 0, addedAt: 0, usedAt: 0 });
  }

  putFlow(flow: Flow): Promise<void> {
    return this.#later(() => {
      if (this.#world.prng.chance(this.#world.kernel.refusals)) throw new KernelError('failed', 'out of memory');
      this.flows.set(flow.id, flow);
    });
  }

  deleteFlow(id: number): Promise<void> {
    return this.#later(() => {
      if (!this.flows.delete(id)) throw new KernelError('missing', 'no such flow');
    });
  }

  /** The SAs that packets of this flow get. */
  senders({ reqid }: Flow): readonly MemorySa[] {
    return [...this.sas.values()].filter((sa) => sa.reqid === reqid && sa.direction === 'out');
  }

  listOwn(): Promise<OwnState> {
    return Promise.resolve({ sas: [...this.sas.values()], policies: [...this.flows.values()] });
  }

  purgeOwn(): Promise<void> {
    return Promise.reject(new KernelError('failed', 'nobody starts with leftovers here'));
  }

  removeLeftovers(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Whether promises have been settled since the last time this was asked. */
  hasAnswered(): boolean {
    const answers = this.#answers;
    this.#answers = 0;
    return answers > 0;
  }

  #later(act: () => void): Promise<void> {
    const { schedule, prng, kernel } = this.#world;
    return new Promise((resolve, reject) => {
      schedule.after(prng.between(0, kernel.delay), () => {
        this.#answers++;
        try {
          act();
          resolve();
        } catch (fault) {
          reject(fault);
        }
      });
    });
  }
}

const keyOf = ({ protocolId, spi, destination }: SaId): string => `${protocolId}/${spi}/${destination}`;
