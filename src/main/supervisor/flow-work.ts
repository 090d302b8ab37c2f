/** Policies on their way into the kernel: for each flow one call at a time, and of what is wanted meanwhile only the latest. */
import { type KernelBackend, KernelError } from '../../kernel/backend.ts';
import type { Flow, Selector } from '../../shared/flow.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure, notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

type Kernel = Pick<KernelBackend, 'putFlow' | 'deleteFlow' | 'removeLeftovers' | 'capabilities'>;

/** What a flow should be; undefined: gone. */
interface Wish {
  flow: Flow | undefined;
  isNew: boolean;
}

export class FlowWork {
  readonly #kernel: Kernel;
  readonly #log: (record: LogRecord) => void;
  readonly #levels: Int32Array;
  readonly #onRefusal: (id: number) => void;
  /** Those whose refusal has been logged. */
  readonly #refused = new Set<number>();
  /** Flows for which a call runs. */
  readonly #whenIdle: (() => void)[] = [];
  readonly #wishes = new Map<number, Wish>();

  /** `levels`: debug level of each class. `onRefusal` hears of every flow that could not be put. */
  constructor(options: {
    readonly kernel: Kernel;
    readonly log: (record: LogRecord) => void;
    readonly levels: Int32Array;
    readonly onRefusal: (id: number) => void;
  }) {
    this.#kernel = options.kernel;
    this.#log = options.log;
    this.#levels = options.levels;
    this.#onRefusal = options.onRefusal;
  }

  /** Calls that the kernel has not answered. */
  get running(): number {
    return this.#wishes.size;
  }

  /** Resolves when no call runs. */
  idle(): Promise<void> {
    return this.#wishes.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** False: a flow was refused, so somebody may still want what is left. Never rejects: what the kernel refuses is logged. */
  async removeLeftovers(): Promise<boolean> {
    await this.idle();
    if (this.#refused.size > 0) return false;
    try {
      const flows = await this.#kernel.removeLeftovers();
      const text =
        `kernel: ${flows} policies that a predecessor left for what is not configured any more are removed` as const;
      if (flows > 0) this.#log(notice('kernel-leftovers', text));
    } catch (fault) {
      const text = fault instanceof Error ? fault.message : String(fault);
      this.#log(failure('kernel', `kernel: remove policies that a predecessor left: ${text}`));
    }
    return true;
  }

  /** Adds the flow, or replaces the one with this id. What the kernel refuses is logged, once until it takes the flow. */
  put(flow: Flow): void {
    this.#want(flow.id, flow);
  }

  remove(id: number): void {
    this.#want(id, undefined);
  }

  #want(id: number, flow: Flow | undefined): void {
    const running = this.#wishes.get(id);
    if (running === undefined) {
      const wish = { flow, isNew: true };
      this.#wishes.set(id, wish);
      void this.#run(id, wish);
    } else {
      running.flow = flow;
      running.isNew = true;
    }
  }

  async #run(id: number, wish: Wish): Promise<void> {
    while (wish.isNew) {
      wish.isNew = false;
      await this.#call(id, wish.flow);
    }
    this.#wishes.delete(id);
    if (this.#wishes.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Never rejects. */
  async #call(id: number, flow: Flow | undefined): Promise<void> {
    try {
      this.#trace(id, flow, 'asked');
      await (flow === undefined ? this.#kernel.deleteFlow(id) : this.#put(flow));
      this.#trace(id, flow, 'done');
      this.#refused.delete(id);
    } catch (fault) {
      this.#trace(id, flow, fault instanceof KernelError ? fault.reason : 'failed');
      const isGone = flow === undefined && fault instanceof KernelError && fault.reason === 'missing';
      if (isGone) this.#refused.delete(id);
      else this.#complain(id, flow, fault);
      if (flow !== undefined) this.#onRefusal(id);
    }
  }

  /** Without its route a policy would be for other packets than the operator wants. */
  async #put(flow: Flow): Promise<void> {
    const { markMask, interfaceId } = flow.route;
    if (!this.#kernel.capabilities.routes && (markMask !== 0 || interfaceId !== 0)) {
      throw new KernelError('unsupported', 'Mark and Interface-id need XFRM');
    }
    await this.#kernel.putFlow(flow);
  }

  #complain(id: number, flow: Flow | undefined, fault: unknown): void {
    if (flow !== undefined && this.#refused.has(id)) return;
    if (flow !== undefined) this.#refused.add(id);
    else this.#refused.delete(id);
    const text = fault instanceof Error ? fault.message : String(fault);
    const what = flow === undefined ? 'delete' : 'put';
    this.#log(failure('kernel', `kernel: ${what} flow ${flow === undefined ? id : textOf(flow)}: ${text}`));
  }

  #trace(id: number, flow: Flow | undefined, outcome: string): void {
    if (!isPrinted(this.#levels, LogClass.SYSDEP, 40)) return;
    const what =
      flow === undefined ? `kernel_delete: flow ${id}` : `kernel_put: flow ${textOf(flow)} reqid ${flow.reqid}`;
    this.#log(debugRecord(LogClass.SYSDEP, 40, `${what}: ${outcome}`, {}));
  }
}

const textOf = ({ id, local, remote, remoteAddress }: Flow): string =>
  `${id} from ${selectorText(local)} to ${selectorText(remote)} by ${remoteAddress}`;

const selectorText = ({ address, prefixLength, protocol, port }: Selector): string =>
  `${address}/${prefixLength}${protocol === 0 ? '' : ` proto ${protocol}`}${port === 0 ? '' : ` port ${port}`}`;
