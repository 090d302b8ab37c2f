/** The backends that keep SAs, as the contract's tests open them and what they have to know of each. */
import { release } from 'node:os';
import { openIkeSocket } from '../../../loadtest/esp/bound-udp.ts';
import type { KernelBackend, KernelUpcalls } from '../../../src/kernel/backend.ts';
import type { OpenKernelSocket } from '../../../src/kernel/kernel-socket.ts';
import { AddressFamily, type SocketSetting, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { openPfKeySocket, openXfrmSocket } from '../../../src/kernel/native/kernel-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import { bypassOptions as pfKeyBypass } from '../../../src/kernel/pfkey/bypass.ts';
import { openPfKeyBackend } from '../../../src/kernel/pfkey/pfkey-backend.ts';
import { toSocketAddress } from '../../../src/kernel/udp/endpoint-bytes.ts';
import { UserlandBackend } from '../../../src/kernel/userland/userland-backend.ts';
import { MessageFlag, XFRM_GROUPS } from '../../../src/kernel/xfrm/layout.ts';
import { udpEncapsulationOption, bypassOptions as xfrmBypass } from '../../../src/kernel/xfrm/socket-options.ts';
import { openXfrmBackend } from '../../../src/kernel/xfrm/xfrm-backend.ts';
import type { Endpoint } from '../../../src/shared/address.ts';

export type Name = 'xfrm' | 'pfkey' | 'userland';

export interface Implementation {
  readonly name: Name;
  /** In this process and its network namespace. */
  open(upcalls: KernelUpcalls, bench: Bench): Promise<KernelBackend>;
  /** ESP in UDP comes in on this address and port as long as this process runs. */
  encapsulate(backend: KernelBackend, local: Endpoint): Promise<void>;
  /** What changes as long as it has something to do. Undefined: what comes from its socket does. */
  activity?(backend: KernelBackend): Promise<unknown>;
  /** Options of a socket whose packets pass all policies. Undefined: its policies are no such that cover neighbour discovery. */
  readonly bypass?: (family: 4 | 6) => readonly SocketSetting[];
  /** Undefined: it has no socket to the kernel that could lose anything. */
  readonly socket: SocketTraits | undefined;
  /** Others can have a policy for the selectors of a flow. */
  readonly sharesPolicies: boolean;
  /** SAs stay when the process ends. */
  readonly outlivesProcess: boolean;
  /** Commands of ip(8) within a namespace: they make what is somebody else's, show all there is, and remove all. */
  readonly foreign: readonly string[];
  readonly show: readonly string[];
  readonly flush: readonly string[];
}

export interface SocketTraits {
  /** Whether a message may be lost and is an answer: no upcall, and no part of a dump, with which the kernel waits until there is room. */
  isAnswer(message: Uint8Array): boolean;
}

/** What a test has its hands on. */
export interface Bench {
  bend(open: OpenKernelSocket): OpenKernelSocket;
  schedule(milliseconds: number, callback: () => void): () => void;
}

const kernelEncapsulates = async (_: KernelBackend, local: Endpoint): Promise<void> => {
  const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });
  socket.bind(toSocketAddress(local));
  const { level, option, value } = udpEncapsulationOption();
  socket.setOption(level, option, value);
  sockets.push(socket);
};

/** They would go with the garbage. */
const sockets: NativeSocket[] = [];

/** What any IPsec kernel of Linux shows by ip-xfrm(8). */
const IN_KERNEL = {
  sharesPolicies: true,
  outlivesProcess: true,
  encapsulate: kernelEncapsulates,
  foreign: [
    `xfrm state add src 10.9.0.1 dst 10.9.0.2 proto esp spi 0x900 reqid 7 mode tunnel auth hmac(sha1) 0x${'5a'.repeat(20)} enc cbc(aes) 0x${'6b'.repeat(16)}`,
    'xfrm state add src 10.9.0.2 dst 10.9.0.1 proto ah spi 0x901 reqid 7 mode transport auth hmac(sha1) 0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a',
    'xfrm policy add src 10.98.0.0/16 dst 10.99.0.0/16 dir out tmpl src 10.9.0.1 dst 10.9.0.2 proto esp reqid 7 mode tunnel',
    // As ours but for its reqid, and the outbound one for it is missing.
    'xfrm policy add src 10.99.0.0/16 dst 10.98.0.0/16 dir in tmpl src 10.9.0.2 dst 10.9.0.1 proto esp mode tunnel',
    'xfrm policy add src 10.97.0.0/16 dst 10.96.0.0/16 dir out action block',
  ],
  show: ['xfrm state', 'xfrm policy'],
  flush: ['xfrm state flush', 'xfrm policy flush'],
} as const;

/** As the daemon has it. */
const ROUTING = { interfaceName: 'isakmpd0', table: 220, firstRule: 100, mark: 500, ports: [500, 4500] };

const USERLAND: Implementation = {
  name: 'userland',
  open: (upcalls) => UserlandBackend.open({ ...ROUTING, mtu: 1400, upcalls }),
  encapsulate: async (backend, local) => {
    sockets.push(openIkeSocket(local, ROUTING.mark));
    await backend.encapsulation?.open(local);
  },
  socket: undefined,
  activity: async (backend) => (backend instanceof UserlandBackend ? JSON.stringify(await backend.statistics()) : ''),
  sharesPolicies: false,
  outlivesProcess: false,
  foreign: [
    'rule add from 10.98.0.0/16 to 10.99.0.0/16 lookup 333 priority 99',
    'rule add from 10.99.0.0/16 to 10.98.0.0/16 lookup 333 priority 113',
    'route add 10.99.0.0/16 dev lo proto 99',
  ],
  show: ['rule', '-6 rule', 'route show table all', '-6 route show table all'],
  flush: ['rule flush table 333', 'route flush proto 99'],
};

export const IMPLEMENTATIONS = {
  xfrm: {
    name: 'xfrm',
    ...IN_KERNEL,
    bypass: xfrmBypass,
    open: (upcalls, { bend, schedule }) =>
      openXfrmBackend({
        open: bend(openXfrmSocket(XFRM_GROUPS)),
        schedule,
        upcalls,
        range: REQIDS,
        release: release(),
      }),
    socket: {
      isAnswer: (message) => {
        const [type = 0, flags = 0] = new Uint16Array(message.slice(4, 8).buffer);
        return !XFRM_UPCALLS.has(type) && (flags & MessageFlag.MULTI) === 0;
      },
    },
  },
  pfkey: {
    name: 'pfkey',
    ...IN_KERNEL,
    bypass: pfKeyBypass,
    open: (upcalls, { bend, schedule }) =>
      openPfKeyBackend({ open: bend(openPfKeySocket), pid: process.pid, reqids: REQIDS, upcalls, schedule }),
    socket: {
      isAnswer: ([, type = 0]) => !PF_KEY_UPCALLS.has(type) && !PF_KEY_DUMPS.has(type),
    },
  },
  userland: USERLAND,
} as const satisfies Readonly<Record<Name, Implementation>>;

const REQIDS = { first: 1000, count: 100 };

/** linux/xfrm.h: ACQUIRE, EXPIRE, MAPPING. */
const XFRM_UPCALLS: ReadonlySet<number> = new Set([0x17, 0x18, 0x26]);
/** RFC 2367 §3.1: ACQUIRE, EXPIRE; Linux: X_NAT_T_NEW_MAPPING. */
const PF_KEY_UPCALLS: ReadonlySet<number> = new Set([6, 8, 23]);
/** DUMP, X_SPDDUMP. */
const PF_KEY_DUMPS: ReadonlySet<number> = new Set([10, 18]);
