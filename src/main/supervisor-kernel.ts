/** The supervisor's dealings with the kernel: they take time, and what fails half way is undone. */
import { type KernelBackend, KernelError } from '../kernel/backend.ts';
import type { SaId } from '../shared/connection/events.ts';
import { isPrinted, LogClass } from '../shared/log/classes.ts';
import { debugRecord } from '../shared/log/debugging.ts';
import { failure } from '../shared/log/records.ts';
import type { Agreement, IpsecSa, LogRecord } from '../shared/threads/contract.ts';
import { saContext } from './sa-context.ts';

/** How an installation ended. */
export type Installation =
  | { readonly kind: 'added'; readonly sas: readonly SaId[] }
  | { readonly kind: 'refused'; readonly reason: string };

export class KernelWork {
  readonly #kernel: KernelBackend;
  readonly #log: (record: LogRecord) => void;
  readonly #levels: Int32Array;
  #running = 0;

  /** `levels`: debug level of each class. */
  constructor(kernel: KernelBackend, log: (record: LogRecord) => void, levels: Int32Array) {
    this.#kernel = kernel;
    this.#log = log;
    this.#levels = levels;
  }

  /** Calls that the kernel has not answered. */
  get running(): number {
    return this.#running;
  }

  /** Adds SAs in order, all or none, and zeroes their keys. Never rejects. */
  async install(sas: readonly IpsecSa[], agreement: Agreement, reqid: number): Promise<Installation> {
    const added: SaId[] = [];
    try {
      this.#checkRoute(agreement);
      for (const sa of sas) {
        await this.#counted('add', sa, this.#kernel.addSa(sa, saContext(sa, agreement, reqid)));
        added.push(idOf(sa));
      }
      return { kind: 'added', sas: added };
    } catch (fault) {
      await this.remove(added);
      if (!(fault instanceof KernelError)) this.#complain('add', undefined, fault);
      return { kind: 'refused', reason: fault instanceof KernelError ? fault.reason : 'failed' };
    } finally {
      for (const { encryptionKey, authenticationKey } of sas) {
        encryptionKey.fill(0);
        authenticationKey.fill(0);
      }
    }
  }

  /** Without its route an SA would be for other packets than the operator wants. */
  #checkRoute({ connection, route }: Agreement): void {
    const { name, capabilities } = this.#kernel;
    if (capabilities.routes || (route.markMask === 0 && route.interfaceId === 0)) return;
    const text = `[${connection}]:Mark and Interface-id need XFRM, ${name} has no route-based tunnels`;
    const refusal = new KernelError('unsupported', text);
    this.#complain('add', undefined, refusal);
    throw refusal;
  }

  /** Never rejects: an SA that is gone already is no fault, another refusal is logged. */
  async remove(ids: readonly SaId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#tolerated('delete', id, this.#kernel.deleteSa(id))));
  }

  /** The last packet through any of these, seconds since the epoch; 0: there was none, or the kernel does not say. Never rejects, as `remove`. */
  async lastUse(ids: readonly SaId[]): Promise<number> {
    let latest = 0;
    const query = async (id: SaId): Promise<void> => {
      const { usedAt } = await this.#kernel.querySa(id);
      latest = Math.max(latest, usedAt);
    };
    await Promise.all(ids.map((id) => this.#tolerated('query', id, query(id))));
    return latest;
  }

  async #tolerated(what: string, id: SaId, call: Promise<void>): Promise<void> {
    try {
      await this.#counted(what, id, call);
    } catch (fault) {
      if (!(fault instanceof KernelError && fault.reason === 'missing')) this.#complain(what, id, fault);
    }
  }

  async #counted(what: string, id: SaId, call: Promise<void>): Promise<void> {
    this.#running++;
    this.#trace(what, id, 'asked');
    try {
      await call;
      this.#trace(what, id, 'done');
    } catch (fault) {
      this.#trace(what, id, fault instanceof KernelError ? fault.reason : 'failed');
      throw fault;
    } finally {
      this.#running--;
    }
  }

  #trace(what: string, { protocolId, spi, destination }: SaId, outcome: string): void {
    if (!isPrinted(this.#levels, LogClass.SYSDEP, 40)) return;
    const sa = `proto ${protocolId} SPI ${spi.toString(16).padStart(8, '0')} to ${destination}`;
    this.#log(debugRecord(LogClass.SYSDEP, 40, `kernel_${what}: ${sa}: ${outcome}`, { address: destination }));
  }

  #complain(what: string, id: SaId | undefined, fault: unknown): void {
    const text = fault instanceof Error ? fault.message : String(fault);
    const which = id === undefined ? '' : ` ${id.spi.toString(16).padStart(8, '0')} to ${id.destination}`;
    this.#log(failure('kernel', `kernel: ${what} SA${which}: ${text}`));
  }
}

const idOf = ({ protocolId, spi, destination }: IpsecSa): SaId => ({ protocolId, spi, destination });
