/** The sockets that carry ESP packets between hosts: one raw socket per family, and a UDP socket beside each of IKE's on the NAT-T port. */
import { type Endpoint, parseAddress } from '../../shared/address.ts';
import { SystemError } from '../../shared/errors.ts';
import { KernelError } from '../backend.ts';
import {
  AddressFamily,
  IpOption,
  Ipv6Option,
  OptionLevel,
  PMTUDISC_DO,
  PMTUDISC_DONT,
  SocketOption,
  SocketType,
  UdpOption,
} from '../linux-sockets.ts';
import { NativeSocket } from '../native/native-socket.ts';
import type { PacketBatch } from '../native/packet-batch.ts';
import { toEndpoint, toSocketAddress } from '../udp/endpoint-bytes.ts';
import type { Arrival } from './esp-engine.ts';
import type { OutboundSa, OuterEnd } from './esp-sa.ts';
import { Segments } from './segments.ts';
import { steerIke } from './steering.ts';

export interface OuterSocketEvents {
  /** One ESP packet, `bytes[start..)`; it may be opened in place. */
  readonly onPacket: (bytes: Uint8Array, start: number, arrival: Arrival) => void;
  /** Before and after the packets of one wake. */
  readonly onWake: () => void;
  readonly onSlept: () => void;
  /** The socket goes on. */
  readonly onError: (error: SystemError) => void;
}

export class OuterSockets {
  readonly #events: OuterSocketEvents;
  readonly #mark: number;
  readonly #raw: ReadonlyMap<number, OuterSocket>;
  readonly #encapsulated = new Map<string, OuterSocket>();

  /** Throws SystemError. */
  constructor(mark: number, events: OuterSocketEvents) {
    this.#mark = mark;
    this.#events = events;
    this.#raw = new Map([
      [4, this.#open(4, SocketType.RAW, PROTOCOL_ESP)],
      [16, this.#open(16, SocketType.RAW, PROTOCOL_ESP)],
    ]);
  }

