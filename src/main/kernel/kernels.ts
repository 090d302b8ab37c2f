/** The IPsec kernels that this daemon can use, and which one it uses. */
import { release } from 'node:os';
import { type KernelBackend, KernelError, type KernelUpcalls, type OwnState } from '../../kernel/backend.ts';
import type { SocketSetting } from '../../kernel/linux-sockets.ts';
import { openPfKeySocket, openXfrmSocket } from '../../kernel/native/kernel-sockets.ts';
import { createNoneBackend } from '../../kernel/none/none-backend.ts';
import { isWithin } from '../../kernel/own-reqids.ts';
import { bypassOptions as pfKeyBypass } from '../../kernel/pfkey/bypass.ts';
import { markOption } from '../../kernel/userland/socket-options.ts';
import { XFRM_GROUPS } from '../../kernel/xfrm/layout.ts';
import { udpEncapsulationOption, bypassOptions as xfrmBypass } from '../../kernel/xfrm/socket-options.ts';
import type { KernelChoice } from '../../shared/config/resolve-general.ts';
import { SystemError } from '../../shared/errors.ts';
import type { ReqidRange } from '../../shared/flow.ts';
import { notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { schedule } from '../clock.ts';
import type { ReqidJournal } from './reqid-journal.ts';

/** What every backend is opened with. */
export interface KernelOpening {
  readonly upcalls: KernelUpcalls;
  readonly reqids: ReqidRange;
  /** Of predecessors that used another kernel: what has these is ours too, to be listed, removed and replaced. */
  readonly formerReqids: readonly ReqidRange[];
  /** Our own UDP ports. */
  readonly ports: readonly number[];
  readonly log: (record: LogRecord) => void;
  /** Debug level of each class. */
  readonly levels: Int32Array;
}

/**
 * Opens a backend and shows that it works: where a kernel can be asked, by adding and deleting an SA that nobody uses. Rejects with SystemError, which
 * says what this machine lacks.
 */
export type OpenKernel = (opening: KernelOpening) => Promise<KernelBackend>;

/** What there is, each loaded when it is tried. */
export type Kernels = Readonly<Partial<Record<KernelBackend['name'], OpenKernel>>>;
export const KERNELS: Kernels = {
  none: async () => createNoneBackend(),
  xfrm: async ({ upcalls, reqids, formerReqids }) => {
    const { openXfrmBackend } = await import('../../kernel/xfrm/xfrm-backend.ts');
    return openXfrmBackend({
      ...{ open: openXfrmSocket(XFRM_GROUPS), schedule, upcalls, release: release() },
      ...{ range: reqids, former: formerReqids },
    });
  },
  pfkey: async ({ upcalls, reqids, formerReqids }) => {
    const { openPfKeyBackend } = await import('../../kernel/pfkey/pfkey-backend.ts');
    return openPfKeyBackend({
      ...{ open: openPfKeySocket, pid: process.pid, schedule, upcalls },
      ...{ reqids, former: formerReqids },
    });
  },
  userland: async ({ upcalls, ports, log }) => {
    const { UserlandBackend } = await import('../../kernel/userland/userland-backend.ts');
    const backend = await UserlandBackend.open({ ...ROUTING, mtu: INNER_MTU, ports, upcalls });
    const left = await backend.leftRules();
    const text =
      `kernel: ${left} routing rules that a predecessor left stay closed until the configuration is in place` as const;
    if (left > 0) log(notice('kernel-leftovers', text));
    return backend;
  },
};
/** Of the host's routing, userland ESP has these for itself (isakmpd(8), docs/adr/0009). */
const ROUTING = { interfaceName: 'isakmpd0', table: 220, firstRule: 100, mark: 500 };
/** Bytes: with any header and ICV that ESP may add, it fits in UDP into 1500. */
const INNER_MTU = 1400;

/** What our own UDP sockets need so that policies let IKE pass, and the kernel takes ESP out of UDP: to be set once the kernel is open. */
export const socketOptions = (
  kernel: KernelBackend['name'],
  family: 4 | 6,
  isEncapsulated: boolean,
): readonly SocketSetting[] => {
  if (kernel === 'userland') return [markOption(ROUTING.mark)];
  if (kernel === 'none') return [];
  const bypass = kernel === 'xfrm' ? xfrmBypass(family) : pfKeyBypass(family);
  return isEncapsulated ? [...bypass, udpEncapsulationOption()] : bypass;
};

export interface KernelRequest extends Omit<KernelOpening, 'reqids' | 'formerReqids'> {
  readonly choice: KernelChoice;
  /** --allow-userland: `auto` may come to it. */
  readonly allowsUserland: boolean;
  readonly journal: ReqidJournal;
  /** -S, Delete-SAs=no: what a predecessor left stays. */
  readonly keepsLeftovers: boolean;
  readonly kernels: Kernels;
}

export interface OpenedKernel {
  readonly kernel: KernelBackend;
  readonly reqids: ReqidRange;
  /** What a predecessor left and stays. */
  readonly kept: OwnState;
  /** Its policies may go where the configuration does not want them. */
  readonly mayRemoveLeftovers: boolean;
}

/**
 * Opens what is configured; `auto` takes the first that works, and never none. Says which, and why. What a predecessor left behind is removed, or kept.
 * Rejects with SystemError.
 */
export const openKernel = async (request: KernelRequest): Promise<OpenedKernel> => {
  const { choice, log } = request;
  if (choice !== 'auto') {
    const opened = await openConfigured(choice, request);
    log(notice('kernel-chosen', `kernel: ${choice} is used, as configured`));
    return opened;
  }
  const refusals: string[] = [];
  for (const name of request.allowsUserland ? WITH_USERLAND : IN_THE_KERNEL) {
    try {
      const opened = await openOne(name, request);
      const reason = refusals.length === 0 ? '' : ` (${refusals.join('; ')})`;
      log(notice('kernel-chosen', `kernel: ${name} is used, the first that works here${reason}`));
      return opened;
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      refusals.push(`${name}: ${fault.message}`);
    }
  }
  throw new SystemError(
    `no kernel here takes IPsec SAs (${refusals.join('; ')}): mend that, or run without IPsec with -n${request.allowsUserland ? '' : ', or allow ESP in this process with --allow-userland'}`,
  );
};

const openConfigured = async (name: KernelBackend['name'], request: KernelRequest): Promise<OpenedKernel> => {
  try {
    return await openOne(name, request);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    throw new SystemError(`[General]:Kernel=${name} cannot be used here: ${fault.message}`);
  }
};

const openOne = async (name: KernelBackend['name'], request: KernelRequest): Promise<OpenedKernel> => {
  const { journal, kernels } = request;
  const open = kernels[name];
  if (open === undefined) throw new SystemError('this version does not have it');
  const mayRemoveLeftovers = !request.keepsLeftovers;
  if (name === 'none' || name === 'userland') {
    // No SA of them outlives the process.
    const reqids = journal.draw(name);
    const kernel = await open({ ...request, reqids, formerReqids: [] });
    return { kernel, reqids, kept: NOTHING, mayRemoveLeftovers };
  }
  const formerReqids = journal.former(name);
  const inherited = journal.inherited(name);
  if (inherited !== undefined) {
    const kernel = await open({ ...request, reqids: inherited, formerReqids });
    const left = await clearAway(kernel, request);
    return { kernel, reqids: inherited, kept: within(inherited, left), mayRemoveLeftovers };
  }
  for (let draws = 0; draws < MOST_DRAWS; draws++) {
    const reqids = journal.draw(name);
    const kernel = await open({ ...request, reqids, formerReqids });
    if (isEmpty(within(reqids, await kernel.listOwn()))) {
      await clearAway(kernel, request);
      await journal.keep(name, reqids);
      return { kernel, reqids, kept: NOTHING, mayRemoveLeftovers };
    }
    // Somebody else's: another daemon drew the same range.
    await kernel.close();
  }
  throw new SystemError(`all reqids that were tried are in use by others: look into \`ip xfrm state\``);
};

/** Answers what stays. */
const clearAway = async (
  kernel: KernelBackend,
  { keepsLeftovers, log }: Pick<KernelRequest, 'keepsLeftovers' | 'log'>,
): Promise<OwnState> => {
  const left = await kernel.listOwn();
  if (isEmpty(left)) return left;
  const what = `${left.sas.length} SAs and ${left.policies.length} policies`;
  if (keepsLeftovers) {
    log(notice('kernel-leftovers', `kernel: ${what} that a predecessor left stay`));
    return left;
  }
  // The policies stay: without them packets would leave in the clear until ours are there.
  for (const { id } of left.sas) await kernel.deleteSa(id).catch(unlessMissing);
  const text =
    `kernel: ${left.sas.length} SAs that a predecessor left are removed; its ${left.policies.length} policies stay closed until the configuration is in place` as const;
  log(notice('kernel-leftovers', text));
  return { sas: [], policies: left.policies };
};

const unlessMissing = (fault: unknown): void => {
  if (!(fault instanceof KernelError && fault.reason === 'missing')) throw fault;
};

/** Those that this daemon can go on with: reqids of another range it cannot draw. */
const within = (range: ReqidRange, { sas, policies }: OwnState): OwnState => ({
  sas: sas.filter(({ reqid }) => isWithin(range, reqid)),
  policies: policies.filter(({ reqid }) => isWithin(range, reqid)),
});

const isEmpty = ({ sas, policies }: OwnState): boolean => sas.length + policies.length === 0;

const NOTHING: OwnState = { sas: [], policies: [] };

const IN_THE_KERNEL = ['xfrm', 'pfkey'] as const;
const WITH_USERLAND = [...IN_THE_KERNEL, 'userland'] as const;
/** Of one range; with a handful of daemons on a machine one draw does. */
const MOST_DRAWS = 20;
