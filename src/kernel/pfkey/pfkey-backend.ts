/** The kernel by PF_KEY v2, RFC 2367 with what Linux adds to it: what belongs together is put together here, and read anew when messages were lost. */
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { SystemError } from '../../shared/errors.ts';
import { NO_ROUTE, type ReqidRange } from '../../shared/flow.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import {
  type Capabilities,
  type Flow,
  type KernelBackend,
  KernelError,
  type KernelUpcalls,
  type OwnPolicy,
  type OwnState,
  type SaContext,
  type SaUsage,
} from '../backend.ts';
import type { OpenKernelSocket } from '../kernel-socket.ts';
import type { OwnReqids } from '../own-reqids.ts';
import { capabilitiesOf, type Supported, supportedBy } from './algorithms.ts';
import { LAST_REQID, PolicyDirection, SaType } from './constants.ts';
import { Conversation, type Schedule } from './conversation.ts';
import { Flows } from './flows.ts';
import type { Message } from './message.ts';
import { nameOf, OwnSas } from './own-sas.ts';
import { type DumpedPolicy, type DumpedSa, dumpSas } from './resync.ts';
import { registerRequest } from './sa-requests.ts';
import { Sas } from './sas.ts';
import { tellUpcall } from './upcalls.ts';

/** What a PF_KEY backend is made of. */
export interface PfKeyOptions {
  readonly open: OpenKernelSocket;
  /** Of this process. */
  readonly pid: number;
  readonly reqids: ReqidRange;
  /** Of predecessors. */
  readonly former?: readonly ReqidRange[];
  readonly upcalls: KernelUpcalls;
  readonly schedule: Schedule;
}

/** Throws SystemError where the kernel has no PF_KEY, or the reqids are none that it keeps. The first time the kernel looks for its algorithms, which takes a while. */
export const openPfKeyBackend = async (options: PfKeyOptions): Promise<KernelBackend> => {
  const { reqids, upcalls, open, pid, schedule } = options;
  const last = reqids.first + reqids.count - 1;
  if (reqids.first < 1 || last > LAST_REQID) {
    throw new SystemError(
      `PF_KEY: reqids ${reqids.first} to ${last}, but policies keep only those of 1 to ${LAST_REQID}`,
    );
  }
  let backend: PfKeyBackend | undefined;
  const conversation = new Conversation({
    open,
    pid,
    schedule,
    upcall: (message) => backend?.told(message),
    lost: () => void backend?.readAnew(),
    failed: (error) => {
      if (backend !== undefined) upcalls.failed(error);
    },
  });
  try {
    // Linux has one list for ESP and AH, for which it may look for seconds, and sends the ACQUIREs of all to whoever has registered for one.
    const supported = supportedBy(await conversation.ask(registerRequest(SaType.ESP)));
    backend = new PfKeyBackend(options, conversation, supported);
    return backend;
  } catch (fault) {
    conversation.close();
    throw fault;
  }
};

class PfKeyBackend implements KernelBackend {
  readonly name = 'pfkey';
  readonly capabilities: Capabilities;
  readonly #reqids: OwnReqids;
  readonly #upcalls: KernelUpcalls;
  readonly #conversation: Conversation;
  readonly #own = new OwnSas();
  readonly #flows: Flows;
  readonly #sas: Sas;
  #isReading = false;
  #isStale = false;

  constructor({ reqids, former, upcalls }: PfKeyOptions, conversation: Conversation, supported: Supported) {
    this.capabilities = capabilitiesOf(supported);
    this.#reqids = { current: reqids, former: former ?? [] };
    this.#upcalls = upcalls;
    this.#conversation = conversation;
    this.#flows = new Flows(conversation, this.#reqids);
    this.#sas = new Sas(conversation, supported, this.#own);
  }

  addSa(sa: IpsecSa, context: SaContext): Promise<void> {
    return this.#sas.add(sa, context);
  }

  moveSa(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId> {
    return this.#sas.move(id, source, destination);
  }

  deleteSa(id: SaId): Promise<void> {
    return this.#sas.delete(id);
  }

  querySa(id: SaId): Promise<SaUsage> {
    return this.#sas.query(id);
  }

  putFlow(flow: Flow): Promise<void> {
    return this.#flows.put(flow);
  }

  deleteFlow(id: number): Promise<void> {
    return this.#flows.delete(id);
  }

  async listOwn(): Promise<OwnState> {
    const dumped = await dumpSas(this.#conversation, this.#reqids);
    const sas = dumped.filter(({ isReserved }) => !isReserved);
    for (const sa of sas) this.#adopt(sa);
    const policies = await this.#flows.listOwn();
    return {
      sas: sas.map(({ id, source, reqid }) => ({ id, source, reqid })),
      policies: policies.flatMap(ownPolicyOf),
    };
  }

  /** Policies go last: until then nothing passes in clear. A FLUSH would take other people's SAs along. */
  async purgeOwn(): Promise<void> {
    const sas = await dumpSas(this.#conversation, this.#reqids);
    const removed = await Promise.allSettled(sas.map(({ id }) => this.#sas.delete(id)));
    await this.#flows.purgeOwn();
    const fault = removed.find((one) => one.status === 'rejected' && !isMissing(one.reason));
    if (fault?.status === 'rejected') throw fault.reason;
  }

  removeLeftovers(): Promise<number> {
    return this.#flows.removeLeftovers();
  }

  async close(): Promise<void> {
    this.#conversation.close();
  }

  /** An upcall of the kernel. */
  told(message: Message): void {
    tellUpcall(message, { reqids: this.#reqids.current, sas: this.#own, flows: this.#flows }, this.#upcalls);
  }

  /** Messages were lost, or everything was flushed. Never rejects with a KernelError. */
  async readAnew(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale) {
      this.#isStale = false;
      try {
        await this.#tellLost();
      } catch (fault) {
        // The next sign of a loss brings the next attempt.
        if (!(fault instanceof KernelError)) throw fault;
      }
    }
    this.#isReading = false;
  }

  #adopt({ id, source, reqid, sourcePort }: DumpedSa): void {
    if (this.#own.get(id) === undefined)
      this.#own.add({ id, source, reqid, place: { address: source, port: sourcePort ?? 0 } });
  }

  async #tellLost(): Promise<void> {
    const before = this.#own.all();
    const found = new Set((await dumpSas(this.#conversation, this.#reqids)).map(({ id }) => nameOf(id)));
    const gone = before.filter((sa) => this.#own.get(sa.id) === sa && !found.has(nameOf(sa.id)));
    for (const { id } of gone) this.#own.remove(id);
    if (gone.length > 0) this.#upcalls.lost(gone.map(({ id }) => id));
    await this.#flows.restore();
  }
}

const isMissing = (fault: unknown): boolean => fault instanceof KernelError && fault.reason === 'missing';

/** The outbound one of a flow's policies: the others have no reqid. */
const ownPolicyOf = ({ policy }: DumpedPolicy): readonly OwnPolicy[] => {
  const { direction, source, destination, requests } = policy;
  const [first] = requests;
  return direction === PolicyDirection.OUT && first !== undefined
    ? [{ local: source, remote: destination, reqid: first.reqid, route: NO_ROUTE }]
    : [];
};
