/** The UDP sockets: one per local address and port, so that each answers from the address that was asked, over the native addon and over dgram alike. */
import { createSocket } from 'node:dgram';
import type { Encapsulation } from '../../kernel/backend.ts';
import type { SocketSetting } from '../../kernel/linux-sockets.ts';
import type { UdpSocket } from '../../kernel/udp/udp-socket.ts';
import { addressFamily, addressText, type Endpoint, parseAddress } from '../../shared/address.ts';
import { SystemError } from '../../shared/errors.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure } from '../../shared/log/records.ts';
import type { OpenSocket } from '../../shared/report/transport-report.ts';
import type { Path } from '../../shared/threads/contract.ts';
import type { Logger } from '../log/log.ts';
import type { Privileged } from '../privileged/privileged.ts';
import { causeOf } from '../privileged/system-fault.ts';

export interface UdpSocketsOptions {
  readonly privileged: Pick<Privileged, 'openUdpSocket'>;
  readonly log: Pick<Logger, 'write'>;
  /** Debug level of each class. */
  readonly levels: Int32Array;
  /** -p */
  readonly port: number;
  /** -N; undefined: -T */
  readonly encapsulationPort: number | undefined;
  /** -4 and -6. */
  readonly families: readonly (4 | 6)[];
  /** What the kernel in use wants to be set; absent: nothing. */
  readonly socketOptions?: (family: 4 | 6, isEncapsulated: boolean) => readonly SocketSetting[];
  /** ESP's sockets beside ours on the NAT-T port, where it has its own. */
  readonly encapsulation?: Encapsulation | undefined;
  /** Whole datagrams; those of the NAT-T port with their marker. The bytes are the receiver's. */
  readonly onDatagram: (path: Path, bytes: Uint8Array) => void;
}

export interface UdpSockets {
  /**
   * Opens what is missing and closes what is no longer wanted. Answers which of the addresses are not, or not yet, this host's. One that fails
   * otherwise gets an error line; when our own port is open nowhere for such a reason it rejects with SystemError.
   */
  readonly listen: (addresses: readonly string[]) => Promise<readonly string[]>;
  /** Sends from `path.local`, with the marker where `path.encapsulated`. Faults are logged. The bytes must not change afterwards. */
  readonly send: (path: Path, bytes: Uint8Array) => void;
  /** One byte that keeps a NAT awake, RFC 3948 §2.3. */
  readonly sendKeepalive: (path: Path) => void;
  /** Our address for a peer, as the kernel routes; one that we do not listen on is replaced by one of its family that we do. Undefined: none. Never rejects. */
  readonly localAddressFor: (remote: string) => Promise<string | undefined>;
  /** The sockets that are open: main port and NAT-T port of each address. */
  readonly openSockets: () => readonly OpenSocket[];
  /** Where they are. */
  readonly endpoints: () => readonly Endpoint[];
  readonly close: () => Promise<void>;
}

/** No socket is open yet. */
export const createUdpSockets = (options: UdpSocketsOptions): UdpSockets => {
  const state: Listeners = { open: new Map(), refused: new Map() };
  const { open } = state;
  let listening: Promise<unknown> = Promise.resolve();
  const { port } = options;
  const drop = (): void => undefined;
  return {
    listen: (addresses) => {
      const done = listening.then(() => rescan(options, state, addresses));
      listening = done.catch(drop);
      return done;
    },
    send: (path, bytes) => send(options, open, path, bytes, path.encapsulated),
    sendKeepalive: (path) => send(options, open, path, KEEPALIVE, false),
    localAddressFor: async (remote) => {
      const family = addressFamily(remote);
      const addresses = [...open.values()].flatMap(({ local }) =>
        local.port === port && addressFamily(local.address) === family ? [local.address] : [],
      );
      // Where there is no choice the kernel need not be asked, ten thousand times at a reload.
      if (addresses.length < 2) return addresses[0];
      const routed = await routedFrom(remote);
      return routed !== undefined && open.has(keyOf(routed, port)) ? routed : addresses[0];
    },
    openSockets: () => [...open.values()].map(({ socket: _, ...facts }) => facts),
    endpoints: () => [...open.values()].map(({ local }) => local),
    close: async () => {
      await listening;
      await Promise.all([...open.values()].map(({ socket }) => socket.close()));
      open.clear();
    },
  };
};

