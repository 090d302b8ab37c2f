/** The supervisor's dealings with the kernel: they take time, and what fails half way is undone. */
import { type KernelBackend, KernelError } from '../../kernel/backend.ts';
import type { ConfigurationView } from '../../shared/connection/configuration-view.ts';
import type { ConnectionEffect, Move, SaId } from '../../shared/connection/events.ts';
import type { SaUsage } from '../../shared/kernel-news.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure } from '../../shared/log/records.ts';
import type { Agreement, IpsecSa, LogRecord } from '../../shared/threads/contract.ts';
import { saContext } from './sa-context.ts';

export interface KernelWorkOptions {
  readonly kernel: KernelBackend;
  readonly log: (record: LogRecord) => void;
  /** Debug level of each class. */
  readonly levels: Int32Array;
  /** Shared-SADB: the other end of our SAs is in the same kernel. */
  readonly isShared: () => boolean;
  readonly view: Pick<ConfigurationView, 'peer'>;
}

/** How an installation ended. */
export type Installation =
  | { readonly kind: 'added'; readonly sas: readonly SaId[] }
  | { readonly kind: 'refused'; readonly reason: string };

export class KernelWork {
  readonly #kernel: KernelBackend;
  readonly #log: (record: LogRecord) => void;
  readonly #levels: Int32Array;
  readonly #isShared: () => boolean;
  readonly #view: KernelWorkOptions['view'];
  #running = 0;
  #whenIdle: (() => void)[] = [];

  constructor({ kernel, log, levels, isShared, view }: KernelWorkOptions) {
    this.#kernel = kernel;
    this.#log = log;
    this.#levels = levels;
    this.#isShared = isShared;
    this.#view = view;
  }

  /** Resolves when no call runs. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Calls that the kernel has not answered. */
  get running(): number {
    return this.#running;
  }

  /** Adds SAs in order, all or none, and zeroes their keys. Never rejects. */
  async install(effect: AddEffect): Promise<Installation> {
    const { sas } = effect;
    const added: SaId[] = [];
    try {
      this.#checkRoute(effect.agreement);
      for (const sa of sas) {
        if (await this.#add(sa, effect)) added.push(idOf(sa));
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

  /** Of those that are there, in no order. Never rejects, as `remove`. */
  async query(ids: readonly SaId[]): Promise<readonly SaUsage[]> {
    const usages: SaUsage[] = [];
    const ask = async (id: SaId): Promise<void> => {
      usages.push(await this.#kernel.querySa(id));
    };
    await Promise.all(ids.map((id) => this.#tolerated('query', id, ask(id))));
    return usages;
  }

  /** Never rejects: what cannot be moved stays as it is, and is logged. `isDone`: all have moved. */
  async move(moves: readonly Move[]): Promise<{ readonly sas: readonly SaId[]; readonly isDone: boolean }> {
    const sas: SaId[] = [];
    let isDone = true;
    for (const { id, source, destination } of moves) {
      try {
        sas.push(await this.#counted('move', id, this.#kernel.moveSa(id, source, destination)));
      } catch (fault) {
        this.#complain('move', id, fault);
        sas.push(id);
        isDone = false;
      }
    }
    return { sas, isDone };
  }

  /** Answers whether it is ours to remove: where both ends share a kernel, our outbound SA is the other's inbound one. */
  async #add(sa: IpsecSa, { agreement, reqid, acquire }: AddEffect): Promise<boolean> {
    const isShared = this.#isShared();
    const context = saContext(sa, {
      ...{ agreement, reqid, acquire },
      sha2Truncation96: this.#view.peer(agreement.peer)?.sha2Truncation96 ?? false,
    });
    try {
      await this.#counted('add', sa, this.#kernel.addSa(isShared ? { ...sa, replayWindow: 0 } : sa, context));
      return true;
    } catch (fault) {
      const isTolerable =
        isShared && sa.direction === 'out' && fault instanceof KernelError && fault.reason === 'exists';
      if (isTolerable) return false;
      throw fault;
    }
  }

  async #tolerated(what: string, id: SaId, call: Promise<void>): Promise<void> {
    try {
      await this.#counted(what, id, call);
    } catch (fault) {
      if (!isMissing(fault)) this.#complain(what, id, fault);
    }
  }

  async #counted<T>(what: string, id: SaId, call: Promise<T>): Promise<T> {
    this.#running++;
    this.#trace(what, id, 'asked');
    try {
      const answer = await call;
      this.#trace(what, id, 'done');
      return answer;
    } catch (fault) {
      this.#trace(what, id, fault instanceof KernelError ? fault.reason : 'failed');
      throw fault;
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
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

type AddEffect = Extract<ConnectionEffect, { readonly kind: 'add' }>;

const isMissing = (fault: unknown): boolean => fault instanceof KernelError && fault.reason === 'missing';

const idOf = ({ protocolId, spi, destination }: IpsecSa): SaId => ({ protocolId, spi, destination });
