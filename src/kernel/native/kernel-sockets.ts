/** The kernel's own sockets: PF_KEY and XFRM netlink. */
import { endianness } from 'node:os';
import { SystemError } from '../../shared/errors.ts';
import type { KernelSocket, KernelSocketEvents, OpenKernelSocket } from '../kernel-socket.ts';
import { AddressFamily, NetlinkOption, OptionLevel, SocketType } from '../linux-sockets.ts';
import { NativeSocket } from './native-socket.ts';
import type { PacketBatch } from './packet-batch.ts';

/** RFC 2367. Throws SystemError: code EAFNOSUPPORT where the kernel has no PF_KEY, EPERM for whom it is not. Linux does not tell of its overruns. */
export const openPfKeySocket: OpenKernelSocket = (events) => {
  const socket = NativeSocket.open({ family: AddressFamily.KEY, type: SocketType.RAW, protocol: PF_KEY_V2 });
  return new MessageSocket(socket, events, () => true, RECEIVE_BUFFER);
};

/** netlink(7), family XFRM; `groups` is the mask of what is broadcast to us, `receiveBuffer` in bytes. Throws SystemError. */
export const openXfrmSocket =
  (groups: number, receiveBuffer = RECEIVE_BUFFER): OpenKernelSocket =>
  (events) => {
    const socket = NativeSocket.open({ family: AddressFamily.NETLINK, type: SocketType.RAW, protocol: NETLINK_XFRM });
    for (const option of Object.values(NetlinkOption)) socket.setInteger(OptionLevel.NETLINK, option, 1);
    return new MessageSocket(socket, events, isFromKernel, receiveBuffer, netlinkAddress(groups));
  };

class MessageSocket implements KernelSocket {
  readonly #socket: NativeSocket;
  readonly #events: KernelSocketEvents;
  readonly #isWelcome: (source: Uint8Array) => boolean;
  #isClosed = false;

  constructor(
    socket: NativeSocket,
    events: KernelSocketEvents,
    isWelcome: (source: Uint8Array) => boolean,
    receiveBuffer: number,
    address?: Uint8Array,
  ) {
    this.#socket = socket;
    this.#events = events;
    this.#isWelcome = isWelcome;
    try {
      socket.setReceiveBuffer(receiveBuffer);
      if (address !== undefined) socket.bind(address);
      socket.startReading(READING, {
        onBatch: (batch) => this.#deliver(batch),
        onError: (error) => (error.code === 'ENOBUFS' ? events.overrun() : events.failed(error)),
      });
    } catch (fault) {
      socket.close();
      throw fault;
    }
  }

  send(message: Uint8Array): void {
    this.#socket.send(message);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #deliver(batch: PacketBatch): void {
    for (let i = 0; i < batch.count && !this.#isClosed; i++) {
      if (!this.#isWelcome(batch.source(i))) continue;
      if (batch.isTruncated(i)) this.#events.failed(new SystemError(TOO_LONG, 'EMSGSIZE'));
      else this.#events.message(batch.bytes(i));
    }
  }
}

/** sockaddr_nl: u16 family, u16 padding, u32 port id (0: the kernel chooses), u32 groups. */
const netlinkAddress = (groups: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint16(0, AddressFamily.NETLINK, IS_LITTLE_ENDIAN);
  view.setUint32(8, groups, IS_LITTLE_ENDIAN);
  return new Uint8Array(view.buffer);
};

/** The kernel's port id is 0; privileged processes may write to ours as well. */
const isFromKernel = (source: Uint8Array): boolean => source.length === 12 && source.subarray(4, 8).every(isZero);

const isZero = (byte: number): boolean => byte === 0;

const IS_LITTLE_ENDIAN = endianness() === 'LE';

const PF_KEY_V2 = 2;
const NETLINK_XFRM = 6;

/** Netlink hands out 32 KiB at most, PF_KEY one message, whose policy or proposal may fill some pages. */
const READING = { maxSize: 65_536, batch: 16 };
const TOO_LONG = `EMSGSIZE: the kernel sent a message of more than ${READING.maxSize} bytes`;

/** Bytes. 212,992, the default, held 167 of 5,000 broadcast messages. */
const RECEIVE_BUFFER = 16 * 1024 * 1024;