  /** Beside the IKE socket of this address and port, which must be there already. Throws SystemError. */
  openEncapsulation({ address, port }: Endpoint): void {
    const key = keyOf(address, port);
    const bytes = parseAddress(address)?.bytes;
    if (bytes === undefined) throw new SystemError(`${address} is no address to encapsulate ESP on`);
    if (this.#encapsulated.has(key)) return;
    const name = toSocketAddress({ address, port });
    this.#encapsulated.set(key, this.#open(bytes.length, SocketType.DGRAM, PROTOCOL_UDP, name));
  }

  closeEncapsulation({ address, port }: Endpoint): void {
    const key = keyOf(address, port);
    this.#encapsulated.get(key)?.socket.close();
    this.#encapsulated.delete(key);
  }

  /** Throws KernelError 'failed' where packets of such an SA have no socket to leave by. */
  check({ source }: Pick<OutboundSa, 'source'>): void {
    if (source.port === 0 || this.#encapsulated.has(keyOf(source.text, source.port))) return;
    throw new KernelError('failed', `no socket encapsulates ESP on ${source.text} port ${source.port}`);
  }

  /** As `EngineOutput.transmit`. Throws SystemError where the system did not take it. */
  send(sa: OutboundSa, packet: Uint8Array, trafficClass: number, isDontFragment: boolean): number {
    const { source, destination } = sa;
    const outer =
      source.port > 0 ? this.#encapsulated.get(keyOf(source.text, source.port)) : this.#raw.get(source.address.length);
    if (outer === undefined) throw new SystemError(`no socket for ESP from ${source.text}`, 'ENOTCONN');
    try {
      outer.send(packet, destination.name, source.port > 0 ? undefined : source.address, trafficClass, isDontFragment);
      return 0;
    } catch (fault) {
      if (!(fault instanceof SystemError) || fault.code !== 'EMSGSIZE') throw fault;
      return this.#pathMtu(destination);
    }
  }

  /** At the end of a wake: what waits leaves. */
  flush(): void {
    for (const outer of this.#encapsulated.values()) outer.flush();
  }

  /** What the kernel has learnt of the path, in bytes. */
  #pathMtu({ address, text }: OuterEnd): number {
    const isV4 = address.length === 4;
    const probe = NativeSocket.open({ ...kindOf(address.length), type: SocketType.DGRAM, protocol: PROTOCOL_UDP });
    try {
      probe.setInteger(OptionLevel.SOCKET, SocketOption.MARK, this.#mark);
      probe.connect(toSocketAddress({ address: text, port: DISCARD }));
      const value = isV4
        ? probe.getOption(OptionLevel.IP, IpOption.MTU, 4)
        : probe.getOption(OptionLevel.IPV6, Ipv6Option.MTU, 4);
      return new Int32Array(value.slice().buffer)[0] ?? 0;
    } finally {
      probe.close();
    }
  }

  #open(addressSize: number, type: number, protocol: number, name?: Uint8Array): OuterSocket {
    const socket = NativeSocket.open({ ...kindOf(addressSize), type, protocol });
    try {
      socket.setInteger(OptionLevel.SOCKET, SocketOption.MARK, this.#mark);
      socket.setReceiveBuffer(RECEIVE_BUFFER);
      if (name !== undefined) {
        if (addressSize === 16) socket.setInteger(OptionLevel.IPV6, Ipv6Option.V6ONLY, 1);
        socket.setInteger(OptionLevel.SOCKET, SocketOption.REUSEPORT, 1);
        socket.bind(name);
        steerIke(socket);
      }
      const outer = new OuterSocket(socket, addressSize === 4, name === undefined ? undefined : this.#events.onError);
      this.#read(outer, name !== undefined);
      return outer;
    } catch (fault) {
      socket.close();
      throw fault;
    }
  }

  #read(outer: OuterSocket, isEncapsulated: boolean): void {
    const { onPacket, onWake, onSlept, onError } = this.#events;
    const arrival = new SocketArrival(isEncapsulated);
    // Raw IPv4 sockets hand out the header as well.
    const hasHeader = outer.isV4 && !isEncapsulated;
    outer.socket.startReading(READING, {
      onBatch: (batch) => {
        onWake();
        arrival.batch = batch;
        for (arrival.index = 0; arrival.index < batch.count; arrival.index++) {
          const bytes = batch.bytes(arrival.index);
          arrival.trafficClass = hasHeader ? (bytes[1] ?? 0) : 0;
          onPacket(bytes, hasHeader ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0, arrival);
        }
        onSlept();
      },
      onError: (error, isOver) => {
        // A socket that is not read any more would be silence for ever: another thread opens another one.
        if (isOver) throw error;
        onError(error);
      },
    });
  }
}

/** A socket, and what it was told last about the headers it makes: packets with other wishes are rare, and cost a system call each. */
class OuterSocket {
  readonly socket: NativeSocket;
  readonly isV4: boolean;
  #trafficClass = 0;
  #isDontFragment: boolean | undefined;
  /** Of UDP only. */
  readonly #segments: Segments | undefined;

  /** `onError`: of packets that have waited; undefined where none does. */
  constructor(socket: NativeSocket, isV4: boolean, onError: ((error: SystemError) => void) | undefined) {
    this.socket = socket;
    this.isV4 = isV4;
    if (onError === undefined) return;
    const cutting = {
      send: (packet: Uint8Array, destination: Uint8Array) => socket.send(packet, destination),
      setSegmentSize: (bytes: number) => socket.setInteger(OptionLevel.UDP, UdpOption.SEGMENT, bytes),
    };
    this.#segments = new Segments(cutting, onError);
  }

  send(
    packet: Uint8Array,
    destination: Uint8Array,
    source: Uint8Array | undefined,
    trafficClass: number,
    isDontFragment: boolean,
  ): void {
    if (trafficClass !== this.#trafficClass) {
      this.flush();
      this.#set(IpOption.TOS, Ipv6Option.TCLASS, trafficClass);
      this.#trafficClass = trafficClass;
    }
    if (isDontFragment !== this.#isDontFragment) {
      this.flush();
      this.#set(IpOption.MTU_DISCOVER, Ipv6Option.MTU_DISCOVER, isDontFragment ? PMTUDISC_DO : PMTUDISC_DONT);
      this.#isDontFragment = isDontFragment;
    }
    if (this.#segments !== undefined) this.#segments.send(packet, destination, isDontFragment);
    else
      this.socket.send(packet, destination, source === undefined ? undefined : { address: source, interfaceIndex: 0 });
  }

  flush(): void {
    this.#segments?.flush();
  }

  #set(v4: number, v6: number, value: number): void {
    this.socket.setInteger(this.isV4 ? OptionLevel.IP : OptionLevel.IPV6, this.isV4 ? v4 : v6, value);
  }
}

/** One for all packets of a socket. */
class SocketArrival implements Arrival {
  readonly isEncapsulated: boolean;
  trafficClass = 0;
  batch: PacketBatch | undefined;
  index = 0;

  constructor(isEncapsulated: boolean) {
    this.isEncapsulated = isEncapsulated;
  }

  source(): Endpoint {
    return toEndpoint(this.batch?.source(this.index) ?? NOWHERE) ?? { address: '', port: 0 };
  }
}

const kindOf = (addressSize: number): { readonly family: number } => ({
  family: addressSize === 4 ? AddressFamily.INET : AddressFamily.INET6,
});

const keyOf = (address: string, port: number): string => `${address} ${port}`;

const NOWHERE = new Uint8Array(0);
const PROTOCOL_ESP = 50;
const PROTOCOL_UDP = 17;
/** Nothing is ever sent there. */
const DISCARD = 9;
const READING = { maxSize: 65_535, batch: 64 };
/** Bytes: some milliseconds of traffic at full speed. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;
