/** The kernel by XFRM netlink (Linux): SAs, policies, and what it says unasked. Starting one costs some ten milliseconds of probing. */
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { SystemError } from '../../shared/errors.ts';
import type { Flow, ReqidRange } from '../../shared/flow.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import {
  type Capabilities,
  type KernelBackend,
  KernelError,
  type KernelUpcalls,
  type OwnPolicy,
  type OwnState,
  type SaContext,
  type SaUsage,
} from '../backend.ts';
import type { OpenKernelSocket } from '../kernel-socket.ts';
import { probeCapabilities } from './capabilities.ts';
import { Conversation, type Schedule } from './conversation.ts';
import { XfrmFlows } from './flows.ts';
import { Direction } from './layout.ts';
import type { PolicySpec } from './policy-messages.ts';
import { XfrmSas } from './sas.ts';
import { Upcalls } from './upcalls.ts';

export interface XfrmOptions {
  /** A netlink socket that hears the groups of ACQUIRE, EXPIRE and MAPPING. */
  readonly open: OpenKernelSocket;
  readonly schedule: Schedule;
  readonly upcalls: KernelUpcalls;
  readonly range: ReqidRange;
  /** Of predecessors. */
  readonly former?: readonly ReqidRange[];
  /** As uname(2) has it, `6.1.0-26-amd64`. */
  readonly release: string;
}

/** Rejects with SystemError where there is no such socket, with KernelError 'unsupported' where the kernel takes no SAs. */
export const openXfrmBackend = async (options: XfrmOptions): Promise<KernelBackend> => {
  const backend = new XfrmBackend(options);
  try {
    await backend.probe();
    return backend;
  } catch (fault) {
    await backend.close();
    throw fault;
  }
};

class XfrmBackend implements KernelBackend {
  readonly name = 'xfrm';
  readonly #options: XfrmOptions;
  readonly #conversation: Conversation;
  readonly #sas: XfrmSas;
  readonly #flows: XfrmFlows;
  readonly #upcalls: Upcalls;
  #capabilities: Capabilities = NO_CAPABILITIES;
  /** Messages were lost since the last look began. */
  #isStale = false;
  #isLooking = false;
  #isClosed = false;

  constructor(options: XfrmOptions) {
    this.#options = options;
    this.#conversation = new Conversation(options.open, options.schedule, {
      upcall: (message) => this.#upcalls.take(message),
      overrun: () => void this.#onOverrun(),
      failed: (error) => options.upcalls.failed(error),
    });
    const reqids = { current: options.range, former: options.former ?? [] };
    this.#sas = new XfrmSas(this.#conversation, reqids);
    this.#flows = new XfrmFlows(this.#conversation, reqids);
    this.#upcalls = new Upcalls(options.upcalls, options.range, this.#sas, this.#flows);
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  async probe(): Promise<void> {
    const { range, release } = this.#options;
    this.#capabilities = await probeCapabilities(this.#conversation, range.first, release);
  }

  async addSa(sa: IpsecSa, context: SaContext): Promise<void> {
    await this.#sas.add(sa, context);
  }

  async moveSa(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId> {
    return await this.#sas.move(id, source, destination);
  }

  async deleteSa(id: SaId): Promise<void> {
    await this.#sas.delete(id);
  }

  async querySa(id: SaId): Promise<SaUsage> {
    return await this.#sas.query(id);
  }

  async putFlow(flow: Flow): Promise<void> {
    await this.#flows.put(flow);
  }

  async deleteFlow(id: number): Promise<void> {
    await this.#flows.delete(id);
  }

  async listOwn(): Promise<OwnState> {
    const policies = await this.#flows.listOwn();
    const sas = (await this.#sas.listOwn()).filter(({ id }) => id.spi !== 0);
    return {
      sas: sas.map(({ id, source, reqid }) => ({ id, source, reqid })),
      policies: policies.flatMap(ownPolicyOf),
    };
  }

  async purgeOwn(): Promise<void> {
    await this.#flows.purgeOwn();
    await this.#sas.purgeOwn();
  }

  async removeLeftovers(): Promise<number> {
    return await this.#flows.removeLeftovers();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#conversation.close();
  }

  /** One look at a time; what is lost meanwhile brings another. */
  async #onOverrun(): Promise<void> {
    this.#isStale = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const { gone, waiting } = await this.#look();
        this.#options.upcalls.lost(gone);
        for (const sa of waiting) this.#upcalls.waiting(sa);
      }
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      if (this.#isClosed) return;
      this.#conversation.close();
      this.#options.upcalls.failed(new SystemError(`XFRM: messages were lost, and then: ${fault.message}`));
    } finally {
      this.#isLooking = false;
    }
  }

  /** What was lost may be lost again. */
  async #look(): ReturnType<XfrmSas['resynchronize']> {
    for (let looks = 1; ; looks++) {
      try {
        return await this.#sas.resynchronize();
      } catch (fault) {
        if (looks === MOST_LOOKS || this.#isClosed) throw fault;
      }
    }
  }
}

/** The outbound one of a flow's policies. */
const ownPolicyOf = ({ direction, selectors, route, templates: [template] }: PolicySpec): readonly OwnPolicy[] =>
  direction === Direction.OUT && template !== undefined
    ? [{ local: selectors.source, remote: selectors.destination, reqid: template.reqid, route }]
    : [];

const MOST_LOOKS = 3;

const NO_CAPABILITIES: Capabilities = {
  espTransforms: new Set(),
  ahTransforms: new Set(),
  authentications: new Set(),
  encapsulations: new Set(),
  onlySha2Truncation96: false,
  lastUse: false,
  routes: false,
};
