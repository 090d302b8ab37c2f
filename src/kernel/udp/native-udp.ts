/** UDP over the native addon: bursts are read at once, and the receive buffer may be larger than the system's limit. */
import type { Endpoint } from '../../shared/address.ts';
import { SystemError } from '../../shared/errors.ts';
import {
  AddressFamily,
  IpOption,
  Ipv6Option,
  OptionLevel,
  PMTUDISC_DONT,
  SocketOption,
  SocketType,
} from '../linux-sockets.ts';
import { NativeSocket } from '../native/native-socket.ts';
import type { PacketBatch } from '../native/packet-batch.ts';
import { toEndpoint, toSocketAddress } from './endpoint-bytes.ts';
import { type OpenUdp, UDP_RECEIVE_BUFFER, type UdpEvents, type UdpRequest, type UdpSocket } from './udp-socket.ts';

export const openNativeUdp: OpenUdp = async (request) => {
  const family = request.family === 4 ? AddressFamily.INET : AddressFamily.INET6;
  const socket = NativeSocket.open({ family, type: SocketType.DGRAM, protocol: 0 });
  try {
    setOptions(socket, request);
    socket.bind(toSocketAddress(request));
    if (request.steering !== undefined) socket.steerReusePort(request.steering);
    return new NativeUdp(socket, {
      address: request.address,
      port: toEndpoint(socket.localName())?.port ?? request.port,
    });
  } catch (fault) {
    socket.close();
    throw fault;
  }
};

const setOptions = (socket: NativeSocket, { family, steering }: UdpRequest): void => {
  if (steering !== undefined) socket.setInteger(OptionLevel.SOCKET, SocketOption.REUSEPORT, 1);
  // Without DF: routers may fragment what is too long for a link whose "too big" some firewall swallows.
  if (family === 4) socket.setInteger(OptionLevel.IP, IpOption.MTU_DISCOVER, PMTUDISC_DONT);
  else socket.setInteger(OptionLevel.IPV6, Ipv6Option.V6ONLY, 1);
  socket.setReceiveBuffer(UDP_RECEIVE_BUFFER);
};

interface Waiting {
  readonly datagram: Uint8Array | readonly Uint8Array[];
  readonly remote: Endpoint;
  readonly onFault: (error: Error) => void;
}

class NativeUdp implements UdpSocket {
  readonly local: Endpoint;
  readonly #socket: NativeSocket;
  /** What there was no room for in the send buffer, in order. */
  #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(socket: NativeSocket, local: Endpoint) {
    this.#socket = socket;
    this.local = local;
  }

  receive({ onDatagram, onError }: UdpEvents): void {
    this.#socket.startReading(
      { maxSize: LARGEST, batch: BATCH },
      { onBatch: (batch) => this.#deliver(batch, onDatagram), onError },
    );
  }

  send(datagram: Waiting['datagram'], remote: Endpoint, onFault: Waiting['onFault']): void {
    const waiting = { datagram, remote, onFault };
    if (this.#waiting.length === 0 && this.#isSent(waiting)) return;
    if (this.#waiting.length >= MOST_WAITING) {
      onFault(new SystemError('EAGAIN: the send buffer is full', 'EAGAIN'));
      return;
    }
    if (this.#waiting.push(waiting) === 1) this.#socket.onceWritable(() => this.#sendOn());
  }

  setOption(level: number, name: number, value: Uint8Array): void {
    this.#socket.setOption(level, name, value);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    this.#socket.close();
  }

  #deliver(batch: PacketBatch, onDatagram: UdpEvents['onDatagram']): void {
    for (let i = 0; i < batch.count && !this.#isClosed; i++) {
      const remote = toEndpoint(batch.source(i));
      if (remote !== undefined) onDatagram(batch.bytes(i), remote);
    }
  }

  /** Whether that is done with: sent, or a fault that waiting does not cure. */
  #isSent({ datagram, remote, onFault }: Waiting): boolean {
    try {
      this.#socket.send(datagram, toSocketAddress(remote));
      return true;
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      if (fault.code === 'EAGAIN') return false;
      onFault(fault);
      return true;
    }
  }

  #sendOn(): void {
    let done = 0;
    // A fault that is told may send more, or close.
    for (let next = this.#waiting[0]; next !== undefined && this.#isSent(next); next = this.#waiting[done]) done++;
    this.#waiting.splice(0, done);
    if (this.#waiting.length > 0) this.#socket.onceWritable(() => this.#sendOn());
  }
}

/** Bytes; no UDP datagram is longer. */
const LARGEST = 65_535;
/** Datagrams read before others have their turn. */
const BATCH = 64;
/** Datagrams. */
const MOST_WAITING = 1024;