interface Listener extends OpenSocket {
  readonly socket: UdpSocket;
}

interface Listeners {
  readonly open: Map<string, Listener>;
  /** What was said last of addresses that could not be opened: nobody wants to read it every few seconds. */
  readonly refused: Map<string, string>;
}

const rescan = async (
  options: UdpSocketsOptions,
  { open, refused }: Listeners,
  addresses: readonly string[],
): Promise<readonly string[]> => {
  const wanted = wantedEndpoints(options, addresses);
  for (const [key, listener] of open) {
    if (wanted.has(key)) continue;
    open.delete(key);
    await closeOne(options, listener);
    traceSocket(options, 'closed', listener.local);
  }
  const missing = [...wanted].filter(([key]) => !open.has(key));
  const faults = await Promise.all(missing.map(([key, wish]) => openOne(options, open, key, wish)));
  const failed = faults.filter((fault) => fault !== undefined);
  const [absent, faulty] = [failed.filter(isAbsent), failed.filter((fault) => !isAbsent(fault))];
  const isDeaf = ![...open.values()].some(({ local }) => local.port === options.port);
  const reason = isDeaf ? faulty.find(({ local }) => local.port === options.port)?.fault : undefined;
  for (const { local, fault } of faulty) {
    const key = keyOf(local.address, local.port);
    if (fault === reason || refused.get(key) === fault.message) continue;
    refused.set(key, fault.message);
    options.log.write(failure('listen-failed', fault.message, { address: local.address }));
  }
  for (const key of open.keys()) refused.delete(key);
  if (reason !== undefined) throw reason;
  return [...new Set(absent.map(({ local }) => local.address))];
};

interface Wish {
  readonly family: 4 | 6;
  readonly local: Endpoint;
}

const wantedEndpoints = (options: UdpSocketsOptions, addresses: readonly string[]): ReadonlyMap<string, Wish> => {
  const wanted = new Map<string, Wish>();
  for (const address of addresses.map(parseAddress)) {
    if (address === undefined || !options.families.includes(address.family) || UNUSABLE.has(address.text)) continue;
    for (const port of [options.port, options.encapsulationPort]) {
      if (port === undefined) continue;
      const local = { address: address.text, port };
      wanted.set(keyOf(local.address, port), { family: address.family, local });
    }
  }
  return wanted;
};

interface FailedListen {
  readonly local: Endpoint;
  readonly fault: SystemError;
}

const isAbsent = ({ fault }: FailedListen): boolean => fault.code === 'EADDRNOTAVAIL';

const openOne = async (
  options: UdpSocketsOptions,
  open: Map<string, Listener>,
  key: string,
  { family, local }: Wish,
): Promise<FailedListen | undefined> => {
  try {
    const encapsulated = local.port === options.encapsulationPort;
    const steering = encapsulated ? options.encapsulation?.steering : undefined;
    const socket = await options.privileged.openUdpSocket({ family, ...local, steering });
    await prepare(options, socket, family, encapsulated);
    receive(options, socket, local);
    const number = Math.max(0, ...Array.from(open.values(), (other) => other.number)) + 1;
    open.set(key, { socket, local, encapsulated, number });
    traceSocket(options, 'listening', local);
    return undefined;
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    return { local, fault };
  }
};

/** A socket that cannot have its options is no use: its traffic would wait for the SAs that it is to negotiate. */
const prepare = async (
  options: UdpSocketsOptions,
  socket: UdpSocket,
  family: 4 | 6,
  isEncapsulated: boolean,
): Promise<void> => {
  try {
    for (const { level, option, value } of options.socketOptions?.(family, isEncapsulated) ?? []) {
      socket.setOption(level, option, value);
    }
    if (isEncapsulated && options.encapsulation !== undefined) await options.encapsulation.open(socket.local);
  } catch (fault) {
    await socket.close();
    throw fault;
  }
};

/** ESP's socket goes first: which of the two is which, the kernel knows by their order. */
const closeOne = async ({ encapsulation, log }: UdpSocketsOptions, listener: Listener): Promise<void> => {
  const { local, encapsulated, socket } = listener;
  try {
    if (encapsulated) await encapsulation?.close(local);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    log.write(failure('socket-failed', `${local.address} port ${local.port}: ${fault.message}`));
  }
  await socket.close();
};

const receive = (options: UdpSocketsOptions, socket: UdpSocket, local: Endpoint): void => {
  const encapsulated = local.port === options.encapsulationPort;
  socket.receive({
    onDatagram: (bytes, remote) => {
      const path = { local, remote, encapsulated };
      traceDatagram(options, 'from', path, bytes);
      options.onDatagram(path, bytes);
    },
    onError: (fault) => {
      options.log.write(failure('socket-failed', `${local.address} port ${local.port}: ${causeOf(fault)}`));
    },
  });
};

const send = (
  { log, levels }: UdpSocketsOptions,
  open: ReadonlyMap<string, Listener>,
  path: Path,
  bytes: Uint8Array,
  isMarked: boolean,
): void => {
  const { local, remote } = path;
  const told = (cause: string): void => {
    const text =
      `cannot send to ${remote.address} port ${remote.port} from ${local.address} port ${local.port}: ${cause}` as const;
    log.write(failure('send-failed', text, { address: remote.address, port: remote.port }));
  };
  const socket = open.get(keyOf(local.address, local.port))?.socket;
  if (socket === undefined) {
    told('we do not listen there any more');
    return;
  }
  traceDatagram({ log, levels }, 'to', path, bytes);
  socket.send(isMarked ? [NON_ESP_MARKER, bytes] : bytes, remote, (fault) => told(causeOf(fault)));
};

/** The source that the kernel would choose: connecting a socket sends nothing. */
const routedFrom = (remote: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = createSocket(addressFamily(remote) === 6 ? 'udp6' : 'udp4');
    const finish = (address: string | undefined): void => {
      socket.removeAllListeners();
      socket.close();
      resolve(address);
    };
    socket.once('error', () => finish(undefined));
    socket.once('connect', () => finish(addressText(socket.address().address)));
    socket.connect(DISCARD_PORT, remote);
  });

const traceSocket = (
  { log, levels }: Pick<UdpSocketsOptions, 'log' | 'levels'>,
  what: string,
  { address, port }: Endpoint,
): void => {
  if (!isPrinted(levels, LogClass.TRANSPORT, 40)) return;
  log.write(debugRecord(LogClass.TRANSPORT, 40, `udp_make: ${what} on ${address} port ${port}`));
};

const traceDatagram = (
  { log, levels }: Pick<UdpSocketsOptions, 'log' | 'levels'>,
  direction: 'from' | 'to',
  { local, remote, encapsulated }: Path,
  { length }: Uint8Array,
): void => {
  if (!isPrinted(levels, LogClass.TRANSPORT, 70)) return;
  const origin = `udp${encapsulated ? '_encap' : ''}_${direction === 'from' ? 'handle' : 'send'}_message`;
  const text = `${origin}: ${length} bytes ${direction} ${remote.address}:${remote.port}, our end ${local.address}:${local.port}`;
  log.write(debugRecord(LogClass.TRANSPORT, 70, text, { address: remote.address, port: remote.port }));
};

const keyOf = (address: string, port: number): string => `${address} ${port}`;

/** Addresses that interfaces may carry but nobody can be reached at. */
const UNUSABLE: ReadonlySet<string> = new Set(['0.0.0.0', '255.255.255.255', '::']);
/** RFC 3948 section 2.2. */
const NON_ESP_MARKER = new Uint8Array(4);
const KEEPALIVE = Uint8Array.of(0xff);
/** Any port will do. */
const DISCARD_PORT = 9;
